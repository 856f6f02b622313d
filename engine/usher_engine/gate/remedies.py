"""The change of a text that removes a doubt about it, offered only if it does."""

from __future__ import annotations

import re

from usher_engine.expressions import Doubt

from ..definitions.lint_finding import Remedy
from .data_readings import Reading

_LONGEST_LABEL = 60


def remedy_of(reading: Reading, doubt: Doubt) -> Remedy | None:
    """What to write instead in *reading*; None if nothing is known, or if it would not help."""
    if not doubt.new:
        return None
    after = _written(reading.source, doubt)
    if after == reading.source or not _helps(reading, doubt, after):
        return None
    return Remedy(label=f"Change to “{doubt.new[:_LONGEST_LABEL]}”", before=reading.source, after=after)


def _written(source: str, doubt: Doubt) -> str:
    """*source* with the doubtful word replaced: a name as it stands alone, a field after a point, a text in quotes."""
    word = re.escape(doubt.old)
    quoted = rf"(?<=[\"']){word}(?=[\"'])"
    pattern = {
        "unset": rf"(?<![\w.\"']){word}(?![\w\"'])|(?<=get\([\"']){word}(?=[\"'])",
        "perhaps": rf"(?<![\w.\"']){word}(?![\w\"'])",
        "field": rf"(?<=\.){word}(?!\w)|{quoted}",
        "value": quoted,
    }.get(doubt.about)
    return re.sub(pattern, lambda _found: doubt.new, source) if pattern else source


def _helps(reading: Reading, doubt: Doubt, after: str) -> bool:
    """Whether *after* can be read and leaves none of this doubt."""
    found = reading.changed(after)
    if found is None:
        return False
    return not any((left.about, left.old) == (doubt.about, doubt.old) for left in found.doubts)

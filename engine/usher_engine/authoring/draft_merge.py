"""A save that came after another one: merged where both changed different elements of a diagram (decisions/0029)."""

from __future__ import annotations

from ..definitions import CannotMerge, Package, merge_diagrams
from ..store import Transaction
from ..store import draft_point_rows as rows


def merged_file(tx: Transaction, present: Package, sent: Package, path: str, seen: str, process: str) -> Package | None:
    """
    The draft with both changes of the diagram *path*; None where a person has to choose.

    *seen* is the hash of the file that the author of *sent* began from; it must be among the kept states.
    """
    base = rows.file_with(tx, process, seen) if path.endswith(".bpmn") and seen else None
    if base is None:
        return None
    try:
        merged = merge_diagrams(base, present.files[path], sent.files[path], path)
    except CannotMerge:
        return None
    return Package({**present.files, path: merged.content}) if merged.content is not None else None

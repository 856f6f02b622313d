"""A save that came after another one: merged where both changed different elements, fields or rows (decisions/0029)."""

from __future__ import annotations

from ..definitions import CannotMerge, Package, merge_diagrams
from ..differences import merge_form, merge_table
from ..store import Transaction
from ..store import draft_point_rows as rows

_MERGED = (".bpmn", ".form", ".dmn")


def merged_file(tx: Transaction, present: Package, sent: Package, path: str, seen: str, process: str) -> Package | None:
    """
    The draft with both changes of the file *path*; None where a person has to choose.

    *seen* is the hash of the file that the author of *sent* began from; it must be among the kept states.
    """
    base = rows.file_with(tx, process, seen) if path.endswith(_MERGED) and seen else None
    if base is None:
        return None
    content = _merged(base, present.files[path], sent.files[path], path)
    return None if content is None else Package({**present.files, path: content})


def _merged(base: bytes, theirs: bytes, mine: bytes, path: str) -> bytes | None:
    if path.endswith(".form"):
        return merge_form(base, theirs, mine, path)
    if path.endswith(".dmn"):
        return merge_table(base, theirs, mine, path)
    try:
        return merge_diagrams(base, theirs, mine, path).content
    except CannotMerge:
        return None

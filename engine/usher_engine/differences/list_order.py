"""Finds the things that changed their position in a list, ignoring added and removed ones."""

from __future__ import annotations

from difflib import SequenceMatcher


def out_of_order(before: list[str], after: list[str]) -> frozenset[str]:
    """Return the smallest set of keys to move to turn one order into the other; keys in only one list are ignored."""
    left, stayed = set(before), set(after)
    old, new = [key for key in before if key in stayed], [key for key in after if key in left]
    if old == new:
        return frozenset()
    matched = SequenceMatcher(a=old, b=new, autojunk=False).get_matching_blocks()
    in_place = {key for block in matched for key in old[block.a : block.a + block.size]}
    return frozenset(old) - in_place

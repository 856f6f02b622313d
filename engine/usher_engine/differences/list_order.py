"""Which things of a list stand elsewhere than before, when those that came and went are left out."""

from __future__ import annotations

from difflib import SequenceMatcher


def out_of_order(before: list[str], after: list[str]) -> frozenset[str]:
    """The fewest things one would have to move; those only in one list are not among them."""
    left, stayed = set(before), set(after)
    old, new = [key for key in before if key in stayed], [key for key in after if key in left]
    if old == new:
        return frozenset()
    matched = SequenceMatcher(a=old, b=new, autojunk=False).get_matching_blocks()
    in_place = {key for block in matched for key in old[block.a : block.a + block.size]}
    return frozenset(old) - in_place

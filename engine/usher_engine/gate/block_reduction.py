"""Reduces structured blocks to one step each: the token game need not play a block that every token leaves.

A sequence, a split with its matching join, a choice whose ways meet again or end, a loop with its condition: each
becomes one arc, the innermost first. If two tokens could meet in a block, they still meet on its arc. The game plays
the parts that are not blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

from .token_net import Arc, Net

#: Kinds of joins at which parallel ways can become one, by the kind of the split.
_BLOCKS = {
    "xor": {"xor", "or", "end", "stop"},
    "and": {"and", "or", "end", "stop"},
    "or": {"or", "end"},
}
_MERGES = {"xor", "end"}


def reduce_blocks(net: Net) -> Net:
    """Return a copy of *net* with every block reduced to one arc."""
    left = net.copy()
    while any(rule(left) for rule in _RULES):
        pass
    return left


def _fuse_ways(net: Net) -> bool:
    """Replace the ways from one split to one join with a single way."""
    changed = False
    for key, spot in net.spots.items():
        ways = sorted(net.out(key), key=lambda arc: arc.target)
        for target, group in groupby(ways, key=lambda arc: arc.target):
            twins = list(group)
            if len(twins) > 1 and target != key and net.spots[target].kind in _BLOCKS.get(spot.kind, ()):
                for twin in twins:
                    net.drop(twin.id)
                net.put(_single_arc(twins, whole=spot.kind == "and"))
                changed = True
    return changed


def _single_arc(ways: list[Arc], *, whole: bool) -> Arc:
    """Return one arc for *ways*: all of them in a row if *whole*, else the shortest."""
    waits = next((arc.waits for arc in ways if arc.waits), "")
    shortest = min(ways, key=lambda arc: (len(arc.passed), arc.id))
    passed = tuple(key for arc in ways for key in arc.passed) if whole else shortest.passed
    return replace(shortest, passed=passed, waits=waits)


def _reduce_loops(net: Net) -> bool:
    """Replace a loop of one way forward and one way back with the way forward."""
    changed = False
    for back in net.current_arcs():
        if not _connects(net, back, "xor", "xor"):
            continue
        there = net.out(back.target)
        if back.source == back.target:
            changed |= _drop_self_loop(net, back)
        elif len(there) == len(net.into(back.source)) == 1 and there[0].target == back.source:
            net.drop(back.id)
            net.put(replace(there[0], waits=there[0].waits or back.waits))
            changed = True
    return changed


def _drop_self_loop(net: Net, back: Arc) -> bool:
    """Drop a way that leads from a choice straight back to it."""
    others = [arc for arc in net.out(back.source) if arc.target != back.source]
    return bool(others) and _drop_choice(net, back, others)


def _drop_stops(net: Net) -> bool:
    """Drop a choice that ends everything: it cannot get stuck."""
    changed = False
    for arc in net.current_arcs():
        if _connects(net, arc, "xor", "stop"):
            others = [other for other in net.out(arc.source) if other is not arc]
            changed |= bool(others) and _drop_choice(net, arc, others)
    return changed


def _drop_choice(net: Net, arc: Arc, others: list[Arc]) -> bool:
    """Drop a choice; if a token could rest on it, let it rest on the *others* instead."""
    if arc.waits and _has_inclusive_join(net):
        return False  # an inclusive join decides by where tokens rest
    net.drop(arc.id)
    for other in others:
        if arc.waits and not other.waits:
            net.put(replace(other, waits=arc.waits))
    return True


def _fuse_splits(net: Net) -> bool:
    """Merge a split into a preceding split of its kind."""
    changed = False
    for arc in net.current_arcs():
        if arc.source == arc.target or len(net.into(arc.target)) != 1:
            continue
        kind = net.spots[arc.source].kind
        if kind not in ("xor", "and") or not _connects(net, arc, kind, kind) or not net.out(arc.target):
            continue
        if arc.waits and _has_inclusive_join(net):
            continue
        if kind == "and" and any(net.spots[way.target].kind == "stop" for way in net.out(arc.target)):
            continue  # the first token there ends the others
        for way in net.out(arc.target):
            net.put(replace(net.join_arcs(arc, way), id=way.id))
        net.drop(arc.id)
        del net.spots[arc.target]
        changed = True
    return changed


def _fuse_merges(net: Net) -> bool:
    """Merge a merge into the merge or end that follows it directly."""
    changed = False
    for arc in net.current_arcs():
        if arc.waits or arc.source == arc.target or len(net.out(arc.source)) != 1:
            continue
        if net.spots[arc.source].kind == "xor" and net.spots[arc.target].kind in _MERGES and net.into(arc.source):
            for way in net.into(arc.source):
                net.put(net.join_arcs(way, arc))
            net.drop(arc.id)
            del net.spots[arc.source]
            changed = True
    return changed


def _fuse_ends(net: Net) -> bool:
    """Lead all ways to ends of one kind to the same end: a token disappears at any of them."""
    changed = False
    for kind in ("end", "stop"):
        first, *others = [key for key, spot in net.spots.items() if spot.kind == kind] or [""]
        for other in others:
            for arc in net.into(other):
                net.put(replace(arc, target=first))
            del net.spots[other]
            changed = True
    return changed


def _connects(net: Net, arc: Arc, source: str, target: str) -> bool:
    return net.spots[arc.source].kind == source and net.spots[arc.target].kind == target


def _has_inclusive_join(net: Net) -> bool:
    return any(spot.kind == "or" and len(net.into(key)) > 1 for key, spot in net.spots.items())


_RULES: tuple[Callable[[Net], bool], ...] = (
    _fuse_ends,
    Net.fuse,
    _fuse_ways,
    _reduce_loops,
    _drop_stops,
    _fuse_splits,
    _fuse_merges,
)

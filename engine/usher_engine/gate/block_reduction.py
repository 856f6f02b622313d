"""Structured blocks as one step: what is sure to be left when it was entered needs not be played.

A sequence, a split and the join of its kind, a choice whose ways meet again or end, a loop with its condition: each is
put into one arc, from the innermost to the outermost. Where two tokens could meet in a block, they still meet on its
arc. What is no block stays and is played.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

from .token_net import Arc, Net

#: Ways that part here and meet there can be one way: by the kind of the split, the kinds of the join.
_BLOCKS = {
    "xor": {"xor", "or", "end", "stop"},
    "and": {"and", "or", "end", "stop"},
    "or": {"or", "end"},
}
_MERGES = {"xor", "end"}


def reduced(net: Net) -> Net:
    """*net* with every block in one arc; *net* itself stays as it is."""
    left = net.copy()
    while any(rule(left) for rule in _RULES):
        pass
    return left


def _meet_again(net: Net) -> bool:
    """Ways from one split to one join become one."""
    changed = False
    for key, spot in net.spots.items():
        ways = sorted(net.out(key), key=lambda arc: arc.target)
        for target, group in groupby(ways, key=lambda arc: arc.target):
            twins = list(group)
            if len(twins) > 1 and target != key and net.spots[target].kind in _BLOCKS.get(spot.kind, ()):
                for twin in twins:
                    net.drop(twin.id)
                net.put(_one_of(twins, whole=spot.kind == "and"))
                changed = True
    return changed


def _one_of(ways: list[Arc], *, whole: bool) -> Arc:
    """*ways* as one: all of them where they are taken together, else the shortest."""
    waits = next((arc.waits for arc in ways if arc.waits), "")
    shortest = min(ways, key=lambda arc: (len(arc.passed), arc.id))
    passed = tuple(key for arc in ways for key in arc.passed) if whole else shortest.passed
    return replace(shortest, passed=passed, waits=waits)


def _go_round(net: Net) -> bool:
    """A loop of one way there and one way back becomes the way there."""
    changed = False
    for back in net.each():
        if not _are(net, back, "xor", "xor"):
            continue
        there = net.out(back.target)
        if back.source == back.target:
            changed |= _turn(net, back)
        elif len(there) == len(net.into(back.source)) == 1 and there[0].target == back.source:
            net.drop(back.id)
            net.put(replace(there[0], waits=there[0].waits or back.waits))
            changed = True
    return changed


def _turn(net: Net, back: Arc) -> bool:
    """A way that leads from a choice straight back to it."""
    others = [arc for arc in net.out(back.source) if arc.target != back.source]
    return bool(others) and _give_up(net, back, others)


def _stop(net: Net) -> bool:
    """A choice that ends everything can do no harm."""
    changed = False
    for arc in net.each():
        if _are(net, arc, "xor", "stop"):
            others = [other for other in net.out(arc.source) if other is not arc]
            changed |= bool(others) and _give_up(net, arc, others)
    return changed


def _give_up(net: Net, arc: Arc, others: list[Arc]) -> bool:
    """Drop a choice; where a token could rest on it, it may rest on the *others* instead."""
    if arc.waits and _has_inclusive_join(net):
        return False  # which tokens such a join waits for depends on where they rest
    net.drop(arc.id)
    for other in others:
        if arc.waits and not other.waits:
            net.put(replace(other, waits=arc.waits))
    return True


def _split_at_once(net: Net) -> bool:
    """A split that follows on one of its kind is a part of it."""
    changed = False
    for arc in net.each():
        if arc.source == arc.target or len(net.into(arc.target)) != 1:
            continue
        kind = net.spots[arc.source].kind
        if kind not in ("xor", "and") or not _are(net, arc, kind, kind) or not net.out(arc.target):
            continue
        if arc.waits and _has_inclusive_join(net):
            continue
        if kind == "and" and any(net.spots[way.target].kind == "stop" for way in net.out(arc.target)):
            continue  # who comes there first ends the others
        for way in net.out(arc.target):
            net.put(replace(net.joined(arc, way), id=way.id))
        net.drop(arc.id)
        del net.spots[arc.target]
        changed = True
    return changed


def _merge_at_once(net: Net) -> bool:
    """A merge that leads straight to another, or to an end, is a part of it."""
    changed = False
    for arc in net.each():
        if arc.waits or arc.source == arc.target or len(net.out(arc.source)) != 1:
            continue
        if net.spots[arc.source].kind == "xor" and net.spots[arc.target].kind in _MERGES and net.into(arc.source):
            for way in net.into(arc.source):
                net.put(net.joined(way, arc))
            net.drop(arc.id)
            del net.spots[arc.source]
            changed = True
    return changed


def _ends_are_one(net: Net) -> bool:
    """Wherever a token ends, it is gone: ways to different ends lead to one."""
    changed = False
    for kind in ("end", "stop"):
        first, *others = [key for key, spot in net.spots.items() if spot.kind == kind] or [""]
        for other in others:
            for arc in net.into(other):
                net.put(replace(arc, target=first))
            del net.spots[other]
            changed = True
    return changed


def _are(net: Net, arc: Arc, source: str, target: str) -> bool:
    return net.spots[arc.source].kind == source and net.spots[arc.target].kind == target


def _has_inclusive_join(net: Net) -> bool:
    return any(spot.kind == "or" and len(net.into(key)) > 1 for key, spot in net.spots.items())


_RULES: tuple[Callable[[Net], bool], ...] = (
    _ends_are_one,
    Net.fuse,
    _meet_again,
    _go_round,
    _stop,
    _split_at_once,
    _merge_at_once,
)

"""When an inclusive join activates (BPMN 2.0.2, 13.4.3 and table 13.3): one rule for the gate and the engine.

Works on ids alone. A *place* is a sequence flow that carries a token, or a flow node where a token rests; a token
inside a sub-process or called process rests in the enclosing activity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InclusiveJoin:
    """*arms* maps each incoming flow to the places from which a token can reach it without passing the join."""

    arms: Mapping[str, frozenset[str]]

    def waits_for(self, filled: Collection[str], occupied: Iterable[str]) -> list[str]:
        """
        Return the tokens the join waits for; it activates when there are none and at least one flow has a token.

        It waits for a token that can reach an empty incoming flow and cannot reach a filled one.

        Args:
            filled: The flows into the join that have a token.
            occupied: All places with a token in the join's scope; those in *filled* may be among them.
        """
        to_filled = self._from(arm for arm in self.arms if arm in filled)
        to_empty = self._from(arm for arm in self.arms if arm not in filled)
        return [place for place in occupied if place in to_empty and place not in to_filled]

    def goes_on(self, filled: Collection[str], occupied: Iterable[str]) -> bool:
        """Whether the join activates now and consumes one token from each of the *filled* flows."""
        return bool(filled) and not self.waits_for(filled, occupied)

    def _from(self, arms: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(self.arms[arm] for arm in arms))


def inclusive_join(key: str, flows: Iterable[tuple[str, str, str]], hosts: Mapping[str, str]) -> InclusiveJoin:
    """
    Precompute the reachability that the join *key* needs, once for each diagram.

    Args:
        key: The id of the inclusive gateway.
        flows: Id, source and target of each sequence flow in the scope; jumps between link events are flows too.
        hosts: Maps each boundary event to its activity: a token in the activity may leave through the event.
    """
    incoming: dict[str, list[tuple[str, str]]] = {}
    for flow, source, target in flows:
        incoming.setdefault(target, []).append((flow, source))
    arms = {flow: _before(key, flow, source, incoming, hosts) for flow, source in incoming.get(key, ())}
    return InclusiveJoin(arms)


def _before(
    key: str, flow: str, source: str, incoming: Mapping[str, list[tuple[str, str]]], hosts: Mapping[str, str]
) -> frozenset[str]:
    """The places from which *flow* can be reached without passing the join *key*, including *flow* itself."""
    found = {flow}
    waiting = [source]
    while waiting:
        node = waiting.pop()
        if node == key or node in found:
            continue
        found.add(node)
        if node in hosts:
            waiting.append(hosts[node])
        for way, before in incoming.get(node, ()):
            found.add(way)
            waiting.append(before)
    return frozenset(found)

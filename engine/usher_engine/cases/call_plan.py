"""What the processes of a package say about calls: who owns an element, where a flow comes from, what a call starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..definitions import SUB_PROCESSES, Node, Package

#: A token leaves each of these by one flow only, however many there are.
_ONE_WAY = ("exclusiveGateway", "eventBasedGateway", "complexGateway")


@dataclass(frozen=True, kw_only=True)
class CallPlan:
    """
    ``owners`` maps each flow node to its process, ``ends`` each flow to its source and target.

    ``calls`` maps each call activity to the process it calls; it is empty in a package without calls.
    """

    main: str
    owners: Mapping[str, str]
    ends: Mapping[str, tuple[str, str]]
    calls: Mapping[str, str]
    nodes: Mapping[str, Node]
    leaving: Mapping[str, int]

    def forks(self, element: str) -> bool:
        """Whether a token may leave *element* by several flows at once."""
        return self.leaving.get(element, 0) > 1 and self.nodes[element].kind not in _ONE_WAY

    def repeats(self, element: str) -> bool:
        return element in self.nodes and self.nodes[element].repeat is not None

    def inside(self, element: str) -> str:
        """The id of what *element* contains: the called process, or itself if it is a sub-process; else empty."""
        known = self.nodes.get(element)
        return self.calls.get(element, element if known and known.kind in SUB_PROCESSES else "")


#: The plan of a package without calls: it holds nothing else, as nothing else is asked.
NO_CALLS = CallPlan(main="", owners={}, ends={}, calls={}, nodes={}, leaving={})


def call_plan(package: Package) -> CallPlan:
    """The plan of a package that can be deployed."""
    processes = {process.id: process for one in package.drawings for process in one.processes}
    nodes = {node.id: (process.id, node) for process in processes.values() for node in process.nodes}
    calls = {key: node.called for key, (_, node) in nodes.items() if node.kind == "callActivity"}
    if not calls:
        return NO_CALLS
    flows = [flow for process in processes.values() for flow in process.flows]
    return CallPlan(
        main=package.key,
        owners={key: process for key, (process, _) in nodes.items()},
        ends={flow.id: (flow.source, flow.target) for flow in flows},
        calls=calls,
        nodes={key: node for key, (_, node) in nodes.items()},
        leaving=Counter(flow.source for flow in flows),
    )

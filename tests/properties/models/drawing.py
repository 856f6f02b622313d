"""The nodes and flows of one process or sub-process, in the order of writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

#: Open ends of the part written so far: the source of the next flow, its condition, whether it is the default.
Ends = list[tuple[str, str, bool]]


@dataclass
class Drawing:
    """Nodes, flows, and the default flow of each gateway that has one."""

    nodes: list[tuple[str, str, str, str]] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def xml(self) -> str:
        return "".join([*self._nodes(), *self.flows])

    def _nodes(self) -> Iterator[str]:
        for tag, key, inside, attributes in self.nodes:
            default = f' default="{self.defaults[key]}"' if key in self.defaults else ""
            yield f'<bpmn:{tag} id="{key}" name="{key}"{attributes}{default}>{inside}</bpmn:{tag}>'

    def node(self, tag: str, key: str, inside: str = "", attributes: str = "") -> None:
        self.nodes.append((tag, key, inside, attributes))

    def connect(self, ends: Ends, target: str) -> None:
        """Flows from *ends* to *target*; a second one between the same two goes through an event that does nothing."""
        sources: set[str] = set()
        for source, condition, default in ends:
            goal = target
            if source in sources:
                goal = f"n{source}_{len(self.flows)}"
                self.node("intermediateThrowEvent", goal)
                self.flow(goal, target)
            sources.add(source)
            self.flow(source, goal, condition, default)

    def flow(self, source: str, target: str, condition: str = "", default: bool = False) -> None:
        key = f"f{len(self.flows)}_{source}_{target}"
        inside = f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>" if condition else ""
        self.flows.append(
            f'<bpmn:sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'
        )
        if default:
            self.defaults[source] = key

    def end(self, key: str, ends: Ends, inside: str = "") -> None:
        if ends:
            self.node("endEvent", key, inside)
            self.connect(ends, key)

    def enter(self, ends: Ends, target: str) -> None:
        """Flows to an activity; several meet at a gateway before it, or at the activity itself."""
        if len(ends) > 1 and len(target) % 2:
            self.node("exclusiveGateway", f"m{target}")
            self.connect(ends, f"m{target}")
            ends = [(f"m{target}", "", False)]
        self.connect(ends, target)

    def merged(self, ends: Ends, key: str) -> Ends:
        """One end; several meet at an exclusive gateway."""
        if len(ends) < 2:
            return ends
        self.node("exclusiveGateway", key)
        self.connect(ends, key)
        return [(key, "", False)]

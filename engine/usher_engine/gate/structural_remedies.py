"""Changes of a diagram that remove a finding about its structure, offered where they can mean one thing only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from usher_engine.definitions import Flow, Node
from usher_engine.expressions import close_to
from usher_engine.services import Operator

from ..definitions.lint_finding import Finding, Remedy
from .known_at_start import example_names, start_form_data
from .process_graph import Sheet

DRAW_END = Remedy(label="Draw an end event after it", act="draw-end")


def parameter_findings(sheet: Sheet, node: Node, operator: Operator, given: set[str]) -> Iterator[Finding]:
    """Findings about the parameters that are missing and those that *operator* does not know."""
    missing, unknown = operator.missing(given), operator.unknown(given)
    optional = [one.name for one in operator.parameters if one.name not in given]
    meant = {name: close_to(name, missing) or close_to(name, optional) for name in unknown}
    for name in missing:
        remedy = None if name in meant.values() else _added(sheet, name)
        yield sheet.finding(node.id, "service", f"Parameter “{name}” of {operator.name} is missing.", remedy=remedy)
    for name in unknown:
        message = f"{operator.name[:1].upper()}{operator.name[1:]} has no parameter “{name}”."
        remedy = Remedy(label=f"Remove “{name}”", act="remove-parameter", before=name)
        if meant[name]:
            remedy = Remedy(
                label=f"Rename it to “{meant[name]}”", act="rename-parameter", before=name, after=meant[name]
            )
        yield sheet.finding(node.id, "service", message, remedy=remedy)


def _added(sheet: Sheet, name: str) -> Remedy | None:
    """The parameter with the value of the same name, where the case has one."""
    form = start_form_data(sheet)
    first = form.names.keys() if form else example_names(sheet.package)
    if name not in {*first, *sheet.names.set}:
        return None
    return Remedy(label=f"Add it: the case's “{name}”", act="add-parameter", before=name, after=name)


def catching(code: str) -> Remedy:
    return Remedy(label=f"Catch “{code}”", act="catch-error", after=code)


def marked_default(node: Node, flow: Flow, flows: Iterable[Flow]) -> Remedy | None:
    """*flow* as the default of *node*, if there is none yet and all others have conditions."""
    if node.default or node.kind == "parallelGateway" or any(not one.condition for one in flows if one is not flow):
        return None
    return Remedy(label="Make it the default", act="set-default", after=flow.id)

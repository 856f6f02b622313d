"""How an element calls its operator, as the operator's own check and the data flow see it."""

from __future__ import annotations

from usher_engine.core import faults
from usher_engine.core.canonical import Json, as_stored_json
from usher_engine.core.errors import ExpressionError
from usher_engine.core.shapes import Shape, shape_problems
from usher_engine.definitions import Package, ServiceCall, parse_xml, read_diagram
from usher_engine.operator_use import Use, UseProblem
from usher_engine.services import Operator

from .known_values import UNKNOWN, known_value

_MOST = 20


def use_of(package: Package, call: ServiceCall) -> Use:
    """The use of an operator that *call* in *package* makes; an expression that is wrong has no value."""
    values: dict[str, Json] = {}
    for name, source in call.parameters.items():
        try:
            value = known_value(source)
        except ExpressionError:
            continue
        if value is not UNKNOWN:
            values[name] = as_stored_json(value)
    return Use(package=package, sources=call.parameters, values=values)


def use_problems(operator: Operator, package: Package, call: ServiceCall) -> list[UseProblem]:
    """What *operator* itself says of *call*; where its own check fails, a warning says so."""
    if operator.check is None:
        return []
    try:
        found = [UseProblem(str(one.message), bool(one.is_warning)) for one in operator.check(use_of(package, call))]
    except Exception as error:  # noqa: BLE001 - the code of others may fail in any way
        reference = faults.report(error, where="operator", at=f"check of {operator.name}")
        message = f"{operator.name} could not check how it is called; the log has the way there under {reference}."
        return [UseProblem(message, is_warning=True)]
    return found[:_MOST]


def result_shape(operator: Operator, package: Package, call: ServiceCall) -> Shape:
    """The shape of what *operator* answers to *call*; what it always answers where it cannot tell."""
    if operator.result_of is None:
        return operator.result
    try:
        found = operator.result_of(use_of(package, call))
    except Exception as error:  # noqa: BLE001 - the same
        faults.report(error, where="operator", at=f"result of {operator.name}")
        return operator.result
    return operator.result if shape_problems(found) else found


def service_answer_shape(operator: Operator, package: Package, element: str) -> Shape:
    """The shape of what *operator* answers to the element with the id *element* of a deployable *package*."""
    for path in package.diagrams() if operator.result_of is not None else ():
        for process in read_diagram(parse_xml(package.files[path], path), path).processes:
            for node in process.nodes:
                if node.id == element and node.service is not None:
                    return result_shape(operator, package, node.service)
    return operator.result

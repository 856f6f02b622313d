"""How an element calls its operator, as the operator's own check and the data flow see it."""

from __future__ import annotations

from usher_engine.core.canonical import Json, as_stored_json
from usher_engine.core.errors import ExpressionError
from usher_engine.core.shapes import Shape
from usher_engine.definitions import Package, ServiceCall, parse_xml, read_diagram
from usher_engine.operator_use import Use
from usher_engine.services import Operator

from .known_values import UNKNOWN, known_value


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


def result_shape(operator: Operator, package: Package, call: ServiceCall) -> Shape:
    """The shape of what *operator* answers to *call*."""
    return operator.result_of(use_of(package, call)) if operator.result_of is not None else operator.result


def service_answer_shape(operator: Operator, package: Package, element: str) -> Shape:
    """The shape of what *operator* answers to the element with the id *element* of a deployable *package*."""
    for path in package.diagrams() if operator.result_of is not None else ():
        for process in read_diagram(parse_xml(package.files[path], path), path).processes:
            for node in process.nodes:
                if node.id == element and node.service is not None:
                    return result_shape(operator, package, node.service)
    return operator.result

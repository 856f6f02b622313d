"""Translates JUEL, the ``${…}`` and ``#{…}`` of Camunda 7, Flowable and Activiti, into Usher's language."""

from __future__ import annotations

from .expression_builder import ADD, ATOM, COMPARE, Piece, comparison, quote, variable
from .lexer import NotUnderstood
from .parser import Dialect, ExpressionParser

_LENGTHS = {"size", "length"}
_TEXTS = {
    "startsWith": "startswith", "endsWith": "endswith", "trim": "strip",
    "toLowerCase": "lower", "toUpperCase": "upper",
}  # fmt: skip
#: Objects of the foreign engine that Usher does not have.
_OBJECTS = frozenset(
    {
        *("execution", "task", "caseExecution", "variableContainer", "authenticatedUserIdHolder", "environment"),
        *("connectorRequest", "connectorResponse", "externalTask", "processInstance", "flowInstance"),
    }
)
_COUNTERS = frozenset({"nrOfInstances", "nrOfActiveInstances", "nrOfCompletedInstances"})


def juel(source: str) -> str:
    """Translate the expression in ``${…}``; raises `NotUnderstood`."""
    text = source.strip()
    if not text.endswith("}"):
        raise NotUnderstood("it mixes text and expressions")
    body = text[2:-1]
    if "${" in body or "#{" in body:
        raise NotUnderstood("it contains several expressions")
    return ExpressionParser(body, _JUEL).parse().text


def is_juel(source: str) -> bool:
    return source.lstrip().startswith(("${", "#{"))


def _call(name: str, _arguments: list[Piece]) -> Piece:
    raise NotUnderstood(f"the function {name}(…) is not supported")


def _method(owner: Piece, name: str, given: list[Piece]) -> Piece:
    if owner.name in _OBJECTS:
        return _of_engine(owner.name, name, given)
    match name, given:
        case ("equals", [other]):
            return comparison(owner, "==", other)
        case ("contains", [part]):
            return Piece(f"{part.at(COMPARE + 1)} in {owner.at(COMPARE + 1)}", COMPARE)
        case ("isEmpty", []):
            return Piece(f"len({owner.text}) == 0", COMPARE)
        case (size, []) if size in _LENGTHS:
            return Piece(f"len({owner.text})")
        case ("get", [key]):
            return _item(owner, key)
        case (method, _) if method in _TEXTS:
            return Piece(f"{owner.at(ATOM)}.{_TEXTS[method]}({', '.join(piece.text for piece in given)})")
    raise NotUnderstood(f"the method .{name}(…) is code of the other product")


def _of_engine(owner: str, name: str, given: list[Piece]) -> Piece:
    if name == "getVariable" and len(given) == 1 and given[0].value == "text":
        return Piece(f"get({given[0].text})")
    raise NotUnderstood(f"{owner}.{name}(…) is a call into the other engine")


def _empty(piece: Piece) -> Piece:
    """Translate ``empty``: null, an empty text and an empty collection are empty; 0 and false are not."""
    return Piece(f'{piece.optional_text} in [None, "", [], {{}}]', COMPARE)


def _name(name: str) -> Piece:
    if name in _COUNTERS:
        raise NotUnderstood(f"{name} is a loop counter of the other engine")
    if name == "loopCounter":
        return Piece("loopCounter - 1", ADD)  # JUEL's counter starts at 0, Usher's at 1
    return variable(name)


def _item(owner: Piece, key: Piece) -> Piece:
    return Piece(f"{owner.at(ATOM)}[{key.text}]")


_JUEL = Dialect(
    ors=frozenset({"||", "or"}),
    ands=frozenset({"&&", "and"}),
    nots=frozenset({"!", "not", "empty"}),
    compares={
        "==": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
        "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=",
    },
    multiplies={"*": "*", "/": "/", "%": "%", "div": "/", "mod": "%"},
    call=_call,
    method=_method,
    item=_item,
    empty=_empty,
    variable=_name,
    objects=_OBJECTS,
)  # fmt: skip


def parameter(text: str) -> str:
    """Translate a Camunda 7 parameter, ``${…}`` or plain text, into an expression."""
    return juel(text) if is_juel(text) else quote(text)

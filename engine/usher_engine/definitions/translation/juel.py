"""JUEL, the `${…}` and `#{…}` of Camunda 7, Flowable and Activiti, read into Usher's language."""

from __future__ import annotations

from .expression_builder import ADD, ATOM, COMPARE, Piece, compared, quoted, variable
from .lexer import NotUnderstood
from .parser import Dialect, Reader

_LENGTHS = {"size", "length"}
_TEXTS = {
    "startsWith": "startswith", "endsWith": "endswith", "trim": "strip",
    "toLowerCase": "lower", "toUpperCase": "upper",
}  # fmt: skip
#: Objects of the foreign engine; what they offer is not there.
_OBJECTS = frozenset(
    {
        *("execution", "task", "caseExecution", "variableContainer", "authenticatedUserIdHolder", "environment"),
        *("connectorRequest", "connectorResponse", "externalTask", "processInstance", "flowInstance"),
    }
)
_COUNTERS = frozenset({"nrOfInstances", "nrOfActiveInstances", "nrOfCompletedInstances"})


def juel(source: str) -> str:
    """The expression in ``${…}``, in Usher's language; raises `NotUnderstood`."""
    text = source.strip()
    if not text.endswith("}"):
        raise NotUnderstood("text and an expression are mixed")
    body = text[2:-1]
    if "${" in body or "#{" in body:
        raise NotUnderstood("it holds several expressions")
    return Reader(body, _JUEL).whole().text


def is_juel(source: str) -> bool:
    return source.lstrip().startswith(("${", "#{"))


def _call(name: str, _given: list[Piece]) -> Piece:
    raise NotUnderstood(f"the function {name}(…) is not known here")


def _method(owner: Piece, name: str, given: list[Piece]) -> Piece:
    if owner.name in _OBJECTS:
        return _of_engine(owner.name, name, given)
    match name, given:
        case ("equals", [other]):
            return compared(owner, "==", other)
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
    raise NotUnderstood(f"the method .{name}(…) is code of the foreign product")


def _of_engine(owner: str, name: str, given: list[Piece]) -> Piece:
    if name == "getVariable" and len(given) == 1 and given[0].value == "text":
        return Piece(f"get({given[0].text})")
    raise NotUnderstood(f"{owner}.{name}(…) asks the foreign engine")


def _empty(piece: Piece) -> Piece:
    """Null, an empty text and an empty collection are empty; 0 and false are not."""
    return Piece(f'{piece.maybe} in [None, "", [], {{}}]', COMPARE)


def _name(name: str) -> Piece:
    if name in _COUNTERS:
        raise NotUnderstood(f"{name} counts rounds in the foreign engine")
    if name == "loopCounter":
        return Piece("loopCounter - 1", ADD)  # it counts from 0 there, from 1 here
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
    """A Camunda 7 parameter: ``${…}`` or plain text, as an expression."""
    return juel(text) if is_juel(text) else quoted(text)

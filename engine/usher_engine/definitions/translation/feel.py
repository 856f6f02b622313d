"""Translates FEEL, Camunda 8's ``= …``, into Usher's language: the subset common in conditions and mappings."""

from __future__ import annotations

from .expression_builder import ADD, ATOM, COMPARE, Piece, negation, quote
from .lexer import NotUnderstood
from .parser import Dialect, ExpressionParser, if_else

#: Supported functions whose names contain spaces in FEEL.
_SPACED = ("is defined", "list contains", "starts with", "ends with", "upper case", "lower case", "string length")
_ONE = {"count": "len", "string_length": "len", "string": "str", "number": "float", "abs": "abs", "sum": "sum"}


def feel(source: str) -> str:
    """Translate the expression after ``=``; raises `NotUnderstood`."""
    return ExpressionParser(source.strip().removeprefix("="), _FEEL, spaced_names=_SPACED).parse().text


def is_feel(source: str) -> bool:
    return source.lstrip().startswith("=") and not source.lstrip().startswith("==")


def _call(name: str, given: list[Piece]) -> Piece:
    texts = [piece.text for piece in given]
    match name, given:
        case ("not", [value]):
            return negation(value)
        case ("today", []):
            return Piece("today()")
        case (("date" | "duration"), [day]) if day.value == "text":
            return Piece(day.text, value="text")
        case (("contains" | "list_contains"), [whole, part]):
            return Piece(f"{part.at(ADD)} in {whole.at(ADD)}", COMPARE)
        case ("starts_with", [whole, part]):
            return Piece(f"{whole.at(ATOM)}.startswith({part.text})")
        case ("ends_with", [whole, part]):
            return Piece(f"{whole.at(ATOM)}.endswith({part.text})")
        case (("upper_case" | "lower_case"), [value]):
            return Piece(f"{value.at(ATOM)}.{name.removesuffix('_case')}()")
        case ("is_defined", [value]) if value.name:
            return Piece(f"{value.optional_text} is not None", COMPARE)
        case (("min" | "max"), [_, *_]):
            return Piece(f"{name}({', '.join(texts)})")
        case (known, [_]) if known in _ONE:
            return Piece(f"{_ONE[known]}({texts[0]})")
    raise NotUnderstood(f"the function {name.replace('_', ' ')}(…) is not supported, or not with these arguments")


def _method(_owner: Piece, name: str, _arguments: list[Piece]) -> Piece:
    raise NotUnderstood(f"FEEL has no method .{name}(…)")


def _item(owner: Piece, key: Piece) -> Piece:
    """Translate an index: FEEL counts from 1, Usher from 0; -1 is the last element in both."""
    if key.value == "number" and key.text.isdigit() and int(key.text) > 0:
        return Piece(f"{owner.at(ATOM)}[{int(key.text) - 1}]")
    if key.text == "-1":
        return Piece(f"{owner.at(ATOM)}[-1]")
    raise NotUnderstood("filters in […] are not supported")


def _if(parser: ExpressionParser) -> Piece:
    test = parser.conditional()
    parser.expect("then")
    then = parser.conditional()
    parser.expect("else")
    return if_else(test, then, parser.conditional())


def _unknown(parser: ExpressionParser) -> Piece:
    raise NotUnderstood(f"“{parser.tokens[parser.position - 1].text} …” is not supported")


def _in(parser: ExpressionParser, left: Piece) -> Piece:
    """``x in [a..b]``, ``x in ["a", "b"]``, ``x in ("a", "b")`` or ``x in list``."""
    opening = parser.accept("[", "(")
    if not opening:
        return Piece(f"{left.at(ADD)} in {parser.sum().at(ADD)}", COMPARE)
    first = parser.conditional()
    if parser.accept(".."):
        last = parser.conditional()
        closing = parser.accept("]", ")")
        if not closing:
            raise NotUnderstood("a range must end with ] or )")
        low, high = "<=" if opening == "[" else "<", "<=" if closing == "]" else "<"
        return Piece(f"{first.at(ADD)} {low} {left.at(ADD)} {high} {last.at(ADD)}", COMPARE)
    values = [first.text]
    while parser.accept(","):
        values.append(parser.conditional().text)
    parser.expect("]" if opening == "[" else ")")
    return Piece(f"{left.at(ADD)} in [{', '.join(values)}]", COMPARE)


def _between(parser: ExpressionParser, left: Piece) -> Piece:
    first = parser.sum()
    parser.expect("and")
    return Piece(f"{first.at(ADD)} <= {left.at(ADD)} <= {parser.sum().at(ADD)}", COMPARE)


_FEEL = Dialect(
    ors=frozenset({"or"}),
    ands=frozenset({"and"}),
    nots=frozenset(),
    compares={"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="},
    multiplies={"*": "*", "/": "/"},
    call=_call,
    method=_method,
    item=_item,
    prefixes={"if": _if, "for": _unknown, "some": _unknown, "every": _unknown, "function": _unknown},
    infixes={"in": _in, "between": _between},
    adds_texts=True,
)


def parameter(text: str) -> str:
    """Translate a Camunda 8 mapping or setting, ``= …`` or plain text, into an expression."""
    return feel(text) if is_feel(text) else quote(text)

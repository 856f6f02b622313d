"""FEEL, the `= …` of Camunda 8, read into Usher's language: what conditions and mappings commonly use of it."""

from __future__ import annotations

from .expression_builder import ADD, ATOM, COMPARE, Piece, negated, quoted
from .lexer import NotUnderstood
from .parser import Dialect, Reader, chosen

#: FEEL has names with spaces; these functions are read.
_SPACED = ("is defined", "list contains", "starts with", "ends with", "upper case", "lower case", "string length")
_ONE = {"count": "len", "string_length": "len", "string": "str", "number": "float", "abs": "abs", "sum": "sum"}


def feel(source: str) -> str:
    """The expression behind ``=``, in Usher's language; raises `NotUnderstood`."""
    return Reader(source.strip().removeprefix("="), _FEEL, spaced=_SPACED).whole().text


def is_feel(source: str) -> bool:
    return source.lstrip().startswith("=") and not source.lstrip().startswith("==")


def _call(name: str, given: list[Piece]) -> Piece:
    texts = [piece.text for piece in given]
    match name, given:
        case ("not", [value]):
            return negated(value)
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
            return Piece(f"{value.maybe} is not None", COMPARE)
        case (("min" | "max"), [_, *_]):
            return Piece(f"{name}({', '.join(texts)})")
        case (known, [_]) if known in _ONE:
            return Piece(f"{_ONE[known]}({texts[0]})")
    raise NotUnderstood(f"the function {name.replace('_', ' ')}(…) is not known here, or not with these values")


def _method(_owner: Piece, name: str, _given: list[Piece]) -> Piece:
    raise NotUnderstood(f"FEEL has no method .{name}(…)")


def _item(owner: Piece, key: Piece) -> Piece:
    """FEEL counts from 1, Usher from 0; -1 is the last in both."""
    if key.value == "number" and key.text.isdigit() and int(key.text) > 0:
        return Piece(f"{owner.at(ATOM)}[{int(key.text) - 1}]")
    if key.text == "-1":
        return Piece(f"{owner.at(ATOM)}[-1]")
    raise NotUnderstood("filters in […] are not understood")


def _if(reader: Reader) -> Piece:
    test = reader.choice()
    reader.expect("then")
    then = reader.choice()
    reader.expect("else")
    return chosen(test, then, reader.choice())


def _unknown(reader: Reader) -> Piece:
    raise NotUnderstood(f"“{reader.words[reader.place - 1].text} …” is not understood")


def _in(reader: Reader, left: Piece) -> Piece:
    """``x in [a..b]``, ``x in ["a", "b"]``, ``x in ("a", "b")`` or ``x in list``."""
    opening = reader.took("[", "(")
    if not opening:
        return Piece(f"{left.at(ADD)} in {reader.sum().at(ADD)}", COMPARE)
    first = reader.choice()
    if reader.took(".."):
        last = reader.choice()
        closing = reader.took("]", ")")
        if not closing:
            raise NotUnderstood("a range ends with ] or )")
        low, high = "<=" if opening == "[" else "<", "<=" if closing == "]" else "<"
        return Piece(f"{first.at(ADD)} {low} {left.at(ADD)} {high} {last.at(ADD)}", COMPARE)
    values = [first.text]
    while reader.took(","):
        values.append(reader.choice().text)
    reader.expect("]" if opening == "[" else ")")
    return Piece(f"{left.at(ADD)} in [{', '.join(values)}]", COMPARE)


def _between(reader: Reader, left: Piece) -> Piece:
    first = reader.sum()
    reader.expect("and")
    return Piece(f"{first.at(ADD)} <= {left.at(ADD)} <= {reader.sum().at(ADD)}", COMPARE)


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
    behind={"in": _in, "between": _between},
    adds_texts=True,
)


def parameter(text: str) -> str:
    """A Camunda 8 mapping or setting: ``= …`` or plain text, as an expression."""
    return feel(text) if is_feel(text) else quoted(text)

"""The words of the language as an editor offers them: how each is written and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["function", "method of a text", "method of a record", "method of a list", "operator", "value"]


@dataclass(frozen=True, slots=True)
class Word:
    """``usage`` is what is written, with ``…`` for what a person puts in; ``script_only`` words change their owner."""

    name: str
    usage: str
    note: str
    kind: Kind
    script_only: bool = False


def _function(usage: str, note: str) -> Word:
    return Word(usage.partition("(")[0], usage, note, "function")


def _method(kind: Kind, usage: str, note: str, *, script_only: bool = False) -> Word:
    return Word(usage.partition("(")[0], usage, note, kind, script_only)


_TEXT: Kind = "method of a text"
_RECORD: Kind = "method of a record"
_LIST: Kind = "method of a list"

#: All of it; tests/unit/test_expressions_vocabulary.py compares it with what the language knows.
WORDS: tuple[Word, ...] = (
    _function("get(…)", 'a name that may be missing, like get("age", 0)'),
    _function("len(…)", "how many characters, elements or fields"),
    _function("today()", "the day of the step, where the practice is"),
    _function("now()", "the moment of the step, in UTC"),
    _function("date_text(…)", "a date as people write it"),
    _function("datetime_text(…)", "a date and time as people write it"),
    _function("str(…)", "as text"),
    _function("int(…)", "as a whole number"),
    _function("float(…)", "as a number"),
    _function("bool(…)", "as True or False"),
    _function("join(…)", 'the elements of a list as one text, like join(labels, ", ")'),
    _function("any(…)", "True when one element is true"),
    _function("all(…)", "True when every element is true"),
    _function("sum(…)", "the numbers of a list, added"),
    _function("min(…)", "the smallest"),
    _function("max(…)", "the largest"),
    _function("round(…)", "rounded, like round(price, 2)"),
    _function("abs(…)", "without its sign"),
    _function("sorted(…)", "a list in order"),
    _function("list(…)", "as a list"),
    _function("dict(…)", "as a record"),
    _function("range(…)", "whole numbers, like range(1, 4)"),
    _method(_TEXT, "lower()", "in small letters"),
    _method(_TEXT, "upper()", "in capitals"),
    _method(_TEXT, "title()", "each word with a capital"),
    _method(_TEXT, "strip()", "without white space around it"),
    _method(_TEXT, "lstrip()", "without white space before it"),
    _method(_TEXT, "rstrip()", "without white space after it"),
    _method(_TEXT, "startswith(…)", "whether it begins with a text"),
    _method(_TEXT, "endswith(…)", "whether it ends with a text"),
    _method(_TEXT, "split(…)", "its parts as a list"),
    _method(_TEXT, "replace(…)", "with one text in place of another"),
    _method(_TEXT, "join(…)", "put between the elements of a list"),
    _method(_TEXT, "isdigit()", "whether it is digits only"),
    _method(_RECORD, "get(…)", 'a field that may be missing, like .get("email", "")'),
    _method(_RECORD, "keys()", "the names of its fields"),
    _method(_RECORD, "values()", "the values of its fields"),
    _method(_RECORD, "items()", "names and values, in pairs"),
    _method(_RECORD, "pop(…)", "takes a field out", script_only=True),
    _method(_RECORD, "update(…)", "takes over the fields of a record", script_only=True),
    _method(_LIST, "append(…)", "adds an element at the end", script_only=True),
    _method(_LIST, "extend(…)", "adds the elements of a list", script_only=True),
    _method(_LIST, "pop(…)", "takes an element out", script_only=True),
    _method(_LIST, "remove(…)", "takes out the first that is equal", script_only=True),
    *(
        Word(name, name, note, "operator")
        for name, note in (
            ("and", "both hold"),
            ("or", "one of the two holds"),
            ("not", "it does not hold"),
            ("in", "is an element, a field or a part of"),
            ("not in", "is none of"),
            ("is None", "has no value"),
            ("is not None", "has a value"),
            ("if … else …", "one of two values"),
        )
    ),
    *(
        Word(name, name, note, "value")
        for name, note in (("True", "yes"), ("False", "no"), ("None", "no value"))
    ),
)  # fmt: skip

"""Methods of texts, lists and records; each checks its arguments and costs fuel by size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from usher_engine.core.errors import ExpressionError

from .budget import Run, check_size, checked_key, kind_of
from .functions import Function, elements, join_texts
from .operators import checked_index, index_of, json_value

Methods: TypeAlias = Mapping[type, Mapping[str, Function]]

_NOTHING = object()


def _texts(method: str, *values: Any) -> None:
    for value in values:
        if type(value) is not str:
            raise ExpressionError(f".{method}(…) takes a text, not {kind_of(value)}.")


def _plain(change: Callable[[str], Any]) -> Function:
    def call(run: Run, text: str) -> Any:
        run.spend_text(text)
        changed = change(text)
        if type(changed) is str:  # a capital may be longer than its small letter
            check_size(len(changed))
        return changed

    return Function(call=call, least=0, most=0)


def _strip_method(method: str, strip: Callable[[str, str | None], str]) -> Function:
    def call(run: Run, text: str, characters: Any = None) -> str:
        if characters is not None:
            _texts(method, characters)
            run.spend(len(text) * len(characters) // 64)
        run.spend_text(text)
        return strip(text, characters)

    return Function(call=call, least=0)


def _startswith(run: Run, text: str, part: Any) -> bool:
    _texts("startswith", part)
    run.spend_text(part)
    return text.startswith(part)


def _endswith(run: Run, text: str, part: Any) -> bool:
    _texts("endswith", part)
    run.spend_text(part)
    return text.endswith(part)


def _split(run: Run, text: str, separator: Any = None) -> list[str]:
    if separator is not None:
        _texts("split", separator)
        if not separator:
            raise ExpressionError(".split(…) needs a separator that is not empty.")
    run.spend(1 + len(text) // 8)
    return text.split(separator)


def _replace(run: Run, text: str, old: Any, new: Any) -> str:
    _texts("replace", old, new)
    run.spend_text(text)
    size = len(text) + text.count(old) * (len(new) - len(old))
    check_size(size)
    run.spend(size // 64)
    return text.replace(old, new)


def _join(run: Run, separator: str, values: Any) -> str:
    if type(values) is list:
        _texts("join", *values)
    return join_texts(run, values, separator)


def _record_get(_run: Run, record: dict[str, Any], key: Any, default: Any = None) -> Any:
    _texts("get", key)
    return json_value(record[key], "A field") if key in record else default


def _keys(run: Run, record: dict[str, Any]) -> list[Any]:
    return elements(run, record, "keys")


def _values(run: Run, record: dict[str, Any]) -> list[Any]:
    run.spend_elements(len(record))
    return [json_value(value, "A field") for value in record.values()]


def _items(run: Run, record: dict[str, Any]) -> list[Any]:
    run.spend(1 + len(record))
    return [[key, json_value(value, "A field")] for key, value in record.items()]


def _record_pop(_run: Run, record: dict[str, Any], key: Any, default: Any = _NOTHING) -> Any:
    _texts("pop", key)
    if key not in record and default is _NOTHING:
        raise ExpressionError("The record has no field of that name to pop; give a second value for that case.")
    return record.pop(key, default)


def _update(run: Run, record: dict[str, Any], other: Any) -> None:
    if type(other) is not dict:
        raise ExpressionError(f".update(…) takes a record, not {kind_of(other)}.")
    check_size(len(record) + len(other))
    run.spend_elements(len(other))
    record.update({checked_key(key): value for key, value in other.items()})


def _append(_run: Run, values: list[Any], value: Any) -> None:
    check_size(len(values) + 1)
    values.append(value)


def _extend(run: Run, values: list[Any], more: Any) -> None:
    added = elements(run, more, "extend")
    check_size(len(values) + len(added))
    values.extend(added)


def _remove(run: Run, values: list[Any], value: Any) -> None:
    index = index_of(run, value, values)
    if index < 0:
        raise ExpressionError("The list has no such element to remove; ask with “in” first.")
    del values[index]


def _list_pop(run: Run, values: list[Any], index: Any = -1) -> Any:
    run.spend_elements(len(values))
    return values.pop(checked_index(values, index, "The list"))


_TEXT = {
    "endswith": Function(call=_endswith),
    "isdigit": _plain(str.isdigit),
    "join": Function(call=_join),
    "lower": _plain(str.lower),
    "lstrip": _strip_method("lstrip", str.lstrip),
    "replace": Function(call=_replace, least=2, most=2),
    "rstrip": _strip_method("rstrip", str.rstrip),
    "split": Function(call=_split, least=0),
    "startswith": Function(call=_startswith),
    "strip": _strip_method("strip", str.strip),
    "title": _plain(str.title),
    "upper": _plain(str.upper),
}
_RECORD = {
    "get": Function(call=_record_get, most=2),
    "items": Function(call=_items, least=0, most=0),
    "keys": Function(call=_keys, least=0, most=0),
    "values": Function(call=_values, least=0, most=0),
}
_RECORD_CHANGES = {"pop": Function(call=_record_pop, most=2), "update": Function(call=_update)}
_LIST_CHANGES = {
    "append": Function(call=_append),
    "extend": Function(call=_extend),
    "pop": Function(call=_list_pop, least=0),
    "remove": Function(call=_remove),
}

#: The methods an expression may call; none changes its owner.
LOOKING: Methods = {str: _TEXT, dict: _RECORD, list: {}}
#: The methods a script may call; some change their owner, which belongs to the script's own copy.
ALL: Methods = {str: _TEXT, dict: {**_RECORD, **_RECORD_CHANGES}, list: _LIST_CHANGES}

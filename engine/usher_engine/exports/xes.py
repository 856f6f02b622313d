"""XES (IEEE 1849-2023): a trace for each case, an event for each step an activity makes in its life cycle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from ..core.canonical import compact
from ..store import Row
from .event_rows import EventRow, activity_rows
from .export_source import Source

_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2023" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<global scope="trace">
<string key="concept:name" value="unknown"/>
</global>
<global scope="event">
<string key="concept:name" value="unknown"/>
<string key="lifecycle:transition" value="unknown"/>
<string key="org:resource" value="unknown"/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Activity and transition" keys="concept:name lifecycle:transition"/>
<string key="lifecycle:model" value="standard"/>
<string key="source" value="Usher"/>
"""

#: What XML 1.0 cannot hold, whatever the escape.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xes_lines(source: Source) -> Iterator[bytes]:
    """The file, one trace at a time."""
    yield _BEGIN.encode()
    for row, steps in source.cases():
        parts = ["<trace>\n", *_case(row)]
        for one in activity_rows(source, row, steps):
            parts += ["<event>\n", *_event(one, with_data=source.with_data), "</event>\n"]
        yield "".join([*parts, "</trace>\n"]).encode()
    yield b"</log>\n"


def _case(row: Row) -> Iterator[str]:
    yield _text("concept:name", row.id)
    yield _text("process", row.process)
    yield _number("version", row.version)
    yield _text("status", row.status)
    for key, value in (("outcome", row.outcome), ("patient", row.business_key)):
        if value:
            yield _text(key, value)


def _event(one: EventRow, *, with_data: bool) -> Iterator[str]:
    yield _text("concept:name", one.activity)
    yield _text("lifecycle:transition", one.lifecycle)
    yield _text("org:resource", one.actor.get("name"))
    yield _text("org:role", one.actor.get("role", "staff"))
    if one.actor.get("on_behalf_of"):
        yield _text("on_behalf_of", one.actor["on_behalf_of"])
    yield f'<date key="time:timestamp" value={quoteattr(moment(one.at))}/>\n'
    yield _text("kind", one.kind)
    yield _number("step", one.revision)
    yield _number("version", one.row.version)
    if one.element:
        yield _text("element", one.element)
    if one.visit is not None:
        yield _number("visit", one.visit)
    if one.record.get("group"):
        yield _text("org:group", one.record["group"])
    if with_data:
        yield _text("data", compact(one.log_data))


def moment(at: str) -> str:
    """A moment as every reader of dates takes it."""
    return at.replace("Z", "+00:00")


def _text(key: str, value: Any) -> str:
    readable = _FORBIDDEN.sub("\ufffd", str(value))
    return f'<string key="{key}" value={quoteattr(readable)}/>\n'


def _number(key: str, value: int) -> str:
    return f'<int key="{key}" value="{int(value)}"/>\n'

"""Hostile words in every address, query and form of every page: refused in plain words, never a failure of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import usher_web
from acceptance.conftest import House
from site_map import NAMES, pages
from werkzeug.routing import Rule

HOSTILE = ["", "-1", "²", "9" * 20, "9" * 5000, "9999-12-31", "\x00", "\ud800", "{{7*7}}'\"<a|b", "A:B:" + "9" * 30]
NAMED = re.compile(r"""(?:args|form|values|given)(?:\.get|\.getlist)?[(\[]\s*["'](\w+)["']""")
SOURCES = Path(usher_web.__file__).parent.glob("*.py")
#: Every name our code asks a query or a form for.
ASKED = sorted({name for source in SOURCES for name in NAMED.findall(source.read_text())})


def real(house: House) -> dict[str, Any]:
    """What there is for each part of an address."""
    house.select("sample-pending")
    task = house.newest_task()
    values = {"task_id": task, "instance_id": task.split(":")[0], "patient_id": "sample-pending", "number": 1}
    return values | {"process": "enrollment", "path": "enrollment.bpmn", "name": "enrollment.bpmn", "side": "draft"}


def build(rule: Rule, values: dict[str, Any]) -> str | None:
    try:
        built = rule.build({name: values.get(name, "x") for name in rule.arguments}, append_unknown=False)
    except ValueError:  # a number's place: this address cannot be written
        return None
    return str(built[1]) if built else None


def requests(rule: Rule, method: str, values: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Addresses and forms to send: each part of an address hostile, then all of the query, then all of the form."""
    own = build(rule, values)
    for address in {build(rule, values | {name: word}) for name in rule.arguments for word in HOSTILE} | {own}:
        if address:
            yield address, {}
    for word in HOSTILE:
        if method == "GET":
            yield f"{own}?{urlencode(dict.fromkeys(ASKED, word.encode('utf-8', 'surrogatepass')))}", {}
        else:
            yield str(own), dict.fromkeys(ASKED, word.encode("utf-8", "replace").decode())


def test_no_hostile_word_brings_a_page_down(house: House) -> None:
    values = real(house)
    visitors = {role: house.visitor(name) for role, name in NAMES.items()}
    failed = []
    for rule, found, method in pages(house.app):
        if rule.endpoint != "sign_in.sign_out":
            visitor = visitors[next(role for role in NAMES if role in found.roles)]
            for address, form in requests(rule, method, values):
                headers = {"X-CSRF-Token": visitor.csrf}
                answer = visitor.client.open(address, method=method, data=form, headers=headers)
                if answer.status_code >= 500:
                    failed.append(f"{method} {address[:200]} {next(iter(form.values()), '')[:40]}")
    assert failed == []

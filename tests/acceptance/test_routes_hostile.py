"""Hostile words in every address, query, form, header, cookie and body: refused in plain words, no failure of ours.

The fields of the web framework and of the protocol count as ours: the CSRF token, `next`, `Origin`, `If-Match`.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import usher_web
from acceptance.conftest import House
from hostile import attacks
from site_map import NAMES, addresses
from usher_engine import Settings
from usher_engine.accounts import Role
from usher_web import auth
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import EnvironBuilder, run_wsgi_app

HOSTILE = ["", "-1", "²", "9" * 20, "9" * 5000, "9999-12-31", "\x00", "\ud800", "{{7*7}}'\"<a|b", "A:B:" + "9" * 30]
#: What a query or a form can hold besides.
TYPED = [*HOSTILE, "٣", "/a\r\nSet-Cookie: b=c", "//[", "/\\evil.example", "a\u0085b", "\u202e"]
#: ``USHER_HOSTILE=all`` tries every word in every query and form.
EVERY = os.environ.get("USHER_HOSTILE") == "all"
NAMED = re.compile(r"""(?:args|form|values|given|sent)(?:\.get|\.getlist)?[(\[]\s*["']([\w.]+)["']""")
SOURCES = Path(usher_web.__file__).parent.rglob("*.py")
#: Every name our code asks a query or a form for.
ASKED = sorted({name for source in SOURCES for name in NAMED.findall(source.read_text())})
#: Headers of browsers and programs, as the server passes them on (Latin-1, PEP 3333): some decide who comes in,
#: each is tried alone; the rest are sent together.
DECIDING = (
    "X-CSRF-Token", "Origin", "Referer", "Sec-Fetch-Site", "Content-Type", "Content-Length", "Cookie", "Authorization",
    "Host",
)  # fmt: skip
OTHERS = (
    "Idempotency-Key", "If-Match", "If-None-Match", "If-Modified-Since", "Range", "Accept", "X-Requested-With",
    "X-Usher-Poll", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded",
)  # fmt: skip
#: One address of each door, where every word is tried in every header.
THOROUGH = {"sign_in.sign_in", "admin.tokens", "admin.add_token", "api.claim", "drafts.save", "drafts.check"}
#: Pages whose scripts send JSON.
TAKE_JSON = {"drafts.check", "inbox.draft"}
#: Where files are sent to.
UPLOADS = {"modeler.create", "modeler.start", "modeler.add_file", "api.add_version", "drafts.save"}
WORDS_IN_HEADERS = (
    "", "é\xff", "9" * 5000, "-1", "²", "http://[", "https://localhost:99999", "http://", "null", "x" * 20_000,
    'W/"', '"\xe9"', "usher=\xff; usher=\xe9", "Bearer \xe9", "Bearer page_\xe9.a.b", "Bearer usher_" + "x" * 9_000,
    "multipart/form-data; boundary=\xe9", "multipart/form-data", "application/json; charset=\xe9", "a" * 70_000 + ":1",
    "bytes=9-1", "Thu, 99 Abc 9999 99:99:99 GMT", "localhost:x", "*", ",,,",
)  # fmt: skip
JSON = (
    b"", b"null", b"[]", b"1", b'"', b"\xff", b"{" * 50_000, b"[" * 50_000, b'{"data": NaN}', b'{"data": {"a": 1e999}}',
    b'{"data": {"a": ' + b"9" * 5_000 + b"}}", b'{"a": 1, "a": 2}', b'{"data": {"a": "\\ud800"}}',
    b'{"name": "\\u0000", "template": "\\u0000", "field": "\\u0000", "action": "\\u0000", "patient_id": "\\u0000"}',
    b'{"\\ud800": 1}', b'{"data": {"typename": 1}}', b'{"revision": true, "data": {}}', b'{"revision": -1, "data": {}}',
    b'{"files": {"a.bpmn": "\\ud800"}}', b'{"files": {"\\u0000": "a"}}', b'{"values": {"a": "\\ud800"}}',
    b'{"values": {"a": {"b": []}}}', '{"data": {}}'.encode("utf-16"), b"\xef\xbb\xbf{}",
)  # fmt: skip


def real(house: House) -> dict[str, Any]:
    """What there is for each part of an address."""
    house.select("sample-pending")
    task = house.newest_task()
    values = {"task_id": task, "instance_id": task.split(":")[0], "patient_id": "sample-pending", "number": 1}
    return values | {"process": "enrollment", "path": "enrollment.bpmn", "name": "enrollment.bpmn", "side": "draft"}


def build(rule: Rule, values: dict[str, Any]) -> str | None:
    try:
        numbers = {name for name in rule.arguments if isinstance(rule._converters[name], IntegerConverter)}
        usual = {name: 1 if name in numbers else "x" for name in rule.arguments}
        built = rule.build({name: values.get(name, usual[name]) for name in rule.arguments}, append_unknown=False)
    except ValueError:  # a number's place: this address cannot be written
        return None
    return str(built[1]) if built else None


def raw(rule: Rule, word: str) -> Iterator[str]:
    """The address with *word* in the place of each number, which the framework itself would not write."""
    for part in re.findall(r"<int:\w+>", rule.rule):
        yield re.sub(r"<[^>]*>", "1", rule.rule.replace(part, urlencode({"": word})[1:]))


def requests(
    rule: Rule, method: str, values: dict[str, Any], typed_words: Iterable[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Addresses and forms to send: each part of an address hostile, then all of the query or the form."""
    own = build(rule, values)
    built = {build(rule, values | {name: word}) for name in rule.arguments for word in HOSTILE}
    typed = {address for word in HOSTILE if word != "\ud800" for address in raw(rule, word)}
    for address in built | typed | {own}:
        if address:
            yield address, {}
    for word in typed_words:
        if method == "GET":
            yield f"{own}?{urlencode(dict.fromkeys(ASKED, word.encode('utf-8', 'surrogatepass')))}", {}
        else:
            yield str(own), dict.fromkeys(ASKED, word.encode("utf-8", "replace").decode())


class Everybody:
    """A person or a program for each address: who may open it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.people = {role: house.visitor(name) for role, name in NAMES.items()}
        self.programs = {role: house.token(role, name=f"program-{role}") for role in Role}
        self.anybody = house.visitor()
        self.values = real(house)

    def addresses(self) -> Iterator[tuple[Rule, str, Any, dict[str, str]]]:
        """Each address and method, who opens it, and the headers they send."""
        for rule, found, method in addresses(self.house.app):
            if rule.endpoint in ("sign_in.sign_out", "static"):
                continue
            role = next((role for role in NAMES if role in found.roles), None)
            if found.door is auth.Door.BEARER and role:
                yield rule, method, self.anybody, {**self.programs[role], "Idempotency-Key": "k"}
            elif found.door is auth.Door.SESSION and role:
                visitor = self.people[role]
                yield rule, method, visitor, {"X-CSRF-Token": visitor.csrf}
            else:
                yield rule, method, self.anybody, {}


@pytest.fixture
def everybody(make_house: Callable[[Settings], House], settings: Settings) -> Everybody:
    """Behind a proxy, so that what proxies say is read too."""
    return Everybody(make_house(replace(settings, proxies=1)))


def send(visitor: Any, address: str, method: str, headers: dict[str, str], **body: Any) -> int:
    """The status of the answer; headers go as they are, as a server hands them on, not as a client would check them."""
    builder = EnvironBuilder(path=address, method=method, **body)
    environ = builder.get_environ()
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
    if "Cookie" not in headers:
        cookies = visitor.client._cookies.values()
        environ["HTTP_COOKIE"] = "; ".join(cookie._to_request_header() for cookie in cookies)
    _, status, _ = run_wsgi_app(visitor.client.application, environ, buffered=True)
    return int(status[:3])


def test_no_hostile_word_brings_a_page_down(everybody: Everybody) -> None:
    """Each part of an address with every word; each query and form with one word after the other, or all (EVERY)."""
    failed, words = [], cycle(TYPED)
    for rule, method, visitor, headers in everybody.addresses():
        typed = TYPED if EVERY else islice(words, 5)
        for address, form in requests(rule, method, everybody.values, typed):
            answer = visitor.client.open(address, method=method, data=form, headers=headers)
            if answer.status_code >= 500:
                failed.append(f"{method} {address[:200]} {next(iter(form.values()), '')[:40]}")
    assert failed == []


def test_no_hostile_header_brings_a_page_down(everybody: Everybody) -> None:
    """Every header at every address with one of the words after the other; with each word where that is cheap."""
    failed, words, thorough = [], cycle(WORDS_IN_HEADERS), set()
    for rule, method, visitor, usual in everybody.addresses():
        address = str(build(rule, everybody.values))
        tried = [{name: next(words)} for name in DECIDING] + [{name: next(words) for name in OTHERS}]
        if rule.endpoint in THOROUGH:
            tried = [{name: word} for name in (*DECIDING, *OTHERS) for word in WORDS_IN_HEADERS]
            thorough.add(rule.endpoint)
        broken = [sent for sent in tried if send(visitor, address, method, {**usual, **sent}) >= 500]
        failed += [f"{method} {address} {sent}"[:200] for sent in broken]
    assert failed == []
    assert thorough == THOROUGH


def test_no_hostile_body_brings_a_page_down(everybody: Everybody) -> None:
    """Every body where JSON is taken, one after the other where forms are."""
    failed, bodies = [], cycle(JSON)
    for rule, method, visitor, headers in everybody.addresses():
        if method == "GET":
            continue
        address, is_api = build(rule, everybody.values), rule.endpoint.startswith("api.")
        takes_json = is_api or rule.endpoint in TAKE_JSON
        for body in JSON if takes_json else (next(bodies),):
            sent = {"data": body, "content_type": "application/json", "headers": headers}
            status = visitor.client.open(address, method=method, **sent).status_code
            if status >= 500 or (is_api and status < 400 and body not in (b"", b"\xef\xbb\xbf{}")):
                failed.append(f"{status} {method} {address} {body[:40]!a}")
    assert failed == []


def test_no_hostile_file_brings_a_page_down(everybody: Everybody) -> None:
    failed, met = [], set()
    names, zips = ("a.zip", "\x00.zip", "../a.bpmn", "é.form", "a.zip"), [bytes(one) for one in attacks("garbled")]
    for rule, method, visitor, headers in everybody.addresses():
        if rule.endpoint not in UPLOADS:
            continue
        met.add(rule.endpoint)
        for number, content in enumerate(zips):
            name = names[number % len(names)]
            as_form = {"data": {"upload": (io.BytesIO(content), name), "key": f"new{number}"}}
            for sent in (as_form, {"data": content, "content_type": "application/zip"}):
                address = str(build(rule, everybody.values))
                if visitor.client.open(address, method=method, headers=headers, **sent).status_code >= 500:
                    failed.append(f"{method} {address} {name!a} {number}")
    assert failed == []
    assert met == UPLOADS


def test_strangers_cannot_make_the_server_read_much(house: House) -> None:
    fields = b"&".join(b"%d=" % number for number in range(240_000))
    sent = {"data": fields, "content_type": "application/x-www-form-urlencoded"}
    client, begin = house.app.test_client(), time.process_time()
    for address in ("/sign-in", "/i/guess", "/i/guess/answer", "/i/guess/opt-out", "/nowhere"):
        assert client.post(address, **sent).status_code in (404, 413), address
    for address in ("/sign-out", "/inbox/x/claim", "/admin/people"):
        assert client.post(address, **sent).status_code == 303, address
    assert client.post("/api/v1/triggers", **sent).status_code == 401
    assert time.process_time() - begin < 5
    assert house.visitor("alice").get("/inbox").status_code == 200


def test_a_token_of_another_alphabet_is_a_wrong_token(house: House) -> None:
    visitor = house.visitor("alice")
    assert visitor.client.post("/sign-out", data={"csrf_token": "é"}).status_code == 403
    assert send(visitor, "/sign-out", "POST", {"X-CSRF-Token": "\xe9"}) == 403
    assert visitor.get("/inbox").status_code == 200


@pytest.mark.parametrize("target", ["/a\r\nX: b", "/a\nb", "/\x7f", "//[", "/\\evil.example", "/a\u0085", "/a\u2028"])
def test_a_garbled_page_to_go_on_to_is_no_reason_not_to_sign_in(house: House, target: str) -> None:
    form = {"name": "alice", "password": "a password for tests", "next": target}
    answer = house.visitor().client.post("/sign-in", data=form)
    assert (answer.status_code, answer.location) == (303, "/")
    assert answer.headers.getlist("Set-Cookie")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"data": {"a": NaN}}', "body.data.a"),
        (b'{"data": {"a": 1e999}}', "body.data.a"),
        (b'{"data": {"a": ' + b"9" * 5_000 + b"}}", "body.data.a"),
        (b'{"data": {"a": "\\ud800"}}', "body.data.a"),
        (b'{"data": {"a": "\\u0000"}}', "body.data.a"),
        (b'{"data": {"a": 1, "a": 2}}', "a"),
    ],
)
def test_what_is_wrong_in_a_body_is_named(house: House, body: bytes, field: str) -> None:
    headers = {**house.token(), "Idempotency-Key": "k"}
    sent = {"data": body, "content_type": "application/json", "headers": headers}
    answer = house.app.test_client().post("/api/v1/messages", **sent)
    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [field]


def test_the_field_that_is_no_text_is_named(house: House) -> None:
    visitor = house.visitor("adam")
    page = visitor.post("/admin/people", {"name": "e\x00ve", "role": "staff"})
    assert page.status_code == 400
    assert "The field “name” holds a character that is not text." in page.text
    assert "The name of a field holds" in visitor.post("/admin/people", {"na\x00me": "eve"}).text


def test_a_number_in_an_address_is_written_in_plain_digits(house: House) -> None:
    visitor = house.visitor("ana")
    assert visitor.get("/processes/enrollment/1/diagram.bpmn").status_code == 200
    for number in ("٣", "٣" * 5_000, "9" * 10, "9" * 5_000, "-1", "1.0", "²", "1_0", "0x1", "%2B1"):
        assert visitor.get(f"/processes/enrollment/{number}/diagram.bpmn").status_code == 404, number[:20]

"""`http/request` against real servers: what is sent, what is kept, and how it ends where the server misbehaves."""

from __future__ import annotations

import base64
import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from usher_engine import Settings
from usher_engine.core.errors import BusinessError, EngineError, ServiceError
from usher_engine.definitions import Package
from usher_engine.services import Call, checked_answer, declared_values
from usher_engine.web_requests import web_request_operator
from web_service import Heard, WebService, always, reply, serving

NOW = dt.datetime(2026, 5, 4, 9, 2, tzinfo=dt.UTC)
TOKEN = "s3cr3t-Tk/en+0f=the lab"
STATE = {"type": "object", "properties": {"state": {"type": "string"}}, "required": ["state"]}
ANY: dict[str, Any] = {"type": ["object", "array", "string", "null"]}


def settings_for(*services: WebService, **changes: Any) -> Settings:
    hosts = ", ".join(one.origin for one in services)
    made = {"secret_key": SECRET, "http_hosts": hosts, "http_timeout_s": 20, "http_answer_kb": 10, "job_attempts": 3}
    return replace(Settings(), **{**made, **changes})


def ask(settings: Settings, *, attempt: int = 1, element: str = "Ask", look_up: Any = None, **given: Any) -> Any:
    """What the operator answers, called as the worker calls it."""
    operator = web_request_operator(settings, look_up)
    call = Call(instance="C1", element=element, visit=2, now=NOW, actor="a", package=Package({}), attempt=attempt)
    values = declared_values(operator, {"method": "GET", "response": STATE, **given})
    return checked_answer(operator, values, call)


def refusal(settings: Settings, **given: Any) -> str:
    with pytest.raises(BusinessError) as refused:
        ask(settings, **given)
    return refused.value.code


def failure(settings: Settings, **given: Any) -> ServiceError:
    with pytest.raises(ServiceError) as failed:
        ask(settings, **given)
    return failed.value


# what goes out, and what is kept


def test_a_request_says_what_the_diagram_says_and_only_declared_fields_are_kept() -> None:
    with serving(always({"state": "done", "ssn": "078-05-1120", "more": [1]}, 201)) as lab:
        answer = ask(
            settings_for(lab),
            method="POST",
            url=f"{lab.origin}/orders/{{id}}?x=1",
            path={"id": "a/b ü?#"},
            query={"q": "a b&c", "n": 2, "yes": True, "many": ["x", "y"], "none": None},
            headers={"X-Practice": "12"},
            body={"name": "Ada"},
        )
    assert answer == {"status": 201, "body": {"state": "done"}}
    (heard,) = lab.heard
    assert heard.method == "POST"
    assert heard.target == "/orders/a%2Fb%20%C3%BC%3F%23?x=1&q=a%20b%26c&n=2&yes=true&many=x&many=y"
    assert heard.json == {"name": "Ada"}
    assert heard.headers["idempotency-key"] == "C1:Ask:2"
    assert heard.headers["x-practice"] == "12"
    assert heard.headers["host"] == lab.origin.removeprefix("http://")
    assert heard.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_each_method_goes_out_without_a_body(method: str) -> None:
    with serving(always({"state": "x"})) as lab:
        assert ask(settings_for(lab), method=method, url=lab.origin)["status"] == 200
    assert lab.heard[0].method == method
    assert lab.heard[0].headers.get("content-length", "0") == "0"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "HEAD", "get", "", "GET /x HTTP/1.1\r\nX: y"])
def test_other_methods_do_not_go_out(method: str) -> None:
    with serving(always({"state": "x"})) as lab:
        assert "“method” must be one of GET" in failure(settings_for(lab), method=method, url=lab.origin).message
        assert not lab.heard


def test_a_shape_of_null_keeps_nothing_and_fields_in_lists_are_reduced_too() -> None:
    many = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}}
    with serving(always([{"id": 1, "name": "Ada"}, {"id": 2}])) as lab:
        assert ask(settings_for(lab), url=lab.origin, response=many)["body"] == [{"id": 1}, {"id": 2}]
        assert ask(settings_for(lab), url=lab.origin, response={"type": "null"})["body"] is None
    with serving(always(b"", 204)) as lab:
        assert ask(settings_for(lab), url=lab.origin, response=ANY) == {"status": 204, "body": None}


def test_a_header_is_sent_once_the_secret_before_the_diagrams_before_ushers(monkeypatch: Any) -> None:
    monkeypatch.setenv("LAB_TOKEN", TOKEN)
    with serving(always({"state": "x"})) as lab:
        settings = settings_for(lab, http_secrets=f"lab@{lab.origin}=env:LAB_TOKEN")
        given = {"accept": "application/fhir+json", "X-KEY": "mine"}
        ask(settings, url=lab.origin, headers=given, secrets={"x-key": "{lab}"})
    assert lab.heard[0].headers["accept"] == "application/fhir+json"
    assert lab.heard[0].headers["x-key"] == TOKEN
    assert lab.heard[0].names == sorted(set(lab.heard[0].names))


def test_any_element_has_an_idempotency_key_that_a_header_can_hold() -> None:
    with serving(always({"state": "x"})) as lab:
        ask(settings_for(lab), url=lab.origin, element="Prüfung·1")
    assert lab.heard[0].headers["idempotency-key"] == "C1:Pr%C3%BCfung%C2%B71:2"


# secrets


def test_a_secret_goes_to_its_host_alone_and_is_read_when_it_is_sent(tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "lab"
    file.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("LAB_TOKEN", TOKEN)
    with serving(always({"state": "x"})) as lab, serving(always({"state": "x"})) as other:
        names = f"a@{lab.origin}=file:{file}, b@{lab.origin}=env:LAB_TOKEN"
        settings = settings_for(lab, other, http_secrets=names)
        ask(settings, url=lab.origin, secrets={"Authorization": "Bearer {a}", "X-Key": "{b}"})
        elsewhere = failure(settings, url=other.origin, secrets={"Authorization": "Bearer {a}"})
        file.unlink()
        unread = failure(settings, url=lab.origin, secrets={"Authorization": "Bearer {a}"})
    assert lab.heard[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert lab.heard[0].headers["x-key"] == TOKEN
    assert len(lab.heard) == 1
    assert not other.heard
    assert f"“a” is for {lab.origin} alone" in elsewhere.message
    assert "“a” cannot be read" in unread.message


@pytest.mark.parametrize(
    "echo",
    [
        TOKEN,
        f"Invalid token: Bearer {TOKEN}!",
        base64.b64encode(f"Bearer {TOKEN}".encode()).decode(),
        base64.b64encode(f"x{TOKEN}y".encode()).decode(),
        "s3cr3t-Tk%2Fen%2B0f%3Dthe%20lab",
    ],
)
def test_an_answer_that_repeats_the_secret_is_not_kept(monkeypatch: Any, echo: str) -> None:
    monkeypatch.setenv("LAB_TOKEN", TOKEN)
    for content in ({"state": echo}, {"state": "x", echo: 1}):
        with serving(always(content)) as lab:
            settings = settings_for(lab, http_secrets=f"lab@{lab.origin}=env:LAB_TOKEN")
            failed = failure(settings, url=lab.origin, secrets={"X-Key": "{lab}"}, response={"type": "object"})
        assert "repeats the secret" in failed.message
        assert not failed.retry


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_an_error_that_repeats_the_secret_says_only_its_number(monkeypatch: Any, status: int, caplog: Any) -> None:
    monkeypatch.setenv("LAB_TOKEN", TOKEN)
    caplog.set_level(0)
    with serving(always({"error": f"bad {TOKEN}"}, status, X_Echo=TOKEN)) as lab:
        settings = settings_for(lab, http_secrets=f"lab@{lab.origin}=env:LAB_TOKEN")
        with pytest.raises(EngineError) as failed:
            ask(settings, url=f"{lab.origin}/{TOKEN.replace(' ', '')}", secrets={"X-Key": "{lab}"})
    assert str(status) in failed.value.message
    assert "s3cr3t" not in failed.value.message
    assert failed.value.__cause__ is None
    assert "s3cr3t" not in caplog.text


# refusals, and what may be tried again


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-found"), (410, "not-found"), (409, "conflict"), (403, "refused"), (422, "refused"), (304, "refused")],
)
def test_a_refusal_has_a_code_that_the_diagram_can_catch(status: int, code: str) -> None:
    with serving(always({"why": "no"}, status)) as lab:
        assert refusal(settings_for(lab), url=lab.origin) == code


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_a_service_that_is_busy_is_asked_again_and_given_up_at_the_last_try(status: int) -> None:
    with serving(always({}, status)) as lab:
        assert failure(settings_for(lab), url=lab.origin).retry
        assert refusal(settings_for(lab), url=lab.origin, attempt=3) == "unavailable"
        assert refusal(settings_for(lab), url=lab.origin, tries=1) == "unavailable"


def test_a_log_in_that_is_refused_is_for_an_administrator() -> None:
    with serving(always({}, 401)) as lab:
        assert not failure(settings_for(lab), url=lab.origin).retry


@pytest.mark.parametrize(
    "content",
    [{"state": 1}, {}, [], None, b"<html>", b"{", b"\xff", b'{"state": NaN}', b"[" * 5_000, b'{"state": "\\ud800"}'],
)
def test_another_shape_is_refused_without_its_values(content: Any) -> None:
    with serving(always(content)) as lab, pytest.raises(BusinessError) as refused:
        ask(settings_for(lab), url=lab.origin)
    assert refused.value.code == "wrong-shape"


def test_a_compressed_answer_is_not_unpacked() -> None:
    with serving(always(b"\x1f\x8b" + b"x" * 50, Content_Encoding="gzip")) as lab:
        assert refusal(settings_for(lab), url=lab.origin) == "wrong-shape"


# slow, huge, dripping, odd


def slowly(heard: Heard) -> Iterator[bytes | float]:
    yield 90.0
    yield reply({"state": "x"})


def dripping_head(_heard: Heard) -> Iterator[bytes | float]:
    for byte in reply({"state": "x"}):
        yield bytes([byte])
        yield 0.1


def dripping_body(_heard: Heard) -> Iterator[bytes | float]:
    head, _, body = reply({"state": "x" * 90}).partition(b"\r\n\r\n")
    yield head + b"\r\n\r\n"
    for byte in body:
        yield bytes([byte])
        yield 0.1


@pytest.mark.parametrize("answer", [slowly, dripping_head, dripping_body])
def test_the_time_is_bounded_in_all(answer: Any) -> None:
    with serving(answer) as lab:
        settings = settings_for(lab, http_timeout_s=1)
        assert failure(settings, url=lab.origin).retry
        assert refusal(settings, url=lab.origin, tries=1) == "timeout"


def huge(_heard: Heard) -> Iterator[bytes | float]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield b" " * 65_536


def huge_chunks(_heard: Heard) -> Iterator[bytes | float]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"1000\r\n" + b" " * 4_096 + b"\r\n"


@pytest.mark.parametrize("answer", [huge, huge_chunks, always(b" " * 20_000)])
def test_the_size_is_bounded(answer: Any) -> None:
    with serving(answer) as lab:
        assert refusal(settings_for(lab), url=lab.origin) == "too-large"


def endless_head(_heard: Heard) -> Iterator[bytes | float]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-More: " + b"x" * 1_000 + b"\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        endless_head,
        lambda _heard: iter([b"220 mail.example.org ESMTP\r\n"]),
        lambda _heard: iter([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", 0.0]),
        lambda _heard: iter([b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"]),
    ],
)
def test_a_server_that_does_not_speak_http_is_unavailable_or_out_of_time(answer: Any) -> None:
    with serving(answer) as lab:
        settings = settings_for(lab, http_timeout_s=1)
        assert refusal(settings, url=lab.origin, tries=1) in ("unavailable", "timeout")


def test_nobody_there() -> None:
    with serving(always({})) as lab:
        settings = settings_for(lab)
        time.sleep(0.05)  # it waits for somebody by now
    assert refusal(settings, url=lab.origin, tries=1) == "unavailable"


# redirects


def to(location: str, status: int = 302) -> Any:
    return always(b"", status, Location=location)


def test_redirects_are_followed_on_the_list_and_secrets_stay_on_their_host(monkeypatch: Any) -> None:
    monkeypatch.setenv("LAB_TOKEN", TOKEN)

    def here(heard: Heard) -> Iterator[bytes | float]:
        if heard.target == "/a":
            yield reply(b"", 302, Location="/b")
        else:
            yield reply(b"", 307, Location=f"{other.origin}/c")

    with serving(always({"state": "x"})) as other, serving(here) as lab:
        settings = settings_for(lab, other, http_secrets=f"lab@{lab.origin}=env:LAB_TOKEN")
        url, mine = f"{lab.origin}/a", {"Authorization": "Bearer {lab}"}
        assert ask(settings, url=url, secrets=mine, headers={"X-Own": "1"})["status"] == 200
    assert [heard.headers.get("authorization") for heard in lab.heard] == [f"Bearer {TOKEN}"] * 2
    (there,) = other.heard
    assert "authorization" not in there.headers
    assert "x-own" not in there.headers
    assert there.headers["idempotency-key"] == "C1:Ask:2"
    assert there.headers["host"] == other.origin.removeprefix("http://")


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_change_is_never_turned_into_another_request_by_a_redirect(status: int) -> None:
    with serving(to("/b", status)) as lab:
        failed = failure(settings_for(lab), method="POST", url=lab.origin)
        assert len(lab.heard) == 1
    assert "nobody knows whether it did what was asked" in failed.message


def test_a_change_is_repeated_where_the_server_says_so() -> None:
    with serving(
        lambda heard: iter([reply({"state": "x"}) if heard.target == "/b" else to("/b", 308)(heard).__next__()])
    ) as lab:
        ask(settings_for(lab), method="POST", url=f"{lab.origin}/a", body=[1])
    assert [(heard.method, heard.target, heard.body) for heard in lab.heard] == [
        ("POST", "/a", b"[1]"),
        ("POST", "/b", b"[1]"),
    ]


def test_a_redirect_off_the_list_goes_nowhere() -> None:
    with serving(always({"state": "x"})) as other, serving(to(f"{other.origin}/?{TOKEN.replace(' ', '')}")) as lab:
        failed = failure(settings_for(lab), url=lab.origin)
        assert not other.heard
    assert "redirects to a host that is not in USHER_HTTP_HOSTS" in failed.message
    assert str(other.port) not in failed.message


@pytest.mark.parametrize(
    "location", ["/", "ftp://x/", "http://", "//", "http://u:p@127.0.0.1/", "/../..", "http://[", "\tx"]
)
def test_redirects_that_lead_nowhere_or_round_end(location: str) -> None:
    with serving(to(location)) as lab:
        assert not failure(settings_for(lab), url=lab.origin).retry
    assert len(lab.heard) <= 6


# where requests may go


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/", "https://127.0.0.1/", "http://lab.example.org/", "http://127.0.0.1.evil.example/",
        "ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "http://127.0.0.1@evil.example/", "lab", "",
        "http://evil.example\\@127.0.0.1/", "http://127.0.0.1:PORT\t/", "http://0x7f.1/", "http://[::1]/",
        "http://127.0.0.1:PORT/../x", "http://127.0.0.1:PORT/%2e%2e/x", "http://127.0.0.1:PORT/a%5c..%5cb",
        "http://user@127.0.0.1:PORT/", "http://127.0.0.1:99999/", "http://127.0.0.1:PORT.evil.example/",
    ],
)  # fmt: skip
def test_only_listed_hosts_are_called(url: str) -> None:
    with serving(always({"state": "x"})) as lab:
        failed = failure(settings_for(lab), url=url.replace("PORT", str(lab.port)))
        assert not lab.heard
    assert not failed.retry


@pytest.mark.parametrize("body", ["\ud800", {"a": "\x00"}, {"typename": 1}, "x" * 20_001])
def test_what_no_case_may_hold_is_not_sent(body: Any) -> None:
    with serving(always({"state": "x"})) as lab:
        assert "What is to be sent cannot be" in failure(settings_for(lab), url=lab.origin, body=body).message
        assert not lab.heard


@pytest.mark.parametrize("value", ["..", ".", "", None, [], {}, "\ud800", "\x00"])
def test_a_value_cannot_lead_the_path_elsewhere(value: Any) -> None:
    with serving(always({"state": "x"})) as lab:
        failure(settings_for(lab), url=f"{lab.origin}/a/{{v}}/b", path={"v": value})
        assert not lab.heard


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "::ffff:10.0.0.1", "fe80::1%eth0",
     "64:ff9b::a00:1", "2002:a00:1::", "fd00::1", "224.0.0.1", "255.255.255.255", "100.64.0.1"],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called_unless_its_network_is_listed(address: str) -> None:
    settings = settings_for(http_hosts="http://lab.example.org:9")
    failed = failure(settings, url="http://lab.example.org:9/", look_up=lambda _host, _port: [address])
    assert "leads to an address inside a network" in failed.message
    assert not failed.retry


def test_a_listed_network_may_be_called_and_the_name_is_looked_up_once() -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with serving(always({"state": "x"})) as lab:
        origin = f"http://lab.example.org:{lab.port}"
        settings = settings_for(http_hosts=origin, http_networks="127.0.0.0/8")
        assert ask(settings, url=origin, look_up=rebinding)["status"] == 200
    assert asked == ["lab.example.org"]
    assert lab.heard[0].headers["host"] == f"lab.example.org:{lab.port}"


def test_a_name_server_that_hangs_is_bounded_too() -> None:
    settings = settings_for(http_hosts="http://lab.example.org", http_timeout_s=1)
    answers = threading.Event()
    try:
        asleep = {"look_up": lambda *_: answers.wait(60) and []}
        assert refusal(settings, url="http://lab.example.org/", tries=1, **asleep) == "timeout"
        assert not answers.is_set()
    finally:
        answers.set()


def test_a_name_nobody_knows() -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    settings = settings_for(http_hosts="http://lab.example.org")
    assert refusal(settings, url="http://lab.example.org/", tries=1, look_up=nowhere) == "unavailable"


def test_the_environments_proxy_is_not_used(monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(always({"state": "x"})) as lab:
        assert ask(settings_for(lab), url=lab.origin)["status"] == 200


# TLS


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """The server's side of TLS for lab.example.org, and the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab.example.org")])
    today = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("lab.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = tmp_path / "lab.pem", tmp_path / "lab.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, private)
    return tls, certificate


def test_tls_is_verified_against_the_name(certified: tuple[ssl.SSLContext, Path], monkeypatch: Any) -> None:
    tls, certificate = certified
    with serving(always({"state": "x"}), tls) as lab:
        good, bad = (f"https://{name}.example.org:{lab.port}" for name in ("lab", "other"))
        settings = settings_for(http_hosts=f"{good}, {bad}", http_networks="127.0.0.0/8")

        def here(*_asked: Any) -> list[str]:
            return ["127.0.0.1"]

        unknown = failure(settings, url=good, look_up=here)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask(settings, url=good, look_up=here)["status"] == 200
        other = failure(settings, url=bad, look_up=here)
    assert len(lab.heard) == 1
    assert "certificate of lab.example.org is not valid" in unknown.message
    assert "certificate of other.example.org is not valid" in other.message
    assert not unknown.retry


# headers


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Idempotency-Key", "Transfer-Encoding", "X: y", "X\r\nY", "ü", ""]
)
def test_headers_that_are_ushers_or_none_are_not_sent(name: str) -> None:
    with serving(always({"state": "x"})) as lab:
        failure(settings_for(lab), url=lab.origin, headers={name: "x"})
        assert not lab.heard


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", None, [], {}, True, "a\x00"])
def test_values_that_no_header_can_hold_are_not_sent(value: Any) -> None:
    with serving(always({"state": "x"})) as lab:
        failure(settings_for(lab), url=lab.origin, headers={"X-Own": value})
        assert not lab.heard

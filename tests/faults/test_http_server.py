"""What the server does with requests as they come over the wire: heads, bodies, answers, and clients that misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import SECRET
from databases import new_sqlite
from flask import Flask, Response, jsonify, request
from usher_engine import Database, Settings
from usher_engine.core import Deadlines
from usher_web.server import HttpServer, http_server, limited_connection, wsgi_bridge
from usher_web.site import KEY

THREADS = 2
LARGE = 30_000_000
#: Costs only a test that fails.
PATIENCE_S = 60


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = Flask("wire")
    database = Database(new_sqlite(tmp_path))
    app.extensions[KEY] = SimpleNamespace(engine=SimpleNamespace(database=database))

    @app.route("/echo/<path:rest>", methods=["GET", "POST"])
    def echo(rest: str) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return jsonify(path=request.path, query=request.query_string.decode(), headers=headers, body=request.data.hex())

    @app.get("/large")
    def large() -> Response:
        return Response(b"x" * LARGE)

    @app.get("/pieces")
    def pieces() -> Response:
        return Response(b"piece\n" for _ in range(100_000))

    @app.get("/empty")
    def empty() -> tuple[str, int]:
        return "", 204

    return app


@pytest.fixture
def address(app: Flask) -> Iterator[tuple[str, int]]:
    listening = socket.create_server(("127.0.0.1", 0))
    bound = listening.getsockname()
    settings = Settings(env="development", secret_key=SECRET, threads=THREADS)
    server = HttpServer(app, settings, Deadlines(lambda _thread: None))
    thread = threading.Thread(target=server.answer, args=(listening,))
    thread.start()
    yield bound
    server.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def ask(address: tuple[str, int], head: str, body: bytes = b"", *, version: str = "1.1") -> tuple[str, bytes]:
    """Send one request, after which the server closes the connection; return the head of the answer, and its body."""
    first, *more = head.split("\n")
    lines = [f"{first} HTTP/{version}", "Host: localhost", *more, "Connection: close", "", ""]
    with socket.create_connection(address, timeout=PATIENCE_S) as sent:
        sent.sendall("\r\n".join(lines).encode("latin-1") + body)
        got = b""
        while piece := sent.recv(65536):
            got += piece
    answer, _, rest = got.partition(b"\r\n\r\n")
    return answer.decode("latin-1").lower(), rest


def test_a_path_and_its_query_arrive_as_they_were_sent(address: tuple[str, int]) -> None:
    _, body = ask(address, "GET /echo/gr%C3%BC%C3%9Fe%20dich?q=%C3%BC&r=1")
    assert b'"path":"/echo/gr\\u00fc\\u00dfe dich"' in body.replace(b": ", b":")
    assert b"q=%C3%BC&r=1" in body
    _, body = ask(address, "GET http://localhost/echo/whole")
    assert b"/echo/whole" in body


def test_a_header_with_an_underscore_is_dropped_and_repeated_ones_are_joined(address: tuple[str, int]) -> None:
    _, body = ask(address, "GET /echo/x\nX_Forwarded_For: 6.6.6.6\nX-More: a\nX-More: b\nCookie: a=1\nCookie: b=2")
    text = body.decode()
    assert "6.6.6.6" not in text
    assert "a, b" in text and "a=1; b=2" in text


@pytest.mark.parametrize(
    "head", ["GET /echo/x\nHost: evil.example", "GET /echo/x\nContent-Length: 1\nContent-Length: 2"]
)
def test_what_could_be_read_in_two_ways_is_refused(address: tuple[str, int], head: str) -> None:
    answer, _ = ask(address, head)
    assert answer.startswith("http/1.1 400")


def test_a_body_arrives_whole_with_and_without_its_length(address: tuple[str, int]) -> None:
    _, body = ask(address, "POST /echo/x\nContent-Length: 5", b"hello")
    assert b"hello".hex().encode() in body
    chunked = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    answer, body = ask(address, "POST /echo/x\nTransfer-Encoding: chunked", chunked)
    assert answer.startswith("http/1.1 200") and b"hello".hex().encode() in body


def test_a_body_that_is_too_large_is_refused_before_it_is_read(address: tuple[str, int]) -> None:
    answer, body = ask(address, f"POST /echo/x\nExpect: 100-continue\nContent-Length: {Settings().largest_upload + 1}")
    assert answer.startswith("http/1.1 413") and b"at most 11 MB" in body
    lump = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    answer, _ = ask(address, "POST /echo/x\nTransfer-Encoding: chunked", lump * 12 + b"0\r\n\r\n")
    assert answer.startswith("http/1.1 413")


def test_the_server_asks_for_a_body_that_waits_to_be_asked_for(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=PATIENCE_S) as sent:
        sent.sendall(b"POST /echo/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert sent.recv(100).startswith(b"HTTP/1.1 100")
        sent.sendall(b"ok")
        assert b" 200 " in sent.recv(1000)


def test_answers_say_how_long_they_are(address: tuple[str, int]) -> None:
    answer, body = ask(address, "HEAD /echo/x")
    assert int(answer.partition("content-length: ")[2].split()[0]) > 0 and body == b""
    with closing(HTTPConnection(*address, timeout=PATIENCE_S)) as connection:
        connection.request("GET", "/pieces")
        assert connection.getresponse().read() == b"piece\n" * 100_000
    answer, body = ask(address, "GET /empty")
    assert answer.startswith("http/1.1 204") and "content-length" not in answer and body == b""


def test_an_old_client_is_answered_as_it_expects(address: tuple[str, int]) -> None:
    answer, body = ask(address, "GET /pieces", version="1.0")
    assert "chunked" not in answer and body.count(b"piece") == 100_000


def test_requests_on_one_connection_are_answered_in_their_order(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=PATIENCE_S) as sent:
        sent.sendall(b"".join(b"GET /echo/%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(5)))
        got = b""
        while got.count(b"HTTP/1.1 200") < 5 or not got.endswith(b"}\n"):
            got += sent.recv(65536)
    assert [got.index(b"/echo/%d" % n) for n in range(5)] == sorted(got.index(b"/echo/%d" % n) for n in range(5))


def test_who_does_not_read_holds_no_thread_and_is_let_go(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_connection, "IDLE_S", 0.5)
    with ExitStack() as opened:
        deaf = [opened.enter_context(socket.create_connection(address, timeout=PATIENCE_S)) for _ in range(THREADS * 4)]
        for one in deaf:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert ask(address, "GET /echo/x")[0].startswith("http/1.1 200")
        time.sleep(3)
        for one in deaf:
            got = 0
            with suppress(ConnectionResetError):
                while piece := one.recv(1 << 20):
                    got += len(piece)
            assert got < LARGE


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (http_server, limited_connection):
        monkeypatch.setattr(module, "IDLE_S", 0.2)


def test_a_connection_that_breaks_off_ends_quietly(
    impatient: None, address: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(address, timeout=PATIENCE_S) as broken:
        broken.sendall(b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\n")
        assert broken.recv(1000)
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, limited_connection.AT_ONCE)
    time.sleep(1)
    assert ask(address, "GET /empty")[0].startswith("http/1.1 204")
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize(
    "begun", [b"", b"GET /echo/x HT", b"POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_who_falls_silent_is_let_go(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(limited_connection, "IDLE_S", 0.5)
    with socket.create_connection(address, timeout=PATIENCE_S) as silent:
        silent.sendall(begun)
        with suppress(ConnectionResetError):
            assert silent.recv(100) == b""


def test_a_head_that_drips_is_let_go(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_connection, "IDLE_S", 0.5)
    with socket.create_connection(address, timeout=PATIENCE_S) as dripping, suppress(ConnectionError):
        dripping.sendall(b"GET /echo/x HTTP/1.1\r\nX: ")
        for _ in range(100):
            dripping.sendall(b"x")
            time.sleep(0.05)
        pytest.fail("it is still there")


def test_a_body_that_drips_has_an_end(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi_bridge, "BODY_S", 0.5)
    answer, body = ask(address, "POST /echo/x\nContent-Length: 100", b"abc")
    assert answer.startswith("http/1.1 408") and b"too long to arrive" in body


def test_one_connection_too_many_is_told_to_come_back(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_connection.LimitedConnection, "most", 3)
    with ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(socket.create_connection(address, timeout=PATIENCE_S))
        one_more = opened.enter_context(socket.create_connection(address, timeout=PATIENCE_S))
        assert one_more.recv(1000).startswith(b"HTTP/1.1 503")

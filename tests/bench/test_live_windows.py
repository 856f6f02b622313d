"""A change in one case reaches a hundred open windows: how long from the act, with the product's own server.

Measures and prints; `make bench` runs it, on each database.
"""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser.clinic import open_clinic
from usher_engine import Actor

WINDOWS = 100
CHANGES = 20
TARGET_S = 1.0

ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))


@pytest.mark.bench
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_change_reaches_a_hundred_windows(
    database: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    with open_clinic(tmp_path, database_url=url) as clinic, ExitStack() as opened:
        engine = clinic.enrollment.engine
        case = clinic.trigger(clinic.add(email=None))
        task = case.tasks[0].id
        heard: list[float] = []
        all_heard = threading.Barrier(WINDOWS + 1)
        people = [f"person-{number}" for number in range(WINDOWS)]
        for name in people:
            clinic.accounts.add_user(name, "a password for tests", role=clinic.accounts.user("alice").role, by="test")
        for name in people:
            secret = clinic.accounts.begin_session(name).secret
            window = opened.enter_context(socket.create_connection(("127.0.0.1", _port(clinic.url)), timeout=60))
            window.sendall(
                f"GET /events?cases={case.id} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: usher={secret}\r\n\r\n".encode()
            )
            threading.Thread(target=_listen, args=(window, heard, all_heard), daemon=True).start()
        all_heard.wait(60)
        took = []
        for number in range(CHANGES):
            heard.clear()
            act = engine.cases.release if number % 2 else engine.cases.claim
            begin = time.monotonic()  # the step itself is counted too
            act(task, actor=ALICE)
            all_heard.wait(60)
            took += [at - begin for at in heard]
            time.sleep(0.6)  # two messages a second at most
    figures = {
        "database": database,
        "windows": WINDOWS,
        "p50_ms": round(statistics.median(took) * 1000),
        "p95_ms": round(sorted(took)[int(len(took) * 0.95)] * 1000),
        "max_ms": round(max(took) * 1000),
    }
    with capsys.disabled():
        print(json.dumps(figures))  # noqa: T201
    assert max(took) < TARGET_S, figures


def _listen(window: socket.socket, heard: list[float], all_heard: threading.Barrier) -> None:
    """Note when each message with the case arrives; the first is the greeting."""
    got = b""
    for wanted in (b"event: hello", *([b"event: cases"] * CHANGES)):
        while wanted not in got or b"\n\n" not in got.partition(wanted)[2]:
            got += window.recv(65536)
        heard.append(time.monotonic())
        got = got.partition(wanted)[2].partition(b"\n\n")[2]
        all_heard.wait(60)


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])

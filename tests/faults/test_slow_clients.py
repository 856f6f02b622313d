"""Two hundred connections that send a byte now and then, in the body or in the head; everyone else is served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from conftest import SECRET
from databases import new_sqlite

SLOW = 200
ROUNDS = 20
#: Costs only a test that fails.
PATIENCE_S = 60
#: An answer is slower than this only where it waits for somebody slow.
SOON_S = 20
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BEGINNINGS = {"body": HEAD + b"Content-Length: 100000\r\n\r\nname=", "head": HEAD + b"X-Slow: ", "nothing": b""}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server of its own process, as `usher serve` starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        found = free.getsockname()[1]
    ours = {"USHER_ENV": "development", "USHER_SECRET_KEY": SECRET, "USHER_DATABASE_URL": new_sqlite(tmp_path)}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
    command = [sys.executable, "-c", "from usher_web.cli import main; main()", "serve", "--port", str(found)]
    with subprocess.Popen(command, cwd=tmp_path, env=outside | ours, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "Usher listens" in server.stdout.readline()
        yield found
        server.terminate()
        assert server.wait(PATIENCE_S) == 0


def health(port: int) -> float:
    """Seconds until the server reports that it is healthy."""
    begin = time.perf_counter()
    with urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=PATIENCE_S) as answer:
        assert b'"ok"' in answer.read()
    return time.perf_counter() - begin


@pytest.mark.parametrize("where", BEGINNINGS)
def test_two_hundred_slow_clients_keep_nobody_out(port: int, where: str) -> None:
    health(port)
    with ExitStack() as opened:
        slow = [opened.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S)) for _ in range(SLOW)]
        for one in slow:
            one.sendall(BEGINNINGS[where])
        took = []
        for _ in range(ROUNDS):
            if where != "nothing":
                for one in slow:
                    one.sendall(b"x")
            took.append(health(port))
    assert max(took) < SOON_S, took

"""A request that does not end is ended, and where only the end of its process ends it, another takes its place.

What was committed is there, what was not is not; nobody's connection is refused meanwhile.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SECRET
from databases import new_sqlite

PROGRAM = Path(__file__).with_name("hanging.py")
LIMIT_S = 2
PATIENCE_S = 60

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Server:
    """A server in processes of its own: the supervisor, and the one it watches."""

    def __init__(self, folder: Path, database_url: str, *program: str) -> None:
        self.log = folder / "server.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")} | {
            "USHER_ENV": "development",
            "USHER_SECRET_KEY": SECRET,
            "USHER_DATABASE_URL": database_url,
            "USHER_REQUEST_LIMIT_S": str(LIMIT_S),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, *(word.replace("{port}", str(self.port)) for word in program)]
        with self.log.open("w") as written:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=written, stderr=written)

    def get(self, path: str) -> tuple[int, bytes]:
        """One request, as long as it takes; raises `OSError` or `HTTPException` when its process ended meanwhile."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def starts(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                assert self.get("/api/v1/health")[0] == 200
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log.read_text())

    def there(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/api/v1/there")[1])
        return found

    def child(self) -> int:
        """The process that serves; the one started is its supervisor."""
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    started = Server(tmp_path, database_url, str(PROGRAM), "{port}")
    try:
        started.starts()
        assert started.get("/api/v1/kept/before")[0] == 200
        yield started
    finally:
        started.process.terminate()
        started.process.wait(PATIENCE_S)


@pytest.fixture
def usher(tmp_path: Path) -> Iterator[Server]:
    """The product itself."""
    program = ("-c", "from usher_web.cli import main; main()", "serve", "--port", "{port}")
    started = Server(tmp_path, new_sqlite(tmp_path), *program)
    try:
        started.starts()
        yield started
    finally:
        started.process.kill()
        started.process.wait(PATIENCE_S)


def test_a_loop_in_python_ends_with_an_answer(server: Server) -> None:
    process, begin = server.there()["process"], time.monotonic()
    status, body = server.get("/api/v1/kept/python")
    assert LIMIT_S <= time.monotonic() - begin < LIMIT_S + PATIENCE_S
    problem = json.loads(body)
    assert (status, problem["title"]) == (503, "This took too long")
    assert server.there() == {"names": ["before"], "process": process}
    log = server.log.read_text()
    assert f"fault {problem['reference']} (time limit, kept): OutOfTime" in log
    assert "in loop" in log

    status, body = server.get("/kept/python")
    assert status == 503 and b"<h1>This took too long</h1>" in body and b"Go to the start page" in body


@only_sqlite
def test_a_streamed_answer_breaks_off(server: Server) -> None:
    with pytest.raises(http.client.IncompleteRead) as broken:
        server.get("/stream")
    assert broken.value.partial == b"first"
    assert server.get("/api/v1/health")[0] == 200


def test_a_wait_for_the_database_ends_with_an_answer(server: Server) -> None:
    process = server.there()["process"]
    status, body = server.get("/api/v1/asked")
    assert (status, json.loads(body)["title"]) == (503, "This took too long")
    assert server.there() == {"names": ["before"], "process": process}


@pytest.mark.parametrize("hang", ["pattern", "numbers", "waits"])
def test_what_no_exception_ends_costs_the_process_and_nothing_else(hang: str, server: Server) -> None:
    process, begin = server.there()["process"], time.monotonic()
    with pytest.raises((http.client.HTTPException, OSError)) as lost:
        server.get(f"/api/v1/kept/{hang}")
    assert not isinstance(lost.value, TimeoutError | ConnectionRefusedError)
    after = server.there()
    assert time.monotonic() - begin < LIMIT_S + PATIENCE_S
    assert after["names"] == ["before"]
    assert after["process"] != process
    assert server.get("/api/v1/kept/after")[0] == 200
    function = {"pattern": "backtrack", "numbers": "multiply", "waits": "wait"}[hang]
    assert re.search(rf'File ".*hanging.py", line \d+ in {function}\n', server.log.read_text())
    assert server.stop() == 0


@only_sqlite
def test_too_much_memory_is_an_error_of_its_request_alone(server: Server) -> None:
    process = server.there()["process"]
    status, body = server.get("/api/v1/kept/memory")
    assert (status, json.loads(body)["title"]) == (503, "This needs too much memory")
    assert server.there() == {"names": ["before"], "process": process}


def test_who_is_killed_or_halted_is_replaced_and_nobody_is_refused(usher: Server) -> None:
    for number in (signal.SIGKILL, signal.SIGSTOP):
        child = usher.child()
        os.kill(child, number)
        assert usher.get("/api/v1/health")[0] == 200
        assert usher.child() != child
    assert usher.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_quickly_and_leaves_nobody(number: int, usher: Server) -> None:
    child, begin = usher.child(), time.monotonic()
    assert usher.stop(number) == 0
    assert time.monotonic() - begin < PATIENCE_S
    assert not Path(f"/proc/{child}").exists()


@only_sqlite
def test_it_stops_also_while_a_call_holds_the_process(server: Server) -> None:
    child = server.child()
    with socket.create_connection(("127.0.0.1", server.port)) as asked:
        asked.sendall(b"GET /api/v1/kept/pattern HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)
        assert server.stop() in (0, 1)
    assert not Path(f"/proc/{child}").exists()


def test_the_process_that_serves_does_not_outlive_its_supervisor(usher: Server) -> None:
    child = usher.child()
    usher.process.kill()
    usher.process.wait(PATIENCE_S)
    until = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_supervisor_is_small(usher: Server) -> None:
    status = Path(f"/proc/{usher.process.pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident is not None and int(resident[1]) < 16_000
    assert (ROOT / "web/usher_web/commands/supervisor.py").as_posix() in Path(
        f"/proc/{usher.process.pid}/cmdline"
    ).read_text()

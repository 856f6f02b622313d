"""Real processes for the fault tests: forked from a server that has imported everything, so that each starts at once.

`Child` runs a function of these helper modules; `Doom` kills its own process with SIGKILL at the n-th fault point.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import event
from usher_engine import Database
from usher_engine.jobs import job_work

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["__main__", f"{__package__}.story", "psycopg", "usher_web.cli"])

PATIENCE_S = 60
KILLED = -signal.SIGKILL


class Child:
    """A child process. Messages that its function sends over its first argument, a `Connection`, arrive in `heard`."""

    def __init__(self, work: Callable[..., Any], *given: Any) -> None:
        self._ear, mouth = _CONTEXT.Pipe(duplex=True)
        self._process = _CONTEXT.Process(target=work, args=(mouth, *given))
        self._process.start()
        mouth.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def tell(self, what: Any) -> None:
        self._ear.send(what)

    def hear(self) -> Any:
        """Its next message; fails when there is none in time, raises EOFError when it has ended."""
        assert self._ear.poll(PATIENCE_S), "the child process says nothing"
        return self._ear.recv()

    def ended(self) -> tuple[int, list[Any]]:
        """Wait for its end: (exit code, messages not read yet)."""
        heard = []
        try:
            while True:
                heard.append(self.hear())
        except (EOFError, ConnectionResetError):
            pass
        self._process.join(PATIENCE_S)
        code = self._process.exitcode
        self._ear.close()
        self._process.close()
        assert code is not None, "the child process does not end"
        return code, heard


class Doom:
    """
    Counts fault points and kills the process at number *at* (None: never), after reporting the point's name.

    The points are: before each BEGIN of a writing transaction, after each row written, before and after each COMMIT,
    and whatever calls `point`.
    """

    def __init__(self, at: int | None, mouth: Connection) -> None:
        self._at = at
        self._mouth = mouth
        self._passed = 0
        self._written = False

    def point(self, name: str) -> None:
        self._passed += 1
        if self._passed == self._at:
            self._mouth.send(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, database: Database) -> None:
        event.listen(database.db, "begin", self._begin, insert=True)
        event.listen(database.db, "after_cursor_execute", self._executed)
        event.listen(database.db, "commit", self._committing)
        commit = database.db.dialect.do_commit

        def committed(connection: Any) -> None:
            written, self._written = self._written, False
            commit(connection)
            if written:
                self.point("after COMMIT")

        database.db.dialect.do_commit = committed  # type: ignore[method-assign]
        job_work.fault_point = self.point

    def _begin(self, connection: Any) -> None:
        self._written = False
        if connection.get_execution_options().get("usher_write"):
            self.point("before BEGIN")

    def _executed(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        verb, *words = statement.split()
        if verb in ("INSERT", "UPDATE", "DELETE"):
            self._written = True
            self.point(f"{verb} {words[0] if verb == 'UPDATE' else words[1]}")

    def _committing(self, _connection: Any) -> None:
        if self._written:
            self.point("before COMMIT")

"""A program: the product's server with some routes more that hang, so that its watchdog has something to end.

Each writes something first, in a transaction that is open while it hangs; `/api/v1/kept` writes and commits.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable

from flask import Response
from usher_engine import Settings
from usher_engine.core import Deadlines
from usher_web import auth
from usher_web.app import create_app
from usher_web.commands.listening import bind_socket
from usher_web.commands.opening import open_usher
from usher_web.commands.supervision import inherited_lifeline, start_supervisor, watch
from usher_web.server import answer

PYTHON, C, NUMBERS, WAITS, MEMORY, STREAM = "python", "pattern", "numbers", "waits", "memory", "stream"


def loop() -> None:
    """Python code, which heeds an exception."""
    while True:
        pass


def backtrack() -> None:
    """C code that holds the interpreter: nothing else in this process runs meanwhile."""
    re.fullmatch(r"(a+)+$", "a" * 60 + "b")


def multiply() -> None:
    """The same in arithmetic, which looks at no signal either."""
    pow(3, 10**9)


def wait() -> None:
    """A call that lets other threads run, but that no exception can interrupt."""
    time.sleep(600)


def hoard() -> None:
    """More memory than a request may have."""
    bytearray(2 << 30)


#: What SQLite takes an hour for.
COUNTING = """
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 100000000000)
    SELECT max(n) FROM counted
"""

HANGS: dict[str, Callable[[], None]] = {PYTHON: loop, C: backtrack, NUMBERS: multiply, WAITS: wait, MEMORY: hoard}


def main(port: int) -> None:
    settings = Settings.from_environment(os.environ).for_production()
    before = inherited_lifeline()
    listening = (before and before.socket()) or bind_socket("127.0.0.1", port)
    lifeline = before or start_supervisor(listening, settings)
    enrollment, accounts = open_usher(settings)
    deadlines = Deadlines(enrollment.engine.database.interrupt)
    app = create_app(enrollment.engine, enrollment, accounts, settings)
    database = enrollment.engine.database

    @app.get("/api/v1/kept/<name>")
    @app.get("/kept/<name>")
    @auth.public
    def kept(name: str) -> str:
        """Write *name* and keep it; hang before the commit where it is the name of what hangs."""
        with database.begin() as tx:
            tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS kept (name VARCHAR, process INTEGER)")
            tx.exec_driver_sql(f"INSERT INTO kept VALUES ('{name}', {os.getpid()})")
            HANGS.get(name, int)()
        return name

    @app.get("/api/v1/there")
    @auth.public
    def there() -> dict[str, object]:
        with database.read() as tx:
            names = sorted(tx.exec_driver_sql("SELECT name FROM kept").scalars())
        return {"names": names, "process": os.getpid()}

    @app.get("/api/v1/asked")
    @auth.public
    def asked() -> str:
        """Wait for a database that takes its time."""
        with database.begin() as tx:
            tx.exec_driver_sql("INSERT INTO kept VALUES ('asked', 0)")
            tx.exec_driver_sql(COUNTING if database.is_sqlite else "SELECT pg_sleep(600)")
        return "never"

    @app.get(f"/{STREAM}")
    @auth.public
    def stream() -> Response:
        return Response(loop() or b"more" if number else b"first" for number in range(2))

    watch(lifeline, deadlines, settings)
    answer(app, listening, settings, deadlines)


if __name__ == "__main__":
    main(int(sys.argv[1]))

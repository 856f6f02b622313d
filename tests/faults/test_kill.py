"""F1: kill -9 at every point where something was written or sent. Afterwards the case ends; nothing is done twice."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from usher_engine import Settings, Worker
from usher_engine.context import utc_now
from usher_engine.enrollment import Enrollment
from usher_engine.settings import variable

from .children import KILLED, PATIENCE_S, Child
from .postoffice import PostOffice
from .story import CHAPTERS, Place, bury, check, doomed, tell

Enter = Callable[..., Enrollment]

#: Points that must be among those where the process was killed, so that none gets lost unseen.
POINTS = {
    "trigger": {"before BEGIN", "INSERT instance", "INSERT instance_state", "INSERT step", "INSERT user_task",
                "INSERT request", "before COMMIT", "after COMMIT"},
    "complete": {"before BEGIN", "UPDATE patient", "UPDATE instance", "UPDATE instance_state", "INSERT step",
                 "DELETE user_task", "INSERT job", "before COMMIT", "after COMMIT"},
    "work": {"UPDATE job", "job taken", "INSERT invitation", "before SMTP", "after SMTP", "UPDATE invitation",
             "effect done", "DELETE job", "UPDATE patient", "UPDATE instance", "DELETE instance_state",
             "INSERT step", "before COMMIT", "after COMMIT", "effect recorded"},
}  # fmt: skip


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_process_killed_at_any_point(
    chapter: str, make_place: Callable[..., Place], office: PostOffice, enter: Enter
) -> None:
    place = make_place(patients=60)
    earlier, later = enter(place), enter(place.later())
    deaths: list[str] = []
    for number in itertools.count():
        tell(earlier, number, *CHAPTERS[: CHAPTERS.index(chapter)])
        earlier.engine.database.close()
        code, heard = Child(doomed, place, number, (chapter,), number + 1).ended()
        deaths += heard
        bury(later.engine.database)
        tell(later, number, *CHAPTERS)
        check(later, number, office, mails=2 if heard and _sent_but_not_recorded(deaths) else 1)
        later.engine.database.close()
        if not heard:
            break
        assert code == KILLED
    assert code == 0, "the process that was not to be killed failed"
    assert set(deaths) >= POINTS[chapter]


def _sent_but_not_recorded(points: list[str]) -> bool:
    """Whether the last of *points* is where the mail server has the mail and the database does not record it yet."""
    return "after SMTP" in points and "after COMMIT" not in points[points.index("after SMTP") :]


@pytest.mark.parametrize("when", ["before the mail", "before the answer"])
def test_a_worker_killed_while_it_speaks_to_the_mail_server(
    when: str, make_place: Callable[..., Place], office: PostOffice, enter: Enter
) -> None:
    place = make_place()
    enrollment = enter(place.later())
    tell(enter(place), 0, "trigger", "complete")
    worker: list[Child] = []

    def kill() -> None:
        if worker:
            os.kill(worker.pop().pid, signal.SIGKILL)

    if when == "before the mail":
        office.before_mail = kill
    else:
        office.before_answer = kill
    worker.append(child := Child(doomed, place, 0, ("work",), None))
    assert child.ended() == (KILLED, [])
    bury(enrollment.engine.database)
    assert Worker(enrollment.engine).run_due() == 1
    check(enrollment, 0, office, mails=1 if when == "before the mail" else 2)


@pytest.mark.parametrize("when", ["between the commit and the send", "between the send and its record"])
def test_usher_worker_killed(
    when: str,
    make_place: Callable[..., Place],
    office: PostOffice,
    enter: Enter,
    tmp_path: Path,
) -> None:
    """The real command, in real time: its supervisor starts another process, which does the job when the lease ends."""
    place = make_place(job_lease_s=2, smtp_timeout_s=1)
    enrollment = enter(place, clock=utc_now)
    tell(enrollment, 0, "trigger", "complete")
    running: list[int] = []

    def kill() -> None:
        if running:
            os.kill(_working(running.pop()), signal.SIGKILL)

    if when == "between the commit and the send":
        office.before_mail = kill
    else:
        office.before_answer = kill
    with _usher_worker(place.settings, tmp_path) as worker:
        running.append(worker.pid)
        until = time.monotonic() + PATIENCE_S
        while any(enrollment.engine.queries.counts()["jobs"].values()) and time.monotonic() < until:
            time.sleep(0.1)
        worker.terminate()
        said, complaint = worker.communicate()
    assert worker.returncode == 0
    assert said == "Waiting for jobs. Stop with Ctrl+C.\n" * 2
    assert re.fullmatch(r"usher: Process \d+ was ended by signal 9; another takes its place.\n", complaint)
    check(enrollment, 0, office, mails=1 if when == "between the commit and the send" else 2)


def _working(supervisor: int) -> int:
    """The process that does the work; the one started watches it."""
    return int(Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text())


def _usher_worker(settings: Settings, folder: Path) -> subprocess.Popen[str]:
    ours = {variable(name): str(value) for name, value in asdict(settings).items()}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **ours}
    command = [str(Path(sys.executable).with_name("usher")), "worker"]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

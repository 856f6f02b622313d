"""`make audit-bench`: ten thousand alterations of a database, each found by name; a thousand cases re-executed.

Prints its figures as JSON and exits 1 when one does not hold. The smaller counts run with every `make test`
(properties/test_tampering.py, contract/test_reexecution_enrollment.py).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent)]

from browser.clinic import COMPLETE, fhir  # noqa: E402 - the path comes first
from conftest import SECRET, Clock, alice  # noqa: E402
from original import Original, build, findings_in  # noqa: E402
from practice_records import living_practice, tally  # noqa: E402
from tampering import DEEDS, Deed, spoil  # noqa: E402
from usher_engine import SYSTEM, Database, Settings, Worker  # noqa: E402
from usher_engine.definitions import read_folder  # noqa: E402
from usher_engine.enrollment import Enrollment, open_enrollment, portal_status  # noqa: E402
from usher_engine.enrollment.patient_registry import find  # noqa: E402
from usher_engine.store.schema import upgrade  # noqa: E402

#: Alterations of single cases per copy; each must be found by the name of its case.
IN_ONE_COPY = 20
#: The share of alterations that leave no case to name; one per copy.
NAMELESS = 0.05



# alterations


def alterations(folder: Path, cases: int, count: int, jobs: int) -> dict[str, Any]:
    original = build(folder, cases=cases)
    assert findings_in(original, original.database, original.heads) == []
    nameless = int(count * NAMELESS)
    batches = [range(first, min(first + IN_ONE_COPY, count)) for first in range(nameless, count, IN_ONE_COPY)]
    work = [*(range(seed, seed + 1) for seed in range(nameless)), *batches]
    missed: list[str] = []
    begin = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        act = partial(_one_copy, original, folder, nameless)
        for done, found in enumerate(pool.imap_unordered(act, work), start=1):
            missed += found
            if done % 100 == 0:
                sys.stderr.write(f"{done} of {len(work)} copies checked\n")
    return {"cases": cases, "alterations": count, "missed": missed, "seconds": round(time.perf_counter() - begin, 1)}


def _one_copy(original: Original, folder: Path, nameless: int, seeds: range) -> list[str]:
    """Alter a copy once for each seed; return those that were not found."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file, heads = Path(place) / "copy.db", Path(place) / "heads.jsonl"
        shutil.copy(original.database, file)
        shutil.copy(original.heads, heads)
        if seeds[0] < nameless and seeds[0] % 4 == 0:
            deeds = [(spoil(heads, Random(seeds[0])), set[str]())]
        else:
            deeds = list(_altered(file, seeds, named=seeds[0] >= nameless))
        findings = findings_in(original, file, heads)
    names = {finding.instance for finding in findings}
    return [
        f"{deed}, seed {seed}"
        for seed, (deed, cases) in zip(seeds, deeds, strict=True)
        if not findings or (cases and not cases & names)
    ]


def _altered(file: Path, seeds: range, *, named: bool) -> Iterator[tuple[str, set[str]]]:
    db = sqlite3.connect(file, isolation_level=None)
    for seed in seeds:
        random = Random(seed)
        deed = random.choice(_deeds(named=named))
        yield deed.__name__, deed(db, random)
    db.close()


def _deeds(*, named: bool) -> list[Deed]:
    nameless = ("delete_case_and_leaves", "close_the_gap", "rewrite", "delete_checkpoint", "mutate_checkpoint")
    return [deed for deed in DEEDS if (deed.__name__ in nameless or "event" in deed.__name__) != named]


# running again


def mixed_cases(folder: Path, cases: int) -> Settings:
    """*cases* finished enrolments over all ways."""
    settings = Settings(
        env="development",
        secret_key=SECRET,
        database_url=f"sqlite:///{folder / 'cases.db'}",
        mail_from="portal@example.org",
    )
    database, clock = Database(settings.database_url), Clock()
    upgrade(database)
    enrollment = open_enrollment(settings, clock=clock, send_mail=_taken_in, database=database)
    enrollment.engine.deploy(read_folder(HERE.parent / "processes" / "enrollment"), actor=SYSTEM)
    enrollment.set_trigger("Office Visit", "Patient Portal", "Enrollment", actor=SYSTEM)
    for number in range(cases):
        _enrol(enrollment, number)
        clock.forward(minutes=1)
    database.close()
    return settings


ANSWERS: dict[str, dict[str, Any]] = {
    "UpdateNow": {**COMPLETE, "email": "a@example.org", "mobile": ""},
    "EnrollNow": {"reason": "asked at the desk"},
}


def _taken_in(_message: EmailMessage) -> None:
    """Every mail is accepted."""


def _enrol(enrollment: Enrollment, number: int) -> None:
    engine, patient = enrollment.engine, f"patient-{number}"
    status = ("Not Enrolled", "Not Enrolled", "Not Enrolled", "Pending", "Declined", "Completed")[number % 6]
    values = {**COMPLETE, "email": f"{patient}@example.org", **({"zip_code": None} if number % 6 == 2 else {})}
    enrollment.import_patients([json.dumps(fhir(patient, values))])
    if status != "Not Enrolled":
        with enrollment.engine.database.begin() as tx:
            now = enrollment.engine.clock()
            portal_status.set_status(tx, find(tx, patient, lock=True), status, by="bench", now=now)
    case = enrollment.trigger(patient, "Office Visit", "Patient Portal", "Enrollment", actor=alice)
    for task in case.tasks:
        if number % 5 == 0:
            engine.cases.cancel_task(task.id, "not today", actor=alice)
        else:
            engine.complete(task.id, ANSWERS.get(task.element, {}), actor=alice)
    Worker(engine).run_due()
    if engine.instance(case.id).status == "waiting":
        engine.cases.cancel(case.id, "left over", actor=alice)


#: What a child does: on a day long after, without a network, all cases again. Prints the answer, then its seconds.
CHILD = """
import sys, time
def refuse(event, _arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise RuntimeError("the network was asked")
sys.addaudithook(refuse)
import time_machine
from usher_web.cli import main
begin = time.process_time()
try:
    with time_machine.travel("2031-01-02T03:04:05Z"):
        main(["verify", "--all", "--json", "--jobs", "1"])
finally:
    print(time.process_time() - begin, file=sys.stderr)
"""


def again(settings: Settings, seeds: range) -> list[dict[str, Any]]:
    """Verify in a process for each hash seed, in a network namespace of its own where this machine permits one."""
    found, tried = [], shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"], check=False)
    for seed in seeds:
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(seed),
            "USHER_SECRET_KEY": SECRET,
            "USHER_DATABASE_URL": settings.database_url,
            "USHER_SMTP_HOST": "192.0.2.1",
        }
        alone = ["unshare", "-n"] if tried and tried.returncode == 0 else []
        command = [*alone, sys.executable, "-c", CHILD]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if not done.stdout:
            raise SystemExit(done.stderr)
        result, seconds = json.loads(done.stdout), float(done.stderr.splitlines()[-1])
        ran = {"checked": result["checked"], "equal": result["equal"], "seconds of a core": round(seconds, 2)}
        found.append({"hash seed": seed, "network": "none" if alone else "refused", **ran})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--alterations", type=int, default=10_000)
    parser.add_argument("--values", type=int, default=1_000, help="alterations of values, over all tables")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, default=8)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="usher-audit-") as folder:
        settings = mixed_cases(Path(folder), asked.cases)
        runs = again(settings, range(asked.seeds))
        tampered = alterations(Path(folder), asked.cases, asked.alterations, asked.jobs)
        (Path(folder) / "tables").mkdir()
        tables = tally(living_practice(Path(folder) / "tables"), asked.values)
    cases_s = max(run["checked"] / run["seconds of a core"] for run in runs)
    figures = [
        {"name": "alterations missed", "value": len(tampered["missed"]), "target": 0, "holds": not tampered["missed"]},
        {
            "name": "altered values of administrative tables missed",
            "value": len(tables["missed"]),
            "target": 0,
            "holds": not tables["missed"],
        },
        {
            "name": "cases that differ when run again",
            "value": sum(run["checked"] - run["equal"] for run in runs),
            "target": 0,
            "holds": all(run["checked"] == run["equal"] == asked.cases for run in runs),
        },
        {"name": "cases run again, a second and core", "value": round(cases_s), "unit": "cases", "target": 1_000},
        {"name": "time for a case", "value": round(1_000 / cases_s, 2), "unit": "ms"},
    ]
    machine = {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    report = {"machine": machine, "figures": figures, "again": runs, "tampered": tampered, "tables": tables}
    sys.stdout.write(f"{json.dumps(report, indent=2)}\n")
    if not all(figure.get("holds", True) for figure in figures):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

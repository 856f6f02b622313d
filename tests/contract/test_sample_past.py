"""The demonstration's past is a real one: run by the engine, verified, signed, with something left to do."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import ROOT, SECRET, Clock
from databases import new_sqlite
from usher_engine import Settings
from usher_engine.checkpoints import check_everything, public_key_of
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.store import Database
from usher_web.demo.sample_past import DAYS, live_through
from usher_web.demo.sample_patients import add_samples

pytestmark = pytest.mark.xdist_group("sample past")  # half a year is lived through once


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Enrollment:
    folder = tmp_path_factory.mktemp("past")
    settings = Settings(
        mail_hold=0,
        env="development",
        secret_key=SECRET,
        database_url=new_sqlite(folder),
        checkpoint_file=str(folder / "checkpoints.jsonl"),
        signing_key_file=str(folder / "key.pem"),
    )
    database = Database(settings.database_url)
    made = open_enrollment(settings, clock=Clock(), database=database)
    now = made.engine.clock()
    add_samples(database, made.registry, now, since=now - timedelta(days=DAYS + 1))
    live_through(settings, read_folder(ROOT / "processes" / "enrollment"), made.engine.clock())
    return made


def test_everything_verifies(clinic: Enrollment) -> None:
    result = clinic.engine.verification.verify_all()
    assert result.findings == []
    assert result.checked > 70
    assert clinic.disagreements() == []
    settings = clinic.settings
    key = public_key_of(settings)
    assert check_everything(clinic.engine.database, file=Path(settings.checkpoint_file), key=key) == []


def test_the_past_ends_in_the_present(clinic: Enrollment) -> None:
    now = clinic.engine.clock()
    cases = clinic.engine.queries.instances(limit=500)
    assert now - timedelta(days=DAYS) < min(case.started_at for case in cases)
    assert max(case.started_at for case in cases) == now
    assert {case.version for case in cases} == {1, 2}


def test_there_is_something_to_do(clinic: Enrollment) -> None:
    cases = Counter(case.status for case in clinic.engine.queries.instances(limit=500))
    assert cases["incident"] == 1
    tasks = clinic.engine.inbox.tasks()
    assert {"UpdateNow", "ResendInvitation", "EnrollNow", "SendNewLink"} == {task.element for task in tasks}
    assert clinic.engine.inbox.count_tasks(overdue=True) < len(tasks)
    patients = clinic.patients_by_id({case.business_key for case in clinic.engine.queries.instances(limit=500)})
    assert {"Completed", "Pending"} <= {patient.status for patient in patients.values()}

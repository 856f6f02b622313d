"""What a backtest knows of a patient's past is what `patient/load` answered then, or nothing."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import ROOT, SECRET, Clock, alice
from databases import new_sqlite
from usher_engine import Actor, Settings, Worker
from usher_engine.definitions import read_folder
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.enrollment.patient_recall import PatientRecall
from usher_engine.services import Call, Recalled
from usher_engine.store import Database
from usher_web.demo.sample_past import _Past
from usher_web.demo.sample_patients import add_samples

PACKAGE = read_folder(ROOT / "processes" / "enrollment")
ADMIN = Actor(name="adam", role="admin")
SENT = ("Office Visit", "Patient Portal", "Enrollment")


def recalled(settings: Settings, database: Database, patient: str, at: datetime) -> Recalled | None:
    with database.read() as tx:
        call = Call(instance="I", element="E", visit=1, now=at, actor="t", package=PACKAGE, transaction=tx)
        return PatientRecall(settings)({"patient_id": patient}, call)


def loaded(clinic: Enrollment, patient: str, at: datetime) -> Any:
    return clinic.patient(patient).to_json(at, clinic.settings)


def test_half_a_year_is_recalled_as_it_was(tmp_path: Any) -> None:
    """Each patient at each turn of the sample past: what was read then is recalled, or not known."""
    settings = Settings(
        mail_hold=0,
        env="development",
        secret_key=SECRET,
        database_url=new_sqlite(tmp_path),
        checkpoint_file=str(tmp_path / "checkpoints.jsonl"),
        signing_key_file=str(tmp_path / "key.pem"),
    )
    database = Database(settings.database_url)
    clock = Clock()
    registry = open_enrollment(settings, clock=clock, database=database).registry
    add_samples(database, registry, clock() - timedelta(days=200))
    past = _Past(settings, PACKAGE, clock())
    seen: list[tuple[str, datetime, Any]] = []

    def look(*_: int) -> None:
        for number in range(1, 73, 7):
            if past.clinic.patients_by_id([f"demo-{number:03}"]):
                record = loaded(past.clinic, f"demo-{number:03}", past.clock.now)
                seen.append((record["id"], past.clock.now, record))

    past.live(look)
    found = [(recalled(settings, database, patient, at), was) for patient, at, was in seen]
    known = [(one.answer, was) for one, was in found if one is not None]
    assert [now for now, was in known if now != was] == []
    assert len(known) > 0.9 * len(seen) > 300
    assert pickle.loads(pickle.dumps(PatientRecall(settings))) == PatientRecall(settings)


class House:
    """One clinic whose patient *p* has a case that waits in Resend Invitation."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self.settings, self.database, self.clock = settings, database, clock
        self.clinic = open_enrollment(settings, clock=clock, send_mail=lambda _: None, database=database)
        add_samples(database, self.clinic.registry, clock())
        self.clinic.engine.deploy(PACKAGE, actor=Actor(name="ana", role="analyst"))
        clock.forward(days=1)
        self.trigger()

    def trigger(self) -> str:
        case = self.clinic.trigger("sample-complete", *SENT, actor=alice)
        Worker(self.clinic.engine).run_due()
        self.clock.forward(days=1)
        return case.id

    def at(self, when: datetime) -> Any:
        found = recalled(self.settings, self.database, "sample-complete", when)
        return None if found is None else found.answer

    def correct(self, **resource: Any) -> None:
        with self.database.begin() as tx:
            was = self.clinic.registry.load(tx, "sample-complete", now=self.clock()).resource
            self.clinic.registry.save(tx, {**was, **resource}, by="ehr", now=self.clock())


@pytest.fixture
def house(settings: Settings, database: Database, clock: Clock) -> House:
    return House(settings, database, clock)


def test_a_status_that_was_reported_later_is_not_yet_so(house: House) -> None:
    before = house.clock()
    house.clock.forward(days=3)
    house.clinic.portal_standing.set_status("sample-complete", "Completed", "the EHR says so", actor=ADMIN)
    assert house.at(before)["status"] == "Pending"
    assert house.at(house.clock())["status"] == "Completed"
    house.clock.forward(days=1)
    assert house.at(house.clock()) == loaded(house.clinic, "sample-complete", house.clock())


def test_a_record_the_ehr_changed_in_between_is_not_known(house: House) -> None:
    before = house.clock()
    house.clock.forward(days=1)
    house.correct(gender="other")
    assert house.at(before) is None, "the change was recorded nowhere: it may have been before or after"
    assert house.at(house.clock()) is not None


def test_an_opt_out_in_between_is_not_guessed(house: House) -> None:
    before = house.clock()
    house.clock.forward(days=1)
    house.clinic.portal_standing.set_opt_out("sample-complete", "practice", True, "asked", actor=ADMIN)
    after = house.clock()
    house.clock.forward(days=1)
    house.clinic.portal_standing.set_status("sample-complete", "Not Enrolled", "the EHR says so", actor=ADMIN)
    assert house.at(before)["guard"] is None
    assert house.at(after) is None
    assert house.at(house.clock())["guard"] == "The patient has opted out of e-mail from the practice."


def test_an_address_on_the_opt_out_list_since_later(house: House) -> None:
    before = house.clock()
    house.clock.forward(days=1)
    house.clinic.portal_standing.set_opt_out("sample-complete", "address", True, "asked", actor=ADMIN)
    assert house.at(before)["guard"] is None
    assert house.at(house.clock())["guard"] == "The e-mail address is on the opt-out list."


def test_nothing_is_known_before_the_first_read(house: House) -> None:
    assert house.at(house.clock() - timedelta(hours=23)) is not None
    assert house.at(house.clock() - timedelta(hours=25)) is None

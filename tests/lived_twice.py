"""Lives the same days twice, on two versions of a process: what a backtest predicts can be compared with what happens.

`live` lets people act as a `Fate` decides, and notes what they did; `live_again` lets the same people do the same at
the same times on another package, as far as it asks them. Each patient has one case, so that no case touches another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from conftest import SECRET
from databases import new_sqlite
from sqlalchemy import func, select
from usher_engine import Actor, Settings, Worker
from usher_engine.core.errors import EngineError, InvalidSubmission
from usher_engine.definitions import Package
from usher_engine.enrollment import open_enrollment, patient_registry, portal_status
from usher_engine.enrollment.birth_sex import BIRTH_SEX_EXTENSION
from usher_engine.enrollment.invitations import token_for
from usher_engine.enrollment.patient_response import TERMS_VERSION, Answer
from usher_engine.forms import parse_form
from usher_engine.reexecution import read_chain
from usher_engine.reexecution.recorded_case import Recording, read_recording
from usher_engine.store import Database, stored_cases
from usher_engine.store.tables.engine_tables import job

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
END = BEGIN + timedelta(days=60)
ANA = Actor(name="ana", role="analyst")
#: One person who may do everything a task of the process is for.
STAFF = Actor(name="alice", role="staff", groups=frozenset({"Front desk", "Billing"}))
FULL = {
    "first_name": "Ada", "last_name": "Sample", "zip_code": "10001", "email": "{}@example.org", "birth_sex": "F",
    "mobile": "", "language": "en",
}  # fmt: skip
STATUSES = ("Not Enrolled", "Not Enrolled", "Not Enrolled", "Pending", "Declined", "Deferred", "Completed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """One patient and the people around: what the record holds, when the case starts, and who does what how soon."""

    name: str
    fields: dict[str, str]
    status: str = "Not Enrolled"
    deceased: bool = False
    start: timedelta = timedelta()
    #: Days until a person answers a task; beyond sixty nobody does.
    answers_after: float = 1.0
    cancels_update: bool = False
    #: What staff type into the form of Update now, beside what the record holds.
    typed: dict[str, str] = field(default_factory=dict)
    #: The patient's answer to the invitation, and after how many days.
    answer: Answer | None = None
    responds_after: float = 3.0


#: When somebody has a turn, and what is then done; False ends the case's life here.
Turn: TypeAlias = tuple[datetime, Callable[[], bool]]


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did: *place* is the task, "" for the patient's own answer; *values* None cancels it."""

    at: datetime
    fate: int
    place: str
    values: dict[str, str] | None


def fates(count: int, seed: int) -> list[Fate]:
    """*count* patients of every kind."""
    chance = random.Random(seed)
    return [_fate(chance, number) for number in range(count)]


def _fate(chance: random.Random, number: int) -> Fate:
    known = {**FULL, "email": FULL["email"].format(f"p{number}"), "language": chance.choice(("en", "es", "vi", ""))}
    known["mobile"] = chance.choice(("", "555 0100"))
    for gap in chance.choice(((), (), (), ("email",), ("zip_code",), ("birth_sex",), ("email", "zip_code"))):
        known[gap] = ""
    typed = {key: value.format(f"p{number}") for key, value in FULL.items() if key != "language" and not known[key]}
    typed["mobile"] = chance.choice(("", "", "555 0199"))
    if chance.random() < 0.15:
        typed.pop("email", None)  # not known at the desk either: the answer is not accepted
    return Fate(
        name=f"p{number}",
        fields=known,
        status=chance.choice(STATUSES),
        deceased=chance.random() < 0.05,
        start=timedelta(minutes=chance.randint(0, 60 * 24 * 20)),
        answers_after=chance.choice((0.1, 0.5, 2, 3.5, 6, 60)),
        cancels_update=chance.random() < 0.1,
        typed=typed,
        answer=chance.choice((Answer.ACCEPT, Answer.DECLINE, Answer.DEFER, None)),
        responds_after=chance.choice((0.2, 2, 5, 9)),
    )


class Clinic:
    """A clinic on a new database in *folder*, with the patients of *people*, running *package* from the first day."""

    def __init__(self, folder: Path, package: Package, people: Sequence[Fate]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(env="development", mail_hold=0, secret_key=SECRET, database_url=new_sqlite(folder))
        self.now = BEGIN - timedelta(days=1)
        self.database = Database(self.settings.database_url)
        self.enrollment = open_enrollment(
            self.settings, clock=lambda: self.now, send_mail=lambda _: None, database=self.database
        )
        self.engine = self.enrollment.engine
        self.package, self.people = package, people
        self.worker = Worker(self.engine)
        self.cases: dict[int, str] = {}
        self.deeds: list[Deed] = []
        #: What became of each patient's case until the days were over.
        self.recordings: dict[int, Recording] = {}
        #: The task whose form did not take the answer, by patient.
        self.refused: dict[int, str] = {}
        self.engine.deploy(package, actor=ANA)
        for one in people:
            self._admit(one)

    def _admit(self, one: Fate) -> None:
        with self.database.begin() as tx:
            self.enrollment.registry.save(tx, _resource(one), by="ehr", now=self.now)
            row = patient_registry.find(tx, one.name, lock=True)
            if one.status in ("Declined", "Deferred"):
                portal_status.add_response(tx, one.name, one.status, until=None, terms="", now=self.now, instance="")
            elif one.status == "Pending":
                portal_status.record_request(tx, one.name, by="bob", requested_by="bob", now=self.now)
            elif one.status != "Not Enrolled":
                portal_status.set_status(tx, row, one.status, by="ehr", now=self.now)

    def _due(self, number: int) -> datetime | None:
        """When the next timer of a case is due."""
        with self.database.read() as tx:
            mine = select(func.min(job.c.due_at)).where(job.c.instance == self.cases[number])
            text = tx.execute(mine).scalar()
        return datetime.fromisoformat(text) if text else None

    def live_case(self, number: int, next_turn: Callable[[], Turn | None]) -> None:
        """Start a case and take the turns people have, and what time brings in between, until the days are over."""
        self.now = BEGIN + self.people[number].start
        self.cases[number] = self.enrollment.start({"patient_id": self.people[number].name}, actor=STAFF).id
        self.worker.run_due()
        while True:
            turn, due = next_turn(), self._due(number)
            at = min((at for at in (due, turn[0] if turn else None) if at is not None), default=END)
            if at >= END:
                break
            self.now = max(self.now, at)
            if turn is not None and turn[0] <= at and not turn[1]():
                break
            self.worker.run_due()
        self.now = END
        self.recordings[number] = self._recording(number)

    # what people do

    def open_places(self, number: int) -> list[str]:
        return [f"{task.element}:{task.visit}" for task in self.engine.instance(self.cases[number]).tasks]

    def work(self, number: int, place: str, values: dict[str, str] | None) -> bool:
        """Answer or cancel a task; False where the form does not take the answer, or nothing of the kind is asked."""
        tasks = self.engine.instance(self.cases[number]).tasks
        task = next((one for one in tasks if f"{one.element}:{one.visit}" == place), None)
        if task is None:
            return False
        try:
            if values is None:
                self.engine.cases.cancel_task(task.id, "moved away", actor=STAFF)
            else:
                form = parse_form(self.package.text(task.form)) if task.form else None
                known = {one.key for one in form.fields} if form else set()
                self.engine.complete(task.id, {k: v for k, v in values.items() if k in known}, actor=STAFF)
        except InvalidSubmission:
            return False
        self.deeds.append(Deed(self.now, number, place, values))
        return True

    def known(self, number: int) -> dict[str, str]:
        """The fields of the patient's record."""
        return self.enrollment.patient(self.people[number].name).fields(self.now, self.settings)

    def link_of(self, number: int) -> datetime | None:
        """When the link was sent that the patient could use now; None if there is none."""
        links = self.enrollment.invitations(self.people[number].name)
        return next((one.sent_at for one in links if one.sent_at and one.is_usable(self.now)), None)

    def respond(self, number: int) -> None:
        """The patient answers by the newest link, if it works."""
        fate = self.people[number]
        links = [one for one in self.enrollment.invitations(fate.name) if one.is_usable(self.now)]
        if not links or fate.answer is None:
            return
        token = token_for(self.settings.secret_key, links[0].key)
        record = self.known(number)
        try:
            proof = self.enrollment.identify(token, record["zip_code"], record["birth_date"])
            until = (self.now + timedelta(days=30)).date() if fate.answer is Answer.DEFER else None
            terms = TERMS_VERSION if fate.answer is Answer.ACCEPT else ""
            self.enrollment.respond(token, proof, fate.answer, until=until, terms=terms)
        except EngineError:
            return
        self.deeds.append(Deed(self.now, number, "", {}))

    # what became of them

    def _recording(self, number: int) -> Recording:
        with self.database.read() as tx:
            return read_recording(read_chain(stored_cases.one(tx, self.cases[number]))[0])


def live(folder: Path, package: Package, people: Sequence[Fate]) -> Clinic:
    """Let *people* act as their fates decide."""
    clinic = Clinic(folder, package, people)
    for number in range(len(people)):
        clinic.live_case(number, _Deciding(clinic, number).next_turn)
    return clinic


@dataclass(slots=True)
class _Deciding:
    """The people around one case, who decide what they do."""

    clinic: Clinic
    number: int
    opened: dict[str, datetime] = field(default_factory=dict)
    responded: bool = False

    def next_turn(self) -> Turn | None:
        return min(self._turns(), key=lambda turn: turn[0], default=None)

    def _turns(self) -> Iterator[Turn]:
        clinic, fate = self.clinic, self.clinic.people[self.number]
        for place in clinic.open_places(self.number):
            began = self.opened.setdefault(place, clinic.now)
            yield began + timedelta(days=fate.answers_after), partial(self._work, place)
        sent = None if self.responded or fate.answer is None else clinic.link_of(self.number)
        if sent is not None:
            yield max(clinic.now, sent + timedelta(days=fate.responds_after)), self._respond

    def _work(self, place: str) -> bool:
        values: dict[str, str] | None = {"reason": "asked at the desk"}
        if place.startswith("Update:"):
            fate = self.clinic.people[self.number]
            values = None if fate.cancels_update else {**self.clinic.known(self.number), **fate.typed}
        if not self.clinic.work(self.number, place, values):
            self.opened[place] = END  # nobody tries again
        return True

    def _respond(self) -> bool:
        self.responded = True
        self.clinic.respond(self.number)
        return True


def live_again(folder: Path, package: Package, first: Clinic) -> Clinic:
    """Let the people of *first* do what they did there, at the same times or as soon as they are asked."""
    clinic = Clinic(folder, package, first.people)
    for number in range(len(first.people)):
        left = [deed for deed in first.deeds if deed.fate == number]
        clinic.live_case(number, _Repeating(clinic, number, left).next_turn)
    return clinic


@dataclass(slots=True)
class _Repeating:
    """The people around one case, who do again what they did; a form that does not take an answer ends it."""

    clinic: Clinic
    number: int
    left: list[Deed]

    def next_turn(self) -> Turn | None:
        clinic, places = self.clinic, self.clinic.open_places(self.number)
        can = [d for d in self.left if (d.place in places if d.place else clinic.link_of(self.number) is not None)]
        turns = [(max(clinic.now, deed.at), partial(self._do, deed)) for deed in can]
        return min(turns, key=lambda turn: turn[0], default=None)

    def _do(self, deed: Deed) -> bool:
        self.left.remove(deed)
        if not deed.place:
            self.clinic.respond(self.number)
        elif not self.clinic.work(self.number, deed.place, deed.values):
            self.clinic.refused[self.number] = deed.place
            return False
        return True


def _resource(one: Fate) -> dict[str, Any]:
    """The FHIR Patient of *one*."""
    known, address, telecom = one.fields, {"use": "home", "postalCode": one.fields["zip_code"]}, []
    for system, key, use in (("email", "email", "home"), ("phone", "mobile", "mobile")):
        if known[key]:
            telecom.append({"system": system, "value": known[key], "use": use})
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": one.name,
        "name": [{"use": "official", "family": known["last_name"], "given": [known["first_name"]]}],
        "birthDate": "1980-02-03",
        "address": [address] if known["zip_code"] else [],
        "telecom": telecom,
    }
    if known["birth_sex"]:
        found["extension"] = [{"url": BIRTH_SEX_EXTENSION, "valueCode": known["birth_sex"]}]
    if known["language"]:
        coding = {"system": "urn:ietf:bcp:47", "code": known["language"]}
        found["communication"] = [{"preferred": True, "language": {"coding": [coding]}}]
    if one.deceased:
        found["deceasedBoolean"] = True
    return {key: value for key, value in found.items() if value != []}

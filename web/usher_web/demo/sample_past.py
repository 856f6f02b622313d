"""Half a year of an invented clinic for the demonstration: the engine really runs every case, at its own time.

Each patient's story is a generator that yields the time until its next turn; the stories run in chronological order.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from usher_engine.cases.queries import Instance
from usher_engine.checkpoints import take
from usher_engine.core.actor import Actor
from usher_engine.core.errors import ServiceError
from usher_engine.definitions import Package
from usher_engine.enrollment import Enrollment, open_enrollment
from usher_engine.enrollment.birth_sex import BIRTH_SEX_EXTENSION
from usher_engine.enrollment.invitations import token_for
from usher_engine.enrollment.patient_response import TERMS_VERSION, Answer
from usher_engine.jobs.worker import Worker
from usher_engine.settings import Settings

from .sample_patients import TRIGGERS

DAYS = 180
PATIENTS = 72
#: The last patients, whose tasks are still open.
RECENT = 9
#: Sample patients the trigger is selected for at the very end, so that every kind of task waits in the inbox.
TODAY = ("sample-pending", "sample-deferred")
EARLIER_VERSION_DAYS = 75
CHECKPOINT_DAYS = 30

STAFF = tuple(Actor(name=name, role="staff", groups=frozenset({"Front desk"})) for name in ("alice", "bob"))
ANALYST = Actor(name="ana", role="analyst")

_FIRST = (
    "Abel", "Bea", "Carl", "Dora", "Elia", "Fay", "Gil", "Hope", "Ivy", "Jack", "Kim", "Luz", "Max", "Nina", "Omar",
    "Pau", "Rea", "Saul", "Tess", "Ugo", "Vic", "Wes", "Yara", "Zoe",
)  # fmt: skip
_LAST = ("Demo", "Exemplar", "Fictive", "Instance")
_LANGUAGES = ("en", "en", "en", "en", "es", "es", "vi", "")
#: Fields a record may lack; most lack nothing.
_GAPS: tuple[tuple[str, ...], ...] = ((), (), (), ("email",), ("email",), ("zip_code",), ("email", "birth_sex"))
_REASONS = ("Asked for it at the desk.", "Called us this morning.", "Has a new e-mail address.")

#: How long until the next turn of a story.
Story = Iterator[timedelta]


@dataclass(slots=True)
class _Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class _Patient:
    id: str
    fields: dict[str, str]
    gaps: tuple[str, ...]

    def resource(self) -> dict[str, Any]:
        """The FHIR Patient, without what the record lacks."""
        known = {key: value for key, value in self.fields.items() if key not in self.gaps}
        found: dict[str, Any] = {
            "resourceType": "Patient",
            "id": self.id,
            "active": True,
            "name": [{"use": "official", "family": known["last_name"], "given": [known["first_name"]]}],
            "birthDate": known["birth_date"],
            "address": [{"use": "home", "postalCode": known.get("zip_code", ""), "country": "US"}],
        }
        if "email" in known:
            found["telecom"] = [{"system": "email", "value": known["email"], "use": "home"}]
        if "birth_sex" in known:
            found["extension"] = [{"url": BIRTH_SEX_EXTENSION, "valueCode": known["birth_sex"]}]
        if known["language"]:
            coding = {"system": "urn:ietf:bcp:47", "code": known["language"]}
            found["communication"] = [{"preferred": True, "language": {"coding": [coding]}}]
        return found


def live_through(
    settings: Settings, package: Package, now: datetime, progress: Callable[[int, int], None] | None = None
) -> int:
    """
    Let the clinic of *settings* live through the days before *now*: patients, triggers, tasks, mails, answers.

    Args:
        settings: The demonstration's own; its database has the sample accounts and triggers.
        package: The enrolment as it is now; an earlier version of it comes first.
        now: Where the past ends; some cases still wait then.
        progress: Called now and then with (days done, of how many).

    Returns:
        How many patients have a story.
    """
    past = _Past(settings, package, now)
    past.live(progress)
    return PATIENTS


@dataclass(slots=True)
class _Past:
    settings: Settings
    package: Package
    end: datetime
    clock: _Clock = field(init=False)
    clinic: Enrollment = field(init=False)
    worker: Worker = field(init=False)
    chance: random.Random = field(init=False)
    refused: str = ""

    def __post_init__(self) -> None:
        self.chance = random.Random(2026)  # noqa: S311 - the same invented past each time
        self.clock = _Clock(self.end - timedelta(days=DAYS))
        self.clinic = open_enrollment(replace(self.settings, mail_hold=0), clock=self.clock, send_mail=self._send_mail)
        self.worker = Worker(self.clinic.engine)

    def live(self, progress: Callable[[int, int], None] | None) -> None:
        """Take turn after turn until the present; drop later turns."""
        start, engine = self.clock.now, self.clinic.engine
        engine.deploy(_earlier_version(self.package), actor=ANALYST, note="The first version")
        turns: list[tuple[datetime, int, Story]] = [
            (start + timedelta(days=EARLIER_VERSION_DAYS), -1, self._deploy_improvement()),
            *((start + timedelta(days=day), -2 - day, self._sign_steps()) for day in range(1, DAYS, CHECKPOINT_DAYS)),
            *((self._first_turn(number), number, self._story(number)) for number in range(PATIENTS)),
        ]
        heapq.heapify(turns)
        while turns and turns[0][0] < self.end:
            at, number, story = heapq.heappop(turns)
            self.clock.now = at
            self.clinic.links.close_due()
            wait = next(story, None)
            self.worker.run_due()
            if wait is not None:
                heapq.heappush(turns, (_by_day(at + wait), number, story))
            if progress is not None:
                progress((at - start).days, DAYS)
        self.clock.now = self.end
        self.clinic.links.close_due()
        for patient in TODAY:
            self.clinic.trigger(patient, *TRIGGERS[0], "Enrollment", actor=STAFF[0])
        take(engine.database, self.settings, self.end)
        engine.database.close()

    def _first_turn(self, number: int) -> datetime:
        """A moment in the hours of the practice; the last patients come in the days before the present."""
        ago = DAYS - self.chance.uniform(1, DAYS - 14)
        if number >= PATIENTS - RECENT:
            ago = 1 + (PATIENTS - number) / 4
        calendar = self.settings.calendar
        morning = calendar.begin_of(calendar.day_of(self.end - timedelta(days=ago))) + timedelta(hours=8)
        return morning + self._minutes(0, 9 * 60)

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(minutes=self.chance.randint(least, most), seconds=self.chance.randint(0, 59))

    # events apart from the patients

    def _deploy_improvement(self) -> Story:
        note = "Enroll Now is due sooner: patients had to ask twice"
        self.clinic.engine.deploy(self.package, actor=ANALYST, note=note)
        yield from ()

    def _sign_steps(self) -> Story:
        take(self.clinic.engine.database, self.settings, self.clock.now)
        yield from ()

    def _send_mail(self, message: EmailMessage) -> None:
        """The mail server of the past; it refuses one address."""
        if message["To"] and self.refused and self.refused in str(message["To"]):
            raise ServiceError("The mail server refused the mail for good (answer 550).", retry=False)

    # a patient's story

    def _story(self, number: int) -> Story:
        patient, staff = self._patient(number), self.chance.choice(STAFF)
        case = self._trigger(patient, staff)
        if number >= PATIENTS - RECENT:
            return
        if case.tasks:
            yield self._minutes(3, 60 * 26)
            yield from self._work_on_tasks(patient, case, staff)
        while (answer := self._choose_answer()) is not None:
            yield timedelta(hours=self.chance.expovariate(1 / 40)) + self._minutes(4, 200)
            if not self._answer(patient, answer) or answer is Answer.ACCEPT:
                return
            yield timedelta(days=self.chance.randint(10, 50))
            again = self._trigger(patient, staff)
            if again.tasks:
                yield self._minutes(2, 60)
                yield from self._work_on_tasks(patient, again, staff)
        yield timedelta(days=self.chance.randint(6, 20))  # no answer: invited again at the next visit
        yield from self._asked_again(patient, staff)

    def _asked_again(self, patient: _Patient, staff: Actor) -> Story:
        again = self._trigger(patient, staff)
        if again.tasks:
            yield self._minutes(1, 40)
            yield from self._work_on_tasks(patient, again, staff)
            if self.chance.random() < 0.5:
                yield timedelta(hours=self.chance.uniform(2, 90))
                self._answer(patient, Answer.ACCEPT)

    def _patient(self, number: int) -> _Patient:
        first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST)]
        born = date(self.end.year - self.chance.randint(19, 83), self.chance.randint(1, 12), self.chance.randint(1, 28))
        fields = {
            "first_name": first, "last_name": last, "birth_date": born.isoformat(),
            "zip_code": f"{20001 + number}", "email": f"{first.lower()}.{last.lower()}@example.org",
            "birth_sex": self.chance.choice("FM"), "mobile": "", "language": self.chance.choice(_LANGUAGES),
        }  # fmt: skip
        recent = number >= PATIENTS - RECENT
        patient = _Patient(f"demo-{number + 1:03}", fields, self.chance.choice(_GAPS[3:] if recent else _GAPS))
        if number == PATIENTS - 3:
            self.refused, patient.gaps = fields["email"], ()
        with self.clinic.engine.database.begin() as tx:
            self.clinic.registry.save(tx, patient.resource(), by="sample", now=self.clock.now)
        return patient

    def _trigger(self, patient: _Patient, staff: Actor) -> Instance:
        template, name = self.chance.choice(TRIGGERS)
        case = self.clinic.trigger(patient.id, template, name, "Enrollment", actor=staff)
        self.worker.run_due()
        return self.clinic.engine.instance(case.id)

    def _work_on_tasks(self, patient: _Patient, case: Instance, staff: Actor) -> Story:
        """Every task of the case, until it has none; a few are cancelled."""
        engine = self.clinic.engine
        while tasks := engine.instance(case.id).tasks:
            task = tasks[0]
            if self.chance.random() < 0.06 and task.cancellable:
                engine.cases.cancel_task(task.id, "The patient did not want to give an address.", actor=staff)
            else:
                if self.chance.random() < 0.3 and not task.assignee:
                    engine.cases.claim(task.id, actor=staff)
                    yield self._minutes(2, 90)
                engine.complete(task.id, self._typed_values(task.form, patient), actor=staff)
            self.worker.run_due()
            yield self._minutes(1, 30)

    def _typed_values(self, form: str, patient: _Patient) -> dict[str, Any]:
        if form.startswith("enroll"):
            return {"reason": self.chance.choice(_REASONS)}
        if form.startswith("update"):
            return {key: value for key, value in patient.fields.items() if key != "language"}
        return {}

    def _choose_answer(self) -> Answer | None:
        """The patient's answer to the invitation; None if the patient never answers."""
        return self.chance.choices(
            (Answer.ACCEPT, Answer.DECLINE, Answer.DEFER, None), weights=(58, 9, 8, 25), k=1
        )[0]

    def _answer(self, patient: _Patient, answer: Answer) -> bool:
        """Open the newest link and answer; False if no link works."""
        found = next((i for i in self.clinic.invitations(patient.id) if i.is_usable(self.clock.now)), None)
        if found is None or found.sent_at is None:
            return False
        token = token_for(self.settings.secret_key, found.key)
        proof = self.clinic.identify(token, patient.fields["zip_code"], patient.fields["birth_date"])
        until = self.settings.calendar.day_of(self.clock.now + timedelta(days=30)) if answer is Answer.DEFER else None
        self.clinic.respond(token, proof, answer, until=until, terms=TERMS_VERSION if answer is Answer.ACCEPT else "")
        return True


def _by_day(moment: datetime) -> datetime:
    """*moment*, or the next morning if it is night."""
    if 7 <= moment.hour < 21:
        return moment
    return (moment + timedelta(hours=(24 + 7 - moment.hour) % 24)).replace(second=moment.microsecond % 60)


def _earlier_version(package: Package) -> Package:
    """An earlier version of the package: tasks due within two days were due within five."""
    files = {
        name: content.replace(b'name="dueIn" value="P2D"', b'name="dueIn" value="P5D"')
        if name.endswith(".bpmn") else content
        for name, content in package.files.items()
    }  # fmt: skip
    return Package(files)

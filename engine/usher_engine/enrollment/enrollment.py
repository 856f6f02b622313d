"""The front door of the domain: triggers, patients and the patient's side of an invitation.

`open_enrollment` connects engine, services and tables; `enrollment_operators` has the operators of the diagram.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from ..assurance.integrity_check import Checker
from ..assurance.retention import Retention
from ..cases.queries import Instance
from ..core.actor import Actor
from ..core.errors import InvalidSubmission, NotFound
from ..core.findings import Finding
from ..core.visible_text import trimmed
from ..engine import Engine
from ..forms import start_form
from ..settings import Settings
from ..store import Row as CaseRow
from ..store import Transaction, version_rows
from . import invitations, portal_status, sent_mails, trigger_fields
from .address_corrections import AddressCorrections
from .answer_corrections import AnswerCorrections
from .import_conflicts import ImportConflicts
from .invitations import Invitation
from .link_ends import LinkEnds
from .mail_digests import MailDigests
from .patient_directory import PatientRecord
from .patient_finder import PatientFinder
from .patient_index import unknown_patient
from .patient_registry import Registry
from .patient_response import DEFER_DAYS, Answer, OpenLink, PatientResponses
from .patients_import import ImportReport, Progress, import_patients
from .portal_standing import PortalStanding
from .portal_status import PastAnswer
from .reconciliation import disagreements
from .staff_mail import StaffMail
from .statuses import PortalStatus
from .trigger_fields import ENROLLMENT, PROCESS, Template

#: The data with which a trigger starts a process, and the enrolment may be started; only the patient is required.
START_VALUES = ("patient_id", "template", "field", "action", "requested_by")


class Enrollment:
    """The domain as the web, the API and the command line use it."""

    def __init__(self, engine: Engine, settings: Settings, staff_mail: StaffMail) -> None:
        self.engine = engine
        self.settings = settings
        self.staff_mail = staff_mail
        #: The numbers of people's tasks by mail, for those who asked for them.
        self.digests = MailDigests(engine, staff_mail)
        self.registry = Registry(settings)
        self.links = LinkEnds(engine, settings, self.start)
        self.responses = PatientResponses(engine, settings, self.registry, self.links)
        #: Finds patients by what people type, and those who look alike.
        self.finder = PatientFinder(engine=engine, registry=self.registry)
        #: Values that staff corrected and the EHR has changed too.
        self.import_conflicts = ImportConflicts(self.registry, engine.audit)

    @property
    def retention(self) -> Retention:
        """Retention of cases, and their purge including the enrolment's own data."""
        return Retention(self.engine.context, self.engine.audit, _forget)

    @property
    def checker(self) -> Checker:
        """Checks of the whole record, including the enrolment's own data."""
        return Checker(self.engine.context, self.engine.audit, self.disagreements)

    @property
    def portal_standing(self) -> PortalStanding:
        """Settings of administrators for a patient: the status another system reported, and opt-outs from e-mail."""
        return PortalStanding(self.engine, self.registry)

    @property
    def address_corrections(self) -> AddressCorrections:
        """The way out for a mail that its address stopped."""
        return AddressCorrections(self.engine, self.registry)

    @property
    def answer_corrections(self) -> AnswerCorrections:
        """Corrections of the record by staff who were too late for the task."""
        return AnswerCorrections(self.engine, self.registry)

    # the trigger

    def trigger(
        self,
        patient_id: str,
        template: str,
        field: str,
        action: str,
        *,
        actor: Actor,
        key: str | None = None,
        source: str = "",
    ) -> Instance:
        """
        Select the Patient Portal trigger for a patient: start its process, or return the live case of that.

        Args:
            patient_id: Id of the patient in the directory.
            template: The template with the trigger.
            field: Its field.
            action: The action the field carries, for example Enrollment.
            actor: The person or program that selected it.
            key: Idempotency key: the same key from the same *source* returns the same case.
            source: Issuer of the keys.

        Raises:
            InvalidSubmission: Another action, a field without the trigger, or a key used for another request.
            NotFound: No such patient, or the process is not deployed.
        """
        asked = {"patient_id": patient_id, "template": template, "field": field, "action": action}
        _require_text(asked)

        def find(tx: Transaction) -> str:
            process = trigger_fields.bound_process(tx, template, field, action, patient_id=patient_id)
            if process is None:
                raise unknown_patient()
            return process

        return self._start(find, asked, actor=actor, key=key, source=source)

    def start(self, values: Mapping[str, Any], *, actor: Actor, key: str | None = None, source: str = "") -> Instance:
        """
        Start the enrolment of a patient without a template, or return the live case.

        Args:
            values: ``patient_id``; optionally template, field and action; ``requested_by``, by default *actor*.
            actor: The person or program that starts it.
            key: Idempotency key, as in `trigger`.
            source: Issuer of the keys.

        Raises:
            InvalidSubmission: A value is missing, not text or unknown, or the action is not Enrollment.
            NotFound: No such patient, or no enrolment process is deployed.
        """
        given = {"patient_id": None, **values}
        unknown = {
            name: f"is unknown; known are {', '.join(START_VALUES)}" for name in given if name not in START_VALUES
        }
        if unknown:
            raise InvalidSubmission(f"The enrolment takes no “{next(iter(unknown))[:60]}”.", fields=unknown)
        _require_text(given)
        trigger_fields.check_action(given.get("action", ENROLLMENT))

        def find(tx: Transaction) -> str:
            if not self.registry.knows(tx, given["patient_id"]):
                raise unknown_patient()
            return PROCESS

        return self._start(find, given, actor=actor, key=key, source=source)

    def _start(
        self,
        process: Callable[[Transaction], str],
        values: Mapping[str, Any],
        *,
        actor: Actor,
        key: str | None,
        source: str,
    ) -> Instance:
        """Start the process about a patient, or return their live case of it."""
        return self.engine.start(
            process,
            {"requested_by": actor.on_behalf_of or actor.name, **values},
            actor=actor,
            key=key,
            source=source,
            business_key=values["patient_id"],
            one_live=True,
            keeps_others=True,
        )

    def templates(self) -> list[Template]:
        """The templates with a trigger, by name."""
        with self.engine.database.read() as tx:
            return trigger_fields.templates(tx)

    def set_trigger(
        self, template: str, field: str, action: str | None, *, process: str = PROCESS, actor: Actor
    ) -> None:
        """
        Put the trigger on a field of a template, to start *process*; *action* None removes it.

        Raises:
            InvalidSubmission: A name that cannot be one, an action that is not the enrolment's, a process that is not
                deployed, or one whose start form needs what no trigger sends.
        """
        with self.engine.database.begin() as tx:
            if action is None:
                rows = trigger_fields.remove_trigger(tx, template, field)
            else:
                self._require_startable(tx, process)
                now = self.engine.clock()
                rows = trigger_fields.set_trigger(tx, template, field, action, process=process, by=actor.name, now=now)
            details = {"setting": "trigger", "template": template, "field": field, "action": action, **rows}
            bound = {} if action is None else {"process": process}
            self.engine.audit.record("SettingChanged", {**details, **bound}, actor=actor, transaction=tx)

    def _require_startable(self, tx: Transaction, process: str) -> None:
        """Refuse a process that no trigger can start; the enrolment may be deployed after its triggers are set."""
        try:
            diagram = self.engine.context.diagram(tx, version_rows.latest(tx, process).hash)
        except NotFound:
            if process == PROCESS:
                return
            reason = f"No process “{process[:60]}” is deployed. Choose one that is."
            raise InvalidSubmission(reason, fields={"process": reason}) from None
        form = start_form(diagram.package, diagram.start)
        unknown = [field.label for field in form.required if field.key not in START_VALUES] if form else []
        if unknown:
            reason = f"No trigger can start “{process[:60]}”: its start form needs {', '.join(unknown)}."
            raise InvalidSubmission(reason, fields={"process": reason})

    # patients

    def patients(self, search: str = "", *, limit: int = 50, after: str | None = None) -> list[PatientRecord]:
        """All patients that fit *search*, closed ones too; *after*: the last id shown."""
        return list(self.finder.find(search, closed=None, limit=limit, after=after).records)

    def patient(self, patient_id: str) -> PatientRecord:
        """One patient; raises `NotFound`."""
        with self.engine.database.read() as tx:
            return self.registry.load(tx, patient_id, now=self.engine.clock())

    def patients_by_id(self, patient_ids: Collection[str]) -> dict[str, PatientRecord]:
        """The patients with these ids, without unknown ones. A page of them costs no more than one."""
        with self.engine.database.read() as tx:
            found = self.registry.load_all(tx, patient_ids, now=self.engine.clock())
        return {record.id: record for record in found}

    def answers(self, patient_id: str) -> list[PastAnswer]:
        """All answers of the patient, including removed ones, newest first."""
        with self.engine.database.read() as tx:
            return portal_status.answers(tx, patient_id)

    def invitations(self, patient_id: str) -> list[Invitation]:
        """All invitations of the patient, newest first."""
        with self.engine.database.read() as tx:
            return invitations.of_patient(tx, patient_id)

    def import_patients(
        self, lines: Iterable[str | bytes], progress: Progress | None = None, *, by: str = "import", dry: bool = False
    ) -> ImportReport:
        """
        Store the FHIR Patients of NDJSON *lines* (open files in binary); the report lists bad lines by number.

        With *dry* nothing is stored: the report says what would change, stay and conflict.
        """
        on, now = self.engine.database, self.engine.clock()
        report = import_patients(on, self.registry, lines, by=by, now=now, progress=progress, dry=dry)
        if not dry:
            self.engine.audit.record("Imported", report.counts, actor=Actor(name=by, role="system"))
        return report

    # the patient's side

    def invitation(self, token: str) -> OpenLink:
        """`PatientResponses.invitation`."""
        return self.responses.invitation(token)

    def identify(self, token: str, zip_code: str, birth_date: str) -> str:
        """`PatientResponses.identify`."""
        return self.responses.identify(token, zip_code, birth_date)

    def respond(
        self, token: str, proof: str, answer: Answer, *, until: date | None = None, terms: str = ""
    ) -> PortalStatus:
        """`PatientResponses.respond`."""
        return self.responses.respond(token, proof, answer, until=until, terms=terms)

    def deferred_until(self, day: date | None) -> date:
        """The day to which an answer given now is deferred: *day*, or the practice's where the patient names none."""
        return day or self.settings.calendar.day_of(self.engine.clock()) + timedelta(days=DEFER_DAYS)

    def opt_out(self, token: str) -> None:
        """`PatientResponses.opt_out`."""
        self.responses.opt_out(token)

    # the record

    def disagreements(self) -> list[Finding]:
        """Findings where registry and history disagree; part of every check of the whole record."""
        return disagreements(self.engine.context)


def _forget(tx: Transaction, row: CaseRow) -> None:
    """Delete the enrolment's own data about a case: links, addresses, and answers that are no longer in force."""
    invitations.forget_case(tx, row.id)
    sent_mails.forget_case(tx, row.id)
    portal_status.forget_case(tx, row.id)


def _require_text(values: Mapping[str, object]) -> None:
    wrong = {
        name: "must be text and not empty"
        for name, value in values.items()
        if not isinstance(value, str) or not trimmed(value)
    }
    if wrong:
        raise InvalidSubmission(f"The enrolment needs as text: {', '.join(wrong)}.", fields=wrong)

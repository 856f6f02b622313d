"""The front door: builds the parts of the engine and connects them. It has no logic; read `cases.commands`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .assurance.activity import Activity
from .assurance.log_review import LogReviews
from .assurance.verification import Verification
from .audit.audit_log import AuditLog
from .authoring.backtest import Backtests
from .authoring.deployments import Deployments
from .authoring.draft_history import DraftHistory
from .authoring.draft_states import DraftStates
from .authoring.drafts import Drafts
from .authoring.import_desk import ImportDesk
from .authoring.version_pauses import Pauses
from .authoring.versions import Versions
from .authoring.working_calendar import WorkingCalendar
from .cases.batch_operations import BatchOperations
from .cases.claims import Claims
from .cases.commands import CaseCommands
from .cases.comments import Comments
from .cases.desk_commands import DeskCommands
from .cases.incoming import Incoming
from .cases.instance_migration import Migrations
from .cases.job_results import JobResults
from .cases.queries import CaseQueries, Instance
from .cases.repair import Repairs
from .cases.search import CaseSearch
from .cases.starts import Starts
from .cases.step_writer import StepWriter
from .cases.task_drafts import TaskDrafts
from .cases.task_queries import TaskQueries
from .cases.task_runs import TaskRuns
from .cases.undo import Undos
from .context import Clock, Context, utc_now
from .core.actor import Actor
from .core.findings import Finding
from .definitions import Package
from .services import Services
from .settings import Settings
from .store import Database, Transaction, Version


class Engine:
    """
    The parts of the engine on one database, each named after its purpose.

    Changes: ``starts``, ``cases`` (claim, complete, cancel, retry), ``desk`` (assign, put off), ``comments``,
    ``task_runs``, ``task_drafts``, ``claims``, ``incoming`` (messages, timers), ``job_results``, ``migrations``,
    ``repairs``, ``undos``, ``batches``, ``drafts``, ``draft_history``, ``deployments``, ``import_desk``, ``pauses``,
    ``working_calendar``, ``log_reviews``, ``audit``.
    Questions: ``queries`` (cases and their histories), ``inbox``, ``search``, ``versions``, ``draft_states``,
    ``verification``, ``backtests``, ``activity``.
    """

    def __init__(
        self, settings: Settings, services: Services, clock: Clock = utc_now, database: Database | None = None
    ) -> None:
        self.context = context = Context(settings, services, clock, database)
        self.audit = AuditLog(context)
        self.versions = Versions(context)
        self.drafts = Drafts(context, self.audit)
        self.draft_history = DraftHistory(context, self.drafts, self.audit)
        self.deployments = Deployments(context, self.drafts, self.audit)
        self.draft_states = DraftStates(self.drafts, self.deployments)
        self.import_desk = ImportDesk(context, self.drafts, self.deployments)
        self.backtests = Backtests(context)
        self.pauses = Pauses(context, self.audit)
        self.working_calendar = WorkingCalendar(context, self.audit)
        self.queries = CaseQueries(context)
        self.inbox = TaskQueries(context)
        self.search = CaseSearch(context, self.queries)
        self.steps = StepWriter(context, self.queries)
        self.starts = Starts(context, self.queries, self.steps)
        self.task_drafts = TaskDrafts(context)
        self.cases = CaseCommands(context, self.queries, self.inbox, self.steps, self.audit)
        self.claims = Claims(context, self.steps, self.audit)
        self.desk = DeskCommands(context, self.inbox, self.steps)
        self.comments = Comments(context, self.search, self.steps)
        self.job_results = JobResults(context, self.steps)
        self.incoming = Incoming(context, self.queries, self.steps, self.job_results)
        self.migrations = Migrations(context, self.steps)
        self.repairs = Repairs(context, self.queries, self.steps, self.audit)
        self.undos = Undos(context, self.queries, self.steps)
        self.task_runs = TaskRuns(context, self.inbox, self.cases, self.desk, self.audit)
        self.batches = BatchOperations(context, self.backtests, self.migrations, self.task_runs, self.audit)
        self.verification = Verification(context)
        self.activity = Activity(context)
        self.log_reviews = LogReviews(context, self.audit)

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def services(self) -> Services:
        return self.context.services

    @property
    def clock(self) -> Clock:
        return self.context.clock

    @property
    def database(self) -> Database:
        return self.context.database

    # The first five calls that a program embedding Usher needs; the parts have everything else.

    def deploy(self, package: Package, *, actor: Actor, note: str = "") -> Version:
        """`Deployments.deploy`."""
        return self.deployments.deploy(package, actor=actor, note=note)

    def start(
        self, process: str | Callable[[Transaction], str], data: Mapping[str, Any], *, actor: Actor, **options: Any
    ) -> Instance:
        """`Starts.start`."""
        return self.starts.start(process, data, actor=actor, **options)

    def complete(
        self, task: str, submission: Mapping[str, Any], *, actor: Actor, revision: int | None = None
    ) -> Instance:
        """`CaseCommands.complete`."""
        return self.cases.complete(task, submission, actor=actor, revision=revision)

    def instance(self, instance: str) -> Instance:
        """`CaseQueries.instance`."""
        return self.queries.instance(instance)

    def verify(self, instance: str) -> list[Finding]:
        """`Verification.verify`."""
        return self.verification.verify(instance)

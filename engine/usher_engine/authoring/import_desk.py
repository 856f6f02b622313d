"""What is left to do in a draft that came from another product: taking the translation over, and its remedies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..context import Context
from ..core.actor import Actor
from ..core.errors import Conflict
from ..definitions import SAFE, Finding, Package, Remedy, remedied, remedy_for, translate
from ..store import Draft, draft_rows
from ..store.draft_point_rows import PointKind
from .deployments import Deployments
from .drafts import Drafts, require_analyst


class LeftKind(StrEnum):
    #: Code of the other product, for which an operator, a task or a script has to be chosen.
    NOT_CONNECTED = "not connected"
    #: A form, table or template that is not in the package.
    MISSING = "missing"
    #: Something only a person can decide.
    TO_DECIDE = "to decide"


_KINDS = {
    **dict.fromkeys(("service", "not-translated"), LeftKind.NOT_CONNECTED),
    **dict.fromkeys(("form", "decision", "mail", "reference"), LeftKind.MISSING),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """One thing that stands in the way of a deployment, with its remedy if there is one."""

    kind: LeftKind
    finding: Finding
    remedy: Remedy | None

    @property
    def safe(self) -> bool:
        return self.remedy in SAFE


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportState:
    """
    *translated* is what Usher reads in its own way and has not written into the draft yet; *left* is to be done.

    *package* is the draft with the translation in it.
    """

    draft: Draft
    translated: tuple[Finding, ...]
    left: tuple[Left, ...]
    package: Package


class ImportDesk:
    """Imported drafts. Methods that write are for analysts; the state before each of them is kept."""

    def __init__(self, context: Context, drafts: Drafts, deployments: Deployments) -> None:
        self.database, self.drafts, self.deployments = context.database, drafts, deployments

    def state(self, process: str) -> ImportState:
        """What was translated and what is left; raises `NotFound` when there is no draft."""
        draft, package = self.drafts.find(process), self.drafts.package(process)
        after, translated = translate(package)
        errors = [one for one in self.deployments.check_draft(process, after) if one.severity == "error"]
        left = (
            Left(kind=_KINDS.get(one.rule, LeftKind.TO_DECIDE), finding=one, remedy=remedy_for(after, one))
            for one in errors
        )
        pending = [one for one in translated if one.rule == "translated"] if after.hash != package.hash else []
        return ImportState(draft=draft, translated=tuple(pending), left=tuple(left), package=after)

    def take_over(self, process: str, *, etag: str, actor: Actor) -> Draft:
        """Write the translation into the draft; raises `Conflict` when the draft changed since *etag*."""
        return self.take(process, (), etag=etag, actor=actor)

    def take(self, process: str, remedies: Iterable[tuple[str, str, Remedy]], *, etag: str, actor: Actor) -> Draft:
        """
        Take remedies, each for a file and an element, in one step; the translation is written into the draft first.

        Raises:
            Conflict: Someone changed the draft since *etag*.
            InvalidSubmission: One of them does not fit any more; none is taken.
        """
        require_analyst(actor)
        with self.drafts.locked(process) as tx:
            there = draft_rows.find(tx, process)
            if there.etag != etag:
                message = f"{there.changed_by} changed the draft since you looked at it. Look again, then decide."
                raise Conflict(message, winner=there.changed_by, at=there.changed_at)
            present = draft_rows.content(tx, process)
            package: Package = translate(present)[0]
            for file, element, remedy in remedies:
                package = remedied(package, file, element, remedy)
            return self.drafts.replace(tx, there, present, package, actor, before=PointKind.TRANSLATION)

    def take_safe(self, process: str, *, etag: str, actor: Actor) -> Draft:
        """Take all remedies that decide nothing, in one step; raises like `take`."""
        left = self.state(process).left
        safe = [(one.finding.file, one.finding.element, one.remedy) for one in left if one.remedy in SAFE]
        wanted = list(dict.fromkeys((file, element, remedy) for file, element, remedy in safe if remedy))
        return self.take(process, wanted, etag=etag, actor=actor)

"""Where each draft stands: is there anything to deploy, does the gate refuse it, who has to act next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..core.errors import InvalidDefinition
from ..definitions import Package
from ..store import Draft, SignOff, Version
from .deployments import Deployments
from .drafts import Drafts

#: Results of the gate that are kept, each for one content of one draft.
MOST_KEPT = 200


class DraftState(StrEnum):
    #: It is what is in force; nothing is to be deployed.
    NONE = "none"
    #: A second analyst was asked to sign it off.
    WAITING = "waits for a signature"
    #: A newer version was deployed after the draft began; deploying it would undo that.
    STALE = "stale"
    #: Nothing of it was ever deployed, and the gate still refuses it.
    LEFT = "left to do"
    #: The gate refuses it.
    ERRORS = "errors"
    #: It can be deployed.
    READY = "ready"


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingDraft:
    """A draft and its state; *errors* are the gate's, *undoes* the versions that deploying it would undo."""

    draft: Draft
    name: str
    state: DraftState
    errors: int = 0
    asked: SignOff | None = None
    undoes: tuple[int, ...] = ()


class DraftStates:
    """Reads drafts; the gate checks each content once."""

    def __init__(self, drafts: Drafts, deployments: Deployments) -> None:
        self.drafts, self.deployments = drafts, deployments
        self._errors: dict[tuple[str, str], int] = {}

    def all(self, in_force: Mapping[str, Version]) -> dict[str, StandingDraft]:
        """Every draft by its process; *in_force* are the versions in force."""
        return {draft.process: self._standing(draft, in_force.get(draft.process)) for draft in self.drafts.all()}

    def _standing(self, draft: Draft, version: Version | None) -> StandingDraft:
        if version is not None and version.hash == draft.etag:
            return StandingDraft(draft=draft, name=version.name, state=DraftState.NONE)
        package = self.drafts.package(draft.process)
        name, errors = _name(package, draft.process), self._count_errors(draft, package)
        asked = self.deployments.sign_off_asked(draft.process)
        newer = version.number if version else 0
        undoes = tuple(range((draft.based_on or 0) + 1, newer + 1))
        if asked:
            state = DraftState.WAITING
        elif undoes:
            state = DraftState.STALE
        elif errors:
            state = DraftState.ERRORS if version else DraftState.LEFT
        else:
            state = DraftState.READY
        return StandingDraft(draft=draft, name=name, state=state, errors=errors, asked=asked, undoes=undoes)

    def _count_errors(self, draft: Draft, package: Package) -> int:
        key = (draft.process, draft.etag)
        if key not in self._errors:
            if len(self._errors) >= MOST_KEPT:
                self._errors.clear()
            findings = self.deployments.check_draft(draft.process, package)
            self._errors[key] = sum(finding.severity == "error" for finding in findings)
        return self._errors[key]


def _name(package: Package, process: str) -> str:
    try:
        return package.name
    except InvalidDefinition:
        return process

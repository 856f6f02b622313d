"""From a draft to the version in force: the gate, the second pair of eyes, and the way back (decisions/0012)."""

from __future__ import annotations

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, InvalidDefinition, InvalidSubmission, NotAllowed
from ..definitions import Package, translate
from ..gate import Finding, check_package
from ..store import Draft, SignOff, Transaction, Version, draft_rows, instance_rows, version_rows
from .drafts import Drafts, require_analyst


class Deployments:
    """What makes versions."""

    def __init__(self, context: Context, drafts: Drafts, audit: AuditLog) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self.drafts, self.audit = drafts, audit

    @property
    def four_eyes(self) -> bool:
        """Whether a second analyst has to sign a deployment off."""
        return bool(self.context.settings.deploy_four_eyes)

    def check(self, package: Package) -> list[Finding]:
        """What the gate says of *package*, in the order a person would mend it."""
        return check_package(package, self.context.services)

    def check_draft(self, process: str, package: Package) -> list[Finding]:
        """What the gate says of *package* as the next version of *process*."""
        return [*_other_process(process, package), *self.check(package)]

    def deploy(self, package: Package, *, actor: Actor, note: str = "") -> Version:
        """
        Make *package* the version in force of its process; running instances stay on theirs.

        Raises:
            InvalidDefinition: The gate found errors; the version in force stays as it is.
            NotAllowed: A second analyst has to sign off, which happens on the draft.
        """
        if self.four_eyes and actor.role != "system":
            raise NotAllowed("A second analyst has to sign off. Save this as the draft and ask for it there.")
        _refuse_errors(self.check(package))
        with self.database.begin() as tx:
            return self._add(tx, package, actor, note)

    def deploy_draft(self, process: str, *, etag: str, note: str, actor: Actor) -> Version:
        """
        Make the draft the version in force, or sign off what a colleague asked for.

        Args:
            process: Id of the process.
            etag: The draft's ETag as it was reviewed; exactly that is deployed, or nothing.
            note: What changed, for the history. Who signs off may leave it empty: the note of who asked stands.
            actor: An analyst.

        Raises:
            Conflict: The draft was changed since.
            InvalidDefinition: The gate found errors.
            InvalidSubmission: There is no note.
            NotAllowed: A second analyst has to sign off, and has not been asked or is the one who asked.
        """
        require_analyst(actor)
        package = self.drafts.package(process)
        _refuse_errors(self.check_draft(process, package))
        with self.drafts.locked(process) as tx:
            _same(draft_rows.find(tx, process), etag, package)
            wanted = draft_rows.asked(tx, process)
            if self.four_eyes:
                version = self._signed_off(tx, package, wanted, actor)
            else:
                version = self._add(tx, package, actor, _noted(note))
            draft_rows.withdraw(tx, process)
            draft_rows.rebase(tx, process, version.number)
            return version

    def ask_sign_off(self, process: str, *, etag: str, note: str, actor: Actor) -> SignOff:
        """Ask for a second analyst to deploy the draft as it is; raises like `deploy_draft`."""
        require_analyst(actor)
        package = self.drafts.package(process)
        _refuse_errors(self.check_draft(process, package))
        with self.drafts.locked(process) as tx:
            _same(draft_rows.find(tx, process), etag, package)
            wanted = SignOff(process=process, etag=etag, note=_noted(note), asked_at=self.clock(), asked_by=actor.name)
            draft_rows.ask(tx, wanted)
            told = {"hash": etag, "note": wanted.note}
            self.audit.record("SignOffAsked", told, actor=actor, subject=process, transaction=tx)
            return wanted

    def sign_off_asked(self, process: str) -> SignOff | None:
        """The sign-off somebody waits for; one for a draft that changed since counts no more."""
        with self.database.read() as tx:
            wanted = draft_rows.asked(tx, process)
            return wanted if wanted and draft_rows.find(tx, process).etag == wanted.etag else None

    def roll_back(self, process: str, number: int, *, seen: int, note: str = "", actor: Actor) -> Version:
        """
        Make the content of version *number* the version in force again, as a new version.

        It was checked and, where that is asked for, signed off when it was first deployed; it is checked again.

        Args:
            process: Id of the process.
            number: The version whose content comes back.
            seen: The version *actor* saw in force.
            note: Why; a sentence that names the version is put before it.
            actor: An analyst.

        Raises:
            Conflict: Another version is in force by now, or it has this content already.
        """
        require_analyst(actor)
        with self.database.read() as tx:
            package = version_rows.content(tx, version_rows.find(tx, process, number).hash)
        _refuse_errors(self.check(package))
        with self.database.begin() as tx:
            instance_rows.one_at_a_time(tx, f"deploy {process}")
            newest = version_rows.latest(tx, process)
            if newest.number != seen:
                message = f"{newest.deployed_by} deployed v{newest.number} meanwhile. Look at it, then decide."
                raise Conflict(message, winner=newest.deployed_by, at=newest.deployed_at)
            if newest.hash == package.hash:
                raise Conflict(f"v{newest.number}, which is in force, has the content of v{number} already.")
            check_input(note, where="note")
            return self._add(tx, package, actor, f"Back to v{number}. {note.strip()}".strip())

    def _signed_off(self, tx: Transaction, package: Package, wanted: SignOff | None, actor: Actor) -> Version:
        """Deploy in the name of who asked, with *actor* as the second."""
        if wanted is None or wanted.etag != package.hash:
            raise NotAllowed("A second analyst has to sign off. Ask for it first.")
        if wanted.asked_by == actor.name:
            raise NotAllowed("Somebody else has to sign this off: you asked for it yourself.")
        asking = Actor(name=wanted.asked_by, role="analyst")
        return self._add(tx, package, asking, wanted.note, signed_off_by=actor)

    def _add(
        self, tx: Transaction, package: Package, actor: Actor, note: str, *, signed_off_by: Actor | None = None
    ) -> Version:
        package, _ = translate(package)
        instance_rows.one_at_a_time(tx, f"deploy {package.key}")
        signer = signed_off_by.name if signed_off_by else ""
        version = version_rows.add(tx, package, at=self.clock(), by=actor.name, note=note, signed_off_by=signer)
        self.audit.record("Deployed", version.told, actor=signed_off_by or actor, subject=package.key, transaction=tx)
        return version


def _refuse_errors(findings: list[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise InvalidDefinition(problems=[(finding.element or finding.file, finding.message) for finding in errors])


def _other_process(process: str, package: Package) -> list[Finding]:
    """A draft whose main process has another id would be deployed elsewhere."""
    try:
        key = package.key
    except InvalidDefinition:
        return []
    if key == process:
        return []
    message = f"This is the draft of “{process}”, and its main process has the id “{key}”. Give it the id “{process}”."
    return [Finding(file=package.diagrams()[0], element=key, rule="process-id", message=message)]


def _same(there: Draft, etag: str, package: Package) -> None:
    if there.etag != etag or package.hash != etag:
        message = f"{there.changed_by} changed the draft since you looked at it. Look at it again, then decide."
        raise Conflict(message, winner=there.changed_by, at=there.changed_at)


def _noted(note: str) -> str:
    said = note.strip()
    if not said:
        raise InvalidSubmission("Say what changed.", fields={"note": "Say what changed, in a few words."})
    check_input(said, where="note")
    return said

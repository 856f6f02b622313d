"""From a draft to the version in force: the gate, the second pair of eyes, and the way back (decisions/0012)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, InvalidDefinition, InvalidSubmission, NotAllowed
from ..core.visible_text import trimmed
from ..definitions import Package, translate
from ..examples import accepted_examples
from ..gate import Checked, Finding, RecentChecks
from ..store import Draft, SignOff, Transaction, Version, deploy_note_rows, draft_rows, instance_rows, version_rows
from ..store.deploy_note_rows import DeployNote, SentBack
from ..store.draft_point_rows import PointKind
from .draft_points import keep
from .draft_trials import DraftTrials
from .drafts import Drafts, require_analyst


class Deployments:
    """Makes versions from packages and drafts."""

    def __init__(self, context: Context, drafts: Drafts, audit: AuditLog) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self.drafts, self.audit, self.trials = drafts, audit, DraftTrials(context)
        self._checks = RecentChecks(context.services)

    @property
    def four_eyes(self) -> bool:
        """Whether a second analyst must sign off deployments."""
        return bool(self.context.settings.deploy_four_eyes)

    def check(self, package: Package) -> list[Finding]:
        """The gate's findings on *package*, in the order in which a person would fix them."""
        return list(self._checks.check(package).findings)

    def check_draft(self, process: str, package: Package) -> list[Finding]:
        """The gate's findings on *package* as the next version of *process*."""
        return [*_other_process(process, package), *self.check(package)]

    def lint(self, process: str, package: Package) -> Checked:
        """What `check_draft` finds, and the names that an editor offers at each element."""
        checked = self._checks.check(package)
        return replace(checked, findings=[*_other_process(process, package), *checked.findings])

    def deploy(self, package: Package, *, actor: Actor, note: str = "") -> Version:
        """
        Make *package* the version in force of its process; running instances stay on theirs.

        Raises:
            InvalidDefinition: The gate found errors; the version in force stays as it is.
            NotAllowed: A second analyst must sign off, which requires a draft.
        """
        if self.four_eyes and actor.role != "system":
            raise NotAllowed("A second analyst has to sign off. Save this as the draft and ask for it there.")
        _refuse_errors(self.check(package))
        with self.database.begin() as tx:
            return self._add(tx, package, actor, note)

    def deploy_draft(self, process: str, *, etag: str, note: str, actor: Actor) -> Version:
        """
        Make the draft the version in force, or sign off a colleague's request.

        Args:
            process: Id of the process.
            etag: The ETag of the reviewed draft; exactly that draft is deployed, or nothing.
            note: What changed, for the history. May be empty in a sign-off, which keeps the note of the request.
            actor: An analyst.

        Raises:
            Conflict: Someone changed the draft meanwhile.
            InvalidDefinition: The gate found errors, or an example takes another way than it promises.
            InvalidSubmission: There is no note.
            NotAllowed: A second analyst must sign off, but nobody asked for it or *actor* asked for it.
        """
        require_analyst(actor)
        package = self.drafts.package(process)
        self._refuse_unready(process, package)
        with self.drafts.locked(process) as tx:
            _same(draft_rows.find(tx, process), etag, package)
            wanted = draft_rows.requested_sign_off(tx, process)
            if wanted is not None and self.four_eyes:
                draft_rows.require_told(tx, wanted)
            draft_rows.withdraw_sign_off(tx, process)
            if self.four_eyes:
                version = self._signed_off(tx, package, wanted, actor)
            else:
                version = self._add(tx, package, actor, _checked_note(note))
            draft_rows.rebase(tx, process, version.number)
            keep(tx, draft_rows.find(tx, process), package, PointKind.DEPLOYED, name=f"v{version.number}")
            deploy_note_rows.remove(tx, process)
            return version

    def ask_sign_off(self, process: str, *, etag: str, note: str, actor: Actor) -> SignOff:
        """Ask for a second analyst to deploy the draft as it is; raises like `deploy_draft`."""
        require_analyst(actor)
        package = self.drafts.package(process)
        self._refuse_unready(process, package)
        with self.drafts.locked(process) as tx:
            _same(draft_rows.find(tx, process), etag, package)
            note = _checked_note(note)
            wanted = SignOff(process=process, etag=etag, note=note, asked_at=self.clock(), asked_by=actor.name)
            left = draft_rows.request_sign_off(tx, wanted)
            self._put_note(tx, process, note, actor)
            details = {"hash": etag, "note": wanted.note, **left}
            self.audit.record("SignOffAsked", details, actor=actor, subject=process, transaction=tx)
            return wanted

    def sign_off_asked(self, process: str) -> SignOff | None:
        """The pending sign-off; None if the draft changed since the request."""
        with self.database.read() as tx:
            wanted = draft_rows.requested_sign_off(tx, process)
            return wanted if wanted and draft_rows.find(tx, process).etag == wanted.etag else None

    def send_back(self, process: str, *, etag: str, reason: str, actor: Actor) -> SentBack:
        """
        Refuse the sign-off that a colleague asked for; the note and the draft stay.

        Raises:
            Conflict: The draft changed since it was asked for, or nobody asks any more.
            InvalidSubmission: No reason was given.
            NotAllowed: *actor* asked for it.
        """
        require_analyst(actor)
        reason = _checked_text(reason, "reason", "Say why, so that it can be put right.")
        with self.drafts.locked(process) as tx:
            wanted = draft_rows.requested_sign_off(tx, process)
            if wanted is None or wanted.etag != etag or draft_rows.find(tx, process).etag != etag:
                raise Conflict("Nobody asks to sign off this content any more. Look at the draft again.")
            if wanted.asked_by == actor.name:
                raise NotAllowed("You asked for this yourself. Change the draft, and the question is taken back.")
            left = draft_rows.withdraw_sign_off(tx, process)
            back = SentBack(etag=etag, at=self.clock(), by=actor.name, reason=reason)
            note = DeployNote(
                process=process, note=wanted.note, changed_at=wanted.asked_at, changed_by=wanted.asked_by, returned=back
            )
            deploy_note_rows.put(tx, note)
            details = {"hash": etag, **left}
            self.audit.record("SignOffSentBack", details, actor=actor, subject=process, why=reason, transaction=tx)
            return back

    def note(self, process: str) -> DeployNote | None:
        """The note of the next deployment as it was left, and why its sign-off was sent back."""
        with self.database.read() as tx:
            return deploy_note_rows.find(tx, process)

    def keep_note(self, process: str, note: str, *, actor: Actor) -> None:
        """Keep an unfinished note of the next deployment; raises `NotFound` when there is no draft."""
        require_analyst(actor)
        check_input(note, where="note")
        with self.drafts.locked(process) as tx:
            draft_rows.find(tx, process)
            before = deploy_note_rows.find(tx, process)
            self._put_note(tx, process, trimmed(note), actor, before.returned if before else None)

    def accept_examples(self, process: str, files: Collection[str], *, etag: str, actor: Actor) -> Draft:
        """
        Rewrite these examples of the draft to the way they take now; the state before is kept.

        Raises:
            Conflict: Someone changed the draft since *etag*.
            InvalidDefinition: The gate found errors.
            InvalidSubmission: ``fields`` names each example that cannot be played to its end.
            NotFound: One of *files* is no example.
        """
        require_analyst(actor)
        package = self.drafts.package(process)
        _refuse_errors(self.check_draft(process, package))
        rewritten = accepted_examples(package, self.trials.of(package).report, files)
        with self.drafts.locked(process) as tx:
            there = draft_rows.find(tx, process)
            _same(there, etag, package)
            changed = Package({**package.files, **rewritten})
            return self.drafts.replace(tx, there, package, changed, actor, before=PointKind.ACCEPTANCE)

    def _put_note(
        self, tx: Transaction, process: str, note: str, actor: Actor, returned: SentBack | None = None
    ) -> None:
        kept = DeployNote(process=process, note=note, changed_at=self.clock(), changed_by=actor.name, returned=returned)
        deploy_note_rows.put(tx, kept)

    def _refuse_unready(self, process: str, package: Package) -> None:
        """Raise `InvalidDefinition` for errors of the gate, else for examples that fail."""
        _refuse_errors(self.check_draft(process, package))
        failed = [outcome for outcome in self.trials.of(package).report.outcomes if outcome.problem]
        if failed:
            message = "An example takes another way than it promises. Mend the draft, or accept the new way."
            raise InvalidDefinition(message, problems=[(outcome.file, outcome.problem) for outcome in failed])

    def roll_back(self, process: str, number: int, *, seen: int, note: str = "", actor: Actor) -> Version:
        """
        Deploy the content of version *number* again, as a new version.

        The gate checks it again; a sign-off is not needed, because the content was signed off when first deployed.

        Args:
            process: Id of the process.
            number: The version whose content is deployed.
            seen: The version that *actor* saw in force.
            note: The reason; a sentence that names the version is put before it.
            actor: An analyst.

        Raises:
            Conflict: Another version is in force now, or the version in force has this content already.
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
        """Deploy in the name of the analyst who asked, with *actor* as the second."""
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
        signer_or_actor = signed_off_by or actor
        details = {**version.audit_details, **version_rows.told(tx, version)}
        self.audit.record("Deployed", details, actor=signer_or_actor, subject=package.key, transaction=tx)
        return version


def _refuse_errors(findings: list[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise InvalidDefinition(problems=[(finding.element or finding.file, finding.message) for finding in errors])


def _other_process(process: str, package: Package) -> list[Finding]:
    """A finding if the main process has another id: the draft would be deployed under that."""
    try:
        key = package.key
    except InvalidDefinition:
        return []
    if key == process:
        return []
    message = f"This is the draft of “{process}”, and its main process has the id “{key}”. Give it the id “{process}”."
    return [Finding(file=package.drawings[0].file, element=key, rule="process-id", message=message)]


def _same(there: Draft, etag: str, package: Package) -> None:
    if there.etag != etag or package.hash != etag:
        message = f"{there.changed_by} changed the draft since you looked at it. Look at it again, then decide."
        raise Conflict(message, winner=there.changed_by, at=there.changed_at)


def _checked_note(note: str) -> str:
    return _checked_text(note, "note", "Say what changed, in a few words.")


def _checked_text(text: str, field: str, reason: str) -> str:
    text = trimmed(text)
    if not text:
        raise InvalidSubmission(reason, fields={field: reason})
    check_input(text, where=field)
    return text

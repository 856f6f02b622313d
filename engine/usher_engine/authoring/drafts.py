"""Drafts: packages that analysts edit next to the versions. Files may be broken here; `deployments` runs the gate.

Two people may edit one draft: each save names the ETag it is based on. A save that comes too late changes nothing and
is set aside, so that its author can compare and decide (decisions/0012).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound, StaleDraft
from ..definitions import Package
from ..store import Draft, DraftFile, SetAside, Transaction, instance_rows, version_rows
from ..store import draft_point_rows as rows
from ..store import draft_rows as drafts
from ..store.draft_point_rows import PointKind
from .draft_keys import check_key
from .draft_merge import merged_file
from .draft_points import keep, keep_next

MAX_ASIDE = 100


class Drafts:
    """Operations on drafts. Methods that write are for analysts and raise `NotAllowed` for others."""

    def __init__(self, context: Context, audit: AuditLog) -> None:
        self.database, self.clock, self.audit = context.database, context.clock, audit

    def all(self) -> list[Draft]:
        """All drafts, by process."""
        with self.database.read() as tx:
            return drafts.all_drafts(tx)

    def find(self, process: str) -> Draft:
        """The draft of *process*; raises `NotFound`."""
        with self.database.read() as tx:
            return drafts.find(tx, process)

    def package(self, process: str) -> Package:
        """The draft's files, which may be broken in any way; raises `NotFound`."""
        with self.database.read() as tx:
            return drafts.content(tx, process)

    def start(self, process: str, *, actor: Actor, number: int | None = None, package: Package | None = None) -> Draft:
        """
        Begin a draft of *process*, which need not be deployed yet.

        Args:
            process: Id of the process.
            actor: An analyst.
            number: The version it begins with; None is the one in force.
            package: The package it begins with instead of a version.

        Raises:
            Conflict: There is a draft already.
            NotFound: There is no such version.
        """
        require_analyst(actor)
        with self.locked(process) as tx:
            if any(there.process == process for there in drafts.all_drafts(tx)):
                there = drafts.find(tx, process)
                message = f"There is a draft already; {there.changed_by} changed it last. Open it, or discard it first."
                raise Conflict(message, winner=there.changed_by, at=there.changed_at)
            known = version_rows.versions(tx, process)
            if package is None:
                based_on = version_rows.find(tx, process, number) if number else version_rows.latest(tx, process)
                package = version_rows.content(tx, based_on.hash)
                started = _with_package(process, package, actor, self.clock(), based_on=based_on.number)
            else:
                check_key(process)
                newest = known[0].number if known else None
                started = _with_package(process, package, actor, self.clock(), based_on=newest)
            self._add(tx, started, package)
            details = {"based_on": started.based_on, "hash": started.etag}
            self.audit.record("DraftStarted", details, actor=actor, subject=process, transaction=tx)
            return started

    def begin(self, tx: Transaction, process: str, package: Package, actor: Actor, *, based_on: int | None) -> Draft:
        """Begin a draft with *package* within a transaction in which there is none."""
        started = _with_package(process, package, actor, self.clock(), based_on=based_on)
        self._add(tx, started, package)
        return started

    def _add(self, tx: Transaction, started: Draft, package: Package) -> None:
        drafts.add(tx, started, package)
        keep(tx, started, package, PointKind.STARTED)

    def save_file(
        self, process: str, path: str, content: bytes, *, etag: str, actor: Actor, before: PointKind = PointKind.SAVED
    ) -> Draft:
        """
        Save one file of a draft, broken or not. A diagram that someone changed meanwhile is merged, element by element.

        Args:
            process: Id of the process.
            path: The file's path in the package.
            content: The whole content.
            etag: The file's ETag as *actor* saw it; empty for a new file.
            actor: An analyst.
            before: Why the state before this save is kept.

        Raises:
            StaleDraft: Someone changed the file meanwhile, and in a diagram the same element; *content* is stored
                under ``aside``.
            InvalidDefinition: The path is not valid, or a file or the package becomes too large.
            NotFound: There is no draft.
        """
        require_analyst(actor)
        with self.locked(process) as tx:
            there, package = drafts.find(tx, process), drafts.content(tx, process)
            changed = Package({**package.files, path: content})
            found = there.file(path)
            if (found.etag if found else "") == etag or (found and found.etag == file_etag(content)):
                return self.replace(tx, there, package, changed, actor, before=before)
            merged = merged_file(tx, package, changed, path, etag, process) if found else None
            if merged is not None:
                return self._merge(tx, there, package, changed, merged, actor)
            stale = self._set_aside(tx, there, path, content, etag, actor)
        raise stale

    def remove_file(self, process: str, path: str, *, etag: str, actor: Actor) -> Draft:
        """Remove a file from a draft; raises `StaleDraft` when it changed since *etag*."""
        require_analyst(actor)
        with self.locked(process) as tx:
            there, package = self._require_unchanged(tx, process, path, etag)
            rest = Package({p: c for p, c in package.files.items() if p != path})
            return self.replace(tx, there, package, rest, actor, before=PointKind.REMOVAL)

    def rename_file(self, process: str, path: str, new: str, *, etag: str, actor: Actor) -> Draft:
        """Rename a file of a draft to the unused path *new*; raises like `remove_file`."""
        require_analyst(actor)
        with self.locked(process) as tx:
            there, package = self._require_unchanged(tx, process, path, etag)
            if new in package.files:
                raise InvalidSubmission(f"There is a file {new} already.", fields={"path": "There is one already."})
            files = {(new if p == path else p): content for p, content in package.files.items()}
            return self.replace(tx, there, package, Package(files), actor, before=PointKind.REMOVAL)

    def discard(self, process: str, *, etag: str, actor: Actor) -> None:
        """
        Delete the draft and everything set aside; raises `Conflict` when the draft changed since *etag*.

        Its kept states stay: `DraftHistory.go_back` begins it again.
        """
        require_analyst(actor)
        with self.locked(process) as tx:
            there = drafts.find(tx, process)
            if there.etag != etag:
                raise _conflict(there)
            keep(tx, there, drafts.content(tx, process), PointKind.DISCARD)
            drafts.remove(tx, process)
            drafts.remove_set_aside(tx, process)
            details = {"hash": etag, **drafts.withdraw_sign_off(tx, process)}
            self.audit.record("DraftDiscarded", details, actor=actor, subject=process, transaction=tx)

    def set_aside(self, process: str) -> list[SetAside]:
        """Saves that came too late and still need a decision, newest first."""
        with self.database.read() as tx:
            return drafts.all_set_aside(tx, process)

    def set_aside_content(self, process: str, key: str) -> tuple[SetAside, bytes]:
        """One save set aside, with its file; raises `NotFound`."""
        with self.database.read() as tx:
            return drafts.set_aside_content(tx, process, key)

    def forget_aside(self, process: str, key: str, *, actor: Actor) -> None:
        """Delete a save set aside, after the decision."""
        require_analyst(actor)
        with self.locked(process) as tx:
            drafts.remove_set_aside(tx, process, key)

    def _require_unchanged(self, tx: Transaction, process: str, path: str, etag: str) -> tuple[Draft, Package]:
        there = drafts.find(tx, process)
        found = there.file(path)
        if found is None:
            raise NotFound(f"The draft has no file {path}.")
        if found.etag != etag:
            raise _stale(there, path, aside="")
        return there, drafts.content(tx, process)

    def replace(
        self,
        tx: Transaction,
        there: Draft,
        present: Package,
        package: Package,
        actor: Actor,
        *,
        before: PointKind = PointKind.SAVED,
    ) -> Draft:
        """Make *package* the draft within a transaction; *there*, with the files *present*, is kept due to *before*."""
        written = _with_package(there.process, package, actor, self.clock(), based_on=there.based_on, before=there)
        if written.etag != there.etag:
            last = keep(tx, there, present, before)
            drafts.replace(tx, written, package)
            keep_next(tx, written, package, last)
        return written

    def _merge(
        self, tx: Transaction, there: Draft, present: Package, sent: Package, merged: Package, actor: Actor
    ) -> Draft:
        """Make *merged* the draft; what was there and what *actor* sent are both kept."""
        if merged.hash == there.etag:
            return there
        now = self.clock()
        mine, written = (
            _with_package(there.process, package, actor, now, based_on=there.based_on, before=there)
            for package in (sent, merged)
        )
        last = keep(tx, there, present, PointKind.MERGE)
        rows.add(tx, mine, sent, PointKind.MERGE, number=last + 1)
        drafts.replace(tx, written, merged)
        keep_next(tx, written, merged, last + 1)
        return written

    def _set_aside(
        self, tx: Transaction, there: Draft, path: str, content: bytes, seen: str, actor: Actor
    ) -> StaleDraft:
        """Store a save that came too late, once; the caller raises the returned error after the commit."""
        key = drafts.same_set_aside(tx, there.process, path, actor.name, content)
        if not key:
            for old in drafts.all_set_aside(tx, there.process)[MAX_ASIDE - 1 :]:
                drafts.remove_set_aside(tx, there.process, old.id)
            key, now = secrets.token_hex(16), self.clock()
            kept = SetAside(id=key, process=there.process, path=path, seen=seen[:64], saved_at=now, saved_by=actor.name)
            drafts.set_aside(tx, kept, content)
        return _stale(there, path, aside=key)

    @contextmanager
    def locked(self, process: str) -> Iterator[Transaction]:
        """A transaction with exclusive access to the draft of *process*."""
        with self.database.begin() as tx:
            instance_rows.one_at_a_time(tx, f"draft {process}")
            yield tx


def file_etag(content: bytes) -> str:
    """The ETag of one file of a draft."""
    return hashlib.sha256(content).hexdigest()


def require_analyst(actor: Actor) -> None:
    """Raise `NotAllowed` unless *actor* may change processes."""
    if actor.role not in ("analyst", "system"):
        raise NotAllowed("Only analysts change processes.")


def _with_package(
    process: str,
    package: Package,
    actor: Actor,
    now: datetime,
    *,
    based_on: int | None,
    before: Draft | None = None,
) -> Draft:
    """The draft with *package*, changed by *actor*; unchanged files keep their last author."""
    known = {(file.path, file.etag): file for file in before.files} if before else {}
    files = []
    for path, content in package.files.items():
        etag = file_etag(content)
        new = DraftFile(path=path, etag=etag, changed_at=now, changed_by=actor.name)
        files.append(known.get((path, etag), new))
    return Draft(
        process=process,
        etag=package.hash,
        based_on=based_on,
        changed_at=now,
        changed_by=actor.name,
        files=tuple(files),
    )


def _stale(there: Draft, path: str, *, aside: str) -> StaleDraft:
    found = there.file(path)
    by, at = (found.changed_by, found.changed_at) if found else (there.changed_by, there.changed_at)
    did = "saved" if found or not path else "removed or renamed"
    message = f"{by} {did} {path or 'the draft'} since you opened it. Both are kept; compare them and choose."
    return StaleDraft(message, winner=by, at=at, aside=aside, etag=found.etag if found else "")


def _conflict(there: Draft) -> Conflict:
    message = f"{there.changed_by} changed the draft since you looked at it. Look again, then decide."
    return Conflict(message, winner=there.changed_by, at=there.changed_at)

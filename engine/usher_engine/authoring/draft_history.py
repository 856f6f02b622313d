"""What a draft was, and the way back to it: whole, or some of its files. The present state is kept first."""

from __future__ import annotations

from collections.abc import Collection

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, InvalidSubmission, NotFound
from ..core.visible_text import trimmed
from ..definitions import Package
from ..store import Draft, Transaction, draft_rows
from ..store import draft_point_rows as rows
from ..store.draft_point_rows import DraftPoint, PointKind
from .draft_points import keep
from .drafts import Drafts, require_analyst
from .partial_restore import with_changes_undone

MAX_NAME = 200


class DraftHistory:
    """The kept states of drafts. Methods that write are for analysts and raise `NotAllowed` for others."""

    def __init__(self, context: Context, drafts: Drafts, audit: AuditLog) -> None:
        self.database, self.clock, self.drafts, self.audit = context.database, context.clock, drafts, audit

    def points(self, process: str, limit: int | None = None) -> list[DraftPoint]:
        """The kept states of the draft of *process*, newest first, *limit* at most; also of a discarded one."""
        with self.database.read() as tx:
            return rows.points(tx, process, limit)

    def point(self, process: str, number: int) -> tuple[DraftPoint, Package]:
        """One kept state with its files; raises `NotFound`."""
        with self.database.read() as tx:
            found = rows.find(tx, process, number)
            return found, rows.content(tx, found)

    def package_seen(self, process: str, etag: str) -> Package | None:
        """The draft as it was when its hash was *etag*; None when that state is not kept."""
        with self.database.read() as tx:
            found = rows.with_etag(tx, process, etag)
            return rows.content(tx, found) if found else None

    def file_once(self, process: str, etag: str) -> bytes | None:
        """The content with this hash that a file of the draft had once; None when it is not kept."""
        with self.database.read() as tx:
            return rows.file_with(tx, process, etag)

    def keep(self, process: str, name: str, *, etag: str, actor: Actor) -> DraftPoint:
        """
        Keep the present state for good.

        Args:
            process: Id of the process.
            name: What people will look for; may be empty.
            etag: The ETag of the draft as *actor* saw it.
            actor: An analyst.

        Raises:
            Conflict: Someone changed the draft since *etag*.
            InvalidSubmission: The name is too long.
        """
        require_analyst(actor)
        name = _checked_name(name)
        with self.drafts.locked(process) as tx:
            there = _same(tx, process, etag)
            keep(tx, there, draft_rows.content(tx, process), PointKind.NAMED, name=name)
            found = rows.with_etag(tx, process, etag)
            if found is None:
                raise NotFound
            return found

    def go_back(
        self,
        process: str,
        number: int,
        *,
        etag: str,
        actor: Actor,
        paths: Collection[str] | None = None,
        changes: Collection[str] | None = None,
    ) -> Draft:
        """
        Make the draft what it was in state *number*, take only the files *paths* from there, or undo only *changes*.

        A file among *paths* that the state does not have is removed. Where the draft was discarded, it begins again.

        Args:
            process: Id of the process.
            number: The state.
            etag: The ETag of the draft as *actor* saw it; empty where there is none.
            actor: An analyst.
            paths: The files to take; None takes all.
            changes: Titles of the changes since then to undo, as `differences.change_units` gives them.

        Raises:
            Conflict: Someone changed the draft since *etag*.
            InvalidSubmission: Nothing was chosen, a file that neither has, or a change that others depend on.
            NotFound: That state is not kept.
        """
        require_analyst(actor)
        with self.drafts.locked(process) as tx:
            point = rows.find(tx, process, number)
            package = rows.content(tx, point)
            if not etag and paths is None and changes is None:
                return self._begin_again(tx, point, package, actor)
            there, present = _same(tx, process, etag), draft_rows.content(tx, process)
            if changes is not None:
                package = with_changes_undone(package, present, changes)
            elif paths is not None:
                package = _with_files(present, package, paths)
            return self.drafts.replace(tx, there, present, package, actor, before=PointKind.RESTORE)

    def _begin_again(self, tx: Transaction, point: DraftPoint, package: Package, actor: Actor) -> Draft:
        if any(draft.process == point.process for draft in draft_rows.all_drafts(tx)):
            raise Conflict("There is a draft again. Look at it, then decide.")
        started = self.drafts.begin(tx, point.process, package, actor, based_on=point.based_on)
        details = {"based_on": started.based_on, "hash": started.etag}
        self.audit.record("DraftStarted", details, actor=actor, subject=point.process, transaction=tx)
        return started


def _same(tx: Transaction, process: str, etag: str) -> Draft:
    there = draft_rows.find(tx, process)
    if there.etag != etag:
        message = f"{there.changed_by} changed the draft since you looked at it. Look again, then decide."
        raise Conflict(message, winner=there.changed_by, at=there.changed_at)
    return there


def _with_files(present: Package, kept: Package, paths: Collection[str]) -> Package:
    """*present* with the files *paths* as they are in *kept*."""
    unknown = [path for path in paths if path not in present.files and path not in kept.files]
    if not paths or unknown:
        reason = f"Neither state has a file {unknown[0][:200]}." if unknown else "Choose at least one file."
        raise InvalidSubmission(reason, fields={"path": reason})
    files = {path: content for path, content in present.files.items() if path not in paths}
    return Package({**files, **{path: kept.files[path] for path in paths if path in kept.files}})


def _checked_name(name: str) -> str:
    name = trimmed(name)
    if len(name) > MAX_NAME:
        reason = f"A name has at most {MAX_NAME} characters."
        raise InvalidSubmission(reason, fields={"name": reason})
    check_input(name, where="name")
    return name

"""Comments on a case: added, corrected and withdrawn by staff who may see it; drafts of them; who is mentioned.

Each is a fact in the history of its case, also after its end, so chain, purge, hold and exports treat it as they treat
every step (decisions/0047). The diagram never sees one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from ..context import Context
from ..core.actor import Actor
from ..core.canonical import Json, check_input
from ..core.case_comments import (
    COMMENTED,
    CORRECTED,
    MAX_COMMENT,
    MAX_MENTIONS,
    WITHDRAWN,
    Attached,
    Comment,
    said_in,
    take_in,
)
from ..core.errors import Conflict, Corrupt, InvalidSubmission, NotAllowed, NotFound
from ..core.visible_text import trimmed
from ..store import Row, Step, Transaction, instance_rows, mention_rows, task_draft_rows, tombstones
from ..store.mention_rows import Mention
from ..store.task_draft_rows import DraftBasis, SavedDraft, TaskDraft
from .case_files import NewFile, checked_files, in_record, intact_content, store_files
from .search import CaseSearch
from .step_writer import StepWriter

#: What the draft of a comment is filed under.
TEXT = "text"

#: The control characters that a comment keeps.
_KEPT = frozenset("\n\t")

#: How long a draft may be on its way, and among how many last steps its comment is looked for.
ON_ITS_WAY, LOOKED_AT = timedelta(seconds=30), 5


def comments_of(steps: Sequence[Step]) -> list[Comment]:
    """The comments on a case, oldest first, from its readable *steps*; what was altered is left out."""
    thread: dict[int, Comment] = {}
    for step in steps:
        try:
            for said in said_in(step.revision, step.at, step.actor, step.events):
                take_in(thread, said)
        except (Corrupt, KeyError, TypeError, ValueError, AttributeError):
            continue  # the page says how many steps cannot be read, and verify says which
    return list(thread.values())


class Comments:
    """What staff say to each other about a case."""

    def __init__(self, context: Context, search: CaseSearch, steps: StepWriter) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self.search, self.steps = search, steps

    def add(
        self,
        instance: str,
        text: str,
        *,
        actor: Actor,
        mentions: Collection[Actor] = (),
        files: Sequence[NewFile] = (),
    ) -> int:
        """
        Add a comment to a case, running or ended, and return its number.

        Args:
            instance: The case.
            text: Plain text, at most `MAX_COMMENT` characters.
            actor: A member of staff who may see the case.
            mentions: The people whom *text* mentions; each must be able to see the case.
            files: PDF, PNG, JPEG or plain text, whatever they are called; with one the text may be empty.

        Raises:
            NotFound: There is no such case for *actor*.
            NotAllowed: *actor* is not staff.
            InvalidSubmission: The text is empty or too long, somebody mentioned may not see the case, or a file is
                not taken: its kind or size, or the size of all files of the case.
            Purged: Only the proof of the case is left.
        """
        attached = checked_files(files, self.context.settings)
        text = _checked(text, may_be_empty=bool(attached))
        with self.database.begin() as tx:
            row = self._open(tx, instance, actor)
            names = self._mentioned(instance, mentions, actor)
            store_files(tx, instance, attached, self.context.settings)
            self._record(tx, row, COMMENTED, {"text": text, **names, **in_record(attached)}, actor)
            task_draft_rows.forget(tx, (instance, *task_draft_rows.COMMENT), actor.name)
            return row.revision + 1

    def correct(self, instance: str, number: int, text: str, *, actor: Actor, mentions: Collection[Actor] = ()) -> None:
        """
        Give a comment another text; the one before stays in the history.

        Raises as `add`, and:
            NotFound: There is no such comment.
            NotAllowed: It is somebody else's.
            Conflict: Its time is over, or it was withdrawn.
        """
        with self.database.begin() as tx:
            row = self._open(tx, instance, actor)
            before = self._own(tx, instance, number, actor)
            text = _checked(text, may_be_empty=bool(before.files))
            names = self._mentioned(instance, mentions, actor)
            if (before.text, list(before.mentions)) != (text, names.get("mentions", [])):
                self._record(tx, row, CORRECTED, {"comment": number, "text": text, **names}, actor)

    def withdraw(self, instance: str, number: int, *, actor: Actor) -> None:
        """Take a comment off the pages; its text stays in the history. Raises as `correct`."""
        with self.database.begin() as tx:
            row = self._open(tx, instance, actor)
            self._own(tx, instance, number, actor)
            self._record(tx, row, WITHDRAWN, {"comment": number}, actor)

    def file(self, comments: Sequence[Comment], instance: str, sha256: str, *, actor: Actor) -> tuple[Attached, bytes]:
        """
        A file attached by one of *comments*, all of the case *instance*, which the caller has let *actor* see.

        Raises:
            NotFound: There is none; or only auditors may have it, because its comment was withdrawn.
            Corrupt: Its content is not the one that was attached.
        """
        open_to_all = (one for one in comments if one.withdrawn_at is None or actor.role == "auditor")
        found = next((file for one in open_to_all for file in one.files if file.sha256 == sha256), None)
        if found is None:
            raise NotFound("There is no such file.")
        with self.database.read() as tx:
            return found, intact_content(tx, instance, sha256)

    # mentions

    def can_be_mentioned(self, instance: str, people: Collection[Actor]) -> list[Actor]:
        """Those of *people* who may see the case."""
        looking = self.search.onlookers([instance])
        return [one for one in people if one.role == "staff" and instance in looking.seen_by(one)]

    def unseen(self, people: Collection[Actor]) -> dict[Actor, list[Mention]]:
        """The mentions that each of *people* has not seen, of cases that they may see, newest first."""
        with self.database.read() as tx:
            found = mention_rows.unseen(tx, [one.name for one in people])
        looking = self.search.onlookers({one.instance for one in found})
        seen = {who: looking.seen_by(who) for who in people} if found else {}
        return {who: [m for m in found if m.person == who.name and m.instance in seen.get(who, ())] for who in people}

    def see(self, instance: str, *, actor: Actor) -> None:
        """*actor* has opened the case: what mentioned them there is seen."""
        with self.database.single() as tx:
            mention_rows.see(tx, actor.name, instance, self.clock())

    # drafts

    def save_draft(self, instance: str, text: str, *, actor: Actor, basis: DraftBasis | None = None) -> SavedDraft:
        """
        Keep what *actor* has typed and not sent, as `TaskDrafts.save` does.

        A draft that was on its way while the comment was added comes late and is not kept.

        Raises:
            NotFound: There is no such case for *actor*.
            NotAllowed: *actor* is not staff.
            Purged: The case is.
        """
        check_input({TEXT: text}, where="comment")
        now = self.clock()
        with self.database.begin() as tx:
            self._require(tx, instance, actor)
            draft = TaskDraft(person=actor.name, typed={TEXT: text}, revision=None, at=now)
            if self._has_arrived(tx, instance, text, actor, now):
                return SavedDraft(at=now, stamp="")
            return task_draft_rows.save_newer(tx, (instance, *task_draft_rows.COMMENT), draft, basis)

    def draft(self, instance: str, actor: Actor) -> TaskDraft | None:
        """What *actor* has typed as a comment on the case and not sent."""
        with self.database.read() as tx:
            return task_draft_rows.of_task(tx, (instance, *task_draft_rows.COMMENT)).get(actor.name)

    # within one command

    def _has_arrived(self, tx: Transaction, instance: str, text: str, actor: Actor, now: datetime) -> bool:
        """Whether *text* is a comment that *actor* has only just added."""
        plain, last = _plain(text), instance_rows.find(tx, instance).revision
        said = comments_of(instance_rows.steps(tx, instance, first=last - LOOKED_AT + 1))
        return any((one.by, one.text) == (actor.name, plain) and now - one.at < ON_ITS_WAY for one in said)

    def _open(self, tx: Transaction, instance: str, actor: Actor) -> Row:
        """Lock the case, if *actor* may comment on it."""
        self._require(tx, instance, actor)
        return instance_rows.lock(tx, instance)

    def _require(self, tx: Transaction, instance: str, actor: Actor) -> None:
        if not self.search.concerns(actor, instance):
            raise NotFound(f"No case has the number {instance}.")
        if actor.role != "staff":
            raise NotAllowed("Only staff comment on cases.")
        tombstones.refuse(tx, [instance], self.context.settings.calendar)

    def _mentioned(self, instance: str, mentions: Collection[Actor], actor: Actor) -> dict[str, Json]:
        """The names for the record; who mentions themselves is told nothing."""
        allowed = self.can_be_mentioned(instance, mentions) if mentions else []
        for one in mentions:
            if one not in allowed:
                raise cannot_be_mentioned(one.name)
        names = list(dict.fromkeys(one.name for one in mentions if one.name != actor.name))
        if len(names) > MAX_MENTIONS:
            raise _refusal(f"Mention at most {MAX_MENTIONS} people; these are {len(names)}.")
        return {"mentions": names} if names else {}

    def _own(self, tx: Transaction, instance: str, number: int, actor: Actor) -> Comment:
        """The comment, if *actor* may still change it."""
        found = {one.number: one for one in comments_of(instance_rows.steps(tx, instance, first=max(1, number)))}
        comment = found.get(number)
        if comment is None:
            raise NotFound("There is no such comment.")
        if comment.by != actor.name:
            raise NotAllowed(f"Only {comment.by} can change this comment.")
        if comment.withdrawn_at is not None:
            raise Conflict("This comment was withdrawn already.")
        if not comment.can_change(actor.name, self.clock()):
            raise Conflict("A comment can be changed for 15 minutes only. Add another one that says what is right.")
        return comment

    def _record(self, tx: Transaction, row: Row, name: str, details: dict[str, Json], actor: Actor) -> None:
        """Write the fact and bring the rows of mentions after it."""
        self.steps.record(row.id, name, details, actor=actor, transaction=tx)
        first = int(str(details.get("comment") or row.revision + 1))
        thread = {one.number: one for one in comments_of(instance_rows.steps(tx, row.id, first=first))}
        mention_rows.project(tx, row.id, thread[first])


def cannot_be_mentioned(name: str) -> InvalidSubmission:
    """The refusal of a mention; the same whether there is no such person or they may not see the case."""
    words = f"“@{name}” cannot be mentioned: nobody of that name may see this case. Leave it out, or write “@ {name}”."
    return _refusal(words)


def _refusal(reason: str) -> InvalidSubmission:
    return InvalidSubmission(reason, fields={TEXT: reason})


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return trimmed("".join(one for one in lines if one in _KEPT or unicodedata.category(one) != "Cc"))


def _checked(text: str, *, may_be_empty: bool = False) -> str:
    """*text* with the line ends of Usher, without control characters; raises `InvalidSubmission`."""
    plain = _plain(text)
    if not plain and not may_be_empty:
        raise _refusal("Write something first.")
    if len(plain) > MAX_COMMENT:
        raise _refusal(f"A comment has at most {MAX_COMMENT:,} characters; this one has {len(plain):,}.")
    check_input(plain, where="comment")
    return plain

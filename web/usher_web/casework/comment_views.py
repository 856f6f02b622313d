"""The comments of a case as pages show them, and what mentions the reader. Marks as seen what the reader opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import g, request
from usher_engine import Actor, InvalidSubmission, Step
from usher_engine.accounts import Account, Role
from usher_engine.cases import (
    Attached,
    Comment,
    Mention,
    TaskDraft,
    cannot_be_mentioned,
    comments_of,
    is_comment,
)

from .. import auth
from ..site import site
from ..words.comment_text import Piece, names_after_at, pieces, who_is_meant

#: The newest comments; older ones are folded away.
SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentView:
    """
    One comment for the reader: its words in pieces, and whether it mentions the reader or can be changed by them.

    *earlier* are its texts before, which auditors see.
    """

    comment: Comment
    pieces: list[Piece]
    mentions_me: bool
    can_change: bool
    earlier: tuple[str, ...]
    files: tuple[Attached, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentSection:
    """The comments of the case *instance*; *task* is the open task of the page, empty on others."""

    instance: str
    older: list[CommentView]
    newest: list[CommentView]
    may_write: bool
    task: str = ""
    text: str = ""
    #: Tells the draft from later ones; empty if there is none.
    stamp: str = ""
    errors: Mapping[str, str]
    #: The MB that the files of one comment may have.
    most_mb: int

    @property
    def count(self) -> int:
        return len(self.older) + len(self.newest)


def comment_section(
    instance: str,
    steps: Sequence[Step],
    *,
    task: str = "",
    draft: TaskDraft | None = None,
    typed: str | None = None,
    errors: Mapping[str, str] | None = None,
) -> CommentSection:
    """
    The comments told by the readable *steps* of a case that the reader may see.

    *draft* is what the reader typed and did not send; *typed* what was sent and refused with *errors*.
    """
    account, now = auth.session().account, site().now()
    views = [_view(one, account, now) for one in comments_of(steps)]
    if any(view.mentions_me for view in views) and auth.session().is_mentioned and _is_reading():
        site().engine.comments.see(instance, actor=auth.actor())
    kept = draft if typed is None else None
    return CommentSection(
        instance=instance,
        older=views[:-SHOWN],
        newest=views[-SHOWN:],
        may_write=account.role is Role.STAFF,
        task=task,
        text=str(kept.typed.get("text", "")) if kept else typed or "",
        stamp=kept.stamp if kept else "",
        errors=errors or {},
        most_mb=site().settings.attachment_mb,
    )


def _view(comment: Comment, account: Account, now: datetime) -> CommentView:
    return CommentView(
        comment=comment,
        pieces=pieces(comment.text, comment.mentions, site().settings.base_url),
        mentions_me=account.name in comment.mentions,
        can_change=account.role is Role.STAFF and comment.can_change(account.name, now),
        earlier=tuple(one.text for one in comment.earlier) if account.role is Role.AUDITOR else (),
        files=comment.files if comment.withdrawn_at is None or account.role is Role.AUDITOR else (),
    )


def _is_reading() -> bool:
    """Whether a person opened this page; one that follows changes by itself may lie in a hidden window."""
    return "X-Usher-Poll" not in request.headers


def mentioned_in(text: str) -> list[Account]:
    """The staff whom *text* mentions; raises `InvalidSubmission` for a name that is nobody's."""
    staff = {one.name: one for one in site().staff.at_work()}
    found = []
    for name in names_after_at(text):
        who = who_is_meant(name, staff)
        if not who:
            raise cannot_be_mentioned(name)
        found.append(staff[who])
    return found


def unseen_mentions() -> list[Mention]:
    """What mentions the reader and was not opened yet, newest first; read once for a page, and only if there is any."""
    if "usher_mentions" not in g:
        actor = auth.actor()
        is_mentioned = auth.session().account.role is Role.STAFF and auth.session().is_mentioned
        g.usher_mentions = site().engine.comments.unseen([actor])[actor] if is_mentioned else []
    found: list[Mention] = g.usher_mentions
    return found


def texts_in(steps: Sequence[Step], *, reader: Actor, reaches_end: bool) -> dict[int, str]:
    """
    The text that each step of a window gave a comment, by revision, as far as *reader* may see it.

    Auditors and the command line see all. Staff see what still stands: a comment whose time to be changed went on
    after the window may have been withdrawn since, unless the window *reaches_end* of the case.
    """
    texts = {step.revision: text for step in steps if (text := _words_of(step))}
    if reader.role in (Role.AUDITOR, "system") or not texts:
        return texts
    standing = {one.number: one for one in comments_of(steps)}
    last = steps[-1].at
    seen = {}
    for step in steps:
        comment = standing.get(_subject_of(step))
        settled = comment is not None and (reaches_end or not comment.can_change(comment.by, last))
        if comment is not None and settled and not comment.withdrawn_at and _text_of(step) == comment.text:
            seen[step.revision] = texts[step.revision]
    return seen


def _words_of(step: Step) -> str:
    """The text of a comment, and below it the files that came with it."""
    files = step.events[0].get("details", {}).get("files", ()) if is_comment(step.events) else ()
    return "\n".join([_text_of(step), *(f"Attached: {one['name']} (SHA-256 {one['sha256']})" for one in files)]).strip()


def _text_of(step: Step) -> str:
    text = step.events[0].get("details", {}).get("text", "") if is_comment(step.events) else ""
    return text if isinstance(text, str) else ""


def _subject_of(step: Step) -> int:
    """The number of the comment that the step is about; its own if it added one."""
    number = step.events[0].get("details", {}).get("comment", step.revision) if is_comment(step.events) else 0
    return number if isinstance(number, int) else 0


def first_reason(wrong: InvalidSubmission) -> str:
    return next(iter(wrong.fields.values()), wrong.message)

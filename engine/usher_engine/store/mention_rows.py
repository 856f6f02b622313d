"""Who is mentioned in which comment, and whether they have seen it. Follows from the steps; `verify` compares it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, insert, select, update

from ..core.case_comments import Comment
from .database import to_text
from .tables import engine_tables as t
from .tables.comment_tables import case_mention
from .tampered_rows import moment

_c = case_mention.c

#: More unseen mentions of one person than this are not listed.
MOST = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """*by* has mentioned *person* in the comment of that number."""

    person: str
    instance: str
    business_key: str
    comment: int
    by: str
    at: datetime


_SEE = (
    update(case_mention)
    .where(_c.person == bindparam("who"), _c.instance == bindparam("case"), _c.seen_at == "")
    .values(seen_at=bindparam("now"))
)


def project(connection: Connection, instance: str, comment: Comment) -> None:
    """Make the rows of *comment* say whom it mentions now; who is still mentioned keeps what they have seen."""
    here = (_c.instance == instance, _c.comment == comment.number)
    there = set(connection.execute(select(_c.person).where(*here)).scalars())
    if gone := there - set(comment.mentions):
        connection.execute(delete(case_mention).where(*here, _c.person.in_(sorted(gone))))
    for person in sorted(set(comment.mentions) - there):
        connection.execute(insert(case_mention).values(seen_at="", **row_of(instance, comment, person)))


def row_of(instance: str, comment: Comment, person: str) -> dict[str, str | int]:
    """The columns that follow from the history."""
    at = to_text(comment.at)
    return {"instance": instance, "comment": comment.number, "person": person, "by": comment.by, "at": at}


def see(connection: Connection, person: str, instance: str, at: datetime) -> None:
    """*person* has opened the case, and with it every comment that mentions them."""
    connection.execute(_SEE, {"who": person, "case": instance, "now": to_text(at)})


def unseen(connection: Connection, people: Collection[str]) -> list[Mention]:
    """The newest mentions that *people* have not seen, at most `MOST` for each of them on average."""
    joined = select(case_mention, t.instance.c.business_key).join(t.instance)
    query = joined.where(_c.person.in_(sorted(people)), _c.seen_at == "")
    found = connection.execute(query.order_by(_c.at.desc(), _c.comment.desc()).limit(MOST * max(1, len(people))))
    return [
        Mention(
            person=row.person,
            instance=row.instance,
            business_key=row.business_key,
            comment=row.comment,
            by=row.by,
            at=moment(row.at),
        )
        for row in found
    ]


def has_unseen(person: ColumnElement[str]) -> ColumnElement[bool]:
    """A condition for queries: whoever stands in column *person* is mentioned in a comment they have not seen."""
    return exists().where(_c.person == person, _c.seen_at == "")

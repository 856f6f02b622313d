"""Translates database failures into our errors, in plain words and without any value that was to be stored."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from ..core.errors import Conflict, Corrupt, InvalidSubmission, Unavailable


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Raise database errors as our own, in plain words and without the values of the statement."""
    try:
        yield
    except DBAPIError as error:
        redacted = _without_values(error)
        if "append-only" in str(error.orig):
            raise Corrupt("History is append-only: what is recorded stays. Nothing was changed.") from redacted
        if isinstance(error, IntegrityError) and _is_duplicate(error):
            raise Conflict("Somebody else wrote the same just now; nothing of this was saved. Try again.") from redacted
        if isinstance(error, DataError):
            raise InvalidSubmission(_UNFIT.get(getattr(error.orig, "sqlstate", None) or "", _UNREADABLE)) from redacted
        words = _plain(error)
        if words is None:
            raise redacted from None
        raise Unavailable(words) from redacted
    except OverflowError as error:  # SQLite's driver raises it before it calls the database
        raise InvalidSubmission(_UNFIT["22003"]) from error
    except UnicodeEncodeError as error:  # a lone surrogate, which no database can store; both drivers raise it
        raise InvalidSubmission(_UNREADABLE) from error


class Withheld(Exception):
    """The database's message is withheld: it may repeat what was to be stored."""


def _without_values(error: DBAPIError) -> DBAPIError:
    """*error* as a log may show it: the place, the statement and the kind of refusal, but no values."""
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or "no code"
    cause = Withheld(f"{type(error.orig).__name__} ({code}); its text is withheld, it may hold what was to be stored")
    redacted = type(error)(error.statement, None, cause, hide_parameters=True)
    return redacted.with_traceback(error.__traceback__)


def _is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique value existed already, as in a race. Other violations are our own bugs."""
    reasons = (getattr(error.orig, "sqlite_errorname", ""), getattr(error.orig, "sqlstate", ""))
    return bool({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505"} & set(reasons))


_BUSY = "The database is busy; nothing was changed. Try again in a moment."
_FULL = "The disk is full; nothing was changed. Free some space and try again."
_READ_ONLY = "The database is read-only; nothing was changed. Check the file's and the folder's permissions."
_NO_TABLES = "The database has no tables yet. Run: usher db upgrade"
_DAMAGED = "The file is not a database, or it is damaged. Check USHER_DATABASE_URL, or restore a backup."
_REFUSED = "The database refuses the log-in. Check name and password in USHER_DATABASE_URL."

_UNREADABLE = "Something in this holds a character that cannot be kept; nothing was changed."

#: Values that do not fit into the database, by SQLSTATE. Callers check first; this is the safety net.
_UNFIT = {
    "22001": "A text in this is longer than can be kept; nothing was changed.",
    "22003": "A number in this is larger than can be kept; nothing was changed.",
    "22007": "A date in this cannot be read; nothing was changed.",
    "22008": "A date in this is too far away; nothing was changed.",
}

#: Result codes of SQLite (the low byte, the rest is detail) and SQLSTATEs of PostgreSQL, in plain words.
_KNOWN: dict[int | str, str] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened. Check that its folder exists and may be written to.",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    "55P03": "The case is busy; nothing was changed. Try again in a moment.",
    "53100": _FULL,
    "25006": _READ_ONLY,
    "42P01": _NO_TABLES,
}


def _plain(error: DBAPIError) -> str | None:
    """Why the database cannot be used, in plain words; None for a bug of ours, which must not look like an outage."""
    cause, text = error.orig, str(error.orig)
    code = getattr(cause, "sqlite_errorcode", None)
    known = _KNOWN.get(code & 0xFF if code else getattr(cause, "sqlstate", None) or "")
    if known or "no such table" in text:
        return known or _NO_TABLES
    if error.connection_invalidated:
        return "The connection to the database was lost. Look at what is stored now before you try again."
    if not isinstance(error, OperationalError):
        return None
    if 'FATAL:  database "' in text:  # before a connection exists, PostgreSQL gives no SQLSTATE, only text
        return "The server has no database of this name. Create it, or check USHER_DATABASE_URL."
    if "authentication failed" in text or 'FATAL:  role "' in text or "no pg_hba.conf entry" in text:
        return _REFUSED
    return "The database cannot be reached; nothing was changed. Try again in a moment."

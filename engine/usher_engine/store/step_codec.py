"""Decodes stored steps: decompresses within bounds, and checks for the parts every step has."""

from __future__ import annotations

import zlib
from typing import Any

from ..core.canonical import parse_canonical
from ..core.errors import Corrupt, Purged

MAX_STEP = 16_000_000  # bytes a step may unpack to


def parsed_body(body: bytes) -> dict[str, Any]:
    """The body of a step; raises `Corrupt` when it cannot be read, `Purged` when it is empty."""
    if not body:
        raise Purged
    unreadable = "A step of this case cannot be read; its text was altered outside Usher. The replay tells which."
    try:
        record: dict[str, Any] = parse_canonical(zlib.decompressobj().decompress(body, MAX_STEP))
    except (ValueError, TypeError, RecursionError, zlib.error) as error:
        raise Corrupt(unreadable) from error
    if not is_step(record):
        raise Corrupt(unreadable)
    return record


def is_step(body: Any) -> bool:
    """Whether *body* has the parts every step has; re-execution judges the contents of its events."""
    if not isinstance(body, dict) or not isinstance(body.get("at"), str) or not isinstance(body.get("events"), list):
        return False
    actor, command = body.get("actor"), body.get("command")
    named = isinstance(actor, dict) and isinstance(actor.get("name"), str)
    asked = isinstance(command, dict) and isinstance(command.get("kind"), str)
    return named and asked and all(isinstance(event, dict) for event in body["events"])

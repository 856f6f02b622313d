"""Headers of a request: those a diagram writes out, and those with a secret, which only the worker ever puts in."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..core.errors import ServiceError
from ..outside_hosts import SecretPlace, WebOrigin

#: A secret in a header's value: ``Bearer {lab}``.
SECRET_NAME = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
#: What is Usher's to send, or would change where and how a request goes.
FORBIDDEN = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "idempotency-key", "keep-alive",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
#: Headers that hold a secret everywhere.
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key", "api-key"})
_VALUE = re.compile(r"[\x20-\x7e]{0,4000}")
_MOST_SECRET = 4_000
#: A shorter secret could stand in any answer by chance.
_SHORTEST = 6


def header_problem(name: str) -> str:
    """What keeps a diagram from sending the header *name*, in a sentence; "" if it may."""
    if not HEADER.fullmatch(name):
        return f"“{name[:60]}” is not the name of a header."
    return f"The header “{name}” is Usher's to send." if name.lower() in FORBIDDEN else ""


def plain_headers(given: Mapping[str, Any]) -> dict[str, str]:
    """The headers a diagram writes out; raises `ServiceError` for one that cannot be sent."""
    found = {}
    for name, value in given.items():
        text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        problem = header_problem(name)
        if problem or text is None or not _VALUE.fullmatch(text):
            reason = problem or f"The header “{name}” must be a text or number in one line of ASCII."
            raise ServiceError(reason, retry=False)
        found[name] = text
    return found


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one request, read just now."""

    headers: Mapping[str, str]
    values: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self.headers)})"

    def are_in(self, answer: Any) -> bool:
        """Whether *answer* (JSON) holds one of the secrets, as it is or as servers write them."""
        forms = [form for value in self.values if len(value) >= _SHORTEST for form in _forms(value)]
        return any(form in text for text in _texts(answer) for form in forms)


def secret_headers(given: Mapping[str, Any], places: tuple[SecretPlace, ...], origin: WebOrigin) -> Secrets:
    """
    The headers in *given* with their secrets in place, for a request to *origin*.

    Raises:
        ServiceError: A secret is unknown, belongs to another host, or cannot be read. Never names its value.
    """
    known = {one.name: one for one in places}
    headers: dict[str, str] = {}
    values: list[str] = []
    for header, template in given.items():
        problem = header_problem(header) or secret_problem(header, template, known, origin)
        if problem:
            raise ServiceError(problem, retry=False)
        read = {name: _read(known[name]) for name in SECRET_NAME.findall(template)}
        headers[header] = _filled(template, read)
        values += read.values()
    return Secrets(headers, tuple(dict.fromkeys(values)))


def _filled(template: str, read: Mapping[str, str]) -> str:
    return SECRET_NAME.sub(lambda found: read[found[1]], template)


def secret_problem(header: str, template: Any, known: Mapping[str, SecretPlace], origin: WebOrigin | None) -> str:
    """What is wrong with the value of a header with a secret, in a sentence; *origin* is None where it is not known."""
    if not isinstance(template, str) or not _VALUE.fullmatch(template):
        return f"The header “{header}” must be a text like 'Bearer {{lab}}'."
    names = SECRET_NAME.findall(template)
    if not names:
        return f"The header “{header}” names no secret; write it like 'Bearer {{lab}}', or put it into “headers”."
    for name in names:
        if name not in known:
            have = ", ".join(sorted(known)) or "none"
            return f"There is no secret “{name}”. Known (USHER_HTTP_SECRETS): {have}."
        if origin is not None and known[name].origin != origin:
            return f"The secret “{name}” is for {known[name].origin} alone, not for {origin}."
    return ""


def unreadable_secrets(places: tuple[SecretPlace, ...]) -> list[str]:
    """A sentence for each secret that cannot be read now."""
    found = []
    for place in places:
        try:
            _read(place)
        except ServiceError as error:
            found.append(error.message)
    return found


def _read(place: SecretPlace) -> str:
    try:
        text = os.environ[place.place] if place.kind == "env" else _file_text(place.place)
    except (OSError, KeyError, UnicodeDecodeError):
        text = ""
    text = text.strip("\r\n")
    if not text or not _VALUE.fullmatch(text):
        where = "the variable" if place.kind == "env" else "the file"
        reason = f"The secret “{place.name}” cannot be read: {where} in USHER_HTTP_SECRETS must hold one line of ASCII."
        raise ServiceError(f"{reason} Mend it, and try again.", retry=False)
    return text


def _file_text(path: str) -> str:
    with Path(path).open(encoding="ascii") as file:
        return file.read(_MOST_SECRET + 2)


def _forms(value: str) -> Iterator[str]:
    """*value* as servers repeat it: as it is, escaped for an address, and in base 64 without the uncertain ends."""
    yield value
    yield quote(value, safe="")
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + value.encode()).decode().rstrip("=")
        if len(value) > _SHORTEST + 2:
            yield coded[(0, 2, 3)[shift] : -2]


def _texts(answer: Any) -> Iterator[str]:
    pending = [answer]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from one
            pending += one.values()
        elif isinstance(one, list):
            pending += one

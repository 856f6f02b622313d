"""Allowed values of each setting, and the message for a value that is not allowed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from .outside_hosts import networks_of, origins_of, secrets_of


def shown(text: str) -> str:
    """*text* for a message: printable, one line, at most 60 characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:60])


@dataclass(frozen=True, slots=True)
class From:
    """A whole number from *least* to *most*."""

    least: int
    most: int

    def unfit(self, value: int) -> str:
        """Why *value* is not allowed, as the end of a sentence; empty if it is allowed."""
        fits = self.least <= value <= self.most
        return "" if fits else f"is {value}: it must be a whole number from {self.least} to {self.most}."


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few known words."""

    known: tuple[str, ...]

    def unfit(self, value: str) -> str:
        return "" if value in self.known else f"must be {', '.join(self.known[:-1])} or {self.known[-1]}."


@dataclass(frozen=True, slots=True)
class Text:
    """A text that passes *fits*; *expected* describes it. Messages never repeat a secret."""

    expected: str
    fits: Any
    is_secret: bool = False

    def unfit(self, value: str) -> str:
        if self.fits(value) and not any(unicodedata.category(letter) in _NO_TEXT for letter in value):
            return ""
        return self.expected if self.is_secret else f"is “{shown(value)}”: it {self.expected}"


#: Control characters, lone surrogates and line endings.
_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_HOST = re.compile(r"\.?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")
#: Enough for a sender's address; core/email_address.py checks recipients' addresses more strictly.
_ADDRESS = re.compile(r"\s*[^\s@<>,;:\"()\[\]\\]{1,64}@\w(?:[\w.-]{0,251}\w)?\s*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}")
_DATABASE = re.compile(r"sqlite(?:\+pysqlite)?://.*|postgresql\+psycopg://.+")
#: The line of a file with an Ed25519 key (PKCS 8, base64), or nothing.
_KEY_LINE = re.compile(r"(?:[A-Za-z0-9+/]{64})?")
#: The code systems of birth sex (enrollment/birth_sex.py).
_SOURCES = frozenset({"us-core-birthsex", "us-core-individual-sex", "gender"})


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # an unknown zone is a KeyError; folders and odd paths raise the others
        return False
    return True


def _is_web_address(text: str) -> bool:
    found = _split(text)
    plain = found is not None and not (found.query or found.fragment or "@" in found.netloc or " " in text)
    return plain and found is not None and found.scheme in ("http", "https") and _is_host(found.hostname or "")


def _split(text: str) -> SplitResult | None:
    try:
        found = urlsplit(text)
        found.port  # noqa: B018 - raises an error for an invalid port
    except ValueError:
        return None
    return found


def _is_host(name: str) -> bool:
    return bool(_HOST.fullmatch(f"[{name}]" if ":" in name else name))


def _are_hosts(text: str) -> bool:
    names = [name.strip() for name in text.split(",") if name.strip()]
    return all(_HOST.fullmatch(name.rpartition(":")[0] if re.search(r":[0-9]{1,5}$", name) else name) for name in names)


def _readable_by(read: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether *read* takes a value without a `ValueError`."""

    def fits(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return fits


def is_this_machine(host: str) -> bool:
    """Whether *host* is a loopback name or address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


# the secret

SHORTEST_SECRET = 32
MAKE_ONE = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
#: Prefix of the secrets that `usher demo` makes, so that no production server starts with one.
DEMO = "demo-only-"
_EXAMPLES = ("changeme", "secretkey", "yoursecret", "mysecret", "password", "example", "demoonly")
#: Fewer than one in a million random secrets of 32 hexadecimal digits have less of either.
_MIXED = 8


def is_guessable(secret: str) -> bool:
    """Whether *secret* looks made up: few distinct characters, one repeated part, a sequence, or an example's words."""
    letters = "".join(filter(str.isalnum, secret.lower()))
    ways = {ord(b) - ord(a) for a, b in pairwise(secret)}
    repeats = secret in (secret + secret)[1:-1]
    return min(len(set(secret)), len(ways)) < _MIXED or repeats or any(word in letters for word in _EXAMPLES)


def _is_one_group(text: str) -> bool:
    return bool(text.strip()) and "," not in text


EXPECTED: dict[str, From | OneOf | Text] = {
    "env": OneOf(("production", "development")),
    "secret_key": Text(
        f"is missing or shorter than {SHORTEST_SECRET} characters. {MAKE_ONE}",
        lambda text: not text or len(text) >= SHORTEST_SECRET,
        is_secret=True,
    ),
    "database_url": Text(
        "must begin with sqlite: or postgresql+psycopg: (sqlite:///usher.db, "
        "postgresql+psycopg://usher@localhost/usher).",
        _DATABASE.fullmatch,
        is_secret=True,
    ),
    "base_url": Text("must be the address of this server, like https://portal.example.org.", _is_web_address),
    "trusted_hosts": Text("must be host names with commas between them, like portal.example.org.", _are_hosts),
    "practice_name": Text("must be 1 to 200 characters in one line.", lambda text: 0 < len(text.strip()) <= 200),
    "practice_contact": Text("must be at most 500 characters in one line.", lambda text: len(text) <= 500),
    "time_zone": Text("must be the IANA name of a time zone, like Europe/Berlin or America/New_York.", _is_zone),
    "mail_from": Text("must be one e-mail address, like portal@clinic.example.org.", _ADDRESS.fullmatch),
    "mail_language": Text("must be the tag of a language, like en, es or zh-Hant.", _LANGUAGE.fullmatch),
    "smtp_host": Text("must be the name or address of the mail server.", _is_host),
    "smtp_port": From(1, 65_535),
    "smtp_security": OneOf(("none", "starttls", "tls")),
    "smtp_user": Text("must be one line.", lambda _: True),
    "smtp_password": Text("must be one line.", lambda _: True, is_secret=True),
    "smtp_timeout_s": From(1, 600),
    "http_hosts": Text(
        "must be hosts with their scheme, with commas between them, like https://lab.example.org.",
        _readable_by(origins_of),
    ),
    "http_networks": Text(
        "must be networks with commas between them, like 10.20.0.0/16.", _readable_by(networks_of)
    ),
    "http_secrets": Text(
        "must be NAME@HOST=PLACE with commas between them, each name once, like "
        "lab@https://lab.example.org=file:/run/secrets/lab or …=env:LAB_TOKEN.",
        _readable_by(secrets_of),
        is_secret=True,
    ),
    "http_timeout_s": From(1, 300),
    "http_answer_kb": From(1, 10_000),
    "mail_hold": From(0, 3_600),
    "invitation_days": From(1, 365),
    "minimum_age": From(0, 150),
    "birth_sex_sources": Text(
        f"must be one or more of {', '.join(sorted(_SOURCES))}, with commas between them.",
        lambda text: {source.strip() for source in text.split(",")} <= _SOURCES,
    ),
    "job_attempts": From(1, 100),
    "job_backoff_s": From(0, 86_400),
    "job_lease_s": From(2, 86_400),
    "case_steps_per_hour": From(0, 1_000_000),
    "worker_threads": From(1, 64),
    "leads_group": Text("must be the name of one group, without commas.", _is_one_group),
    "session_idle_minutes": From(1, 1_440),
    "session_hours": From(1, 168),
    "proxies": From(0, 10),
    "attachment_mb": From(1, 50),
    "attachments_case_mb": From(1, 1_000),
    "api_per_minute": From(1, 1_000_000),
    "threads": From(1, 256),
    "request_limit_s": From(1, 3_600),
    "memory_limit_mb": From(0, 1_000_000),
    "deploy_four_eyes": From(0, 1),
    "checkpoint_file": Text("must name a file.", str.strip),
    "checkpoint_minutes": From(0, 10_080),
    "retention_years": From(1, 200),
    "signing_key_file": Text("must name a file.", str.strip),
    "signing_key": Text(
        "must be the line between BEGIN and END of the key file, 64 letters.", _KEY_LINE.fullmatch, is_secret=True
    ),
}

"""Every setting, read once from the environment (`USHER_…`). Nothing below the command line reads os.environ.

`setting_values` defines the allowed values; reading reports every bad variable on a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from .core.errors import Misconfigured
from .core.practice_calendar import PracticeCalendar, practice_calendar
from .outside_hosts import SecretPlace, WebOrigin, origins_of, secrets_of
from .setting_values import EXPECTED, MAKE_ONE, SHORTEST_SECRET, is_guessable, is_this_machine, shown

_WHOLE = re.compile(r"-?[0-9]{1,9}")


def _setting(default: Any, help_text: str, *, served: Any = None) -> Any:
    """*served* is the default of the variable, where it is another than that of a program that embeds Usher."""
    return field(default=default, metadata={"help": help_text, "served": default if served is None else served})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One field for each variable: `database_url` is `USHER_DATABASE_URL`."""

    env: str = _setting("production", "production, or development (relaxed cookies for plain HTTP)")
    secret_key: str = _setting("", "at least 32 characters; signs sessions, states and invitation links")
    database_url: str = _setting("sqlite:///usher.db", "SQLAlchemy URL; SQLite or PostgreSQL (postgresql+psycopg://…)")
    base_url: str = _setting("http://127.0.0.1:8000", "address of this server as patients reach it; used in links")
    trusted_hosts: str = _setting("", "host names this server answers to, comma-separated; empty: the host of base_url")
    practice_name: str = _setting("Your practice", "who the invitation is from")
    practice_contact: str = _setting("", "phone or address for questions, shown in the mail")
    time_zone: str = _setting("UTC", "IANA name; the zone of the practice's clock and calendar: hours, days, ages")
    mail_from: str = _setting("portal@localhost", "sender address of the invitation")
    mail_language: str = _setting("en", "language of mails to people whose preferred language is not known")
    smtp_host: str = _setting("127.0.0.1", "mail server")
    smtp_port: int = _setting(25, "its port")
    smtp_security: str = _setting("starttls", "none, starttls or tls")
    smtp_user: str = _setting("", "account at the mail server; empty: no log-in")
    smtp_password: str = _setting("", "its password")
    smtp_timeout_s: int = _setting(20, "seconds to wait for an answer of the mail server")
    http_hosts: str = _setting(
        "", "hosts that diagrams may call by http/request, like https://lab.example.org, comma-separated; empty: none"
    )
    http_networks: str = _setting(
        "", "inner networks where those hosts may be, like 10.20.0.0/16, comma-separated; empty: public addresses only"
    )
    http_secrets: str = _setting(
        "", "secrets for them: NAME@HOST=file:PATH or NAME@HOST=env:VARIABLE, comma-separated; each goes to HOST alone"
    )
    http_timeout_s: int = _setting(20, "seconds one request may take in all")
    http_answer_kb: int = _setting(256, "kB an answer may have")
    mail_hold: int = _setting(
        0, "seconds in which a person can undo an act that sends a mail; 0: mails leave at once", served=10
    )
    invitation_days: int = _setting(30, "days an invitation link stays valid")
    minimum_age: int = _setting(18, "years; younger patients are not invited")
    birth_sex_sources: str = _setting(
        "us-core-birthsex,us-core-individual-sex,gender", "where the birth sex is looked up, in this order"
    )
    job_attempts: int = _setting(
        9, "tries of a job before it becomes an incident; the last is two hours after the first"
    )
    job_backoff_s: int = _setting(30, "seconds before the second try; doubles with each further one, up to six hours")
    job_lease_s: int = _setting(60, "seconds a worker may hold a job before another takes it over")
    case_steps_per_hour: int = _setting(
        2_000,
        "steps a case may take in an hour without a person; more raise an incident; 0: no limit",
    )
    worker_threads: int = _setting(4, "jobs a worker does at once; on PostgreSQL of each queue")
    leads_group: str = _setting("Leads", "the group whose members may assign and release what others have claimed")
    session_idle_minutes: int = _setting(15, "minutes without a click after which a session ends")
    session_hours: int = _setting(12, "hours after which every session ends")
    proxies: int = _setting(
        0, "number of reverse proxies in front of this server; their X-Forwarded headers are trusted"
    )
    attachment_mb: int = _setting(5, "MB that the files attached to one comment may have together")
    attachments_case_mb: int = _setting(25, "MB that all files attached to a case may have")
    api_per_minute: int = _setting(600, "requests one API token may make in a minute")
    threads: int = _setting(8, "threads of the web server")
    request_limit_s: int = _setting(30, "seconds a request may take; then Usher stops it, or replaces the process")
    memory_limit_mb: int = _setting(1024, "MiB of memory a server or worker may use (Linux); 0: no limit")
    deploy_four_eyes: int = _setting(0, "1: a second analyst must sign off every deployment; 0: one is enough")
    checkpoint_file: str = _setting("usher-checkpoints.jsonl", "where signed tree heads go, outside the database")
    checkpoint_minutes: int = _setting(60, "minutes between checkpoints; 0: only by `usher checkpoint`")
    retention_years: int = _setting(6, "years to keep an ended case at least; then `usher purge` may empty it")
    signing_key_file: str = _setting("usher-signing-key.pem", "Ed25519 key of the checkpoints; made at first use")
    signing_key: str = _setting("", "the line of letters in that file, for nodes that have secrets but no files")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read `USHER_…`; raises `Misconfigured` naming unknown variables and bad values."""
        known = {variable(f.name): f for f in fields(cls)}
        values: dict[str, Any] = {f.name: f.metadata["served"] for f in fields(cls)}
        wrong: list[str] = []
        for name, text in environ.items():
            if not name.startswith("USHER_"):
                continue
            if name not in known:
                wrong.append(f"{name} is not a setting. The README lists them all.")
            elif known[name].type != "int":
                values[known[name].name] = text
            elif _WHOLE.fullmatch(text.strip()):
                values[known[name].name] = int(text)
            else:
                wrong.append(f"{name} must be a whole number, not “{shown(text)}”.")
        found = cls(**values)
        _refuse([*wrong, *found._misfits()])
        return found

    def for_production(self) -> Settings:
        """These settings, if they are safe to serve with; raises `Misconfigured` otherwise."""
        wrong = self._misfits()
        if not self.secret_key:
            wrong.append(f"USHER_SECRET_KEY is missing or shorter than {SHORTEST_SECRET} characters. {MAKE_ONE}")
        if self.env == "production":
            if self.secret_key and is_guessable(self.secret_key):
                wrong.append(f"USHER_SECRET_KEY can be guessed: it repeats itself or is an example. {MAKE_ONE}")
            address = urlsplit(self.base_url)
            if not wrong and address.scheme != "https" and not is_this_machine(address.hostname or ""):
                wrong.append(
                    "USHER_BASE_URL is plain HTTP: invitation links and passwords would travel readable. It must begin "
                    "with https:// in production, or name this machine (http://127.0.0.1:8000)."
                )
        _refuse(wrong)
        return self

    @property
    def calendar(self) -> PracticeCalendar:
        """The calendar that days, ages and times for people are counted by."""
        return practice_calendar(self.time_zone)

    @property
    def web_hosts(self) -> tuple[WebOrigin, ...]:
        """The hosts that diagrams may call."""
        return origins_of(self.http_hosts)

    @property
    def web_secrets(self) -> tuple[SecretPlace, ...]:
        """The names of the secrets for them, and where each is read."""
        return secrets_of(self.http_secrets)

    @property
    def largest_upload(self) -> int:
        """
        The most bytes of a request with files. A file somewhat too large still arrives, so that the page with what was
        typed can say so.
        """
        return (2 * self.attachment_mb + 1) * 1024 * 1024

    def warnings(self) -> list[str]:
        """Settings that are allowed but risky, one line each; `usher serve` and `usher worker` print them."""
        found = []
        if self.smtp_security == "none" and not is_this_machine(self.smtp_host):
            what = "mails with their links and the password" if self.smtp_user else "mails with their links"
            found.append(f"USHER_SMTP_SECURITY is none: {what} travel readable to {self.smtp_host}; set starttls.")
        found += [
            f"USHER_HTTP_HOSTS has {origin}: what is sent there and its secrets travel readable; use https."
            for origin in self.web_hosts
            if origin.scheme == "http" and not is_this_machine(origin.host)
        ]
        if self.smtp_user and not self.smtp_password:
            found.append("USHER_SMTP_USER is set and USHER_SMTP_PASSWORD is not: the log-in may be refused.")
        return found

    def _misfits(self) -> list[str]:
        """A line for each variable whose value is not allowed."""
        checked = ((f.name, EXPECTED[f.name].unfit(getattr(self, f.name))) for f in fields(self))
        wrong = [f"{variable(name)} {reason}" for name, reason in checked if reason]
        if not wrong and self.job_lease_s <= self.smtp_timeout_s:
            wrong.append(
                f"USHER_JOB_LEASE_S is {self.job_lease_s}: it must be longer than USHER_SMTP_TIMEOUT_S "
                f"({self.smtp_timeout_s}), or a second worker takes over a mail that is being sent."
            )
        if not wrong and self.http_hosts and self.job_lease_s <= self.http_timeout_s:
            wrong.append(
                f"USHER_JOB_LEASE_S is {self.job_lease_s}: it must be longer than USHER_HTTP_TIMEOUT_S "
                f"({self.http_timeout_s}), or a second worker repeats a request that is under way."
            )
        stray = [] if wrong else [one for one in self.web_secrets if one.origin not in self.web_hosts]
        return wrong + [
            f"USHER_HTTP_SECRETS has “{one.name}” for {one.origin}, which is not in USHER_HTTP_HOSTS; add it there."
            for one in stray
        ]


def variable(field_name: str) -> str:
    """The environment variable that sets *field_name*."""
    return f"USHER_{field_name.upper()}"


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise Misconfigured("\n".join(wrong))

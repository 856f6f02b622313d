"""Every setting, read once from the environment (`USHER_…`). Nothing below the command line reads os.environ."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .errors import Misconfigured


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


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
    time_zone: str = _setting("UTC", "IANA name; how times are shown to people")
    mail_from: str = _setting("portal@localhost", "sender address of the invitation")
    smtp_host: str = _setting("127.0.0.1", "mail server")
    smtp_port: int = _setting(25, "its port")
    smtp_security: str = _setting("starttls", "none, starttls or tls")
    smtp_user: str = _setting("", "account at the mail server; empty: no log-in")
    smtp_password: str = _setting("", "its password")
    smtp_timeout_s: int = _setting(20, "seconds until the mail server counts as silent")
    invitation_days: int = _setting(30, "days an invitation link stays valid")
    minimum_age: int = _setting(18, "years; younger patients are not invited by themselves")
    birth_sex_sources: str = _setting(
        "us-core-birthsex,us-core-individual-sex,gender", "where the birth sex is looked up, in this order"
    )
    job_attempts: int = _setting(
        9, "tries of a job before it becomes an incident; the last is two hours after the first"
    )
    job_backoff_s: int = _setting(30, "seconds before the second try; doubles with each further one")
    job_lease_s: int = _setting(60, "seconds a worker may hold a job before another takes it over")
    case_steps_per_hour: int = _setting(
        600, "steps a case may take in an hour with nobody's hand in it; then it is an incident; 0: as many as it likes"
    )
    worker_threads: int = _setting(4, "jobs a worker does at once")
    session_idle_minutes: int = _setting(15, "minutes without a click until a session ends")
    session_hours: int = _setting(12, "hours until a session ends in any case")
    proxies: int = _setting(0, "reverse proxies in front of this server whose X-Forwarded headers are believed")
    api_per_minute: int = _setting(600, "requests one API token may make in a minute")
    threads: int = _setting(8, "threads of the web server")
    deploy_four_eyes: int = _setting(0, "1: a second analyst signs every deployment off; 0: one is enough")
    checkpoint_file: str = _setting("usher-checkpoints.jsonl", "where signed tree heads go, outside the database")
    checkpoint_minutes: int = _setting(60, "minutes between checkpoints; 0: only by `usher checkpoint`")
    retention_years: int = _setting(6, "years an ended case is kept at least; then `usher purge` may empty it")
    signing_key_file: str = _setting("usher-signing-key.pem", "Ed25519 key of the checkpoints; made at first use")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read `USHER_…`; raises `Misconfigured` naming a variable nobody knows or a value that does not fit."""
        known = {variable(f.name): f for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environ.items():
            if not name.startswith("USHER_"):
                continue
            if name not in known:
                raise Misconfigured(f"{name} is not a setting. The README lists them all.")
            values[known[name].name] = _parsed(name, known[name].type, text)
        return cls(**values)

    def for_production(self) -> Settings:
        """These settings, if they are safe to serve with; raises `Misconfigured` otherwise."""
        if len(self.secret_key) < 32:
            raise Misconfigured(
                "USHER_SECRET_KEY is missing or shorter than 32 characters. Make one with: "
                'python -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        if self.env not in ("production", "development"):
            raise Misconfigured("USHER_ENV must be production or development.")
        if self.smtp_security not in ("none", "starttls", "tls"):
            raise Misconfigured("USHER_SMTP_SECURITY must be none, starttls or tls.")
        return self

    def with_secret(self) -> Settings:
        """These settings with a secret key made for this run where none is set."""
        return self if self.secret_key else replace(self, secret_key=secrets.token_urlsafe(48))


def variable(field_name: str) -> str:
    """The environment variable that sets *field_name*."""
    return f"USHER_{field_name.upper()}"


def _parsed(name: str, kind: Any, text: str) -> Any:
    if kind != "int":
        return text
    try:
        return int(text)
    except ValueError:
        raise Misconfigured(f"{name} must be a whole number, not “{text}”.") from None

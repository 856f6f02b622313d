"""The start refuses every impossible setting: one line names it and the expected values."""

from __future__ import annotations

import secrets
from dataclasses import fields, replace
from pathlib import Path

import pytest
from usher_engine import Misconfigured, Settings
from usher_engine.setting_values import DEMO, EXPECTED, From, is_guessable
from usher_engine.settings import variable
from usher_engine.web_requests import unreadable_secrets
from usher_web.commands.opening import read_settings

SAFE = "kG3-9vQz_TbWm1xR7yLpD4sNcE8fHaJ2uVoXiZ0t"
NUMBERS = ("many", "", "1.5", "1e3", "1_000", "٣", "0x10", "9" * 5_000)

#: Impossible values of each setting. For numbers, the tests add the values next to their range.
WRONG: dict[str, tuple[str, ...]] = {
    "leads_group": ("", "  ", "Leads, Nurses"),
    "env": ("", "test", "Production", "production "),
    "secret_key": ("short", "x" * 31, SAFE + "\n"),
    "database_url": (
        "", "nonsense", "mysql://u@h/d", "postgresql://u@h/d", "postgresql+asyncpg://u@h/d", "sqlite+aiosqlite:///a",
        "sqlite:usher.db", "oracle://x", "postgresql+psycopg://",
    ),
    "base_url": (
        "", "portal.example.org", "ftp://a.example", "https://", "https://a b", "https://a.example?x=1", "//a.example",
        "https://u:p@a.example", "https://a.example:99999", "https://a.example#x", "http://[", "javascript:alert(1)",
    ),
    "trusted_hosts": ("https://a.example", "a b", "a.example/x", "*", "a.example;b.example", "a.example:port"),
    "practice_name": ("", "  ", "x" * 201, "Clinic\r\nBcc: a@b.example", "Clinic\udcff"),
    "practice_contact": ("x" * 501, "Front desk\n555 0100", "\u2028"),
    "time_zone": ("", "Mars/Base", "UTC+1", "../etc/passwd", "Europe", "/etc/localtime", "Europe/Berlin\x00"),
    "mail_from": (
        "", "portal", "a@", "@b.example", "a b@c.example", "a@b.example, c@d.example",
        "A <a@b.example>", "a@@b",
    ),
    "mail_language": ("", "English", "en_US", "e", "en US", "en-"),
    "smtp_host": ("", "mail server", "smtp://mail.example", "mail.example:25", "mail.example/x"),
    "smtp_security": ("", "maybe", "STARTTLS", "ssl"),
    "smtp_user": ("a\nb",),
    "smtp_password": ("a\nb",),
    "birth_sex_sources": ("", "genders", "gender,", "gender;us-core-birthsex"),
    "http_hosts": (
        "lab.example.org", "https://", "ftp://lab.example", "https://lab.example/orders", "https://u:p@lab.example",
        "https://*.example", "https://lab.example?x", "https://lab.example:99999", "https://lab.example;https://b.example",
        "https://münchen.example", "https://[::1", "https://a b.example",
    ),
    "http_networks": ("10.0.0.0/33", "10.0.0.1/8", "lab", "10.0.0.0-10.0.0.9", "::1/129"),
    "http_secrets": (
        "lab", "lab=env:LAB", "lab@lab.example=env:LAB", "lab@https://lab.example=LAB", "Lab@https://lab.example=env:LAB",
        "lab@https://lab.example=env:", "a@https://a.example=env:A, a@https://a.example=env:B",
        "lab@https://lab.example=env:USHER_SECRET_KEY", "lab@https://lab.example/x=env:A",
    ),
    "checkpoint_file": ("", " ", "a\nb"),
    "signing_key_file": ("", " ", "a\x00b"),
    "signing_key": (" ", "MC4C", "-----BEGIN PRIVATE KEY-----", "!" * 64, "M" * 65, "M" * 64 + "\n"),
}  # fmt: skip


def unfit(name: str) -> list[str]:
    expected = EXPECTED[name]
    beside = (f"{expected.least - 1}", f"{expected.most + 1}", "-1000", *NUMBERS) if isinstance(expected, From) else ()
    return [*WRONG.get(name, ()), *beside]


CASES = [(f.name, value) for f in fields(Settings) for value in unfit(f.name)]


def test_every_setting_has_its_meaning_and_its_cases() -> None:
    assert set(EXPECTED) == {f.name for f in fields(Settings)}
    assert {name for name, _ in CASES} == set(EXPECTED)


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name}={value[:30]!a}" for name, value in CASES])
def test_one_line_names_the_impossible_value(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Settings.from_environment({variable(name): value})
    said = refused.value.message
    assert said.startswith(f"{variable(name)} ")
    assert "\n" not in said
    assert len(said) < 250
    assert said.isprintable()
    assert SAFE not in said
    assert "u@h" not in said


@pytest.mark.parametrize("name", [f.name for f in fields(Settings) if isinstance(EXPECTED[f.name], From)])
def test_numbers_may_reach_both_limits(name: str) -> None:
    expected = EXPECTED[name]
    assert isinstance(expected, From)
    for number in (expected.least, expected.most):
        together = {"USHER_JOB_LEASE_S": "86400", "USHER_SMTP_TIMEOUT_S": "1", variable(name): str(number)}
        assert getattr(Settings.from_environment(together), name) == number


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "sqlite:////var/lib/usher/usher.db"),
        ("database_url", "postgresql+psycopg://usher:p%40ss@db.example:5432/usher?sslmode=require"),
        ("base_url", "https://portal.example.org:8443/"),
        ("base_url", "http://[::1]:8000"),
        ("trusted_hosts", "portal.example.org, .example.com,[::1]:8000,localhost"),
        ("practice_name", "Praxis Dr. Müller\u00a0& Söhne"),
        ("time_zone", "America/Argentina/Buenos_Aires"),
        ("mail_from", "portal+news@mail.clinic.example.org"),
        ("mail_language", "zh-Hant-TW"),
        ("smtp_host", "::1"),
        ("birth_sex_sources", "gender, us-core-birthsex"),
    ],
)
def test_what_is_meant_is_taken(name: str, value: str) -> None:
    assert getattr(Settings.from_environment({variable(name): value}), name) == value


def test_the_start_names_all_that_is_wrong_at_once() -> None:
    wrong = {"USHER_THREADS": "0", "USHER_TIME_ZONE": "Mars/Base", "USHER_COLOUR": "red", "USHER_SMTP_PORT": "x"}
    with pytest.raises(Misconfigured) as refused:
        Settings.from_environment(wrong)
    lines = refused.value.message.split("\n")
    assert {line.partition(" ")[0] for line in lines} == set(wrong)


def test_a_lease_outlasts_the_mail_server() -> None:
    with pytest.raises(Misconfigured, match="USHER_JOB_LEASE_S is 20: it must be longer than USHER_SMTP_TIMEOUT_S"):
        Settings.from_environment({"USHER_JOB_LEASE_S": "20"})


# what may not go into production


@pytest.fixture
def production() -> Settings:
    return Settings(secret_key=SAFE, base_url="https://portal.example.org")


GUESSABLE = (
    "0" * 32, "ab" * 20, "abcdefgh" * 4, "0123456789abcdef" * 2, "abcdefghijklmnopqrstuvwxyz123456",
    "aaaaaaaaaaaaaaab" * 3, "change-me-change-me-please-change-it", "this is my very secret key for usher",
    "Password-Password-1234567890-ABC",
    DEMO + SAFE,
)  # fmt: skip


@pytest.mark.parametrize("secret", GUESSABLE)
def test_a_made_up_secret_is_refused(production: Settings, secret: str) -> None:
    with pytest.raises(Misconfigured, match="USHER_SECRET_KEY can be guessed") as refused:
        replace(production, secret_key=secret).for_production()
    assert secret not in refused.value.message
    replace(production, env="development", secret_key=secret).for_production()


def test_random_secrets_are_taken() -> None:
    for _ in range(2_000):
        made = (secrets.token_urlsafe(24), secrets.token_urlsafe(48), secrets.token_hex(16), secrets.token_hex(32))
        assert not any(map(is_guessable, made)), made


@pytest.mark.parametrize("address", ["http://portal.example.org", "http://10.0.0.7:8000", "http://127.0.0.1.example.org"])
def test_plain_http_is_for_this_machine_only(production: Settings, address: str) -> None:
    with pytest.raises(Misconfigured, match="USHER_BASE_URL is plain HTTP"):
        replace(production, base_url=address).for_production()
    for own in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"):
        replace(production, base_url=own).for_production()
    replace(production, env="development", base_url=address).for_production()


def test_settings_made_otherwise_are_checked_before_serving(production: Settings) -> None:
    with pytest.raises(Misconfigured, match="USHER_THREADS is 0: it must be a whole number from 1 to 256"):
        replace(production, threads=0).for_production()
    with pytest.raises(Misconfigured, match="USHER_SECRET_KEY is missing"):
        replace(production, secret_key="").for_production()


def test_mail_in_the_open_is_warned_of(production: Settings) -> None:
    assert production.warnings() == []
    assert replace(production, smtp_security="none").warnings() == []
    (line,) = replace(production, smtp_security="none", smtp_host="mail.example.org").warnings()
    assert line.startswith("USHER_SMTP_SECURITY is none: mails with their links travel readable")
    assert len(replace(production, smtp_user="u").warnings()) == 1


def test_the_environment_is_read_for_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_TIME_ZONE", "Mars/Base")
    with pytest.raises(Misconfigured, match="USHER_TIME_ZONE is “Mars/Base”"):
        read_settings()


def test_hosts_of_http_request_and_their_secrets_fit_together() -> None:
    given = {"USHER_HTTP_HOSTS": "http://lab.example.org", "USHER_HTTP_SECRETS": "lab@http://lab.example.org=env:LAB"}
    found = Settings.from_environment(given)
    assert [str(host) for host in found.web_hosts] == ["http://lab.example.org"]
    assert "USHER_HTTP_HOSTS has http://lab.example.org: what is sent there and its secrets travel readable" in "".join(
        found.warnings()
    )
    assert Settings.from_environment({"USHER_HTTP_HOSTS": "http://127.0.0.1:9, https://a.example"}).warnings() == []
    with pytest.raises(Misconfigured, match=r"“lab” for https://lab\.example\.org, which is not in USHER_HTTP_HOSTS"):
        Settings.from_environment({"USHER_HTTP_SECRETS": "lab@https://lab.example.org=env:LAB"})
    with pytest.raises(Misconfigured, match="must be longer than USHER_HTTP_TIMEOUT_S"):
        Settings.from_environment({"USHER_HTTP_HOSTS": "https://a.example", "USHER_HTTP_TIMEOUT_S": "60"})


def test_a_secret_that_cannot_be_read_is_named_without_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two").write_text("one\ntwo\n")
    (tmp_path / "good").write_text("abcdef\n")
    monkeypatch.setenv("LAB_UMLAUT", "ü")
    files = {name: f"file:{tmp_path}/{file}" for name, file in {"b": "none", "c": "two", "e": "good"}.items()}
    places = {"a": "env:LAB_NOT_SET", "d": "env:LAB_UMLAUT", **files}
    given = ", ".join(f"{name}@https://x.example={place}" for name, place in sorted(places.items()))
    found = unreadable_secrets(replace(Settings(), http_secrets=given).web_secrets)
    assert [line.split("”")[0] for line in found] == [f"The secret “{name}" for name in "abcd"]
    assert str(tmp_path) not in "".join(found)

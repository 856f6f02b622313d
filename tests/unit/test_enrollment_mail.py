"""The invitation mail: its contents, its recipient, and the errors when the mail server does not accept it."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from html import escape
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from aiosmtpd.controller import Controller
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.core.errors import ServiceError
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment.days_in_words import day_in_words
from usher_engine.enrollment.mail import (
    fill_template,
    last_day,
    link_values,
    mail_language,
    patient_values,
    practice_values,
    preview_mail,
)
from usher_engine.enrollment.mail_message import compose, message_id
from usher_engine.enrollment.smtp import RecipientRefused, smtp_sender
from usher_engine.settings import Settings

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
SETTINGS = Settings(
    practice_name="Hill Practice",
    practice_contact="555-0100",
    mail_from="portal@hill.example.org",
    base_url="https://hill.example.org/",
    smtp_security="none",
    smtp_timeout_s=1,
)
PACKAGE = read_folder(Path(__file__).parents[2] / "processes" / "enrollment")


def invitation(
    package: Package = PACKAGE, settings: Settings = SETTINGS, first_name: str = "Ada", language: str = ""
) -> EmailMessage:
    chosen = mail_language(package, "invitation", [language], settings)
    values = {
        **practice_values(settings),
        **patient_values(settings, token="T0K3N", first_name=first_name),
        **link_values(settings, token="T0K3N", expires_at=NOW, language=chosen),
    }
    mail = fill_template(package, "invitation", chosen, values, now=NOW, settings=settings)
    identifier = message_id("i1:SendInvitation:1", settings)
    return compose(
        mail, to="ada@example.org", identifier=identifier, now=NOW, settings=settings, language=chosen,
        opt_out=str(values["opt_out"]),
    )  # fmt: skip


def pair(text: bytes, html: bytes) -> Package:
    """A package with the invitation as two files, as those of Usher 0.2 have it."""
    return Package({"mail/invitation.txt": text, "mail/invitation.html": html})


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_the_mail_of_our_process_contains_what_it_must_and_no_more() -> None:
    message = invitation()
    assert message["To"] == "ada@example.org"
    assert message["From"] == "Hill Practice <portal@hill.example.org>"
    assert "Hill Practice" in message["Subject"]
    assert "Ada" not in message["Subject"]
    for body in parts(message):
        for said in ("Ada", "Hill Practice", "https://hill.example.org/i/T0K3N", "23 November 2026", "555-0100"):
            assert said in body
        assert "https://hill.example.org/i/T0K3N/opt-out" in body


def test_the_message_id_is_the_same_on_every_attempt() -> None:
    assert invitation()["Message-ID"] == invitation()["Message-ID"]
    assert invitation()["Message-ID"].endswith("@hill.example.org>")
    assert message_id("other", SETTINGS) != message_id("i1:SendInvitation:1", SETTINGS)


def test_values_are_escaped_in_html_and_stay_on_one_line() -> None:
    message = invitation(first_name="<b>Ada</b>\r\nBcc: all@example.org" + "x" * 200)
    text, html = parts(message)
    assert "<b>" not in html
    assert "\nBcc:" not in text
    assert message["Bcc"] is None


def test_without_a_subject_line_there_is_a_plain_subject() -> None:
    message = invitation(pair(b"{{ link }}", b"{{ link }}"))
    assert message["Subject"] == "Your invitation to the patient portal of Hill Practice"


@pytest.mark.parametrize(
    "files",
    [
        {"mail/invitation.html": b""},
        {"mail/invitation.txt": b"\xff", "mail/invitation.html": b""},
        {"mail/invitation.txt": b"{{ password }}", "mail/invitation.html": b""},
        {"mail/invitation.txt": b"{{ link", "mail/invitation.html": b""},
    ],
)
def test_a_template_that_cannot_be_filled_is_named(files: dict[str, bytes]) -> None:
    with pytest.raises(ServiceError, match=r"mail/invitation\.txt") as failed:
        invitation(Package(files))
    assert not failed.value.retry


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "not UTF-8"),
        (b"Hello", "line 1: The mail has no subject"),
        (b"---\nsubject: x\n---\n\na\n{{ password }}", "line 6: "),
        (b"---\nsubject: {{ password }}\n---\n\na", "line 2: "),
        (b"---\nsubject: x\n---\n\n[a](javascript:x)", "line 5: A link begins with"),
    ],
)
def test_a_markdown_mail_that_cannot_be_filled_is_named_with_its_line(content: bytes, words: str) -> None:
    with pytest.raises(ServiceError, match=r"mail/invitation\.en\.md") as failed:
        invitation(Package({"mail/invitation.en.md": content}))
    assert words in failed.value.message
    assert not failed.value.retry


def test_a_template_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(ServiceError, match="There are: invitation") as failed:
        mail_language(PACKAGE, "remainder", [], SETTINGS)
    assert not failed.value.retry
    with pytest.raises(ServiceError, match="There are: none"):
        mail_language(Package({"a.bpmn": b""}), "invitation", [], SETTINGS)


@pytest.mark.parametrize(
    ("wish", "practice", "chosen"),
    [("es", "en", "es"), ("es-MX", "en", "es"), ("", "en", "en"), ("", "es", "es"), ("vi", "en", "en"),
     ("vi", "fr", "en"), ("en", "es", "en")],
)  # fmt: skip
def test_a_mail_goes_out_in_the_language_the_patient_prefers(wish: str, practice: str, chosen: str) -> None:
    settings = replace(SETTINGS, mail_language=practice)
    message = invitation(settings=settings, language=wish)
    assert message["Content-Language"] == chosen
    day = {"en": "23 November 2026", "es": "23 de noviembre de 2026"}[chosen]
    assert all(day in body for body in parts(message))
    assert f'<html lang="{chosen}"' in parts(message)[1]


def test_a_template_of_two_files_says_no_language() -> None:
    message = invitation(pair(b"{{ expires }}", b"{{ expires }}"), language="es")
    assert message["Content-Language"] is None
    assert parts(message)[0] == "23 November 2026\n"


def test_one_request_without_a_page_stops_the_mail(server: tuple[Server, Settings]) -> None:
    """RFC 8058; a mail server may sign the two headers, so they go out letter for letter."""
    mail_server, settings = server
    smtp_sender(settings)(invitation(settings=settings))
    (envelope,) = mail_server.received
    raw = envelope.content.replace(b"\r\n ", b" ").decode()
    assert "List-Unsubscribe: <https://hill.example.org/i/T0K3N/opt-out>\r\n" in raw
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    plain = invitation(settings=replace(SETTINGS, base_url="http://127.0.0.1:8000"))
    assert plain["List-Unsubscribe"] == "<http://127.0.0.1:8000/i/T0K3N/opt-out>"
    assert plain["List-Unsubscribe-Post"] is None


def test_an_address_for_stopping_is_written_whole_however_long() -> None:
    settings = replace(SETTINGS, base_url="https://" + "hill." * 40 + "example.org")
    content = invitation(settings=settings).as_bytes().replace(b"\r\n ", b" ").decode()
    assert f"List-Unsubscribe: <{settings.base_url}/i/T0K3N/opt-out>\r\n" in content


def test_a_mail_to_nobody_in_particular_has_nothing_to_stop() -> None:
    mail = fill_template(PACKAGE, "invitation", "en", sample(), now=NOW, settings=SETTINGS)
    message = compose(mail, to="a@b.example", identifier="<x@y>", now=NOW, settings=SETTINGS, language="en", opt_out="")
    assert message["List-Unsubscribe"] is None


def sample() -> dict[str, str]:
    return dict.fromkeys(("practice", "first_name", "link", "expires", "contact", "opt_out"), "https://x.example")


def test_a_preview_is_of_a_patient_who_does_not_exist() -> None:
    text = PACKAGE.text("mail/invitation.es.md")
    shown = preview_mail("mail/invitation.es.md", text, settings=SETTINGS, now=NOW)
    assert "Hola, Sam:" in shown.text and "Hola, Sam:" in shown.html
    assert "23 de diciembre de 2026" in shown.text
    assert preview_mail("mail/a.txt", "<b>{{ first_name }}", settings=SETTINGS, now=NOW).text == "<b>Sam"
    assert preview_mail("mail/a.html", "<b>{{ first_name }}", settings=SETTINGS, now=NOW).html == "<b>Sam"


@pytest.mark.parametrize("sender", ["", "no address", "a@example.org\r\nBcc: b@example.org", "a@x.org, b@x.org"])
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(ServiceError, match="USHER_MAIL_FROM"):
        invitation(settings=replace(SETTINGS, mail_from=sender))


def test_days_are_those_of_the_practice() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert last_day(late, Settings(time_zone="UTC"), "en") == "31 December 2026"
    assert last_day(late, Settings(time_zone="Europe/Vienna"), "es") == "1 de enero de 2027"
    with pytest.raises(ServiceError, match="USHER_TIME_ZONE"):
        last_day(late, Settings(time_zone="Nowhere/At all"), "en")


def test_a_day_of_an_unknown_language_cannot_be_taken_for_another() -> None:
    assert [day_in_words(NOW.date(), tag) for tag in ("en-US", "ES", "und", "vi", "nv")] == [
        "23 November 2026", "23 de noviembre de 2026", "23 November 2026", "23 tháng 11, 2026",
        "2026-11-23",
    ]  # fmt: skip


class Server:
    """A mail server that gives the answer a test sets."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.received: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.received.append(envelope)
        return self.answer


@pytest.fixture
def server() -> Iterator[tuple[Server, Settings]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    mail_server = Server()
    controller = Controller(mail_server, hostname="127.0.0.1", port=port)
    controller.start()
    yield mail_server, replace(SETTINGS, smtp_host="127.0.0.1", smtp_port=port)
    controller.stop()


def test_a_mail_arrives(server: tuple[Server, Settings]) -> None:
    mail_server, settings = server
    smtp_sender(settings)(invitation())
    (envelope,) = mail_server.received
    assert envelope.rcpt_tos == ["ada@example.org"]
    assert b"Message-ID" in envelope.content


@pytest.mark.parametrize(
    ("answer", "retry", "words"),
    [("451 try later, ada@example.org", True, "try again later"), ("550 unknown ada@example.org", False, "for good")],
)
def test_answers_of_the_server(server: tuple[Server, Settings], answer: str, retry: bool, words: str) -> None:
    mail_server, settings = server
    mail_server.answer = answer
    with pytest.raises(ServiceError, match=words) as failed:
        smtp_sender(settings)(invitation())
    assert failed.value.retry is retry
    assert "ada" not in failed.value.message
    assert failed.value.__suppress_context__


def test_a_server_that_cannot_do_tls_gets_nothing(server: tuple[Server, Settings]) -> None:
    mail_server, settings = server
    with pytest.raises(ServiceError, match="USHER_SMTP_SECURITY") as failed:
        smtp_sender(replace(settings, smtp_security="starttls"))(invitation())
    assert not failed.value.retry
    assert mail_server.received == []


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ServiceError, match="cannot be reached") as failed:
            smtp_sender(replace(SETTINGS, smtp_host="127.0.0.1", smtp_port=free.getsockname()[1]))(invitation())
    assert failed.value.retry


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (TimeoutError(), True),
        (smtplib.SMTPServerDisconnected("ada"), True),
        (smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no"), "x": (451, b"later")}), True),
        (smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no")}), False),
        (smtplib.SMTPSenderRefused(553, b"no", "portal"), False),
        (smtplib.SMTPAuthenticationError(535, b"no"), False),
        (smtplib.SMTPAuthenticationError(454, b"later"), True),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), False),
        (ssl.SSLCertVerificationError("wrong name"), False),
        (ssl.SSLError("cut off"), True),
        (socket.gaierror("no such host"), True),
    ],
)
def test_failures_say_whether_a_later_try_may_work(
    error: Exception, retry: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any, **_named: Any) -> Any:
        raise error

    monkeypatch.setattr(smtplib, "SMTP", fail)
    with pytest.raises(ServiceError) as failed:
        smtp_sender(SETTINGS)(invitation())
    assert failed.value.retry is retry
    assert "ada" not in failed.value.message
    is_about_the_address = isinstance(error, smtplib.SMTPRecipientsRefused) and not retry
    assert isinstance(failed.value, RecipientRefused) is is_about_the_address


def test_a_failed_goodbye_does_not_unsend_the_mail(server: tuple[Server, Settings]) -> None:
    mail_server, settings = server

    class Rude(smtplib.SMTP):
        def quit(self) -> Any:
            raise smtplib.SMTPServerDisconnected

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtplib, "SMTP", Rude)
        smtp_sender(settings)(invitation())
    assert len(mail_server.received) == 1


#: Texts people put into templates: short lines and long ones, other scripts, emoji, right to left.
TEXTS = {
    "umlauts": "Grüß Gott,\nöffnen Sie:\n",
    "emoji": "Hello 👋🏽\n",
    "right to left": "שלום, \u200fמרפאה\nمرحبا\n",
    "long line": "x" * 3000 + "\n",
    "long line of umlauts": "ü" * 3000 + "\n",
    "long line of emoji": "👩\u200d👧 " * 500 + "\n",
    "dots and From": ".\nFrom here\n..\n=20\n",
    "spaces at the ends": "a  \nb\t\n",
    "Chinese": "您好，请打开链接。" * 40 + "\n",
    "plain": "Hello,\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_mail_goes_out_in_seven_bits_and_is_read_as_it_was_written(
    text: str, server: tuple[Server, Settings]
) -> None:
    mail_server, settings = server
    words = f"{text}{{{{ practice }}}}\n{{{{ link }}}}\n"
    subject = f"Subject: {text.splitlines()[0][:150].strip()} {{{{ practice }}}}\n\n"
    package = pair((subject + words).encode(), words.encode())
    named = replace(settings, practice_name="Praxis Dr. Müller 🌷 " + "Ärztehaus " * 12)
    smtp_sender(named)(invitation(package, named))
    (envelope,) = mail_server.received
    assert envelope.content.isascii()
    assert "SMTPUTF8" not in envelope.mail_options
    assert "BODY=8BITMIME" not in envelope.mail_options
    assert max(len(line) for line in envelope.content.split(b"\r\n")) <= 998
    read = message_from_bytes(envelope.content, policy=default)
    practice = " ".join(named.practice_name.split())
    expected = f"{text}{practice}\nhttps://hill.example.org/i/T0K3N\n"
    assert [part.replace("\r\n", "\n") for part in parts(read)] == [expected, escape(expected, quote=False)]
    assert _header(envelope.content, "From") == f"{practice} <portal@hill.example.org>"
    written = subject.removeprefix("Subject:").replace("{{ practice }}", practice).strip()
    assert _header(envelope.content, "Subject") == written


def _header(content: bytes, name: str) -> str:
    """A header as RFC 2047 reads it; the newer parser of the library doubles spaces between encoded words."""
    raw = message_from_bytes(content)[name].replace("\r\n", "").lstrip(" ")  # a long one begins on the second line
    return str(make_header(decode_header(raw)))


def test_a_sender_on_an_international_domain_is_written_in_ascii(server: tuple[Server, Settings]) -> None:
    mail_server, settings = server
    ours = replace(settings, mail_from="portal@bücher.example.org")
    smtp_sender(ours)(invitation(settings=ours))
    (envelope,) = mail_server.received
    assert envelope.mail_from == "portal@xn--bcher-kva.example.org"
    assert envelope.content.isascii()
    assert message_id("k", ours).endswith("@xn--bcher-kva.example.org>")


LETTERS = st.sampled_from("abzäßé😀中ש.,:;@()<>\"'=?_")
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=30)


@given(WORDS)
@hypothesis.example(["a"] * 24)
@hypothesis.example(["Hill,", "Smith", "(Downtown)"] * 10)
@hypothesis.example(['"ab"'] * 20)
@hypothesis.settings(deadline=None)
def test_any_practice_and_subject_is_read_as_it_was_written(words: list[str]) -> None:
    named = replace(SETTINGS, practice_name=" ".join(words))
    package = pair(b"Subject: {{ practice }}\n\n.", b".")
    content = invitation(package, named).as_bytes()
    assert content.isascii()
    assert _header(content, "Subject") == named.practice_name
    name, _, address = _header(content, "From").rpartition(" ")
    assert address == "<portal@hill.example.org>"
    is_encoded = b"From: =?utf-8?" in content  # then quotes are part of the name
    assert (name if is_encoded else _unquoted(name)) == named.practice_name


def _unquoted(name: str) -> str:
    """A display name without the quotes that RFC 5322 asks for around special signs."""
    is_quoted = len(name) > 1 and name[0] == name[-1] == '"'
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if is_quoted else name


@pytest.mark.parametrize("times", range(1, 12))
def test_a_long_practice_is_one_sender(times: int) -> None:
    """However long its name, a comma in it begins no other address, and no part of it is taken for one."""
    named = replace(SETTINGS, practice_name=" ".join(["Hill, Smith <hill@other.example.org>"] * times))
    read = message_from_bytes(invitation(settings=named).as_bytes(), policy=default)
    assert [one.addr_spec for one in read["From"].addresses] == ["portal@hill.example.org"]
    assert read["From"].defects == ()


def test_a_sender_may_be_at_a_host_without_a_domain() -> None:
    ours = replace(SETTINGS, mail_from="portal@localhost")
    assert invitation(settings=ours)["From"] == "Hill Practice <portal@localhost>"
    assert message_id("k", ours).endswith("@localhost>")

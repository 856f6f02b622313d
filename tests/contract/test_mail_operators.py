"""`mail/send`, and what templates and languages mean to `invitation/send`: who gets which mail, once, and who none."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from conftest import Clock
from operator_calls import NOON, PACKAGE, House
from usher_engine.core.errors import BusinessError, NotFound, ServiceError
from usher_engine.definitions import Package
from usher_engine.enrollment import invitations, portal_status, sent_mails
from usher_engine.enrollment.smtp import RecipientRefused
from usher_engine.services import Call
from usher_engine.settings import Settings
from usher_engine.store import Database

MAILS = {
    "mail/news.en.md": b"---\nsubject: News of {{ practice }}\n---\n\nDear {{ first_name }}, {{ what }}.\n\n"
                       b"[Stop]({{ opt_out }})",
    "mail/news.es.md": b"---\nsubject: Noticias\n---\n\nHola, {{ first_name }}: {{ what }}.\n\n[Basta]({{ opt_out }})",
    "mail/desk.en.md": b"---\nsubject: For the desk\n---\n\nPlease call. {{ contact }}",
    "mail/desk.es.md": b"---\nsubject: Para la recepcion\n---\n\nLlame. {{ contact }}",
    "mail/again.en.md": b"---\nsubject: Again\n---\n\n[Open]({{ link }}){.button} until {{ expires }}, {{ what }}",
    "mail/invitation.en.md": PACKAGE.files["mail/invitation.en.md"],
    "mail/invitation.es.md": PACKAGE.files["mail/invitation.es.md"],
}  # fmt: skip
SPANISH = [{"language": {"coding": [{"code": "es-MX"}]}, "preferred": True}]


@pytest.fixture
def house(settings: Settings, database: Database, clock: Clock) -> House:
    return House(settings, database, clock)


def send(house: House, *, element: str = "Tell", **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = house.ask("mail/send", element=element, package=Package(MAILS), **given)
    return found


def body(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    return str(text.get_content())


NEWS: dict[str, Any] = {"patient_id": "p1", "template": "news", "values": {"what": "all is well"}}
AGAIN: dict[str, Any] = {**NEWS, "template": "again", "with_link": True}


def test_a_patient_gets_a_mail_once(house: House) -> None:
    done = send(house, **NEWS)
    (mail,) = house.mails
    assert done == {
        "message_id": mail["Message-ID"], "sent_at": NOON, "to": "ada@example.org", "template": "news",
        "language": "en",
    }  # fmt: skip
    assert mail["Subject"] == "News of Our Practice"
    assert body(mail).startswith("Dear Ada, all is well.\n")
    house.clock.forward(days=1)
    house.save(communication=SPANISH)
    assert send(house, **NEWS) == done and len(house.mails) == 1


def test_a_value_of_the_case_is_text(house: House) -> None:
    send(house, **{**NEWS, "values": {"what": "[x](https://evil.example) <b>"}})
    (mail,) = house.mails
    html = mail.get_body(("html",))
    assert html is not None
    assert "[x](https://evil.example) &lt;b&gt;" in html.get_content()


@pytest.mark.parametrize(
    ("given", "spoken", "chosen"),
    [(None, SPANISH, "es"), ("en", SPANISH, "en"), ("vi", SPANISH, "es"), (None, None, "en"), ("", SPANISH, "es")],
)
def test_the_language_is_given_or_preferred_or_the_practices(
    house: House, given: str | None, spoken: Any, chosen: str
) -> None:
    house.save(communication=spoken)
    assert send(house, **NEWS, language=given)["language"] == chosen
    assert house.mails[0]["Content-Language"] == chosen
    assert house.ask("invitation/send", package=Package(MAILS), patient_id="p1", language=given)["language"] == chosen


def test_an_invitation_from_another_template(house: House) -> None:
    package = Package({**MAILS, "mail/child.en.md": b"---\nsubject: For your child\n---\n\n[Open]({{ link }})"})
    done = house.ask("invitation/send", package=package, patient_id="p1", template="child")
    assert (done["template"], done["language"]) == ("child", "en")
    assert house.mails[0]["Subject"] == "For your child"


def test_a_mail_with_a_link_is_an_invitation_of_its_own(house: House) -> None:
    first = house.sent("First")
    done = send(house, **AGAIN)
    assert done["expires_at"] == first["expires_at"]
    token = invitations.token_for(house.settings.secret_key, "I:Tell:1")
    assert f"{house.settings.base_url}/i/{token}" in body(house.mails[1])
    assert send(house, **AGAIN) == done and len(house.mails) == 2
    with house.database.read() as tx:
        both = {one.message_id: one.is_usable(house.clock()) for one in invitations.of_patient(tx, "p1")}
    assert both == {first["message_id"]: True, done["message_id"]: True}, "the earlier one works until this is recorded"
    house.ask("patient/record-pending", patient_id="p1", invitation=done)
    with house.database.read() as tx:
        both = {one.message_id: one.is_usable(house.clock()) for one in invitations.of_patient(tx, "p1")}
    assert both == {first["message_id"]: False, done["message_id"]: True}


def test_an_address_gets_a_mail_without_anything_of_a_patient(house: House) -> None:
    done = send(house, address=" Desk@Bücher.example.org ", template="desk")
    assert (done["to"], done["language"]) == ("Desk@xn--bcher-kva.example.org", "en")
    (mail,) = house.mails
    assert mail["List-Unsubscribe"] is None
    assert send(house, address="desk@example.org", template="desk", language="es", element="B")["language"] == "es"
    with pytest.raises(ServiceError, match=r"mail/news\.en\.md"):
        send(house, address="desk@example.org", template="news", values={"what": "x"}, element="C")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"template": "desk"}, "name one"),
        ({"template": "desk", "patient_id": "p1", "address": "a@example.org"}, "name one"),
        ({"template": "desk", "patient_id": " ", "address": None}, "name one"),
        ({"template": "again", "address": "a@example.org", "with_link": True}, "Only a mail to a patient"),
        ({"template": "nothing", "patient_id": "p1"}, "no mail template “nothing”. There are: again, desk"),
        ({**NEWS, "values": {"link": "https://evil.example"}}, "“link” of a mail is Usher's own"),
        ({**NEWS, "values": None}, "what"),
        ({**AGAIN, "with_link": False}, "line 5"),
    ],
)
def test_a_mail_that_cannot_be_made_is_an_incident_with_its_reason(
    house: House, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServiceError) as failed:
        send(house, **given)
    assert words in failed.value.message
    assert not failed.value.retry
    assert house.mails == []


# who gets none


@pytest.mark.parametrize(
    "changes",
    [{"deceasedBoolean": True}, {"active": False}, {"link": [{"type": "replaced-by", "other": {"reference": "x"}}]}],
)
@pytest.mark.parametrize("given", [NEWS, AGAIN])
def test_whom_the_record_forbids_to_write_to_gets_none(
    house: House, changes: dict[str, Any], given: dict[str, Any]
) -> None:
    house.save(**changes)
    with pytest.raises(BusinessError) as refused:
        send(house, **given)
    assert refused.value.code == "not-eligible" and house.mails == []


@pytest.mark.parametrize("scope", ["practice", "address"])
@pytest.mark.parametrize("given", [NEWS, AGAIN, {"address": "ADA@example.org", "template": "desk"}])
def test_who_has_opted_out_gets_none(house: House, scope: str, given: dict[str, Any]) -> None:
    with house.database.begin() as tx:
        if scope == "practice":
            portal_status.set_practice_opt_out(tx, "p1", True, by="t", now=house.clock())
        else:
            portal_status.opt_out_address(tx, "ada@example.org", by="t", now=house.clock())
    if scope == "practice" and "address" in given:
        assert send(house, **given)["to"]  # the address is not on the list: it may be anybody's
        return
    with pytest.raises(BusinessError) as refused:
        send(house, **given)
    assert refused.value.code == "not-eligible" and house.mails == []


@pytest.mark.parametrize("status", ["Completed", "Declined"])
def test_only_a_mail_with_a_link_asks_for_the_status(house: House, status: str) -> None:
    house.status(status)
    assert send(house, **NEWS)["to"] == "ada@example.org"
    with pytest.raises(BusinessError, match=status) as refused:
        send(house, **AGAIN, element="B")
    assert refused.value.code == "not-eligible"


@pytest.mark.parametrize("address", ["", "ada", "a@example.org, b@example.org", "jürgen@example.org"])
@pytest.mark.parametrize("given", [NEWS, AGAIN])
def test_a_patient_without_an_address_is_for_the_diagram_to_handle(
    house: House, address: str, given: dict[str, Any]
) -> None:
    house.save(telecom=[{"system": "email", "value": address}] if address else [])
    with pytest.raises(BusinessError) as refused:
        send(house, **given)
    assert refused.value.code == "no-address"
    assert "example" not in refused.value.message


def test_an_address_that_is_none_is_for_the_diagram_to_handle(house: House) -> None:
    with pytest.raises(BusinessError) as refused:
        send(house, address="the desk", template="desk")
    assert refused.value.code == "no-address"


@pytest.mark.parametrize("given", [NEWS, AGAIN])
def test_an_address_the_mail_server_refuses_is_for_the_diagram_to_handle(house: House, given: dict[str, Any]) -> None:
    def refuse(_: EmailMessage) -> None:
        raise RecipientRefused(550)

    call = Call(instance="I", element="Tell", visit=1, now=house.clock(), actor="alice", package=Package(MAILS))
    with pytest.raises(BusinessError, match="550") as refused:
        house.operator("mail/send", send_mail=refuse).call(given, call)
    assert refused.value.code == "no-address"
    house.save(telecom=[{"system": "email", "value": "new@example.org"}])
    assert send(house, **given)["to"] == "new@example.org", "the next attempt takes the address of then"


def test_an_invitation_to_no_address_stays_an_incident(house: House) -> None:
    """`invitation/send` declares one refusal only: diagrams of Usher 0.2 catch no other."""
    house.save(telecom=[])
    with pytest.raises(ServiceError, match="e-mail address is missing"):
        house.sent()


# stopping


@pytest.mark.parametrize("given", [NEWS, AGAIN])
def test_each_mail_to_a_patient_carries_the_way_to_stop_it(house: House, given: dict[str, Any]) -> None:
    send(house, **given)
    (mail,) = house.mails
    purpose = "invitation" if "with_link" in given else "opt-out"
    token = invitations.token_for(house.settings.secret_key, "I:Tell:1", purpose=purpose)
    assert mail["List-Unsubscribe"] == f"<{house.settings.base_url}/i/{token}/opt-out>"
    with house.database.read() as tx:
        found = invitations.find_by_token(tx, token) or sent_mails.by_token(tx, token)
    assert (found.instance, found.address) == ("I", "ada@example.org")


def test_the_way_to_stop_a_plain_mail_opens_no_invitation(house: House) -> None:
    send(house, **NEWS)
    token = invitations.token_for(house.settings.secret_key, "I:Tell:1", purpose="opt-out")
    with house.database.read() as tx, pytest.raises(NotFound):
        invitations.identifiable(tx, token, house.clock())


def test_a_purged_case_leaves_no_address_behind(house: House) -> None:
    send(house, **NEWS)
    with house.database.begin() as tx:
        sent_mails.forget_case(tx, "I")
        assert sent_mails.find_by_key(tx, "I:Tell:1") is None

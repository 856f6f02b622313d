"""The operators of the enrolment by themselves: the shapes diagrams and examples rely on, and what each refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import Clock
from operator_calls import NOON, NOT_ENROLLED, PACKAGE, PENDING, House
from usher_engine.core.errors import BusinessError, NotFound, ServiceError
from usher_engine.definitions import Package
from usher_engine.enrollment import FIELDS, PatientRecord, Registry, invitations, patient_registry, portal_status
from usher_engine.enrollment.enrollment_operators import operators
from usher_engine.services import Call, checked_answer
from usher_engine.settings import Settings
from usher_engine.store import Database, to_text


@pytest.fixture
def house(settings: Settings, database: Database, clock: Clock) -> House:
    return House(settings, database, clock)


def test_what_a_diagram_may_ask_for(house: House) -> None:
    """Names, modes and parameters are public: a deployed diagram calls them for years."""
    found = operators(
        settings=house.settings, directory=house.registry, database=house.database, send_mail=house.mails.append
    )
    results = {
        one.name: (one.mode.value, {p.name: (p.kind, p.required) for p in one.parameters}, tuple(one.errors))
        for one in found
    }
    patient = {"patient_id": ("text", True)}
    record = ("record", True)
    assert results == {
        "patient/load": ("read", patient, ()),
        "patient/missing": ("derived", {"patient": record, "form": ("text", True)}, ()),
        "patient/update": ("write", {**patient, "values": record}, ()),
        "patient/reopen": ("write", patient, ()),
        "patient/remove-response": ("write", {**patient, "reason": ("text", True)}, ()),
        "invitation/send": (
            "effect", {**patient, "template": ("text", False), "language": ("text", False)}, ("not-eligible",),
        ),
        "mail/send": (
            "effect",
            {
                "patient_id": ("text", False), "address": ("text", False), "group": ("text", False),
                "template": ("text", True), "language": ("text", False), "values": ("record", False),
                "with_link": ("boolean", False),
            },
            ("not-eligible", "no-address"),
        ),
        "invitation/look-up": ("read", {"message_id": ("text", True)}, ()),
        "patient/record-pending": (
            "write", {**patient, "invitation": record, "requested_by": ("text", False)}, (),
        ),
    }  # fmt: skip
    assert all(one.title for one in found), "the editor lists them by title"
    assert all(parameter.help for one in found for parameter in one.parameters), "and explains each field"


# patient/load


def test_a_patient_is_loaded_with_fields_and_status(house: House) -> None:
    loaded = house.ask("patient/load", patient_id="p1")
    assert list(loaded["fields"]) == list(FIELDS)
    assert {**loaded, "fields": {key: value for key, value in loaded["fields"].items() if value}} == {
        "id": "p1", "status": NOT_ENROLLED, "guard": None, "requested_at": None, "requested_by": None, "sends": 0,
        "response": None, "version": 1, "link": None,
        "fields": {
            "first_name": "Ada", "last_name": "Sample", "birth_date": "1980-02-29", "zip_code": "10001",
            "email": "ada@example.org", "birth_sex": "F", "gender": "female",
        },
    }  # fmt: skip


def test_a_patient_nobody_knows_is_unavailable(house: House) -> None:
    found = house.ask("patient/load", patient_id="p2")
    assert (found["id"], found["status"], found["version"]) == ("p2", "Unavailable", 0)


@pytest.mark.parametrize("failure", [NotFound("gone"), ServiceError("away", retry=True)])
def test_a_directory_that_does_not_answer_makes_a_patient_unavailable(house: House, failure: Exception) -> None:
    class Away(Registry):
        def load(self, *_: Any, **__: Any) -> PatientRecord:
            raise failure

    call = Call(instance="I", element="E", visit=1, now=house.clock(), actor="alice", package=PACKAGE)
    found = house.operator("patient/load", directory=Away(house.settings)).call({"patient_id": "p1"}, call)
    assert isinstance(found, dict) and (found["id"], found["status"]) == ("p1", "Unavailable")


# patient/missing


LABELS = {"first_name": "First name", "zip_code": "ZIP code", "email": "E-mail", "x": "X", "id": "ID"}
FORM = json.dumps(
    {
        "type": "default",
        "components": [
            {"type": "textfield", "key": "mobile", "label": "Mobile"},
            *(
                {"type": "textfield", "key": key, "label": label, "validate": {"required": True}}
                for key, label in LABELS.items()
            ),
        ],
    }
)


def missing(house: House, patient: dict[str, Any]) -> Any:
    package = Package({**PACKAGE.files, "short.form": FORM.encode()})
    return house.ask("patient/missing", package=package, patient=patient, form="short.form")


def test_missing_fields_are_named_as_in_a_sentence(house: House) -> None:
    full = {"first_name": "Ada", "zip_code": "10001", "email": "ada@example.org", "x": "x", "id": "7"}
    assert missing(house, {"fields": full}) == {"keys": [], "labels": [], "text": ""}
    without_one = missing(house, {"fields": {**full, "zip_code": ""}})
    assert without_one == {"keys": ["zip_code"], "labels": ["ZIP code"], "text": "ZIP code"}
    without_two = missing(house, {"fields": {**full, "first_name": " ", "email": ""}})
    assert without_two == {
        "keys": ["first_name", "email"], "labels": ["first name", "e-mail"], "text": "first name and e-mail",
    }  # fmt: skip
    without_more = missing(house, {"fields": {"mobile": "x"}})
    assert without_more["labels"] == ["first name", "ZIP code", "e-mail", "x", "ID"]
    assert without_more["text"] == "first name, ZIP code, e-mail, x and ID"


@pytest.mark.parametrize("patient", [{}, {"fields": None}, {"fields": []}, {"fields": "text"}])
def test_a_record_without_fields_misses_all_of_them(house: House, patient: dict[str, Any]) -> None:
    assert missing(house, patient)["keys"] == list(LABELS)


# patient/update


def test_a_correction_returns_what_it_changed(house: House) -> None:
    done = house.ask("patient/update", patient_id="p1", values={"first_name": "Adele", "zip_code": "10001"})
    assert done == {"changed": ["first_name"], "version": 2}
    assert house.patient.fields(house.clock(), house.settings)["first_name"] == "Adele"
    with house.database.read() as tx:
        row = patient_registry.find(tx, "p1")
    assert (row.changed_by, row.changed_at) == ("alice", to_text(house.clock()))
    assert house.ask("patient/update", patient_id="p1", values={"first_name": "Adele"}) == {"changed": [], "version": 2}


# patient/remove-response


@pytest.mark.parametrize("until", [None, date(2026, 6, 1)])
def test_a_response_is_removed_with_a_reason(house: House, until: date | None) -> None:
    status = "Deferred" if until else "Declined"
    with house.database.begin() as tx:
        portal_status.add_response(tx, "p1", status, until=until, terms="1", now=house.clock(), instance="I")
    house.clock.forward(days=1)
    done = house.ask("patient/remove-response", patient_id="p1", reason=" She called. ")
    assert done == {
        "removed": {"status": status, "at": NOON, "until": "2026-06-01" if until else None}, "status": NOT_ENROLLED,
    }  # fmt: skip
    assert house.patient.status == NOT_ENROLLED
    with house.database.read() as tx:
        (kept,) = portal_status.answers(tx, "p1")
    assert (kept.removed_by, kept.removed_reason, kept.removed_at) == ("alice", "She called.", house.clock())


def test_where_no_response_stands_nothing_is_removed(house: House) -> None:
    house.status("Completed")
    done = house.ask("patient/remove-response", patient_id="p1", reason="x")
    assert done == {"removed": {"status": "", "at": None, "until": None}, "status": "Completed"}
    assert house.patient.status == "Completed"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_response_is_not_removed_without_a_reason(house: House, reason: str) -> None:
    with house.database.begin() as tx:
        portal_status.add_response(tx, "p1", "Declined", until=None, terms="1", now=house.clock(), instance="I")
    with pytest.raises(ServiceError, match="needs a reason") as refused:
        house.ask("patient/remove-response", patient_id="p1", reason=reason)
    assert refused.value.retry is False
    assert house.patient.status == "Declined"


# invitation/send


def test_an_invitation_goes_out_once(house: House) -> None:
    sent = house.sent()
    (mail,) = house.mails
    assert sent == {
        "message_id": mail["Message-ID"], "sent_at": NOON, "expires_at": "2026-06-03T23:59:59Z",
        "to": "ada@example.org", "template": "invitation", "language": "en",
    }  # fmt: skip
    assert mail["To"] == "ada@example.org"
    text = mail.get_body(("plain",))
    assert text is not None
    token = invitations.token_for(house.settings.secret_key, "I:Send:1")
    assert f"{house.settings.base_url}/i/{token}" in text.get_content() and "Ada" in text.get_content()
    with house.database.read() as tx:
        (kept,) = invitations.of_patient(tx, "p1")
    assert (kept.key, kept.instance, kept.sent_at) == ("I:Send:1", "I", house.clock())
    house.clock.forward(days=1)
    assert house.sent() == sent and len(house.mails) == 1


def test_one_already_sent_is_not_judged_again(house: House) -> None:
    """The mail is out: what has become of the patient meanwhile does not unsend it."""
    sent = house.sent()
    house.status("Completed")
    assert house.sent() == sent and len(house.mails) == 1


def test_one_the_mail_server_did_not_take_is_tried_again_as_the_patient_is_then(house: House) -> None:
    def away(_: EmailMessage) -> None:
        raise ServiceError("The mail server is away.", retry=True)

    call = Call(instance="I", element="Send", visit=1, now=house.clock(), actor="alice", package=PACKAGE)
    with pytest.raises(ServiceError, match="away"):
        house.operator("invitation/send", send_mail=away).call({"patient_id": "p1"}, call)
    house.save(telecom=[{"system": "email", "value": "new@example.org"}])
    house.clock.forward(days=1)
    sent = house.sent()
    assert (sent["to"], sent["sent_at"], sent["expires_at"]) == (
        "new@example.org", "2026-05-05T09:02:00Z", "2026-06-04T23:59:59Z",
    )  # fmt: skip
    assert [mail["To"] for mail in house.mails] == ["new@example.org"]
    with house.database.read() as tx:
        assert len(invitations.of_patient(tx, "p1")) == 1


def test_a_link_that_was_used_is_not_sent_again(house: House) -> None:
    """The mail arrived, and the worker died before it could note that; the patient was faster than the next try."""

    def dies(message: EmailMessage) -> None:
        house.mails.append(message)
        raise ServiceError("The worker died.", retry=True)

    call = Call(instance="I", element="Send", visit=1, now=house.clock(), actor="alice", package=PACKAGE)
    with pytest.raises(ServiceError, match="died"):
        house.operator("invitation/send", send_mail=dies).call({"patient_id": "p1"}, call)
    with house.database.begin() as tx:
        kept = invitations.by_key(tx, "I:Send:1")
        invitations.mark_used(tx, kept.token_hash, house.clock())
    house.status("Completed")
    house.clock.forward(minutes=3)
    assert house.sent() == {
        "message_id": kept.message_id, "sent_at": "2026-05-04T09:05:00Z", "expires_at": "2026-06-03T23:59:59Z",
        "to": "ada@example.org", "template": "invitation", "language": "",
    }  # fmt: skip
    assert len(house.mails) == 1


@pytest.mark.parametrize("status", ["Completed", "Declined", "Deferred", "Locked or Expired", "Unavailable", None])
def test_only_who_may_be_invited_is(house: House, status: str | None) -> None:
    house.status(status)
    with pytest.raises(BusinessError) as refused:
        house.sent()
    assert refused.value.code == "not-eligible"
    assert refused.value.message == f"The portal status has become “{status or 'Unavailable'}” meanwhile."
    assert house.mails == []


def test_what_speaks_against_an_invitation_is_asked_again_when_it_goes_out(house: House) -> None:
    house.save(deceasedBoolean=True)
    with pytest.raises(BusinessError, match="deceased") as refused:
        house.sent()
    assert refused.value.code == "not-eligible" and house.mails == []


def test_a_pending_patient_gets_another_one(house: House) -> None:
    house.status(PENDING)
    assert house.sent()["to"] == "ada@example.org"


@pytest.mark.parametrize("born", ["1980", "1980-02", None])
def test_an_unknown_age_stops_the_mail(house: House, born: str | None) -> None:
    house.save(birthDate=born)
    with pytest.raises(ServiceError, match="date of birth is not complete") as refused:
        house.sent()
    assert refused.value.retry is False and house.mails == []


# patient/record-pending


def pending(house: House, sent: dict[str, Any], **given: Any) -> Any:
    return house.ask("patient/record-pending", patient_id="p1", invitation=sent, **given)


def test_a_patient_is_pending_from_the_first_mail_on(house: House) -> None:
    sent = house.sent()
    house.clock.forward(minutes=5)
    assert pending(house, sent) == {"status": PENDING, "requested_at": "2026-05-04T09:07:00Z"}
    found = house.patient
    assert (found.status, found.requested_by, found.requested_at, found.sends) == (PENDING, "alice", house.clock(), 1)
    house.clock.forward(days=1)
    assert pending(house, house.sent("Again")) == {"status": PENDING, "requested_at": "2026-05-04T09:07:00Z"}
    assert house.patient.sends == 2


@pytest.mark.parametrize(("given", "name"), [({"requested_by": "bob"}, "bob"), ({"requested_by": ""}, "alice"),
                                             ({"requested_by": None}, "alice"), ({}, "alice")])  # fmt: skip
def test_the_request_is_of_the_one_who_asked(house: House, given: dict[str, Any], name: str) -> None:
    pending(house, house.sent(), **given)
    assert house.patient.requested_by == name
    with house.database.read() as tx:
        assert patient_registry.find(tx, "p1").changed_by == "alice"


def test_an_invitation_is_looked_up_by_its_mail(house: House) -> None:
    sent = house.sent()
    found = house.ask("invitation/look-up", message_id=sent["message_id"])
    assert found == {"state": "open", "sent_at": sent["sent_at"], "expires_at": sent["expires_at"]}
    pending(house, house.sent("Second"))
    assert house.ask("invitation/look-up", message_id=sent["message_id"])["state"] == "replaced"
    nobody = {"state": "unknown", "sent_at": None, "expires_at": None}
    assert house.ask("invitation/look-up", message_id="<x@y>") == nobody


def test_only_the_newest_link_works(house: House) -> None:
    first = house.sent("First")
    pending(house, first)
    second = house.sent("Second")
    pending(house, second)
    with house.database.read() as tx:
        works = {found.message_id: found.is_usable(house.clock()) for found in invitations.of_patient(tx, "p1")}
    assert works == {first["message_id"]: False, second["message_id"]: True}


def test_an_answer_that_came_before_the_report_stands(house: House) -> None:
    sent = house.sent()
    with house.database.begin() as tx:
        (kept,) = invitations.of_patient(tx, "p1")
        invitations.mark_used(tx, kept.token_hash, house.clock())
    assert pending(house, sent) == {"status": NOT_ENROLLED, "requested_at": NOON}
    assert (house.patient.status, house.patient.sends) == (NOT_ENROLLED, 0)


def test_a_mail_nobody_knows_is_recorded_all_the_same(house: House) -> None:
    """An example or another version may have sent it; no link of ours is left working."""
    house.sent()
    for invitation in ({}, {"message_id": None}, {"message_id": "<x@y>"}):
        assert pending(house, invitation)["status"] == PENDING
    with house.database.read() as tx:
        assert not any(found.is_usable(house.clock()) for found in invitations.of_patient(tx, "p1"))


def test_every_operator_declares_its_shapes_and_an_answer_of_another_shape_is_a_fault(house: House) -> None:
    found = operators(
        settings=house.settings, directory=house.registry, database=house.database, send_mail=house.mails.append
    )
    assert not [problem for operator in found for problem in operator.declaration_problems()]
    assert all(operator.result for operator in found)
    load = house.operator("patient/load")
    broken = replace(load, call=lambda _given, _call: {**house.ask("patient/load", patient_id="p1"), "sends": "one"})
    call = Call(instance="I", element="E", visit=1, now=house.clock(), actor="alice", package=PACKAGE)
    with pytest.raises(ServiceError, match=r"The answer of patient/load\.sends must be a whole number\."):
        checked_answer(broken, {"patient_id": "p1"}, call)

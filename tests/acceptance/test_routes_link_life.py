"""The life of a link as staff see it, and how an invitation is withdrawn."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from acceptance.conftest import House, Visitor

ADA = "sample-complete"


def invited(house: House, patient: str = ADA) -> str:
    """The path of the link that *patient* got."""
    house.select(patient)
    house.worker.run_due()
    return house.postbox.link


def withdrawal(house: House, patient: str = ADA) -> tuple[str, str]:
    """The path of the page that asks, and the Message-ID of the mail."""
    mail = house.enrollment.invitations(patient)[0].message_id
    return f"/invitations/{patient}/withdraw", mail


def moments(page: Any) -> list[str]:
    found = re.findall(r"<b>\s*<span class=\"sr\">[^<]*</span>\s*([^<]*?)\s*</b>", page.text)
    return [html.unescape(one).strip() for one in found]


def test_staff_see_the_life_of_the_link_on_patient_task_and_case(house: House) -> None:
    link = invited(house)
    case = house.enrollment.engine.queries.instances()[0].id
    patient = Visitor(house.app.test_client())
    patient.get(link)
    assert moments(house.visitor("alice").get(f"/patients/{ADA}")) == ["Sent", "Expires"]  # a fetch is no opening
    patient.post(f"{link}/opened")
    house.clock.forward(minutes=5)
    patient.post(link, {**house.identity_of(ADA), "zip_code": "00000"})
    house.clock.forward(minutes=5)
    expected = ["Sent", "Opened", "1 wrong try", "Expires"]
    house.select(ADA)
    task = house.newest_task()
    for page in (f"/patients/{ADA}", f"/inbox/{task}", f"/cases/{case}"):
        shown = house.visitor("alice").get(page)
        assert moments(shown) == expected, page
        assert "ZIP code 1×" in shown.text and "00000" not in shown.text
    assert moments(house.visitor("audrey").get(f"/cases/{case}")) == expected
    assert "Withdraw…" not in house.visitor("audrey").get(f"/cases/{case}").text


def test_an_invitation_is_withdrawn_with_a_reason(house: House) -> None:
    link = invited(house)
    alice, (page, mail) = house.visitor("alice"), withdrawal(house)
    asked = alice.get(f"{page}?mail={quote(mail)}")
    assert "The link stops working at once." in asked.text and "ada@example.org" in asked.text
    done = alice.post(page, {"mail": mail, "why": "wrong-person", "reason": " Meant for Ben. "})
    assert done.request.path == f"/patients/{ADA}"
    assert "The invitation was withdrawn." in done.text and "Not Enrolled" in done.text
    assert "“It went to the wrong person. Meant for Ben.”" in done.text
    gone = Visitor(house.app.test_client()).get(link)
    assert "This invitation was withdrawn" in gone.text and "wrong person" not in gone.text
    case = house.enrollment.invitations(ADA)[0].instance
    assert "alice withdrew the invitation" in house.visitor("audrey").get(f"/cases/{case}").text
    assert "has withdrawn this invitation already" in alice.post(page, {"mail": mail, "why": "asked"}).text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose one of the reasons."),
        ({"why": "no such"}, "Choose one of the reasons."),
        ({"why": "else", "reason": "  "}, "Say why, in 1 to 1000 characters."),
        ({"why": "else", "reason": "x" * 1_001}, "Say why, in 1 to 1000 characters."),
    ],
)
def test_without_a_reason_nothing_is_withdrawn(house: House, given: dict[str, str], words: str) -> None:
    invited(house)
    page, mail = withdrawal(house)
    answer = house.visitor("alice").post(page, {"mail": mail, **given})
    assert answer.status_code == 422 and words in answer.text
    assert house.enrollment.patient(ADA).status == "Pending"


def test_an_invitation_of_somebody_else_is_not_found(house: House) -> None:
    invited(house)
    _, mail = withdrawal(house)
    alice = house.visitor("alice")
    assert alice.post("/invitations/sample-complete-2/withdraw", {"mail": mail, "why": "asked"}).status_code == 404
    assert alice.get(f"/invitations/{ADA}/withdraw?mail=other").status_code == 404
    assert house.visitor("audrey").get(f"/invitations/{ADA}/withdraw?mail={quote(mail)}").status_code == 403
    assert house.enrollment.patient(ADA).status == "Pending"


def test_an_expired_link_asks_staff_what_to_do(house: House) -> None:
    invited(house)
    house.clock.forward(days=40)
    house.enrollment.links.close_due()
    alice = house.visitor("alice")
    page = alice.get(f"/inbox/{house.newest_task()}")
    assert "Send New Link" in page.text and "Locked or Expired" in page.text
    assert "has expired on 3 June 2026 without an answer" in page.text
    assert moments(page) == ["Sent", "Expired"]
    alice.post(f"/inbox/{house.newest_task()}/complete")
    house.worker.run_due()
    assert len(house.postbox.mails) == 2
    assert house.enrollment.patient(ADA).status == "Pending"

"""The patient's pages: one for each state of a link, in the patient's language, with nothing typed lost."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from acceptance.conftest import House, Visitor, typed
from babel.support import Translations
from usher_engine.enrollment import TERMS_VERSION
from usher_web import message_catalogs

ADA = "sample-complete"
WRONG = typed("00000", "1900-01-01")


def invited(house: House, patient: str = ADA) -> str:
    house.select(patient)
    house.worker.run_due()
    return house.postbox.link


def visitor(house: House, language: str = "") -> Visitor:
    made = Visitor(house.app.test_client())
    if language:
        made.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    return made


def speaks(house: House, language: str, patient: str = ADA) -> None:
    """The record names this language."""
    with house.enrollment.engine.database.begin() as tx:
        house.enrollment.registry.update(tx, patient, {"language": language}, by="test", now=house.clock())


def heading(page: Any) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return html.unescape(" ".join(found[1].split())) if found else ""


def language_of(page: Any) -> str:
    found = re.search(r'<html lang="([^"]*)"', page.text)
    return found[1] if found else ""


def proof_in(page: Any) -> str:
    return str(page.text.split('name="proof" value="')[1].split('"')[0])


# languages


@pytest.mark.parametrize(
    ("record", "browser", "expected"),
    [
        ("", "", "en"),
        ("", "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("es", "en-US", "es"),
        ("en", "es", "en"),
        ("vi", "es", "es"),
        ("", "fr,de", "en"),
    ],
)
def test_the_language_is_the_records_then_the_browsers(
    house: House, record: str, browser: str, expected: str
) -> None:
    link = invited(house)
    if record:
        speaks(house, record)
    page = visitor(house, browser).get(link)
    assert language_of(page) == page.headers["Content-Language"] == expected
    assert heading(page) == {
        "en": "Your invitation to the patient portal", "es": "Su invitación al portal del paciente",
    }[expected]  # fmt: skip


def test_a_stranger_reads_the_browsers_language_only(house: House) -> None:
    speaks(house, "es")
    page = visitor(house, "en").get(f"/i/{'x' * 43}")
    assert (page.status_code, language_of(page)) == (404, "en")
    assert heading(visitor(house, "es").get("/i/guess")) == "Este enlace no se puede usar"


def test_the_other_language_keeps_what_was_typed_and_costs_no_try(house: House) -> None:
    link, patient = invited(house), visitor(house)
    sent = {"zip_code": "97210", "birth_month": "May", "birth_day": "4", "birth_year": "1981", "lang": "en"}
    page = patient.post(link, {**sent, "switch": "es"})
    assert (page.status_code, language_of(page)) == (200, "es")
    for text in ("97210", "May", '"4"', "1981"):
        assert text in page.text
    assert house.enrollment.invitations(ADA)[0].wrong_tries == 0
    wrong = patient.post(link, {**WRONG, "lang": "es"})
    assert "Le quedan 4 intentos" in wrong.text and language_of(wrong) == "es"


def test_the_answer_in_spanish_from_the_first_page_to_the_last(house: House) -> None:
    link, patient = invited(house), visitor(house, "es")
    asked = patient.post(link, house.identity_of(ADA))
    assert heading(asked) == "¿Quiere usar nuestro portal del paciente?"
    sent = {"proof": proof_in(asked), "answer": "defer", "until": "2026-06-01", "terms": TERMS_VERSION}
    english = patient.post(f"{link}/answer", {**sent, "switch": "en"})
    assert language_of(english) == "en" and "2026-06-01" in english.text
    assert house.enrollment.patient(ADA).status == "Pending"
    done = patient.post(f"{link}/answer", sent)
    assert heading(done) == "Preguntaremos de nuevo el 1 de junio de 2026"
    again = patient.post(f"{link}/answer", {**sent, "lang": "en"})
    assert heading(again) == "We ask again on 1 June 2026"


def test_a_script_from_right_to_left_turns_the_page_round(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pseudo(Translations):
        def ugettext(self, message: str) -> str:
            return f"\u202e{message}\u202c"

        def ungettext(self, one: str, many: str, number: int) -> str:
            return self.ugettext(one if number == 1 else many)

    plain = message_catalogs.catalogue
    monkeypatch.setattr(message_catalogs, "languages", lambda: ("en", "ar"))
    monkeypatch.setattr(message_catalogs, "catalogue", lambda tag: Pseudo() if tag == "ar" else plain(tag))
    link, patient = invited(house), visitor(house, "ar")
    for page in (patient.get(link), patient.post(link, WRONG), patient.post(link, house.identity_of(ADA))):
        assert '<html lang="ar" dir="rtl">' in page.text
        assert "\u202e" in heading(page)
    assert 'dir="ltr"' in visitor(house).get(link).text


# who are you


@pytest.mark.parametrize(
    ("month", "day", "year"),
    [("1", "1", "2002"), ("01", "01", "2002"), ("January", "1", "2002"), ("jan.", "1", "2002"), ("ENERO", "1", "2002"),
     (" Jan ", " 1 ", "2002"), ("\uff11", "\uff10\uff11", "\uff12\uff10\uff10\uff12")],
)  # fmt: skip
def test_a_birth_date_is_taken_as_people_type_it(house: House, month: str, day: str, year: str) -> None:
    link = invited(house)
    assert house.known_of(ADA)["birth_date"] == "2002-01-01"
    sent = {"zip_code": "\uff11\uff10\uff10\uff10\uff11", "birth_month": month, "birth_day": day, "birth_year": year}
    assert heading(visitor(house).post(link, sent)) == "Would you like to use our patient portal?"


@pytest.mark.parametrize(
    "wrong",
    [{"birth_day": "31", "birth_month": "2"}, {"birth_month": "Smarch"}, {"birth_year": "81"}, {"birth_year": ""},
     {"birth_day": "x"}, {"birth_year": "99999"}],
)  # fmt: skip
def test_what_is_no_date_costs_no_try_and_keeps_everything(house: House, wrong: dict[str, str]) -> None:
    link = invited(house)
    sent = {"zip_code": "10001", "birth_month": "1", "birth_day": "1", "birth_year": "2002", **wrong}
    page = visitor(house).post(link, sent)
    assert page.status_code == 422
    assert "Enter the month, the day and the year of your birth." in page.text
    assert 'value="10001"' in page.text
    assert house.enrollment.invitations(ADA)[0].wrong_tries == 0


def test_a_wrong_try_keeps_both_and_tells_the_tries_left_but_not_which(house: House) -> None:
    link, patient = invited(house), visitor(house)
    known = house.identity_of(ADA)
    pages = [patient.post(link, {**known, "zip_code": "00000"}), patient.post(link, {**known, "birth_day": "2"})]
    for page, left in zip(pages, (4, 3), strict=True):
        assert page.status_code == 422
        assert f"Please check both. {left} tries are left" in page.text
        assert f'value="{known["birth_year"]}"' in page.text
    for _ in range(2):
        page = patient.post(link, WRONG)
    assert "1 try is left" in page.text
    assert heading(patient.post(link, WRONG)) == "This link is locked"


def test_a_hostile_text_is_only_shown(house: House) -> None:
    link = invited(house)
    evil = '"><script>alert(1)</script>%(x)s'
    page = visitor(house).post(link, {"zip_code": evil, "birth_month": evil, "birth_day": evil, "birth_year": evil})
    assert page.status_code == 422 and "<script>alert" not in page.text
    assert visitor(house).get(f"{link}?lang={evil}").status_code == 200


# states


def test_back_and_reload_never_lead_nowhere(house: House) -> None:
    link, patient = invited(house), visitor(house)
    for path in ("answer", "new-link"):
        assert heading(patient.get(f"{link}/{path}")) == "Your invitation to the patient portal"


def test_later_without_a_day_asks_again_in_three_months(house: House) -> None:
    link, patient = invited(house), visitor(house)
    proof = proof_in(patient.post(link, house.identity_of(ADA)))
    done = patient.post(f"{link}/answer", {"proof": proof, "answer": "defer", "until": ""})
    assert heading(done) == "We ask again on 3 August 2026"
    assert house.enrollment.answers(ADA)[0].until.isoformat() == "2026-08-03"


def test_an_expired_link_offers_a_new_one_and_says_the_same_each_time(house: House) -> None:
    link, patient = invited(house), visitor(house)
    house.clock.forward(days=40)
    page = patient.get(link)
    assert (page.status_code, heading(page)) == (200, "This link ended on 3 June 2026")
    pages = [patient.post(f"{link}/new-link") for _ in range(3)]
    assert {(page.status_code, heading(page)) for page in pages} == {(200, "We have your request")}
    assert len(house.enrollment.engine.inbox.tasks(limit=9)) == 1
    house.worker.run_due()
    assert len(house.postbox.mails) == 1
    assert heading(patient.post(f"/i/{'x' * 43}/new-link")) == "This link cannot be used"


def test_a_locked_link_says_the_same_to_everybody(house: House) -> None:
    link, patient = invited(house), visitor(house)
    for _ in range(5):
        patient.post(link, WRONG)
    pages = [visitor(house).get(link), patient.get(link), patient.post(link, house.identity_of(ADA))]
    assert {(page.status_code, heading(page)) for page in pages} == {(200, "This link is locked")}
    assert "new-link" not in pages[0].text


def test_pages_before_identification_name_nobody(house: House) -> None:
    link, patient = invited(house), visitor(house)
    for page in (patient.get(link), patient.post(link, WRONG), patient.get(f"{link}/opt-out")):
        assert "Ada" not in page.text and "Sample" not in page.text.replace("Sample Clinic", "")
        assert page.headers["X-Robots-Tag"] == "noindex"
        assert "no-store" in page.headers["Cache-Control"]


def test_opting_out_in_another_language_asks_first(house: House) -> None:
    link, patient = invited(house), visitor(house)
    asked = patient.post(f"{link}/opt-out", {"switch": "es"})
    assert heading(asked) == "¿Dejar de enviar correos a esta dirección?"
    assert house.enrollment.patient(ADA).guard(house.clock(), house.enrollment.settings) is None
    assert heading(patient.post(f"{link}/opt-out", {"lang": "es"})) == "No más correos a esta dirección"

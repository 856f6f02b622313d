"""Patients on the pages: found in every spelling, told apart before an invitation; conflicts of imports."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from acceptance.conftest import House, Visitor
from usher_engine.accounts import Role


def patient(key: str, given: str = "Alex", family: str = "Twin", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": key,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "birthDate": "2000-02-29",
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": f"100-{key}"}],
        "telecom": [
            {"system": "email", "use": "home", "value": f"twin{key}@example.org"},
            {"system": "phone", "use": "home", "value": f"555 01{key[:2]}"},
        ],
        "address": [{"use": "home", "line": [f"{key} Elm Street"], "city": "Portland", "postalCode": "97201"}],
        "gender": "female",
    }
    return {**found, **more}


@pytest.fixture
def twins(house: House) -> House:
    add(house, patient("2041"), patient("2042"))
    return house


def add(house: House, *patients: dict[str, Any]) -> None:
    report = house.enrollment.import_patients(json.dumps(one) for one in patients)
    assert report.bad == []


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


PLACE = {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}
SURE = "/patients/2041/sure?template=Office%20Visit&field=Patient%20Portal&action=Enrollment"


def test_a_patient_is_found_in_other_spellings_and_the_match_is_marked(house: House) -> None:
    add(house, patient("1", "José", "García Márquez"), patient("2", "Alexandra", "O’Twin", birthDate="1996-02-29"))
    alice = house.visitor("alice")
    page = alice.get("/patients?q=marquez+JOSE").text
    assert "<mark>José</mark>" in page
    assert "García <mark>Márquez</mark>" in page
    assert "1 patient matches" in text_of(page)
    page = alice.get("/patients?q=twin,+alex+29+feb").text
    assert "<mark>Alex</mark>andra O’<mark>Twin</mark>" in page
    assert "<mark>29 February</mark> 1996" in page
    assert "<mark>555 0120</mark>" not in page
    assert "José" in alice.get("/search?q=jose").text
    assert "Patients 1 of 1" in text_of(alice.get("/search?q=jose").text)


def test_a_record_number_leads_straight_to_the_patient(twins: House) -> None:
    answer = twins.visitor("alice").client.get("/search?q=100-2041")
    assert answer.status_code == 303
    page = twins.visitor("alice").get("/patients?q=1002041").text
    assert "record 100-2041" in text_of(page)
    assert "Cases of Alex Twin" in text_of(twins.visitor("audrey").get("/search?q=100-2041").text)


def test_a_name_that_ended_is_found_and_said(house: House) -> None:
    former = {"use": "old", "family": "Sample", "given": ["Alexandra"], "period": {"end": "2019-05-01"}}
    current = {"use": "official", "family": "Married", "given": ["Alexandra"]}
    add(house, patient("1", name=[current, former]))
    assert "was Alexandra Sample until 2019" in text_of(house.visitor("alice").get("/patients?q=alexandra+sample").text)


def test_closed_records_are_counted_under_the_list(house: House) -> None:
    merged = {"link": [{"type": "replaced-by", "other": {"reference": "Patient/2042"}}]}
    add(house, patient("2042"), patient("0992", **merged), patient("0993", deceasedBoolean=True))
    alice = house.visitor("alice")
    page = text_of(alice.get("/patients?q=twin").text)
    assert "1 patient matches" in page
    assert "Show 2 patients that are inactive, merged or deceased" in page
    assert "2 patients match that are inactive" in text_of(alice.get("/patients?q=twin&closed=1").text)
    page = alice.get("/patients/0992").text
    assert "Record 100-0992 was merged into 100-2042." in text_of(page)
    assert 'href="/patients/2042"' in page


def test_nobody_fits_but_somebody_is_near(twins: House) -> None:
    page = text_of(twins.visitor("alice").get("/patients?q=twimble").text)
    assert "No patient matches “twimble”" in page
    assert "Alex Twin, record 100-2041" in page
    assert "<script>" not in twins.visitor("alice").get("/patients?q=<script>alert(1)</script>").text


def test_pages_of_patients_go_both_ways(house: House) -> None:
    add(house, *(patient(f"{n:04}", f"Given{n}", "Crowd", birthDate="1980-01-01") for n in range(120)))
    alice = house.visitor("alice")
    seen = re.findall(r'href="/patients/(\d{4})"', alice.get("/patients?q=crowd").text)
    page = alice.get("/patients?q=crowd").text
    assert "120 patients match" in text_of(page)
    for _ in range(2):
        page = alice.get(html.unescape(re.search(r'href="([^"]+)"\s+rel="next"', page)[1])).text
        seen += re.findall(r'href="/patients/(\d{4})"', page)
    assert len(seen) == len(set(seen)) == 120
    assert 'rel="next"' not in page
    back = alice.get(html.unescape(re.search(r'href="([^"]+)"\s+rel="prev"', page)[1])).text
    assert re.findall(r'href="/patients/(\d{4})"', back) == seen[50:100]


def test_look_alikes_are_marked_wherever_they_are_named(twins: House) -> None:
    alice = twins.visitor("alice")
    confirm(alice)
    case = twins.enrollment.engine.queries.instances()[0].id
    for path in (
        "/patients?q=twin",
        "/search?q=twin",
        f"/cases/{case}",
        "/cases",
        "/patients/2041",
        f"/cases/{case}/replay",
    ):
        page = text_of(alice.get(path).text)
        assert re.search(r"Alex Twin\s*, record 100-2041", page) or "100-2041" in page, path
        assert "2 look alike" in page, path
    assert "2 look alike" not in alice.get("/patients?q=ada").text


def test_a_task_and_its_preview_name_the_patient_alike(house: House) -> None:
    add(house, *(patient(number, telecom=[]) for number in ("2041", "2042")))
    alice = house.visitor("alice")
    confirm(alice)
    task = house.newest_task()
    for path in (f"/inbox/{task}", f"/inbox/{task}/preview"):
        facts = re.search(r'<dl class="facts">.*?</dl>', alice.get(path).text, re.DOTALL)
        assert facts, path
        assert re.search(r"Patient Alex Twin\s*, record 100-2041\s*2 look alike Born", text_of(facts[0])), path


def confirm(alice: Visitor, patient_id: str = "2041") -> str:
    """Select the trigger, see the question and go on; the question's page."""
    asked = alice.post(f"/patients/{patient_id}/trigger", {**PLACE, "key": "k1"})
    fields = dict(re.findall(r'<input type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', asked.text))
    alice.post(f"/patients/{patient_id}/trigger", fields)
    return asked.text


def test_a_look_alike_is_asked_about_before_the_invitation(twins: House) -> None:
    alice = twins.visitor("alice")
    page = alice.get("/patients/2041/template?name=Office%20Visit").text
    assert "/patients/2041/sure?" in page
    assert 'data-trigger="/api' not in page
    asked = text_of(confirm(alice))
    assert "Another Alex Twin was born on the same day." in asked
    assert "Enrollment for 100-2041, 2041 Elm Street, Portland, 97201" in asked
    assert "twin2042@example.org" in asked
    twins.worker.run_due()
    assert [mail["To"] for mail in twins.postbox.mails] == ["twin2041@example.org"]
    (event,) = twins.enrollment.engine.audit.events(kind="LookAlikeSeen")
    assert (event.actor, event.business_key, event.details["others"]) == ("alice", "2041", ["2042"])
    case = twins.enrollment.engine.queries.instances()[0].id
    assert "Look-alike Warning Seen" in alice.get(f"/cases/{case}").text
    assert twins.enrollment.engine.verify(case) == []


def test_without_the_question_nothing_is_started(twins: House) -> None:
    alice = twins.visitor("alice")
    alice.post("/patients/2041/trigger", {**PLACE, "look_alikes_seen": "somebody else"})
    assert twins.enrollment.engine.queries.instances() == []
    assert alice.get(SURE).status_code == 200
    twins.select("sample-complete", alice)
    assert len(twins.enrollment.engine.queries.instances()) == 1
    assert twins.enrollment.engine.audit.events(kind="LookAlikeSeen") == []


def test_a_page_of_before_cannot_skip_the_question_but_a_program_can(house: House) -> None:
    add(house, patient("2041"))
    alice = house.visitor("alice")
    token = re.search(r'data-token="([^"]+)"', alice.get("/patients/2041/template?name=Office%20Visit").text)[1]
    add(house, patient("2042"))
    body = {**PLACE, "patient_id": "2041"}
    from_page = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
    answer = house.visitor().client.post("/api/v1/triggers", json=body, headers=from_page)
    assert (answer.status_code, "name and birth date" in answer.json["detail"]) == (409, True)
    program = {**house.token(Role.STAFF), "Idempotency-Key": "k2"}
    assert house.visitor().client.post("/api/v1/triggers", json=body, headers=program).status_code == 201


def test_a_task_asks_too_and_keeps_what_was_typed(house: House) -> None:
    bare = patient("2041", telecom=[])
    add(house, bare, patient("2042"))
    alice = house.visitor("alice")
    confirm(alice)
    task = house.newest_task()
    alice.post(f"/inbox/{task}/claim")
    form = {**house.form_of(task), "email": "twin@gmial.com"}
    page = alice.post(f"/inbox/{task}/complete", form)
    assert "Did you mean twin@gmail.com?" in page.text
    assert 'value="twin@gmial.com"' in page.text
    form |= {"email": "twin@example.org"}
    asked = alice.post(f"/inbox/{task}/complete", form).text
    assert "Another Alex Twin was born on the same day." in asked
    assert 'value="twin@example.org"' in asked
    fields = dict(re.findall(r'<input type="hidden"\s+name="([\w.]+)"\s+value="([^"]*)"', asked))
    alice.post(f"/inbox/{task}/complete", fields)
    house.worker.run_due()
    assert [mail["To"] for mail in house.postbox.mails] == ["twin@example.org"]


def test_a_slip_sent_twice_is_taken_as_typed(house: House) -> None:
    alice = house.visitor("alice")
    house.select("sample-no-email", alice)
    task = house.newest_task()
    alice.post(f"/inbox/{task}/claim")
    form = {**house.form_of(task), "email": "cleo@gmial.com"}
    page = alice.post(f"/inbox/{task}/complete", form).text
    assert 'name="taken_as_typed"' in page
    again = alice.post(f"/inbox/{task}/complete", {**form, "taken_as_typed": "cleo@gmial.com"})
    assert again.status_code == 200
    house.worker.run_due()
    assert [mail["To"] for mail in house.postbox.mails] == ["cleo@gmial.com"]


def conflict(house: House) -> None:
    add(house, patient("2041"))
    with house.enrollment.engine.database.begin() as tx:
        house.enrollment.registry.update(tx, "2041", {"email": "right@example.org"}, by="alice", now=house.clock())
    add(house, patient("2041", telecom=[{"system": "email", "use": "home", "value": "theirs@example.org"}]))


@pytest.mark.parametrize(("take", "email"), [("record", "right@example.org"), ("ehr", "theirs@example.org")])
@pytest.mark.parametrize("who", ["alice", "adam"])
def test_a_conflict_is_shown_with_both_values_and_decided(house: House, take: str, email: str, who: str) -> None:
    conflict(house)
    person = house.visitor(who)
    page = person.get("/import-conflicts").text
    for value in ("right@example.org", "theirs@example.org", "twin2041@example.org", "100-2041"):
        assert value in page
    seen = re.search(r'name="seen"\s+value="(\w+)"', page)[1]
    late = person.post("/import-conflicts/2041/email", {"take": take, "seen": "older"})
    assert (late.status_code, "changed since" in late.text) == (409, True)
    assert person.post("/import-conflicts/2041/email", {"seen": seen}).status_code == 422
    done = person.post("/import-conflicts/2041/email", {"take": take, "seen": seen})
    assert "Nothing to decide" in done.text
    fields = house.enrollment.patient("2041").fields(house.clock(), house.enrollment.settings)
    assert fields["email"] == email
    assert person.post("/import-conflicts/2041/email", {"take": take, "seen": seen}).status_code == 409
    assert person.post("/import-conflicts/nobody/email", {"take": take, "seen": seen}).status_code == 404


def test_the_patients_pages_lead_to_the_conflict(house: House) -> None:
    conflict(house)
    alice = house.visitor("alice")
    assert "1 patient with two values…" in text_of(alice.get("/patients").text)
    assert "give one thing in two ways" in text_of(alice.get("/patients/2041").text)
    assert "Took the EHR" not in house.visitor("audrey").get("/audit").text


def test_a_program_finds_the_same_patients_with_true_counts(twins: House) -> None:
    add(twins, patient("3", "Álex", "Twïn", birthDate="1988-02-29"), patient("4", "Alex", "Twin", active=False))
    ask, staff = twins.visitor().client, twins.token(Role.STAFF)
    page = ask.get("/api/v1/patients?q=twin,+ALEX&limit=2", headers=staff).json
    assert [one["record_number"] for one in page["patients"]] == ["100-2041", "100-2042"]
    assert (page["total"], page["others"], page["next"]) == (3, 1, "2042")
    assert page["patients"][0]["look_alikes"] == ["2042"]
    last = ask.get(f"/api/v1/patients?q=twin&after={page['next']}", headers=staff).json
    assert ([one["id"] for one in last["patients"]], last["next"]) == (["3"], None)
    closed = ask.get("/api/v1/patients?q=twin&closed=yes", headers=staff).json
    assert [one["id"] for one in closed["patients"]] == ["4"]
    assert ask.get("/api/v1/patients?after=nobody", headers=staff).status_code == 404
    assert ask.get("/api/v1/patients", headers=twins.token(Role.ANALYST, name="a")).status_code == 403
    listed = twins.enrollment.engine.audit.events(kind="PatientsListed")[0]
    assert listed.details["patients"] == ["4"]

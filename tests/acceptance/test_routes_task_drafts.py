"""What staff typed and have not sent, over HTTP: conflicts field by field, one's own answer, fields of any name."""

from __future__ import annotations

import json
import re

import pytest
from acceptance.conftest import House, Visitor
from conftest import ROOT
from usher_engine import SYSTEM
from usher_engine.definitions import Package, read_folder


def save(visitor: Visitor, task: str, values: dict[str, str], revision: int | None = None):
    headers = {"X-CSRF-Token": visitor.csrf}
    return visitor.client.post(
        f"/inbox/{task}/draft", json={"values": values, "revision": revision}, headers=headers
    )


def revision_of(house: House, task: str) -> int:
    return house.enrollment.engine.inbox.task(task).revision


@pytest.fixture
def task(house: House) -> str:
    house.select("sample-no-email")
    return house.newest_task()


def test_one_person_never_gets_anothers_draft(house: House) -> None:
    house.select("sample-declined")
    task = house.newest_task()
    alice, bob, charlie = (house.visitor(name) for name in ("alice", "bob", "charlie"))
    for visitor, words in ((alice, "words of alice"), (bob, "words of bob")):
        visitor.get(f"/inbox/{task}")
        assert save(visitor, task, {"f.reason": words}).status_code == 200
    assert "words of alice" in alice.get(f"/inbox/{task}").text
    page = bob.get(f"/inbox/{task}").text
    assert "words of bob" in page and "words of alice" not in page and "alice is typing" in " ".join(page.split())
    charlie.get("/inbox")
    assert save(charlie, task, {"reason": "x"}).status_code == 404
    for path in (f"/inbox/{task}/draft", f"/inbox/{task}"):
        assert charlie.get(path).status_code == 404


def test_text_for_a_task_that_was_closed_or_claimed_meanwhile_is_kept(house: House) -> None:
    house.select("sample-declined")
    task, bob = house.newest_task(), house.visitor("bob")
    bob.get(f"/inbox/{task}")
    alice = house.visitor("alice")
    alice.post(f"/inbox/{task}/claim")
    assert save(bob, task, {"f.reason": "half"}).get_json()["state"] == "taken"
    alice.post(f"/inbox/{task}/complete", {"f.reason": "asked at the desk"})
    assert save(bob, task, {"f.reason": "half a sentence"}).get_json() | {"stamp": ""} == {
        "saved": "09:02", "stamp": "", "state": "closed", "by": "", "revision": None,
    }  # fmt: skip
    page = bob.get(f"/inbox/{task}")
    assert page.status_code == 409
    text = " ".join(page.text.split())
    assert "alice completed this task" in text and "half a sentence" in text and "asked at the desk" in text
    assert "Your text is kept until" in text
    gone = bob.post(f"/inbox/{task}/draft/let-go")
    assert gone.status_code == 200
    assert "half a sentence" not in bob.get(f"/inbox/{task}").text


def test_ones_own_answer_is_shown_as_that(house: House) -> None:
    house.select("sample-declined")
    task, alice = house.newest_task(), house.visitor("alice")
    alice.post(f"/inbox/{task}/complete", {"reason": "asked at the desk"})
    page = alice.get(f"/inbox/{task}")
    assert page.status_code == 200
    assert "You completed this task" in page.text and "asked at the desk" in page.text
    assert "Somebody was faster" not in page.text
    again = alice.post(f"/inbox/{task}/complete", {"reason": "asked at the desk"})
    assert again.status_code == 409 and "You completed this task" in again.text
    assert 'id="kept"' not in again.text, "a second click is no second text"


def test_the_next_task_is_never_the_one_just_lost(house: House) -> None:
    house.select("sample-no-email")
    task, alice, bob = house.newest_task(), house.visitor("alice"), house.visitor("bob")
    alice.post(f"/inbox/{task}/claim")
    lost = bob.post(f"/inbox/{task}/claim")
    assert lost.status_code == 409
    assert f'href="/inbox/{task}' not in lost.text and "Back to the inbox" in lost.text
    house.select("sample-pending")
    free = house.newest_task()
    lost = bob.post(f"/inbox/{task}/claim").text
    assert f'href="/inbox/{free}"' in lost and "Go to the next task" in lost
    assert f'href="/inbox/{task}' not in lost


@pytest.mark.parametrize("title", ["Resend Invitation", "Enroll Now", "Update Now"])
def test_every_task_can_be_claimed(house: House, title: str) -> None:
    patients = {"Resend Invitation": "sample-pending", "Enroll Now": "sample-declined", "Update Now": "sample-no-email"}
    house.select(patients[title])
    task, alice = house.newest_task(), house.visitor("alice")
    page = alice.get(f"/inbox/{task}").text
    assert page.count("data-claim") == 1
    alice.post(f"/inbox/{task}/claim")
    assert house.enrollment.engine.inbox.task(task).assignee == "alice"
    assert "data-claim" not in alice.get(f"/inbox/{task}").text


NAMES = ("revision", "csrf_token", "f", "action", "elements", "id")


def test_fields_may_have_any_name(house: House) -> None:
    """Also the names of our own inputs, and of properties a form has in the browser."""
    package = read_folder(ROOT / "processes" / "enrollment")
    form = json.loads(package.text("enroll-now.form"))
    reason = next(one for one in form["components"] if one.get("key") == "reason")
    extra = [{"type": "textfield", "id": f"X{at}", "key": key, "label": f"Label {at}"} for at, key in enumerate(NAMES)]
    form["components"] = [form["components"][0], reason, *extra, form["components"][-1]]
    files = {**package.files, "enroll-now.form": json.dumps(form).encode()}
    house.enrollment.engine.deploy(Package(files), actor=SYSTEM, note="names")
    house.select("sample-declined")
    task, alice = house.newest_task(), house.visitor("alice")
    page = alice.get(f"/inbox/{task}").text
    for name in NAMES:
        assert re.search(rf'name="f\.{re.escape(name)}"', page)
    typed = {f"f.{name}": f"typed into {name}" for name in NAMES}
    save(alice, task, {"f.reason": "asked", **typed})
    assert all(f'value="typed into {name}"' in alice.get(f"/inbox/{task}").text for name in NAMES)
    sent = {"f.reason": "asked", **typed, "revision": str(revision_of(house, task))}
    assert alice.post(f"/inbox/{task}/complete", sent).status_code == 200
    case = task.partition(":")[0]
    answers = [e["answer"] for s in house.enrollment.engine.queries.history(case) for e in s.events if "answer" in e]
    assert answers[0]["revision"] == "typed into revision" and answers[0]["csrf_token"] == "typed into csrf_token"


def test_a_refused_field_says_why_beside_it_and_its_label_once(house: House) -> None:
    house.select("sample-declined")
    task, alice = house.newest_task(), house.visitor("alice")
    page = alice.post(f"/inbox/{task}/complete", {"f.reason": " "})
    assert page.status_code == 422
    main = page.text.partition("<article")[2]
    assert "Please fill this in." in main
    assert "Please fill in: Why" not in main


def test_the_page_of_an_ended_session_says_why_and_leads_back(house: House) -> None:
    house.select("sample-declined")
    task, alice = house.newest_task(), house.visitor("alice")
    alice.get(f"/inbox/{task}")
    house.clock.forward(minutes=20)
    page = alice.get(f"/inbox/{task}")
    assert page.request.path == "/sign-in" and "Your session has ended." in page.text
    assert f'name="next" value="/inbox/{task}"' in page.text
    alice.post("/sign-in", {"name": "alice", "password": "wrong", "next": f"/inbox/{task}"})
    assert "Your session has ended." not in house.visitor().get("/sign-in").text


def test_a_session_tells_its_end_without_being_made_longer_by_the_question(house: House) -> None:
    alice = house.visitor("alice")
    house.clock.forward(minutes=10)
    asked = {"X-Usher-Poll": "1", "X-Requested-With": "fetch"}
    found = alice.client.get("/session", headers=asked).get_json()
    assert (found["name"], found["ends_in"]) == ("alice", 5 * 60)
    assert alice.client.post("/session/stay", headers=asked | {"X-CSRF-Token": "forged"}).status_code == 403
    longer = alice.client.post("/session/stay", headers={"X-CSRF-Token": found["csrf"], "X-Requested-With": "fetch"})
    assert longer.get_json()["ends_in"] == 15 * 60
    house.clock.forward(minutes=16)
    assert alice.client.get("/session", headers=asked).status_code == 401


def test_signing_in_from_a_page_that_stayed_open(house: House) -> None:
    stranger = house.visitor()
    fetch = {"X-Requested-With": "fetch"}
    wrong = stranger.client.post("/sign-in", data={"name": "alice", "password": "no"}, headers=fetch)
    assert (wrong.status_code, wrong.mimetype) == (422, "application/problem+json")
    right = stranger.client.post(
        "/sign-in", data={"name": "alice", "password": "a password for tests"}, headers=fetch
    )
    assert right.status_code == 200 and set(right.get_json()) == {"name", "csrf", "ends_in"}
    assert stranger.client.get("/inbox").status_code == 200
    foreign = {**fetch, "Origin": "https://elsewhere.example"}
    assert stranger.client.post("/sign-in", data={"name": "alice"}, headers=foreign).status_code == 403


def test_the_key_of_kept_text_is_the_persons_and_dies_with_signing_out(house: House) -> None:
    def key(visitor: Visitor) -> str:
        found = re.search(r'data-kept-key="([^"]*)"', visitor.get("/inbox").text)
        assert found is not None
        return found.group(1)

    alice = house.visitor("alice")
    first = key(alice)
    assert len(first) == 44 and key(alice) == first
    assert key(house.visitor("alice")) != first, "another browser"
    house.clock.forward(minutes=20)
    assert key(alice.sign_in("alice")) == first, "the session ended, the text is still hers"
    house.clock.forward(minutes=20)
    assert key(alice.sign_in("bob")) != first
    house.clock.forward(minutes=20)
    alice.sign_in("alice")
    assert key(alice) == first
    alice.post("/sign-out")
    assert key(alice.sign_in("alice")) != first


def test_an_administrator_gives_back_what_somebody_claimed(house: House, task: str) -> None:
    alice, adam = house.visitor("alice"), house.visitor("adam")
    alice.post(f"/inbox/{task}/claim")
    assert "Give back 1 task" in adam.get("/admin/people/alice").text
    assert adam.post("/admin/people/alice/release", {"reason": " "}).status_code == 422
    assert "1 task is free for others again." in adam.post("/admin/people/alice/release", {"reason": "left"}).text
    assert house.enrollment.engine.inbox.task(task).assignee == ""
    assert alice.post("/admin/people/alice/release", {"reason": "x"}).status_code == 403
    audit = house.visitor("audrey").get("/audit").text
    assert "that alice had claimed back to its group: left" in " ".join(audit.split())


# two tasks at once that write and show the same record: what one answers changes the form of the other

FORM = {
    "type": "default",
    "components": [
        {"type": "textfield", "key": "email", "label": "E-mail", "validate": {"validationType": "email"}},
        {"type": "datetime", "subtype": "date", "key": "born", "dateLabel": "Born"},
        {"type": "select", "key": "sex", "label": "Birth sex",
         "values": [{"value": "F", "label": "Female"}, {"value": "M", "label": "Male"}]},
        {"type": "checkbox", "key": "agreed", "label": "Agreed"},
        {"type": "textfield", "key": "note", "label": "Note"},
        {"type": "button", "label": "Send it", "action": "submit"},
    ],
}  # fmt: skip
ASKS = (
    "<bpmn:extensionElements><spiffworkflow:properties>"
    '<spiffworkflow:property name="form" value="record.form"/>'
    '<spiffworkflow:property name="resultVariable" value="record"/>'
    '<spiffworkflow:property name="initialValues" value="record"/>'
    "</spiffworkflow:properties></bpmn:extensionElements>"
)
RECORD = {"email": "ada@example.org", "born": "1981-05-04", "sex": "F", "agreed": True, "note": "first"}


@pytest.fixture
def pair(house: House) -> tuple[str, str]:
    """Two open tasks, A and B, of one case."""
    package = read_folder(ROOT / "tests" / "processes" / "parallel")
    drawn = package.text("parallel.bpmn")
    for one in "AB":
        drawn = drawn.replace(f'<bpmn:userTask id="{one}" name="{one}"/>',
                              f'<bpmn:userTask id="{one}" name="{one}">{ASKS}</bpmn:userTask>')  # fmt: skip
    files = {"parallel.bpmn": drawn.encode(), "record.form": json.dumps(FORM).encode()}
    engine = house.enrollment.engine
    engine.deploy(Package(files), actor=SYSTEM, note="two")
    case = engine.start("parallel", {"n": 1, "record": RECORD}, actor=SYSTEM).id
    return f"{case}:A:1", f"{case}:B:1"


def test_a_conflict_is_settled_field_by_field(house: House, pair: tuple[str, str]) -> None:
    first, second = pair
    alice, bob = house.visitor("alice"), house.visitor("bob")
    alice.post(f"/inbox/{second}/claim")
    seen = revision_of(house, second)
    served = {**RECORD, "agreed": "true"}
    mine = {**served, "email": "ada@example.com", "born": "1981-05-05", "agreed": ""}
    save(alice, second, {f"f.{key}": value for key, value in mine.items()}, seen)
    answer = {**served, "email": "ada@example.net", "sex": "M", "note": "first"}
    assert bob.post(f"/inbox/{first}/complete", {f"f.{key}": value for key, value in answer.items()}).status_code == 200
    page = " ".join(alice.get(f"/inbox/{second}").text.split())
    assert "1 field changed in the record while you typed" in page
    assert "ada@example.<mark>net</mark>" in page and "ada@example.<mark>com</mark>" in page
    assert "the form follows it: Birth sex." in page
    assert 'value="1981-05-05"' in page, "hers, and nobody else changed it"
    assert '<option value="M" selected>' in page, "the record's, for she did not touch it"
    ticked = re.search(r'<input type="checkbox" value="true"[^>]*>', page)
    assert ticked is not None and "checked" not in ticked.group(), "she unticked it"
    alice.post(f"/inbox/{second}/draft/choose", {"f.email": "theirs"})
    page = " ".join(alice.get(f"/inbox/{second}").text.split())
    assert "changed in the record" not in page
    assert 'value="ada@example.net"' in page and 'value="1981-05-05"' in page


@pytest.mark.parametrize(("choice", "email"), [("mine", "ada@example.com"), ("theirs", "ada@example.net")])
def test_what_is_chosen_is_what_is_sent(house: House, pair: tuple[str, str], choice: str, email: str) -> None:
    first, second = pair
    alice, bob = house.visitor("alice"), house.visitor("bob")
    alice.post(f"/inbox/{second}/claim")
    seen = revision_of(house, second)
    mine = {**RECORD, "agreed": "true", "email": "ada@example.com"}
    theirs = {**RECORD, "agreed": "true", "email": "ada@example.net"}
    bob.post(f"/inbox/{first}/complete", {f"f.{key}": value for key, value in theirs.items()})
    late = alice.post(
        f"/inbox/{second}/complete", {**{f"f.{key}": value for key, value in mine.items()}, "revision": str(seen)}
    )
    assert late.status_code == 409 and "1 field changed in the record" in " ".join(late.text.split())
    save(alice, second, {f"f.{key}": value for key, value in mine.items()}, seen)
    page = alice.post(f"/inbox/{second}/draft/choose", {"f.email": choice}).text
    assert f'value="{email}"' in page


def test_a_draft_of_a_revision_that_never_was_is_shown_all_the_same(house: House, pair: tuple[str, str]) -> None:
    _, second = pair
    alice = house.visitor("alice")
    alice.post(f"/inbox/{second}/claim")
    for revision in (0, 999_999_999):
        assert save(alice, second, {"f.note": "half"}, revision).status_code == 200
        page = alice.get(f"/inbox/{second}")
        assert page.status_code == 200 and 'value="half"' in page.text


# too late, but right: one's own text goes into the record


@pytest.fixture
def late(house: House, task: str) -> Visitor:
    """Alice, whose text for Update Now differs from what bob has sent in the e-mail and the ZIP code."""
    alice, bob = house.visitor("alice"), house.visitor("bob")
    alice.get(f"/inbox/{task}")
    served = house.form_of(task)
    mine = {**served, "email": "cleo@example.com", "zip_code": "1"}
    save(alice, task, {f"f.{key}": text for key, text in mine.items()})
    sent = {**served, "email": "cleo@example.org", "zip_code": "97201"}
    answer = bob.post(f"/inbox/{task}/complete", {f"f.{key}": text for key, text in sent.items()})
    assert answer.status_code == 200, answer.text
    return alice


def fields_of(house: House, task: str) -> dict[str, str]:
    patient = house.enrollment.engine.instance(task.partition(":")[0]).business_key
    return house.enrollment.patient(patient).fields(house.clock(), house.enrollment.settings)


def test_the_record_is_corrected_to_ones_own_text_where_that_is_chosen(
    house: House, task: str, late: Visitor
) -> None:
    page = late.get(f"/inbox/{task}")
    assert page.text.count('type="radio"') == 4 and "corrects the patient’s record" in page.text
    done = late.post(f"/inbox/{task}/draft/correct", {"f.email": "mine", "f.zip_code": "theirs"})
    assert "The record was corrected: e-mail." in done.text
    assert (fields_of(house, task)["email"], fields_of(house, task)["zip_code"]) == ("cleo@example.com", "97201")
    engine, case = house.enrollment.engine, task.partition(":")[0]
    fact = engine.queries.history(case)[-1]
    assert (fact.actor, fact.events[0]["name"]) == ("alice", "Patient Record Corrected")
    assert fact.events[0]["details"] == {"changed": ["email"]}
    house.worker.run_due()
    assert engine.verify(case) == []
    assert 'id="kept"' not in late.get(f"/inbox/{task}").text


def test_what_cannot_be_is_refused_beside_its_field_and_nothing_is_changed(
    house: House, task: str, late: Visitor
) -> None:
    page = late.post(f"/inbox/{task}/draft/correct", {"f.email": "mine", "f.zip_code": "mine"})
    assert page.status_code == 422
    assert "This needs at least 4 characters." in page.text and 'id="kept"' in page.text
    assert fields_of(house, task)["email"] == "cleo@example.org"


def test_choosing_theirs_lets_ones_own_text_go(house: House, task: str, late: Visitor) -> None:
    assert "The record stays as it is." in late.post(f"/inbox/{task}/draft/correct", {"f.email": "theirs"}).text
    assert fields_of(house, task)["email"] == "cleo@example.org"
    assert 'id="kept"' not in late.get(f"/inbox/{task}").text


def test_only_answers_that_went_into_a_record_are_corrected(house: House) -> None:
    house.select("sample-declined")
    task, alice, bob = house.newest_task(), house.visitor("alice"), house.visitor("bob")
    save(alice, task, {"f.reason": "mine", "f.email": "sneaky@example.org"})
    alice.get(f"/inbox/{task}")
    save(alice, task, {"f.reason": "mine", "f.email": "sneaky@example.org"})
    bob.post(f"/inbox/{task}/complete", {"f.reason": "asked at the desk"})
    assert 'type="radio"' not in alice.get(f"/inbox/{task}").text
    before = fields_of(house, task)
    assert alice.post(f"/inbox/{task}/draft/correct", {"f.reason": "mine", "f.email": "mine"}).status_code == 409
    charlie = house.visitor("charlie")
    charlie.get("/inbox")
    charlie.post(f"/inbox/{task}/draft/correct", {"f.email": "mine"})
    assert fields_of(house, task) == before


def test_a_page_that_was_left_does_not_overwrite_what_was_typed_since(house: House, task: str) -> None:
    alice = house.visitor("alice")
    where = {
        f"/inbox/{task}/draft": "f.email",
        f"/cases/{task.partition(':')[0]}/comments/draft": "text",
    }
    for path, name in where.items():

        def send(words: str, path: str = path, name: str = name, **basis: object) -> dict[str, str]:
            sent = {"values": {name: words}, **basis}
            answer = alice.client.post(path, json=sent, headers={"X-CSRF-Token": alice.csrf})
            assert answer.status_code == 200
            return answer.get_json()

        first = send("one", stamp="")
        second = send("two", stamp=first["stamp"], unanswered=None)
        assert (first["state"], second["state"]) == ("open", "open")
        late = send("half", stamp=first["stamp"])
        assert (late["state"], late["stamp"]) == ("stale", second["stamp"])
        assert alice.client.get(path).get_json()["stamp"] == second["stamp"]
        assert send("three", stamp="", unanswered={name: "two"})["state"] == "open"
        assert send("without a word of the one before")["state"] == "open"

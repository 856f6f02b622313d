"""Two people at one inbox: the list, drafts, who was faster; nothing typed is lost."""

from conftest import ROOT
from usher_engine import SYSTEM
from usher_engine.definitions import Package, read_folder


def test_two_browsers_complete_one_task_once(house):
    alice, bob = house.visitor("alice"), house.visitor("bob")
    house.select("sample-declined", alice)
    task = house.newest_task()
    seen = house.enrollment.engine.inbox.task(task).revision
    bob.get(f"/inbox/{task}")
    house.clock.forward(minutes=9)
    first = alice.post(f"/inbox/{task}/complete", {"reason": "asked at the desk", "revision": str(seen)})
    second = bob.post(f"/inbox/{task}/complete", {"reason": "phoned this morning", "revision": str(seen)})
    assert first.status_code == 200
    assert second.status_code == 409
    assert "alice completed this task" in second.text
    assert "today 09:11" in second.text
    assert "phoned this morning" in second.text
    assert "See case" in second.text
    house.worker.run_due()
    assert len(house.postbox.mails) == 1


def test_a_claimed_task_is_shown_but_not_for_others(house):
    alice, bob = house.visitor("alice"), house.visitor("bob")
    house.select("sample-no-email", alice)
    task = house.newest_task()
    alice.post(f"/inbox/{task}/claim")
    page = bob.get(f"/inbox/{task}")
    assert "alice is working on this task" in page.text
    assert "Save and send" not in page.text
    assert bob.post(f"/inbox/{task}/claim").status_code == 409
    alice.post(f"/inbox/{task}/release")
    assert bob.post(f"/inbox/{task}/claim").status_code == 200


def test_a_case_that_moved_on_shows_the_form_again_with_what_was_typed(house):
    alice = house.visitor("alice")
    house.select("sample-declined", alice)
    task = house.newest_task()
    seen = house.enrollment.engine.inbox.task(task).revision
    alice.post(f"/inbox/{task}/claim")
    page = alice.post(f"/inbox/{task}/complete", {"reason": "typed before", "revision": str(seen)})
    assert page.status_code == 409
    assert "The case has moved on" in page.text
    assert "typed before" in page.text


def test_a_draft_is_there_on_any_computer(house):
    alice = house.visitor("alice")
    house.select("sample-no-email", alice)
    task = house.newest_task()
    alice.post(f"/inbox/{task}/claim")
    answer = alice.client.post(
        f"/inbox/{task}/draft", json={"values": {"email": "half@"}}, headers={"X-CSRF-Token": alice.csrf}
    )
    assert answer.get_json() | {"stamp": ""} == {
        "saved": "09:02", "stamp": "", "state": "open", "by": "alice", "revision": 2,
    }  # fmt: skip
    page = house.visitor("alice").get(f"/inbox/{task}")
    assert 'value="half@"' in page.text
    assert "Draft saved" in page.text
    refused = alice.client.post(f"/inbox/{task}/draft", json={"values": {}})
    assert refused.status_code == 403
    assert refused.mimetype == "application/problem+json"


def test_fields_nobody_asked_for_are_refused(house):
    alice = house.visitor("alice")
    house.select("sample-no-email", alice)
    task = house.newest_task()
    complete = {**house.form_of(task), "email": "cleo@example.org"}
    page = alice.post(f"/inbox/{task}/complete", {**complete, "deceased": "false"})
    assert page.status_code == 422
    assert house.enrollment.engine.inbox.task(task).id == task


def test_the_list_answers_304_until_something_changes(house):
    alice = house.visitor("alice")
    house.select("sample-pending", alice)
    first = alice.client.get("/inbox/rows")
    again = alice.client.get("/inbox/rows", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")
    house.select("sample-declined", alice)
    assert alice.client.get("/inbox/rows", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_cancelling_needs_a_reason_and_ends_the_case(house):
    alice = house.visitor("alice")
    house.select("sample-pending", alice)
    task = house.newest_task()
    assert alice.post(f"/inbox/{task}/cancel", {"reason": " "}).status_code == 422
    page = alice.post(f"/inbox/{task}/cancel", {"reason": "patient moved away"})
    assert "was cancelled" in page.text
    case = alice.get(f"/cases/{task.split(':')[0]}").text
    assert "patient moved away" in case
    assert "You cancelled Resend Invitation." in case


def test_an_unknown_task_or_case_is_a_plain_404(house):
    alice = house.visitor("alice")
    for path in ("/inbox/nonsense", "/inbox/A:B:1", "/cases/NOPE", "/patients/nobody"):
        answer = alice.get(path)
        assert answer.status_code == 404
        assert "Nothing is here" in answer.text


def test_an_incident_can_be_tried_again(house):
    house.postbox.down = True
    house.select("sample-complete")
    for _ in range(house.enrollment.settings.job_attempts):
        house.worker.run_due()
        house.clock.forward(hours=2)
    case = house.enrollment.engine.queries.instances()[0]
    assert case.status == "incident"
    alice = house.visitor("alice")
    assert "Try again now" in alice.get(f"/cases/{case.id}").text
    house.postbox.down = False
    assert "being tried again" in alice.post(f"/cases/{case.id}/retry").text
    house.worker.run_due()
    assert len(house.postbox.mails) == 1


def _stopping_version(house) -> None:
    """A version in which what follows the answer cannot run."""
    package = read_folder(ROOT / "processes" / "enrollment")
    drawn, reason = package.text("enrollment.bpmn"), 'id="reason" type="any" value="'
    text = drawn.replace(reason, f"{reason}gone or ")
    assert text != drawn
    changed = Package({**package.files, "enrollment.bpmn": text.encode()})
    house.enrollment.engine.deploy(changed, actor=SYSTEM, note="Stops after the answer.")


def test_a_failure_never_looks_like_success(house):
    _stopping_version(house)
    alice = house.visitor("alice")
    house.select("sample-declined", alice)
    failed = alice.post(f"/inbox/{house.newest_task()}/complete", {"reason": "asked at the desk"}).text
    assert '<p class="say" role="alert">It did not work for ' in failed
    assert "what you typed is kept" in failed
    assert '<p class="flash"' not in failed
    house.select("sample-no-email", alice)
    done = alice.post(f"/inbox/{house.newest_task()}/claim").text
    done = alice.post(f"/inbox/{house.newest_task()}/release").text
    assert '<p class="flash" role="status">' in done
    assert 'class="flash alarm"' not in done

"""Cases an earlier version left broken: pages open, answers are taken or refused with a reason, other cases go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from acceptance.conftest import CAST, CHEAP, PASSWORD, House, Visitor
from conftest import Clock
from golden.recorded import restore
from usher_engine.accounts import Accounts
from usher_engine.store import Database

WAY_OUT = "Ask an administrator to repair this case"
#: What an answer cannot move on; the others can go on, some of them with sub-processes that nothing holds.
BROKEN = ("twice: not tried yet", "twice: tried", "stuck: last way open", "stuck: others go on")
PAGES = ("", "/replay", "/replay.json", "/proof", "/diagram.bpmn")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'usher.db'}"
    restore("0.1.0", url)
    database = Database(url)
    accounts = Accounts(database, Clock(), passwords=CHEAP)
    for name, (role, groups) in CAST.items():
        accounts.add_user(name, PASSWORD, role=role, groups=groups, by="test")
    database.close()
    return url


def opens(visitor: Visitor, *pages: str) -> None:
    for page in pages:
        answer = visitor.get(page)
        assert answer.status_code == 200, (page, answer.status_code)
        assert "Traceback" not in answer.text


def test_every_page_of_every_case_opens(house: House) -> None:
    engine = house.enrollment.engine
    cases = engine.queries.instances(limit=200)
    alice, audrey = house.visitor("alice"), house.visitor("audrey")
    opens(alice, "/inbox", "/cases", *(f"/inbox/{task.id}" for task in engine.inbox.tasks(limit=200)))
    opens(audrey, *(f"/cases/{case.id}{page}" for case in cases for page in PAGES))


def test_every_answer_is_taken_or_refused_with_a_reason_and_other_cases_go_on(house: House) -> None:
    engine, alice = house.enrollment.engine, house.visitor("alice")
    first = {
        task.instance: task for task in reversed(engine.inbox.tasks(limit=200))
    }  # of what was opened twice the first
    drawn = [task for task in first.values() if not task.form and not task.assignee]
    keys = {case.id: case.business_key for case in engine.queries.instances(limit=200)}
    broken = {task.instance for task in drawn if keys[task.instance] in BROKEN}
    assert len(broken) == 4 and len(drawn) > 15
    for task in drawn:
        alice.get(f"/inbox/{task.id}")
        answer = alice.post(f"/inbox/{task.id}/complete", {"revision": engine.instance(task.instance).revision})
        assert answer.status_code < 500, (task.id, answer.status_code)
    house.worker.run_due()
    for task in drawn:
        case = engine.instance(task.instance)
        stopped = case.incident is not None and WAY_OUT in case.incident
        assert stopped == (task.instance in broken), (case.business_key, case.incident)
        assert stopped or case.revision > task.revision


def test_an_administrator_sees_what_a_repair_would_do_and_lets_the_case_go_on(house: House) -> None:
    engine, adam = house.enrollment.engine, house.visitor("adam")
    case = next(one for one in engine.queries.instances(limit=200) if one.business_key == "twice: tried")
    house.visitor("alice").post(f"/inbox/{case.tasks[0].id}/complete")
    assert WAY_OUT in adam.get("/admin/cases").text
    assert "See what a repair would do" in adam.get(f"/admin/cases/{case.id}").text
    tried = adam.post(f"/admin/cases/{case.id}/repair")
    assert "nothing is done yet" in tried.text and "Closes: z." in tried.text
    moved = adam.post(f"/admin/cases/{case.id}/repair", {"confirmed": "yes", "revision": "1"})
    assert moved.status_code == 409 and "since you opened it" in moved.text
    done = adam.post(f"/admin/cases/{case.id}/repair", {"confirmed": "yes", "revision": str(case.revision + 1)})
    assert "The case was repaired." in done.text and "twice: tried" not in done.text
    again = adam.post(f"/admin/cases/{case.id}/repair")
    assert again.status_code == 409 and "there is nothing to repair" in again.text
    sentence = "adam repaired the case from its history. From step 2 on the diagram leads another way. Closed: z."
    opens(house.visitor("alice"), *(f"/cases/{case.id}{page}" for page in PAGES))
    assert sentence in house.visitor("alice").get(f"/cases/{case.id}").text
    assert "Repaired case" in house.visitor("audrey").get("/audit").text
    assert adam.post("/admin/cases/NOTHING/repair").status_code == 404
    assert house.visitor("alice").post(f"/admin/cases/{case.id}/repair").status_code == 403

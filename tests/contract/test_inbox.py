"""The list of open tasks: each person sees theirs once, ordered by due date, however many others there are."""

from __future__ import annotations

import pytest
from conftest import Outside, alice, charlie, package
from usher_engine import Actor, Engine, InvalidSubmission, NotFound
from usher_engine.definitions import Package
from usher_engine.store import visible_tasks
from usher_engine.store.task_counts import TaskCounts

both = Actor(name="both", role="staff", groups=frozenset({"Front desk", "Billing"}))


def pages(engine: Engine, actor: Actor, limit: int = 2, **wanted: bool) -> list[str]:
    """The ids of all tasks *actor* gets, page after page."""
    seen: list[str] = []
    after = None
    while page := engine.inbox.tasks(actor, limit=limit, after=after, **wanted):
        seen += [task.id for task in page]
        after = page[-1].sort_key
    return seen


def ask_everybody(engine: Engine, people: int) -> str:
    engine.deploy(package("items_parallel"), actor=alice)
    asked = [{"name": f"Person {number}"} for number in range(people)]
    return engine.start("items_parallel", {"people": asked, "enough": 1}, actor=alice, business_key="p").id


def test_tasks_opened_in_one_step_are_all_on_some_page(engine: Engine) -> None:
    case = ask_everybody(engine, 12)
    assert pages(engine, alice, limit=5) == [f"{case}:Ask:{visit}" for visit in range(1, 13)]


def test_a_claimed_task_is_listed_once_for_whom_it_is_also_a_candidate(engine: Engine) -> None:
    ask_everybody(engine, 3)
    mine = engine.inbox.tasks(alice)[1].id
    engine.cases.claim(mine, actor=alice)
    assert len(pages(engine, alice)) == len(set(pages(engine, alice))) == engine.inbox.count_tasks(alice) == 3
    assert pages(engine, alice, mine=True) == [mine]
    assert engine.inbox.count_tasks(alice, mine=True) == 1
    assert engine.inbox.count_each(alice) == TaskCounts(
        all=3, mine=1, overdue=engine.inbox.count_tasks(alice, overdue=True)
    )
    assert pages(engine, charlie) == []
    assert pages(engine, both) == pages(engine, alice)


def test_a_person_in_very_many_groups_sees_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_everybody(engine, 4)
    engine.cases.claim(engine.inbox.tasks(alice)[2].id, actor=alice)
    usual = pages(engine, alice)
    monkeypatch.setattr(visible_tasks, "MAX_REASONS", 0)
    assert pages(engine, alice) == usual and len(usual) == 4


@pytest.mark.parametrize("task", ["X:Y:²", "X:Y:-1", "X:Y:" + "9" * 30, "X:Y", ""])
def test_what_is_no_task_is_not_there(engine: Engine, task: str) -> None:
    with pytest.raises(NotFound, match="There is no such task"):
        engine.inbox.task(task, alice)


def test_no_task_has_a_name_the_database_cannot_look_for(engine: Engine) -> None:
    with pytest.raises((NotFound, InvalidSubmission), match=r"There is no such task|a character that cannot be kept"):
        engine.inbox.task("X:\x00:1", alice)


def test_values_too_large_for_the_database_are_refused_in_plain_words(engine: Engine) -> None:
    engine.deploy(package("small"), actor=alice)
    with pytest.raises((NotFound, InvalidSubmission), match=r"number|version"):
        engine.versions.package("small", 10**20)


def test_a_task_of_several_groups_is_in_the_inbox_of_each(engine: Engine, outside: Outside) -> None:
    small = package("small")
    text = small.files["small.bpmn"].replace(b'value="Front desk"', b'value=" Front desk,Nurses "')
    engine.deploy(Package({**small.files, "small.bpmn": text}), actor=alice)
    outside.answers.append({"n": 2})
    case = engine.start("small", {"q": 2}, actor=alice).id
    nurse = Actor(name="nora", role="staff", groups=frozenset({"Nurses", "Kitchen"}))
    named_alike = Actor(name="nick", role="staff", groups=frozenset({"Nurses, Front desk"}))
    for actor in (alice, nurse, both):
        assert pages(engine, actor) == [f"{case}:U:1"]
        assert engine.inbox.count_tasks(actor) == 1
        assert engine.search.concerns(actor, case)
    for actor in (charlie, named_alike):
        assert pages(engine, actor) == []
        assert not engine.search.concerns(actor, case)
        with pytest.raises(NotFound):
            engine.cases.claim(f"{case}:U:1", actor=actor)
    assert engine.inbox.task(f"{case}:U:1", nurse).groups == ("Front desk", "Nurses")
    engine.complete(f"{case}:U:1", {"word": "yes"}, actor=nurse)
    assert pages(engine, alice) == []
    assert engine.verify(case) == []

"""Searches on both databases: what a page holds, whose eyes see what, and that no statement reads a whole table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from sqlalchemy import event
from usher_engine import SYSTEM, Actor, Engine, Instance, NotFound, Worker
from usher_engine.cases import CaseFilter
from usher_engine.store import case_search, case_signatures
from usher_engine.store.search_reindex import reindex

AUDREY = Actor(name="audrey", role="auditor")


@pytest.fixture
def small(engine: Engine, outside: Outside, clock: Clock) -> Engine:
    """Forty cases in all states, an hour apart, by three people, about ten patients; two versions."""
    engine.deploy(package("small"), actor=SYSTEM)
    for number in range(40):
        if number == 20:
            engine.deploy(package("small"), actor=SYSTEM)
        clock.forward(hours=1)
        _live(engine, outside, number)
    return engine


def _live(engine: Engine, outside: Outside, number: int) -> None:
    who = (alice, bob, replace(charlie, groups=frozenset({"Front desk"})))[number % 3]
    if number % 10 == 7:
        outside.fail(retry=False)
    outside.answers.append({"n": number % 7})
    case = engine.start("small", {"q": number}, actor=who, business_key=f"p{number % 10}")
    match case.tasks and number % 4:
        case 1:
            engine.complete(case.tasks[0].id, {"word": "yes"}, actor=bob)
            Worker(engine).run_due()
        case 2:
            engine.cases.cancel(case.id, "not wanted", actor=alice)
        case 3:
            engine.cases.claim(case.tasks[0].id, actor=bob)
        case _:
            pass


def everything(engine: Engine) -> list[Instance]:
    return engine.queries.instances(limit=1_000)


def fits(engine: Engine, case: Instance, wanted: CaseFilter) -> bool:
    """Whether a case passes the filter, computed from the history."""
    steps = engine.queries.history(case.id)
    happened = [one for step in steps for one in step.events]
    visited = {one["element"] for one in happened if one["kind"] in ("ElementEntered", "ElementPassed")}
    people = {step.actor for step in steps if step.body["actor"]["role"] not in ("system", "patient")}
    ended = case.ended_at
    return all(
        (
            wanted.process in (None, case.process),
            wanted.version in (None, case.version),
            not wanted.statuses or case.status in wanted.statuses,
            wanted.outcome in (None, case.outcome),
            wanted.element is None or wanted.element in visited,
            not wanted.stopped or any(one["kind"] == "IncidentRaised" for one in happened),
            wanted.actor is None or wanted.actor in people,
            wanted.about is None or case.business_key in wanted.about,
            wanted.started_from is None or case.started_at >= wanted.started_from,
            wanted.started_until is None or case.started_at < wanted.started_until,
            not wanted.by_end or ended is not None,
            wanted.ended_from is None or (ended and ended >= wanted.ended_from),
            wanted.ended_until is None or (ended and ended < wanted.ended_until),
        )
    )


def wanted_of(clock: Clock) -> list[CaseFilter]:
    early, late = clock() - timedelta(hours=30), clock() - timedelta(hours=8)
    return [
        CaseFilter(),
        CaseFilter(process="small"),
        CaseFilter(process="another"),
        CaseFilter(version=1),
        CaseFilter(statuses=frozenset({"cancelled"})),
        CaseFilter(statuses=frozenset({"waiting", "incident"})),
        CaseFilter(outcome="E2"),
        CaseFilter(element="Send"),
        CaseFilter(element="Nowhere"),
        CaseFilter(stopped=True),
        CaseFilter(actor="bob"),
        CaseFilter(actor="nobody"),
        CaseFilter(actor="bob", statuses=frozenset({"finished"}), version=2),
        CaseFilter(about=frozenset({"p3", "p4"})),
        CaseFilter(about=frozenset({"p3"}), actor="bob", statuses=frozenset({"waiting"})),
        CaseFilter(about=frozenset()),
        CaseFilter(started_from=early, started_until=late),
        CaseFilter(started_from=early, actor="alice", element="U"),
        CaseFilter(ended_from=early, ended_until=late),
        CaseFilter(ended_from=early, actor="bob"),
        CaseFilter(ended_until=late, started_from=early, version=1),
    ]


@pytest.fixture(params=[400, 3])
def looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to the same page: looking through the newest cases, and asking each kind."""
    monkeypatch.setattr(case_search, "LOOKED_AT", request.param)
    monkeypatch.setattr(case_search, "AT_ONCE", 2)


def test_a_page_agrees_with_the_history(small: Engine, clock: Clock, looked_at: None) -> None:
    for wanted in wanted_of(clock):
        expected = [case.id for case in everything(small) if fits(small, case, wanted)]
        if wanted.by_end:
            expected.sort(key=lambda number: (small.instance(number).ended_at, number), reverse=True)
        assert [case.id for case in small.search.find(wanted, limit=100).cases] == expected, wanted


def test_pages_follow_each_other_both_ways(small: Engine, clock: Clock, looked_at: None) -> None:
    for wanted in wanted_of(clock):
        whole = [case.id for case in small.search.find(wanted, limit=100).cases]
        down, page = [], small.search.find(wanted, limit=3)
        assert not page.newer
        pages = [page]
        while page.older:
            page = small.search.find(wanted, after=page.cases[-1].id, limit=3)
            assert page.newer
            pages.append(page)
        down = [case.id for page in pages for case in page.cases]
        assert down == whole, wanted
        if len(pages) > 1:
            back = small.search.find(wanted, before=pages[-1].cases[0].id, limit=3)
            assert back.cases == pages[-2].cases
            assert back.older
            assert back.newer == (len(pages) > 2)


def test_a_case_nobody_knows_is_no_place_to_go_on_from(small: Engine) -> None:
    with pytest.raises(NotFound):
        small.search.find(CaseFilter(), after="NOSUCHCASE00")


def test_people_find_what_is_part_of_their_work(small: Engine, clock: Clock, looked_at: None) -> None:
    dana = Actor(name="dana", role="staff", groups=frozenset({"Billing"}))
    for who in (alice, charlie, dana, AUDREY):
        mine = [case.id for case in everything(small) if small.search.concerns(who, case.id)]
        found = small.search.find(CaseFilter(), actor=who, limit=100).cases
        assert [case.id for case in found] == mine, who.name
    assert small.search.find(CaseFilter(), actor=dana).cases == ()
    own = small.search.find(CaseFilter(), actor=charlie, limit=100).cases
    assert 0 < len(own) < 40
    by_end = CaseFilter(ended_from=clock() - timedelta(hours=100))
    assert {case.id for case in small.search.find(by_end, actor=charlie, limit=100).cases} <= {case.id for case in own}
    with pytest.raises(NotFound):
        small.search.concerns(alice, "NOSUCHCASE00")


def test_what_there_is_to_look_for(small: Engine) -> None:
    facets = small.search.facets()
    assert (facets.processes, facets.versions) == (("small",), (2, 1))
    assert ("small", "E2") in facets.outcomes
    assert ("small", "Send") in facets.elements


def test_the_index_is_checked_and_rebuilt(small: Engine) -> None:
    assert small.verification.verify_all().findings == []
    case = everything(small)[5]
    with small.database.begin() as tx:
        tx.exec_driver_sql(f"UPDATE instance SET kind = 7 WHERE id = '{case.id}'")
        tx.exec_driver_sql("DELETE FROM case_actor WHERE actor = 'charlie'")
    findings = small.verification.verify_all().findings
    assert case.id in {finding.instance for finding in findings}
    assert {finding.kind for finding in findings} == {"index"}
    assert "usher db reindex" in findings[0].message
    with small.database.begin() as tx:
        assert reindex(tx) == (40, len(findings))
    assert small.verification.verify_all().findings == []


def test_a_kind_that_was_rolled_back_is_written_again(small: Engine, outside: Outside) -> None:
    """A process remembers kinds, but only those that were committed."""
    case_signatures._committed.clear()

    def fails_at_the_end() -> None:
        with small.database.begin() as tx:
            row = case_signatures.Row("X", "new", 1, "", "", "waiting", 0, b"", "", None, "", "")
            assert case_signatures.find(tx, case_signatures.project(tx, row, [])) is not None
            raise NotFound

    for _ in range(2):
        with pytest.raises(NotFound):
            fails_at_the_end()
    with small.database.read() as tx:
        assert "new" not in {kind.process for _, kind in case_signatures.all_signatures(tx)}


# plans


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine.database.db, "before_cursor_execute", note)
    yield asked
    event.remove(engine.database.db, "before_cursor_execute", note)


def _plan(engine: Engine, statement: str, parameters: Any) -> str:
    with engine.database.begin() as tx:
        if engine.database.is_sqlite:
            rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(str(row[3]) for row in rows)
        tx.exec_driver_sql("SET LOCAL enable_seqscan = off")  # forty rows are a page; it would rightly read them all
        return "\n".join(str(row[0]) for row in tx.exec_driver_sql(f"EXPLAIN {statement}", parameters))


#: How the statements begin that must come sorted from an index.
WALKS = ("SELECT started_at", "SELECT ended_at", "SELECT * FROM (")
BIG = ("instance", "step", "case_actor", "audit_event", "user_task", "leaf")


def test_no_page_reads_a_whole_table(small: Engine, clock: Clock, looked_at: None) -> None:
    seen = 0
    for wanted in wanted_of(clock):
        for who in (None, charlie):
            with statements(small) as asked:
                first = small.search.find(wanted, actor=who, limit=3)
                if first.older:
                    small.search.find(wanted, actor=who, after=first.cases[-1].id, limit=3)
                    small.search.find(wanted, actor=who, before=first.cases[-1].id, limit=3)
            for statement, parameters in asked:
                plan = _plan(small, statement, parameters)
                seen += 1
                if small.database.is_sqlite and statement.startswith(WALKS):
                    assert "TEMP B-TREE" not in plan, f"{wanted}\n{statement}\n{plan}"
                for line in plan.splitlines():
                    scans = line.strip() in {f"SCAN {table}" for table in BIG} or "Seq Scan on instance" in line
                    assert not scans and "Seq Scan on case_actor" not in line, f"{wanted}\n{statement}\n{plan}"
    assert seen > 100

"""Changed cases are reported as soon as they are committed, from this process and from others, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from conftest import alice, charlie, package
from usher_engine import ChangeFeed, Database, Engine, Instance

PATIENCE_S = 60.0


class Heard:
    """What a feed has reported."""

    def __init__(self) -> None:
        self.cases: set[str] = set()
        self.times = 0
        self._news = threading.Condition()

    def __call__(self, changed: frozenset[str] | None) -> None:
        with self._news:
            self.times += 1
            self.cases |= changed or set()
            self._news.notify_all()

    def until(self, case: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: case in self.cases, PATIENCE_S), "it was not reported"
            self.cases.clear()


def begin(engine: Engine) -> Instance:
    """A new case with an open task."""
    asked = {"people": [{"name": "Ann"}], "enough": 1}
    return engine.start("items_parallel", asked, actor=alice, business_key="p1")


@pytest.fixture
def heard(engine: Engine) -> Iterator[Heard]:
    """What a feed of another process hears: it has a connection to the database of its own."""
    found = Heard()
    database = Database(engine.settings.database_url)
    feed = ChangeFeed(database, found)
    feed.start()
    engine.deploy(package("items_parallel"), actor=alice)
    while not found.times and not database.is_sqlite:  # PostgreSQL tells only what comes after LISTEN
        first = begin(engine)
        if first.id in found.cases:
            break
    yield found
    feed.stop()
    database.close()


def test_another_process_hears_of_each_step(engine: Engine, heard: Heard) -> None:
    case = begin(engine)
    heard.until(case.id)
    engine.cases.claim(case.tasks[0].id, actor=alice)
    heard.until(case.id)


def test_this_process_hears_of_it_too(engine: Engine) -> None:
    heard = Heard()
    feed = ChangeFeed(engine.database, heard)
    feed.start()
    engine.deploy(package("items_parallel"), actor=alice)
    begun: set[str] = set()
    while not begun & heard.cases:  # the feed may begin to listen only now
        begun.add(begin(engine).id)
    feed.stop()


def test_what_is_rolled_back_was_never_heard_of(engine: Engine, heard: Heard) -> None:
    case = begin(engine)
    heard.until(case.id)
    with suppress(ZeroDivisionError), engine.database.begin() as tx:
        engine.steps.record(case.id, "Noted", {}, actor=alice, transaction=tx)
        raise ZeroDivisionError
    other = begin(engine)
    heard.until(other.id)
    assert case.id not in heard.cases


def test_onlookers_are_those_whom_the_case_concerns(engine: Engine) -> None:
    engine.deploy(package("items_parallel"), actor=alice)
    case = begin(engine).id
    found = engine.search.onlookers([case, "NOSUCHNUMBER"])
    for actor in (alice, charlie):
        assert (case in found.seen_by(actor)) is engine.search.concerns(actor, case)
    assert found.seen_by(alice)[case].business_key == "p1"
    assert engine.search.onlookers([]).seen_by(alice) == {}

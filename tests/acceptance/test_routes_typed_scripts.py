"""Random scripts of two people at one task: nothing typed is lost, and nobody reads what another has not sent."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from acceptance.conftest import House, Visitor
from acceptance.test_routes_task_drafts import ASKS, FORM, RECORD, save
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from usher_engine import SYSTEM, Conflict
from usher_engine.definitions import Package, read_folder
from usher_web.auth import acting

PEOPLE = ("alice", "bob")
DEEDS = (
    "type", "type", "type", "reload", "expire", "second window", "claim", "release", "send", "other task", "cancel",
)  # fmt: skip
SCRIPTS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(DEEDS)), min_size=3, max_size=9)


@dataclass
class Play:
    """Two people at the task B of a new case, and what each of them has typed and not sent."""

    house: House
    case: str
    visitors: dict[str, Visitor]
    unsent: dict[str, str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    number: int = 0

    @property
    def task(self) -> str:
        return f"{self.case}:B:1"

    def act(self, who: str, deed: str) -> None:
        visitor = self.visitors[who]
        match deed:
            case "type":
                self._type(who)
            case "reload":
                visitor.get(f"/inbox/{self.task}")
            case "expire":
                self.house.clock.forward(minutes=20)
                visitor.sign_in(who)
            case "second window":
                self.visitors[who] = self.house.visitor(who)
            case "claim" | "release":
                visitor.post(f"/inbox/{self.task}/{deed}")
            case "send":
                self._send(who)
            case "other task":
                words = {**RECORD, "agreed": "true", "note": f"elsewhere{self.case}"}
                visitor.post(f"/inbox/{self.case}:A:1/complete", {f"f.{key}": text for key, text in words.items()})
            case "cancel":
                visitor.post(f"/inbox/{self.task}/cancel", {"reason": "no more"})

    def _words(self, who: str) -> str:
        self.number += 1
        return f"{who} wrote {self.number} in {self.case}"

    def _typed(self, words: str) -> dict[str, str]:
        return {f"f.{key}": str(value) for key, value in {**RECORD, "agreed": "true", "note": words}.items()}

    def _revision(self) -> int:
        return self.house.enrollment.engine.instance(self.case).revision

    def _type(self, who: str) -> None:
        visitor, words = self.visitors[who], self._words(who)
        visitor.get("/start")  # signed in or not: the page knows its token
        answer = save(visitor, self.task, self._typed(words), self._revision())
        if answer.status_code == 200:
            self.unsent[who] = words
        else:
            assert answer.status_code in (401, 403), answer.text

    def _send(self, who: str) -> None:
        words = self._words(who)
        answer = self.visitors[who].client.post(
            f"/inbox/{self.task}/complete",
            data={**self._typed(words), "revision": str(self._revision()), "csrf_token": self.visitors[who].csrf},
        )
        if answer.status_code == 303 and "/sign-in" not in answer.headers["Location"]:
            self.sent.add(words)
            self.unsent.pop(who, None)
        elif answer.status_code == 409:
            self.unsent[who] = words

    def check(self) -> None:
        engine = self.house.enrollment.engine
        for who in PEOPLE:
            page = self.house.visitor(who).get(f"/inbox/{self.task}").text
            mine = self.unsent.get(who)
            draft = engine.task_drafts.find(self.task, acting(self.house.accounts.user(who)))
            assert (draft.typed["note"] if draft else None) == mine
            if mine and "is working on this task" not in page and "Claims the task for you" not in page:
                assert mine in "".join(page.replace("<mark>", "").replace("</mark>", "")), (who, mine)
            for other in set(PEOPLE) - {who}:
                theirs = self.unsent.get(other)
                assert theirs is None or theirs not in page, f"{who} reads what {other} has not sent"
        for step in engine.queries.history(self.case):
            told = json.dumps([step.command, list(step.events)])
            assert not any(words in told for words in self.unsent.values()), "unsent text is in the history"


@pytest.fixture
def deployed(house: House) -> House:
    package = read_folder(ROOT / "tests" / "processes" / "parallel")
    drawn = package.text("parallel.bpmn")
    for one in "AB":
        asked = f'<bpmn:userTask id="{one}" name="{one}">{ASKS}</bpmn:userTask>'
        drawn = drawn.replace(f'<bpmn:userTask id="{one}" name="{one}"/>', asked)
    files = {"parallel.bpmn": drawn.encode(), "record.form": json.dumps(FORM).encode()}
    house.enrollment.engine.deploy(Package(files), actor=SYSTEM, note="two")
    return house


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=SCRIPTS)
def test_nothing_typed_is_lost_and_nobody_reads_anothers_words(deployed: House, script: list[tuple[str, str]]) -> None:
    case = deployed.enrollment.engine.start("parallel", {"n": 1, "record": RECORD}, actor=SYSTEM).id
    play = Play(deployed, case, {who: deployed.visitor(who) for who in PEOPLE})
    for who, deed in script:
        play.act(who, deed)
        play.check()
    with suppress(Conflict):
        deployed.enrollment.engine.cases.cancel(case, "over", actor=SYSTEM)
    play.check()

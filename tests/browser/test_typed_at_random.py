"""Random scripts in two real browsers: typing, reload, no network, ended session, second window, somebody else."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from browser.clinic import PASSWORD, Clinic
from browser.people import KEPT, Staff
from playwright.sync_api import Error, Page, expect

WHY = "Why is the response removed?"
LENGTH = 9


@dataclass
class Person:
    """Someone at one task; *words* is what they typed last."""

    name: str
    page: Page
    task: str
    clinic: Clinic
    words: str = ""
    all_words: set[str] = field(default_factory=set)

    def type(self, words: str) -> None:
        self.page.get_by_label(WHY).fill(words)
        expect(self.page.locator(KEPT)).to_have_attribute("data-state", re.compile("kept|saved"))
        self.words = words
        self.all_words.add(words)

    def reload(self) -> None:
        self.page.reload()
        self.page.wait_for_selector("body[data-ready]")

    def go(self) -> None:
        self._goto("/inbox")
        self._goto(self.task)
        self.page.wait_for_selector("body[data-ready]")

    def _goto(self, path: str) -> None:
        """A page that finds somebody else signed in leaves by itself, and may be about to."""
        try:
            self.page.goto(path)
        except Error:
            self.page.wait_for_load_state()
            self.page.goto(path)

    def switch(self, name: str | None) -> None:
        """Another session in this browser, without signing out; None: an ended one."""
        self.page.context.clear_cookies(name="usher")
        if name:
            self.page.context.add_cookies([self.clinic.cookie(name)])

    def sees_own_words(self) -> None:
        expect(self.page.get_by_label(WHY)).to_have_value(self.words)


def expire(person: Person, _other: Person, _desk: Callable[..., Page]) -> None:
    person.switch(None)
    person.page.goto(person.task.partition("#")[0])
    person.page.get_by_label("Name").fill(person.name)
    person.page.get_by_label("Password").fill(PASSWORD)
    person.page.get_by_role("button", name="Sign in").click()
    person.page.wait_for_url("**/inbox/**")
    person.page.wait_for_selector("body[data-ready]")


def offline(person: Person, _other: Person, _desk: Callable[..., Page]) -> None:
    person.page.context.set_offline(True)
    expect(person.page.get_by_text("No network.")).to_be_visible()
    person.type(f"{person.words} and more")
    person.page.keyboard.press("Control+Enter")
    person.sees_own_words()
    person.page.context.set_offline(False)
    expect(person.page.get_by_text("No network.")).to_have_count(0)


def second_window(person: Person, _other: Person, desk: Callable[..., Page]) -> None:
    """On another computer the text is there as soon as Usher has said so."""
    if person.words:
        expect(person.page.locator(KEPT)).to_have_attribute("data-state", "saved")
    elsewhere = Person(person.name, desk(person.name), person.task, person.clinic, person.words)
    elsewhere.go()
    elsewhere.sees_own_words()


def somebody_else(person: Person, other: Person, _desk: Callable[..., Page]) -> None:
    """The other sits down at this computer, whose owner never signed out."""
    person.switch(other.name)
    person.go()
    for words in person.all_words:
        assert words not in person.page.content()
    expect(person.page.get_by_label(WHY)).not_to_have_value(person.words or "nothing")
    person.switch(person.name)
    person.go()


def reload(person: Person, _other: Person, _desk: Callable[..., Page]) -> None:
    person.reload()


def leave_and_come_back(person: Person, _other: Person, _desk: Callable[..., Page]) -> None:
    person.go()


DEEDS = (reload, leave_and_come_back, expire, offline, second_window, somebody_else)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_typed_is_lost(clinic: Clinic, desk: Callable[..., Page], seed: int) -> None:
    chance = random.Random(seed)
    first = Staff(desk("alice"), clinic)
    first.trigger(clinic.add("Declined"))
    task = first.page.url
    people = [Person("alice", first.page, task, clinic), Person("bob", desk("bob"), task, clinic)]
    for person in people:
        person.go()
    for number in range(LENGTH):
        person, other = chance.sample(people, 2)
        if chance.random() < 0.7:
            person.type(f"{person.name} at {number} of {seed}")
        chance.choice(DEEDS)(person, other, desk)
        for one, another in ((person, other), (other, person)):
            one.sees_own_words()
            assert not any(words in one.page.content() for words in another.all_words)

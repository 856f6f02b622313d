"""Who stands in for a person, as their profile and the administrators' page show it, and what such a form sends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import usher_engine
from flask import request
from usher_engine import Actor
from usher_engine.accounts import Account, Role, StandIn, Substitutes, Substitution

from ..site import site
from .person_names import person
from .presentation import joined, people_day


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedSubstitute:
    """One substitution in words; *runs*: it is in force today."""

    id: int
    substitute: str
    days: str
    scope: str
    named_by: str
    runs: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SubstituteChoice:
    """The part of a page: those there are, and the form for another one as it was *typed*."""

    person: str
    named: tuple[NamedSubstitute, ...]
    colleagues: tuple[str, ...]
    groups: tuple[str, ...]
    chosen: frozenset[str]
    typed: dict[str, str]
    errors: dict[str, str]
    today: str


def substitutes() -> Substitutes:
    accounts = site().accounts
    return Substitutes(accounts.database, accounts.clock, site().settings.calendar)


def substitute_choice(account: Account, errors: dict[str, str] | None = None) -> SubstituteChoice | None:
    """The part about *account*; None for people who work on no tasks."""
    if account.role is not Role.STAFF or account.disabled:
        return None
    today = site().today()
    there = substitutes().of(account.name)
    typed = {"first": today.isoformat(), "last": "", "substitute": ""}
    if errors:
        typed |= {name: request.form.get(name, "") for name in typed}
    return SubstituteChoice(
        person=account.name,
        named=tuple(_in_words(one, today) for one in there),
        colleagues=tuple(one.name for one in site().staff.at_work() if one.name != account.name),
        groups=tuple(sorted(account.groups)),
        chosen=frozenset(request.form.getlist("groups")) if errors else frozenset(),
        typed=typed,
        errors=errors or {},
        today=today.isoformat(),
    )


def name_substitute(person_name: str, *, actor: Actor) -> str:
    """Name the one in the form, and say so; raises like `Substitutes.name`."""
    form = request.form
    found = substitutes().name(
        person_name,
        form.get("substitute", ""),
        first=_day("first"),
        last=_day("last"),
        groups=frozenset(form.getlist("groups")),
        actor=actor,
    )
    site().staff.forget()
    words = _in_words(found, site().today())
    return f"{person(found.substitute)} stands in for {person(found.person)}, {words.days}."


def end_substitute(number: int, person_name: str, *, actor: Actor) -> str:
    """End one now, and say so; raises like `Substitutes.end`."""
    found = substitutes().end(number, person=person_name, actor=actor)
    site().staff.forget()
    return f"{person(found.substitute)} does not stand in for {person(found.person)} any more."


def why_refused(refused: usher_engine.EngineError) -> dict[str, str]:
    """The reasons beside the fields of the form."""
    fields = refused.fields if isinstance(refused, usher_engine.InvalidSubmission) else {}
    return dict(fields) or {"substitute": refused.message}


def away_words(stand_ins: Iterable[StandIn]) -> str:
    """ "away to 24 December, alice stands in"; empty if nobody stands in."""
    found = list(stand_ins)
    if not found:
        return ""
    names = joined([person(one.substitute) for one in found])
    last = people_day(max(one.last for one in found), site().today())
    return f"away to {last}, {names} {'stands' if len(found) == 1 else 'stand'} in"


def _in_words(found: Substitution, today: date) -> NamedSubstitute:
    first, last = people_day(found.first, today), people_day(found.last, today)
    return NamedSubstitute(
        id=found.id,
        substitute=found.substitute,
        days=f"on {first}" if found.first == found.last else f"{first} to {last}",
        scope=joined(sorted(found.groups)) if found.groups else "all tasks",
        named_by=found.named_by,
        runs=found.first <= today,
    )


def _day(field: str) -> date:
    try:
        return date.fromisoformat(request.form.get(field, "").strip())
    except ValueError:
        reason = "Choose a day, like 2026-12-24."
        raise usher_engine.InvalidSubmission(reason, fields={field: reason}) from None

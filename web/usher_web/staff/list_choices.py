"""What the filters of the inbox offer, with true numbers, and how a filter that is set reads and comes off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from usher_engine import Actor
from usher_engine.cases import KindCount, TaskOrder

from ..site import site
from ..words.person_names import person
from ..words.presentation import element_words, joined, people_day
from .list_query import (
    COLUMN_WORDS,
    DUE_WORDS,
    FREE,
    GROUP_VIEW,
    MINE,
    SORT_WORDS,
    STAND_IN_VIEW,
    Due,
    ListQuery,
    View,
)
from .view_pages import SavedView

#: Titles of tasks and names of processes, by (process, element).
Titles = dict[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One value of a filter; *tasks* is how many open tasks have it, None where that is not counted."""

    value: str
    label: str
    chosen: bool
    tasks: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """
    A filter: its parameter *name*, its *label*, what is *set* in words, and the list *without* it.

    *single* filters take one value, *day* ones a day beside their options.
    """

    name: str
    label: str
    options: tuple[Option, ...]
    set: str = ""
    without: ListQuery | None = None
    single: bool = False
    day: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tab:
    """A view above the list, and how many tasks it has without filters."""

    label: str
    tasks: int
    query: ListQuery
    current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    tabs: tuple[Tab, ...]
    #: The views people saved, in the reader's order, and the one that is open.
    views: tuple[SavedView, ...]
    view: SavedView | None
    filters: tuple[Choice, ...]
    sorts: tuple[Option, ...]
    columns: tuple[Option, ...]


def choices_of(actor: Actor, query: ListQuery, views: Sequence[SavedView]) -> Choices:
    """The views and filters for *actor*."""
    inbox = site().engine.inbox
    seen, counts = inbox.kinds(actor), inbox.count_each(actor)
    by_group = _numbers((group, one.open) for one in seen for group in one.groups)
    groups = sorted({*(group for group in actor.groups), *query.groups})
    standing = ((View.ALL, "All", counts.all), (View.MINE, "Mine", counts.mine))
    ends = ((View.OVERDUE, "Overdue", counts.overdue), (View.LATER, "Later", counts.put_off))
    own = [(f"{GROUP_VIEW}{group}", group, by_group[group]) for group in sorted(actor.groups)]
    away = [
        (f"{STAND_IN_VIEW}{one.person}", f"For {person(one.person)}", counts.stood_in.get(one.person, 0))
        for one in actor.stands_in
    ]
    tabs = (
        Tab(
            label=label,
            tasks=tasks,
            query=replace(query.plain, view=str(view)),
            current=not query.saved and query.view == view,
        )
        for view, label, tasks in (*standing, *away, *(own if len(own) > 1 else ()), *ends)
    )
    titles = inbox.titles(seen)
    filters = [_kinds(seen, titles, query), _due(query), _processes(seen, titles, query), _with(actor, query)]
    if len(groups) > 1 and not query.group_view:
        filters.insert(0, _groups(groups, by_group, query))
    return Choices(
        tabs=tuple(tabs),
        views=tuple(views),
        view=next((one for one in views if str(one.id) == query.saved), None),
        filters=tuple(filters),
        sorts=tuple(
            Option(value=order.value, label=SORT_WORDS[order], chosen=query.sort is order) for order in TaskOrder
        ),
        columns=tuple(
            Option(value=column.value, label=label, chosen=column in query.columns)
            for column, label in COLUMN_WORDS.items()
        ),
    )


def _numbers(pairs: Iterable[tuple[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, tasks in pairs:
        found[name] += tasks
    return found


def _groups(groups: list[str], tasks: Counter[str], query: ListQuery) -> Choice:
    options = (_option(group, group, query.groups, tasks) for group in groups)
    without = replace(query.first_page, groups=())
    return _choice("group", "Group", options, query.groups, without)


def _kinds(seen: list[KindCount], titles: Titles, query: ListQuery) -> Choice:
    tasks = _numbers((f"{one.process}/{one.element}", one.open) for one in seen)
    values = {f"{process}/{element}": title for (process, element), (title, _) in titles.items()}
    for kind in query.kinds:  # one that has no open task now
        values.setdefault(kind, element_words(kind.partition("/")[2]))
    several = len({value.partition("/")[0] for value in values}) > 1
    twice = {title for title, times in Counter(values.values()).items() if times > 1 and several}
    options = (
        _option(value, f"{title}, {value.partition('/')[0]}" if title in twice else title, query.kinds, tasks)
        for value, title in sorted(values.items(), key=lambda one: (one[1], one[0]))
    )
    return _choice("kind", "Kind", options, query.kinds, replace(query.first_page, kinds=()))


def _processes(seen: list[KindCount], titles: Titles, query: ListQuery) -> Choice:
    tasks = _numbers((one.process, one.open) for one in seen)
    names = {process: name for (process, _), (_, name) in titles.items()}
    values = sorted({*tasks, *query.processes})
    options = (_option(value, names.get(value, value), query.processes, tasks) for value in values)
    return _choice("process", "Process", options, query.processes, replace(query.first_page, processes=()))


def _due(query: ListQuery) -> Choice:
    options = tuple(
        Option(value=rule.value, label=DUE_WORDS[rule].capitalize(), chosen=query.due == rule) for rule in Due
    )
    own_day = query.due if query.due and query.due not in set(Due) else ""
    return Choice(
        name="due",
        label="Due",
        options=options,
        set=DUE_WORDS[Due(query.due)] if query.due in set(Due) else f"to {_day(own_day)}" if own_day else "",
        without=replace(query.first_page, due=""),
        single=True,
        day=own_day,
    )


def _with(actor: Actor, query: ListQuery) -> Choice:
    values = [(FREE, "Nobody"), (MINE, "Me")]
    if query.who not in ("", FREE, MINE, actor.name):
        values.append((query.who, query.who))
    options = tuple(Option(value=value, label=label, chosen=query.who == value) for value, label in values)
    words = dict(values).get(query.who, query.who)
    return Choice(
        name="with",
        label="With",
        options=options,
        set=words[:1].lower() + words[1:] if query.who in (FREE, MINE) else words,
        without=replace(query.first_page, who=""),
        single=True,
    )


def _choice(name: str, label: str, options: Iterable[Option], chosen: tuple[str, ...], without: ListQuery) -> Choice:
    offered = tuple(options)
    words = [option.label for option in offered if option.chosen]
    said = f"{len(words)} of {len(offered)}" if len(words) > 1 else joined(words)
    return Choice(name=name, label=label, options=offered, set=said if chosen else "", without=without)


def _option(value: str, label: str, chosen: tuple[str, ...], tasks: Counter[str]) -> Option:
    return Option(value=value, label=label, chosen=value in chosen, tasks=tasks[value])


def _day(text: str) -> str:
    return people_day(date.fromisoformat(text), site().today())

"""What the address of the inbox asks for: a view, filters that combine, an order, columns and a page. Pure.

The address holds all of it, so that Back, a sent link and a saved view give the same list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from usher_engine import Actor
from usher_engine.cases import TaskFilter, TaskOrder, TaskPage, stored_time
from usher_engine.core import Calendar
from werkzeug.datastructures import MultiDict

#: The rows of a page.
PAGE = 50


class View(StrEnum):
    """The standing tabs above the list; a group of the person has one too (`ListQuery.group_view`)."""

    ALL = "all"
    MINE = "mine"
    OVERDUE = "overdue"
    LATER = "later"


class Due(StrEnum):
    """Due dates as a rule, so that a saved view moves on with the days; a day stands for itself."""

    OVERDUE = "overdue"
    TODAY = "today"
    FRIDAY = "friday"
    WEEK = "week"
    NONE = "none"


DUE_WORDS = {
    Due.OVERDUE: "overdue",
    Due.TODAY: "to today",
    Due.FRIDAY: "to Friday",
    Due.WEEK: "in seven days",
    Due.NONE: "no date",
}

SORT_WORDS = {
    TaskOrder.DUE: "Due, then longest wait",
    TaskOrder.OPENED: "Longest wait",
    TaskOrder.NEWEST: "Newest",
    TaskOrder.URGENT: "Priority, then due",
}


class Column(StrEnum):
    """Columns beside task and patient, which are always there."""

    WHY = "why"
    DUE = "due"
    WITH = "with"
    PRIORITY = "priority"
    SINCE = "since"
    PROCESS = "process"


COLUMN_WORDS = {
    Column.WHY: "Why",
    Column.DUE: "Due",
    Column.WITH: "With",
    Column.PRIORITY: "Priority",
    Column.SINCE: "Waiting since",
    Column.PROCESS: "Process",
}

USUAL_COLUMNS = (Column.WHY, Column.DUE, Column.WITH)

#: Parameters with several values, and those with one.
MANY = ("group", "kind", "process")
ONE = ("view", "due", "with", "q", "sort", "cols", "rows", "saved")
#: Where a page begins; not part of what a view is.
CURSORS = ("after", "before")

MINE, FREE = "me", "free"
GROUP_VIEW = "group:"
#: The tab of somebody for whom the reader stands in.
STAND_IN_VIEW = "for:"
#: A group that no task is for.
NO_GROUP = "\0"
#: The last day that can be asked for; the day after it must exist too.
LAST_DAY = date(2999, 12, 31)
#: The longest text to look for.
LONGEST_TEXT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ListQuery:
    """
    A list of tasks as asked for. *gone* says what could not be applied: a column, an order or a rule that is no more.

    *who* is ``me``, ``free``, the name of a person or empty; *due* a rule or a day; *view* a standing tab, ``group:``
    and a group of the person, or ``for:`` and somebody for whom the person stands in.
    """

    view: str = View.ALL
    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    due: str = ""
    who: str = ""
    text: str = ""
    sort: TaskOrder = TaskOrder.DUE
    columns: tuple[Column, ...] = USUAL_COLUMNS
    airy: bool = False
    saved: str = ""
    after: str = ""
    before: str = ""
    gone: tuple[str, ...] = field(default=(), compare=False)

    @property
    def group_view(self) -> str:
        """The group whose tab this is; empty for the other tabs."""
        return self.view.removeprefix(GROUP_VIEW) if self.view.startswith(GROUP_VIEW) else ""

    @property
    def stand_in_view(self) -> str:
        """For whom the person stands in, if this is the tab of their tasks; empty for the other tabs."""
        return self.view.removeprefix(STAND_IN_VIEW) if self.view.startswith(STAND_IN_VIEW) else ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.groups or self.kinds or self.processes or self.due or self.who or self.text)

    @property
    def plain(self) -> ListQuery:
        """The view alone: without filters and at its first page."""
        return ListQuery(view=self.view, sort=self.sort, columns=self.columns, airy=self.airy)

    @property
    def first_page(self) -> ListQuery:
        return replace(self, after="", before="")

    def page(self, *, limit: int = PAGE + 1) -> TaskPage:
        return TaskPage(order=self.sort, after="" if self.before else self.after, before=self.before, limit=limit)

    def args(self, *, whole: bool = True) -> list[tuple[str, str]]:
        """The parameters of the address, in one order; with *whole* also where the page begins."""
        pairs = [(name, value) for name, values in self._many() for value in values]
        one = {
            "view": "" if self.view == View.ALL else self.view,
            "due": self.due,
            "with": self.who,
            "q": self.text,
            "sort": "" if self.sort is TaskOrder.DUE else self.sort.value,
            "cols": "" if self.columns == USUAL_COLUMNS else ",".join(self.columns) or "none",
            "rows": "airy" if self.airy else "",
            "saved": self.saved,
        }
        pairs += [(name, value) for name, value in one.items() if value]
        if whole:
            pairs += [(name, getattr(self, name)) for name in CURSORS if getattr(self, name)]
        return pairs

    def query(self, *, whole: bool = True) -> str:
        return urlencode(self.args(whole=whole))

    def _many(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        return zip(MANY, (self.groups, self.kinds, self.processes), strict=True)

    def task_filter(self, actor: Actor, now: str, today: date, calendar: Calendar) -> TaskFilter:
        """What is asked of tasks, without the text, for *actor*; *now* is the moment as stored."""
        rule = Due.OVERDUE.value if self.view == View.OVERDUE else ""
        limits = [_limits(one, now, today, calendar) for one in (rule, self.due) if one]
        who = MINE if self.view == View.MINE else self.stand_in_view or self.who
        stand_in = next((one for one in actor.stands_in if one.person == self.stand_in_view), None)
        groups = frozenset({self.group_view} if self.group_view else self.groups)
        if stand_in and stand_in.groups:
            groups = (groups & stand_in.groups or frozenset({NO_GROUP})) if groups else stand_in.groups
        return TaskFilter(
            groups=groups,
            kinds=frozenset((process, element) for process, _, element in map(_parts, self.kinds)),
            processes=frozenset(self.processes),
            due_from=max((since for since, _ in limits), default=""),
            due_before=min((until for _, until in limits if until), default=""),
            without_due=self.due == Due.NONE and not rule,
            assignee=actor.name if who == MINE else "" if who == FREE else who,
            free=who == FREE,
            put_off=self.view == View.LATER,
        )


def parse_list(args: MultiDict[str, str]) -> ListQuery:
    """The list that *args* ask for; what is unknown is left out and reported in ``gone``."""
    given = {name: args.get(name, "").strip()[:LONGEST_TEXT] for name in ONE}
    gone: list[str] = []
    many = {name: tuple(dict.fromkeys(value for value in args.getlist(name) if value))[:50] for name in MANY}
    return ListQuery(
        view=_view(given["view"], gone),
        groups=many["group"],
        kinds=tuple(kind for kind in many["kind"] if "/" in kind),
        processes=many["process"],
        due=_due(given["due"], gone),
        who=given["with"],
        text=given["q"],
        sort=_sort(given["sort"], gone),
        columns=_columns(given["cols"], args.getlist("col"), gone),
        airy=given["rows"] == "airy",
        saved=given["saved"] if given["saved"].isdecimal() else "",
        after=args.get("after", "")[:400],
        before=args.get("before", "")[:400],
        gone=tuple(gone),
    )


def _view(text: str, gone: list[str]) -> str:
    if text in set(View) or text.startswith((GROUP_VIEW, STAND_IN_VIEW)):
        return text
    if text:
        gone.append(f"There is no view “{text}”; all tasks are shown.")
    return View.ALL


def _due(text: str, gone: list[str]) -> str:
    if not text or text in set(Due):
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if day > LAST_DAY:
        gone.append(f"“{text}” is no due date; it is left out.")
        return ""
    return day.isoformat()


def _sort(text: str, gone: list[str]) -> TaskOrder:
    if not text or text in set(TaskOrder):
        return TaskOrder(text or "due")
    gone.append(f"It sorts by “{text}”. That order is gone; it is shown by due date instead.")
    return TaskOrder.DUE


def _columns(text: str, ticked: list[str], gone: list[str]) -> tuple[Column, ...]:
    """The columns of ``cols``, or of the ticked boxes of the form (``col``)."""
    names = ticked or ([] if text == "none" else text.split(",")) if text or ticked else [*USUAL_COLUMNS]
    known = [name for name in dict.fromkeys(names) if name in set(Column)]
    lost = [name for name in names if name and name not in set(Column) and name != "none"]
    gone += [f"It shows the column “{name}”. That column is gone." for name in lost]
    return tuple(Column(name) for name in known)


def _limits(rule: str, now: str, today: date, calendar: Calendar) -> tuple[str, str]:
    """From when and until before when a task is due; empty for no limit."""
    match rule:
        case Due.OVERDUE:
            return "", now
        case Due.TODAY:
            return "", _after(today, calendar)
        case Due.FRIDAY:
            return "", _after(today + timedelta(days=(4 - today.weekday()) % 7), calendar)
        case Due.WEEK:
            return now, _after(today + timedelta(days=6), calendar)
        case Due.NONE:
            return "", ""
        case _:
            return "", _after(date.fromisoformat(rule), calendar)


def _after(day: date, calendar: Calendar) -> str:
    """The first moment after *day*, as stored."""
    return stored_time(calendar.begin_of(day + timedelta(days=1)))


def _parts(kind: str) -> tuple[str, str, str]:
    return kind.partition("/")

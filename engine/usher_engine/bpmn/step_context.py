"""What a run may know about its step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core.canonical import Json
from ..core.events import Event
from ..core.limits import MAX_SECONDS
from ..core.practice_calendar import UTC_CALENDAR, Calendar
from ..services import Call, Operator, Services

#: The present version of the execution rules. Every step records its version, so re-execution uses the same one
#: (decisions/0017). A step without a number ran under the first rules.
RULES = 3
FIRST_RULES = 1

#: Calls an operator inside the step; re-execution answers from the record instead.
Answer = Callable[[Operator, dict[str, Any], Call], Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """
    *now* is the only time of the step, *answer* calls an operator inside it, *transaction* is for operators that write.

    *rules* is the version of the execution rules. *calendar* gives the day and hour where the practice is; it was UTC
    before rules 3 (decisions/0027). *events*, if given, is the list to which the run appends its events, so the
    caller has them even if the run fails.
    """

    instance: str
    actor: str
    now: datetime
    services: Services
    answer: Answer
    transaction: Any = None
    limit_s: float = MAX_SECONDS
    rules: int = RULES
    calendar: Calendar = UTC_CALENDAR
    events: list[Event] | None = None

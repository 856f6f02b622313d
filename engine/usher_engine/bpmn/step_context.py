"""What a run may know of the step it works for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core.canonical import Json
from ..core.events import Event
from ..core.limits import MAX_SECONDS
from ..services import Call, Operator, Services

#: The rules by which steps are decided now. Every step records them, so that one decided under earlier rules is
#: re-executed under those (decisions/0017). A step without a number was decided under the first.
RULES = 2
FIRST_RULES = 1

#: Answers an operator inside the step; replay answers from the record instead.
Answer = Callable[[Operator, dict[str, Any], Call], Json]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """
    *now* is the one time of the step; *answer* asks an operator inside it, *transaction* is what it may use.

    *rules* are those the step is decided by. *events*, where given, is what the run tells its events to, so that they
    are known also where it fails.
    """

    instance: str
    actor: str
    now: datetime
    services: Services
    answer: Answer
    transaction: Any = None
    limit_s: float = MAX_SECONDS
    rules: int = RULES
    events: list[Event] | None = None

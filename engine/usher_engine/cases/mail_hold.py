"""Decides whether the mails of a step are held for a moment, so that the person whose act sends them can undo it.

A held job is an ordinary job that is due a little later. What an undo needs is kept in its row until a worker takes it:
from then on it is too late (decisions/0042).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import Json, compact
from ..core.state import InstanceState, place
from ..reexecution import UNDOABLE
from ..services import Mode, Services
from ..store import case_signatures
from ..store.job_rows import Hold
from .operator_calls import Write


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldStep:
    """The step about to be written: its *revision*, the states around it, its calls that wrote, and its events."""

    revision: int
    command: str
    stored: str
    before: InstanceState
    after: InstanceState
    writes: Sequence[Write]
    events: Sequence[e.Event]


def hold_for(step: HeldStep, actor: Actor, services: Services, now: datetime, seconds: int) -> Hold | None:
    """How long the jobs of *step* wait and what an undo of it needs; None if they are due at once."""
    by_person = case_signatures.is_person(actor.role) and not actor.by_program
    if not seconds or step.command not in UNDOABLE or not by_person:
        return None
    if not _only_mails(step, services) or not _can_be_put_back(step, services):
        return None
    note: Json = {
        "revision": step.revision,
        "before": step.stored,
        "writes": [asdict(write) for write in step.writes],
    }
    return Hold(due_at=now + timedelta(seconds=seconds), note=compact(note))


def _only_mails(step: HeldStep, services: Services) -> bool:
    """Whether the step asks for mails and for nothing else outside."""
    asked = [event.operator for event in step.events if isinstance(event, e.ServiceRequested)]
    return bool(asked) and all(name in services and services.get(name).mails is not None for name in asked)


def _can_be_put_back(step: HeldStep, services: Services) -> bool:
    """Whether every change can be put back: those of operators, and requests that the step has ended."""
    called = [event for event in step.events if isinstance(event, e.ServiceCalled) and not event.error]
    wrote = [event for event in called if services.get(event.operator).mode is Mode.WRITE]
    if any(services.get(event.operator).undo is None for event in wrote):
        return False
    asked = {place(event.element, event.visit) for event in step.events if isinstance(event, e.ServiceRequested)}
    return step.before.requests.keys() <= step.after.requests.keys() - asked

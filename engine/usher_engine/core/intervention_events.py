"""Events of interventions from outside the diagram: migration, repair and undo. `core.events` exports them."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from .canonical import Json
from .event_versions import event


@event(version=1)
class InstanceMigrated:
    """
    The case continues on version *to_version* of its process, whose package has the hash *definition*.

    *mapping* maps elements to their replacements where the ids differ; *places* maps the visits tokens rested on to
    the visits they rest on now, where they differ. Later events of the step open the open tasks again.
    """

    from_version: int
    to_version: int
    definition: str
    mapping: dict[str, str]
    reason: str
    places: dict[str, str] = field(default_factory=dict)


@event(version=1)
class InstanceRepaired:
    """
    The stored state of the case was rebuilt from its history.

    *rules* is the version of the rules used for all steps, 0 if each step kept its own. *parted* is the first step
    whose recorded path differs from the diagram's, 0 if none does. *closed* are the open places off the diagram's
    path, *opened* the places on it that had not been opened; later events of the step describe each.
    """

    rules: int = 0
    parted: int = 0
    closed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)


@event(version=1)
class StepUndone:
    """
    A person took back their step *revision*, which had ended the task (*element*, *visit*), before its mail had left.

    *state* is the state of the case before that step, as `InstanceState.to_json` writes it. Events before this one in
    the step close what the step had opened; later ones open again what it had closed.
    """

    revision: int
    element: str
    visit: int
    state: dict[str, Any]


@event(version=1)
class ServiceUndone:
    """What *operator* had changed in a step that is undone was put back; *result* says how things stand now."""

    element: str
    visit: int
    operator: str
    result: Json = None

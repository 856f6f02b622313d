"""The list of processes: the version in force, its running cases, the draft beside it, and who starts cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import usher_engine
from usher_engine.authoring import StandingDraft, Version

from ..site import site


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessRow:
    """
    One process. *version* is the one in force, None if none is; *running* counts its cases, *stopped* those of them
    with an incident. *started_by* are phrases; empty if nobody and nothing but the shell starts cases.
    """

    process: str
    name: str
    version: Version | None
    running: int
    stopped: int
    draft: StandingDraft | None
    started_by: tuple[str, ...]


def process_rows(*, with_drafts: bool) -> list[ProcessRow]:
    """Every process that is deployed or drafted, by name; drafts only for those who may see them."""
    engine = site().engine
    in_force: dict[str, Version] = {}
    for version in engine.versions.all():
        in_force.setdefault(version.process, version)
    drafts = engine.draft_states.all(in_force) if with_drafts else {}
    counts, actions = engine.queries.live_counts(), _triggers()
    rows = [
        _row(name, in_force.get(name), drafts.get(name), counts.get(name, (0, 0)), actions.get(name, ()))
        for name in {**in_force, **drafts}
    ]
    return sorted(rows, key=lambda row: row.name.lower())


def _row(
    process: str,
    version: Version | None,
    draft: StandingDraft | None,
    counts: tuple[int, int],
    triggers: Iterable[str],
) -> ProcessRow:
    name = version.name if version else draft.name if draft else process
    started_by = [f"Trigger “{action}”" for action in triggers]
    if version is not None:
        started_by += _starters(version)
    running, stopped = counts
    return ProcessRow(
        process=process, name=name, version=version, running=running, stopped=stopped, draft=draft,
        started_by=tuple(started_by),
    )  # fmt: skip


def _starters(version: Version) -> list[str]:
    """Who starts cases on the Start page; nothing of a version that cannot be read, which a check reports."""
    try:
        start = site().engine.versions.diagram_with(version.hash).start
    except usher_engine.EngineError:
        return []
    who = [*start.groups, *(f"all {role}" for role in start.roles)]
    return [f"Start page: {', '.join(who)}"] if who else []


def _triggers() -> dict[str, list[str]]:
    """The actions that start each process."""
    found: dict[str, list[str]] = {}
    for template in site().enrollment.templates():
        for carried in template.fields:
            actions = found.setdefault(carried.process, [])
            if carried.action not in actions:
                actions.append(carried.action)
    return found

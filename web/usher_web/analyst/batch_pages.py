"""Shared by the pages of backtests and migrations: the requested run, its progress, the names of elements."""

from __future__ import annotations

from typing import Any

from flask import url_for
from usher_engine import NotFound
from usher_engine.accounts import Role
from usher_engine.cases import Batch, BatchKind
from usher_engine.definitions import element_labels

from .. import auth
from ..site import site


def run_of(process: str, batch: str, *kinds: BatchKind) -> Batch:
    """The run, if it is one of *kinds* over cases of *process*; raises `NotFound`."""
    found = site().engine.batches.find(batch)
    if found.process != process or found.kind not in kinds:
        raise NotFound("There is no such run.")
    return found


def progress_of(run: Batch) -> dict[str, Any]:
    """The progress of *run*, for the script that draws the bar."""
    return {"done": run.done, "total": run.total, "open": run.status == "open"}


def names_with(*diagrams: Any) -> dict[str, str]:
    """The names of elements by id, or what they are and beside what; the first diagram that has an element names it."""
    found: dict[str, str] = {}
    for diagram in reversed(diagrams):
        labels = {key: label for (_, key), label in element_labels(diagram.package).items()}
        found |= {one.id: one.name or labels.get(one.id, one.id) for one in diagram.elements.values()}
    return found


def process_url(process: str) -> str:
    """The page of the process, if this person may open it; else the backtests."""
    seen = auth.session().account.role in (Role.ANALYST, Role.AUDITOR)
    return url_for("processes.process" if seen else "backtests.show", process=process)

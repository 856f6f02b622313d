"""Checks that an unfinished case can go on: Usher can resume its stored state, and something in it is open."""

from __future__ import annotations

import json

from ..bpmn import Diagram, require_standing
from ..core.errors import Corrupt
from ..core.findings import Finding
from ..core.state import LIVE, InstanceState
from ..store import Row
from .hash_chain import finding_about

STILL = "The case stands still: it has not ended, and nothing can move it on. Repair it, or cancel it."


def check_continuation(row: Row, diagram: Diagram | str, state: InstanceState, revision: int) -> list[Finding]:
    """Return findings that keep the case in *row* from going on after its newest step *revision*."""
    if row.state is None or state.status not in LIVE or isinstance(diagram, str):
        return []
    stored = json.loads(row.state)["workflow"]
    if stored is None:  # it has not begun to run: a retry starts it
        return []
    try:
        require_standing(stored, diagram, state)
    except Corrupt as fault:
        return [finding_about(row, revision, "state", fault.message, fault.element)]
    return [] if state.pending or state.incidents else [finding_about(row, revision, "state", STILL)]

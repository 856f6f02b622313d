"""The check of the whole record beside its cases, as `usher verify --all` and the audit page both run it."""

from __future__ import annotations

from ..checkpoints import Evidence, check_everything
from ..context import Context
from ..core.findings import Finding
from ..reporting import altered_figures
from ..store import folded_tables


def check_record(context: Context, evidence: Evidence) -> list[Finding]:
    """What is wrong with evidence, chains, checkpoints, audit events, and the tables that follow from them."""
    checked = check_everything(context.database, file=evidence.file, key=evidence.key)
    with context.database.read() as tx:
        tables = list(folded_tables.check(tx))
    figures = altered_figures(context.database, context.settings)
    return [*evidence.findings, *checked, *tables, *figures]

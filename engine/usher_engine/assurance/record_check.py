"""The check of the whole record beside its cases, as `usher verify --all` and the audit page both run it."""

from __future__ import annotations

from collections.abc import Iterator

from ..checkpoints import Evidence, check_everything
from ..context import Context
from ..core.findings import Finding
from ..reporting import altered_figures
from ..store import Transaction, case_signatures, folded_tables


def check_record(context: Context, evidence: Evidence) -> list[Finding]:
    """What is wrong with evidence, chains, checkpoints, audit events, and the tables that follow from them."""
    checked = check_everything(context.database, file=evidence.file, key=evidence.key)
    with context.database.read() as tx:
        tables = [*folded_tables.check(tx), *_signatures(tx)]
    figures = altered_figures(context.database, context.settings)
    return [*evidence.findings, *checked, *tables, *figures]


def _signatures(tx: Transaction) -> Iterator[Finding]:
    """What searches ask is stored under a number made from its content; its writer does not read it again."""
    for number, signature in case_signatures.all_signatures(tx):
        if number != signature.id:
            words = f"The search index was altered: entry {number} is not what its number says. Run: usher db reindex"
            yield Finding("", None, "", "index", words)

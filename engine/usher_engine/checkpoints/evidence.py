"""What a check of the record rests on: the checkpoint file, the key, the triggers. What is missing is a finding.

`gather` looks for it, `tamper_check` compares the record with it, `evidence_repair` puts right what the record proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import Misconfigured
from ..core.findings import Finding
from ..settings import Settings
from ..store import Database, Transaction, checkpoint_rows
from ..store.guards import altered_guards
from .checkpoint_file import public_key_of
from .tamper_check import REPAIR


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """
    What there is to check with: *file* and *key*, None for what is missing.

    *unchecked* says in a sentence each what could not be checked for want of it.
    """

    file: Path | None
    key: str | None
    unchecked: tuple[str, ...]
    findings: tuple[Finding, ...]


def gather(database: Database, settings: Settings, *, file: Path | None = None, key: str | None = None) -> Evidence:
    """
    The evidence for *database*: *file* and *key* if they are given, else those of *settings*.

    Raises `Misconfigured` if a given key cannot be read.
    """
    there, public, unchecked = file or Path(settings.checkpoint_file), None, []
    if not there.exists():
        unchecked.append(
            f"There is no checkpoint file at {there}, so it could not be checked whether whole cases or the newest "
            "events were removed, or the database was put back to an older state."
        )
    try:
        public = public_key_of(settings, key)
    except Misconfigured as error:
        if key is not None:
            raise
        unchecked.append(f"The signatures of the checkpoints could not be checked. {error.message}")
    with database.read() as tx:
        findings = [*_other_key(tx, public), *_guards(tx)]
    missing = [_finding("evidence", words) for words in unchecked]
    found = there if there.exists() else None
    return Evidence(file=found, key=public, unchecked=tuple(unchecked), findings=(*missing, *findings))


def without_checkpoints(database: Database) -> Evidence:
    """The evidence where somebody decided to do without file and key."""
    words = "Neither the checkpoint file nor the signatures were checked: somebody asked for a check without them."
    with database.read() as tx:
        return Evidence(file=None, key=None, unchecked=(words,), findings=tuple(_guards(tx)))


def _other_key(tx: Transaction, public: str | None) -> list[Finding]:
    bound = checkpoint_rows.bound_key(tx)
    if public is None or bound is None or bound == public:
        return []
    return [_finding("key", f"The database names another key than the one it is checked with: {bound[:60]}")]


def _guards(tx: Transaction) -> list[Finding]:
    names = altered_guards(tx)
    if not names:
        return []
    words = f"Triggers that keep the record append-only are missing or altered: {', '.join(names)}. {REPAIR}"
    return [_finding("triggers", words)]


def _finding(kind: str, message: str) -> Finding:
    return Finding("", None, "", kind, message)

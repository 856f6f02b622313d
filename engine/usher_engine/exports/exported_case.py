"""One case read from an export, and the check that its steps are in the signed tree."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..checkpoints.leaf_entries import entry
from ..checkpoints.merkle import Head
from ..core.canonical import canonical
from ..core.findings import Finding
from ..store import Row
from ..store.stored_cases import Record
from .inclusion_proofs import includes
from .line_reader import Malformed, digest_of, number_of, text_of

#: First leaf, first revision, number of steps, path to the root.
Run = tuple[int, int, int, list[bytes]]


@dataclass(slots=True)
class ReadCase:
    """A case, filled while its lines are read."""

    row: Row
    steps: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    runs: list[Run] | None = None

    @classmethod
    def begin(cls, record: dict[str, Any]) -> ReadCase:
        ended = record.get("ended_at")
        if not isinstance(ended, str | None):
            raise Malformed("Its “ended_at” is not a text.")
        row = Row(
            id=text_of(record, "id"),
            version=number_of(record, "version"),
            revision=number_of(record, "revision"),
            head=digest_of(record, "head"),
            ended_at=ended,
            process=text_of(record, "process"),
            definition=text_of(record, "definition"),
            business_key=text_of(record, "business_key"),
            status=text_of(record, "status"),
            started_at=text_of(record, "started_at"),
            outcome=text_of(record, "outcome"),
            explanation=text_of(record, "explanation"),
        )
        return cls(row)

    def add_step(self, record: dict[str, Any]) -> None:
        if self.runs is not None:
            raise Malformed("This step comes after the proof of its case.")
        written = canonical(record.get("body"))
        self.steps.append((number_of(record, "revision"), zlib.compress(written), digest_of(record, "hash")))

    @property
    def record(self) -> Record:
        return Record(self.row, tuple(self.steps))

    def inclusion(self, head: Head | None) -> Iterator[Finding]:
        """Yield findings for steps that are not at their place in the signed tree; none if there is no signed head."""
        if self.runs is None:
            yield _finding(self.row.id, None, "The proof of this case is missing.")
            return
        yield from inclusion(self.row.id, {step: digest for step, _, digest in self.steps}, self.runs, head)


def inclusion(case: str, hashes: Mapping[int, bytes], runs: Sequence[Run], head: Head | None) -> Iterator[Finding]:
    """Yield findings for steps of *case*, by revision, that are not where *runs* says in the tree of *head*."""
    covered = 0
    for leaf, revision, steps, path in runs:
        if revision != covered + 1:
            yield _finding(case, covered + 1, f"No checkpoint signed step {covered + 1}, only a later one.")
            return
        covered += steps
        found = [entry(case, step, digest) for step, digest in hashes.items() if revision <= step <= covered]
        if head is not None and not (len(found) == steps and includes(head, leaf, found, path)):
            yield _finding(
                case,
                revision,
                f"Steps {revision} to {covered} are not in the tree that checkpoint {head.number} signed: one was "
                "altered, moved, added or removed, or the checkpoint belongs to another database.",
            )


def of_purged_case(record: dict[str, Any], runs: Sequence[Run], head: Head | None) -> Iterator[Finding]:
    """Yield findings about a purged case, of which only hashes are left: each must be one that was signed."""
    case, hashes = text_of(record, "id"), record.get("hashes")
    if not isinstance(hashes, list) or not hashes:
        raise Malformed("It has no hashes.")
    yield from inclusion(case, {n: digest_of({"hash": text}, "hash") for n, text in enumerate(hashes, 1)}, runs, head)
    if head is not None and sum(run[2] for run in runs) != len(hashes):
        yield _finding(case, None, "Not every step of this purged case is in the signed tree.")


def _finding(case: str, revision: int | None, message: str) -> Finding:
    return Finding(case, revision, "", "inclusion", message)

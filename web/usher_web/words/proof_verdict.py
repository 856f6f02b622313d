"""The result of checking a case, for people who do not read code: is it proven, what findings mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from usher_engine.assurance import Between, CaseProof, Finding

#: Title and meaning of each kind of finding. Kinds without their own words use the last.
MEANINGS = {
    "chain": ("Altered", "A step, or the hash kept with it, is not as it was written."),
    "unreadable": ("Altered", "The text of a step was altered and can no longer be read."),
    "replaced": ("Replaced", "A step is not the one that was signed; another replaced it."),
    "missing": ("Missing", "A step that was written is no longer there."),
    "head": ("Altered", "The case does not end with the step it says it ends with."),
    "row": ("Altered", "Lists show the case differently from its history."),
    "state": ("State swapped", "The stored state of the case does not match its history."),
    "seal": ("State swapped", "This system did not write the stored state of the case."),
    "index": ("Not found by searches", "The search index does not match the history of the case."),
    "comment": ("Comment altered", "A comment was changed by somebody else than its author, or too late."),
    "mention": ("Mentions altered", "Those who are told of a comment are not those it mentions."),
    "file": ("File altered", "A file attached to the case is not as it was, or is gone."),
    "inclusion": ("Not proven", "An exported entry is not in the tree that its checkpoint signed."),
    "tombstone": ("No true purge", "The text of the case is gone, and the record does not prove a purge."),
    "audit": ("Audit events altered", "The record of who saw, tried or set something is not as it was written."),
    "tree": ("Entries altered", "The signed and the stored entries do not agree."),
    "checkpoint file": ("Signed file altered", "The file of signed checkpoints and the database do not agree."),
    "key": ("Other key", "A checkpoint was signed with another key than this system's."),
    "signature": ("Signature wrong", "A checkpoint was altered after it was signed."),
    "origin": ("Other database", "The checkpoints were made by another database."),
    "waiting": ("Altered", "The inbox or the queue holds the case differently from its history."),
    "registry": ("Patient's standing altered", "The registry does not match the last recorded standing of a patient."),
    "definition": ("Definition missing", "The process version the case ran on is not there as it was deployed."),
    "path": ("Other way", "Re-executed on the recorded inputs, the diagram takes another way than the record."),
    "data": ("Other data", "Re-executed on the recorded inputs, the diagram yields other data than the record."),
    "checkpoint": ("Signature wrong", "The signed and the stored entries do not agree."),
    "time": ("Wrong date", "A date does not fit the signed checkpoints: this was written at another time."),
    "table": ("Altered", "A table differs from the audit events that changed it: somebody altered it outside Usher."),
    "evidence": ("Not checked", "Something that the check needs is missing, so part of the record was not checked."),
    "triggers": ("Unguarded", "The database would let somebody change the record, which it has to refuse."),
    "peaks": ("Altered", "What the next checkpoint goes on from was altered; nothing is signed until it is put right."),
    "": ("Differs", "The record and what it should be do not agree."),
}
ASK = "Keep the database as it is, and tell the person who runs Usher."


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One finding: its title, its exact message, and its meaning."""

    title: str
    words: str
    meaning: str
    revision: int | None
    element: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """*kind* is done, wait or alarm; *badge* is the short word, *words* its basis."""

    kind: str
    badge: str
    words: str
    problems: tuple[Problem, ...] = ()


def verdict(proof: CaseProof) -> Verdict:
    """The verdict on *proof*: proven only if every step is chained, signed, and the same when run again."""
    total, signed = proof.steps, proof.proven_steps
    of = f"{signed} of {total} step{'' if total == 1 else 's'} proven"
    if proof.findings:
        problems = meanings(proof.findings)
        return Verdict(kind="alarm", badge=f"Not proven: {problems[0].title.lower()}", words=ASK, problems=problems)
    if proof.is_proven:
        words = "The steps follow from each other, stand in signed checkpoints, and re-execution gives the same."
        return Verdict(kind="done", badge=f"Proven, {total} of {total} steps", words=words)
    why = "the key to check the signatures with is not on this machine" if proof.without_key else "are not signed yet"
    left = "All of them: " if proof.without_key else f"{total - signed} "
    words = f"The steps follow from each other, and re-execution gives the same. {left}{why}."
    if not proof.without_key:
        words = f"{words[:-1]}: the next checkpoint signs them."
    return Verdict(kind="wait", badge=of, words=words)


def written_words(written: Sequence[Between], say: Callable[[datetime], str]) -> list[tuple[int, str]]:
    """When steps were recorded, as `say` says moments: the first step of each run of like words, with the words."""
    found: list[tuple[int, str]] = []
    for revision, between in enumerate(written, start=1):
        words = _recorded(between, say)
        if not found or found[-1][1] != words:
            found.append((revision, words))
    return found


def _recorded(between: Between, say: Callable[[datetime], str]) -> str:
    if between.before is None:
        after = f"after {say(between.after)}; " if between.after else ""
        return f"Recorded {after}no checkpoint has signed it yet"
    if between.after is None:
        return f"Recorded before {say(between.before)}, by the first checkpoint"
    return f"Recorded between {say(between.after)} and {say(between.before)}, by the checkpoints"


def meanings(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """The findings with their titles and meanings."""
    return tuple(
        Problem(
            title=MEANINGS.get(finding.kind, MEANINGS[""])[0],
            words=finding.message,
            meaning=MEANINGS.get(finding.kind, MEANINGS[""])[1],
            revision=finding.revision,
            element=finding.element,
        )
        for finding in findings
    )

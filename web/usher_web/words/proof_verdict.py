"""The result of checking a case, for people who do not read code: is it proven, what findings mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from usher_engine.assurance import CaseProof, Finding

#: Title and meaning of each kind of finding. Kinds without their own words use the last.
MEANINGS = {
    "chain": ("Altered", "A step, or the hash kept with it, is not as it was written."),
    "unreadable": ("Altered", "The text of a step was changed so that nobody can read it any more."),
    "replaced": ("Replaced", "A step is not the one that was signed: another was put in its place."),
    "missing": ("Missing", "A step that was written is no longer there."),
    "head": ("Altered", "The case does not end with the step it says it ends with."),
    "row": ("Altered", "What lists show of the case is not what its history tells."),
    "state": ("State swapped", "What the case would go on with is not what its history leads to."),
    "seal": ("State swapped", "What the case would go on with was not written by this system."),
    "index": ("Not found by searches", "A search would not find the case as its history tells it."),
    "inclusion": ("Not proven", "What an export holds is not in the tree that its checkpoint signed."),
    "tombstone": ("No true purge", "The text of the case is gone, and what should prove the purge does not."),
    "audit": ("Audit events altered", "The record of who saw, tried or set something is not as it was written."),
    "tree": ("Entries altered", "What was signed and what is stored do not agree."),
    "checkpoint file": ("Signed file altered", "The file of signed checkpoints and the database do not agree."),
    "key": ("Other key", "A checkpoint was signed with another key than this system's."),
    "signature": ("Signature wrong", "A checkpoint was altered after it was signed."),
    "origin": ("Other database", "The checkpoints were made by another database."),
    "waiting": ("Altered", "What the inbox or the queue holds of the case is not what its history asked for."),
    "registry": ("Patient's standing altered", "What the registry says of a patient is not what was recorded last."),
    "definition": ("Definition missing", "The process version the case ran on is not there as it was deployed."),
    "path": ("Other way", "Run again on what was recorded, the diagram goes another way than the record says."),
    "data": ("Other data", "Run again on what was recorded, the diagram gives other data than the record says."),
    "checkpoint": ("Signature wrong", "What was signed and what is stored do not agree."),
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
        words = "The steps follow from each other, stand in signed checkpoints, and run again they are the same."
        return Verdict(kind="done", badge=f"Proven, {total} of {total} steps", words=words)
    why = "the key to check the signatures with is not on this machine" if proof.without_key else "are not signed yet"
    left = "All of them: " if proof.without_key else f"{total - signed} "
    words = f"The steps follow from each other, and run again they are the same. {left}{why}."
    if not proof.without_key:
        words = f"{words[:-1]}: the next checkpoint signs them."
    return Verdict(kind="wait", badge=of, words=words)


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

"""JSON Lines with proof: the steps as they were hashed, and everything an offline verifier needs (engine/exports.md).

Every line is canonical JSON (RFC 8785), so no byte can change unnoticed. `offline_verifier` reads the file.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..checkpoints.database_key import signing_key
from ..checkpoints.leaf_entries import entry
from ..checkpoints.merkle import Head, SignedHead
from ..core.canonical import Json, canonical
from ..core.errors import Corrupt, NotFound
from ..definitions import Package
from ..reexecution.migration_step import MIGRATED, runs_on
from ..services import Operator, Services
from ..store import Row, Version, export_rows, to_text, version_rows
from ..store import checkpoint_rows as heads
from ..store.export_rows import ExportedEvent, ExportedStep
from ..store.tombstones import LEFT, Tombstone
from .export_source import Source, step_text
from .inclusion_proofs import Nodes, range_path

FORMAT = "usher history 1"

#: Occurs in the text of every step that migrated its case to another version.
MIGRATED_TEXT = MIGRATED.encode()

#: Returns the path, in hexadecimal, for the leaves from one number to before another.
Prover = Callable[[int, int], list[str]]


def history_lines(source: Source) -> Iterator[bytes]:
    """Yield the file line by line; raise `Corrupt` if the records no longer match their proof."""
    key = signing_key(source.engine.database, source.engine.settings)
    digest, counts = hashlib.sha256(), dict.fromkeys(("package", "version", "case", "step", "proof", "event"), 0)
    for kind, line in _lines(source, key.public_text):
        counts[kind] = counts.get(kind, 0) + 1
        digest.update(line)
        yield line
    del counts["header"]
    trailer: dict[str, Json] = {"kind": "trailer", "counts": dict(counts), "sha256": digest.hexdigest()}
    yield _line({**trailer, "signature": key.sign_export(digest.digest())})


def _lines(source: Source, key: str) -> Iterator[tuple[str, bytes]]:
    signed = _newest_head(source)
    yield "header", _line(_header(source, key, signed))
    prove = _prover(source, signed.head) if signed else None
    packages: set[str] = set()
    versions: set[tuple[str, int]] = set()
    for row, steps in source.cases():
        for ran in _rows_by_version(row, steps):
            if ran.definition not in packages:
                packages.add(ran.definition)
                yield "package", _line(_package(source, ran))
            if (ran.process, ran.version) not in versions:
                versions.add((ran.process, ran.version))
                yield "version", _line(_version(source, ran))
        yield "case", _line(_case(row))
        for step in steps:
            yield "step", _step(row, step)
        yield "proof", _line({"kind": "proof", "case": row.id, "runs": _runs(steps, signed, prove)})
    for row, tombstone, steps in source.purged():
        yield "purged", _line(_purged(row, tombstone, steps, signed, prove))
    if source.with_audit:
        for event in source.events():
            yield "event", _event(event, signed, prove)


def _rows_by_version(row: Row, steps: Sequence[ExportedStep]) -> list[Row]:
    """Return the row with each version the case ran on, the newest last."""
    texts = [step_text(row, step) for step in steps]
    if not any(MIGRATED_TEXT in text for text in texts):
        return [row]
    read = [(number, json.loads(text), text) for number, text in enumerate(texts, start=1)]
    ran = dict.fromkeys(runs_on(read, number) for number, _, _ in read)
    return [replace(row, version=version, definition=definition) for version, definition in ran]


def _line(record: dict[str, Json]) -> bytes:
    return canonical(record) + b"\n"


def _step(row: Row, step: ExportedStep) -> bytes:
    """Insert the text of the step as it was hashed: canonical JSON of a record contains that of its parts."""
    rest: dict[str, Json] = {"case": row.id, "hash": step.hash.hex(), "kind": "step", "revision": step.revision}
    return b'{"body":' + step_text(row, step) + b"," + _line(rest)[1:]


def _event(event: ExportedEvent, signed: SignedHead | None, prove: Prover | None) -> bytes:
    leaf = event.leaf if _is_signed(event.leaf, signed) else None
    rest: dict[str, Json] = {
        "hash": event.hash.hex(),
        "kind": "event",
        "leaf": leaf,
        "path": list(prove(leaf, leaf + 1)) if prove is not None and leaf is not None else [],
        "previous": event.previous.hex() if event.previous else "",
        "seq": event.seq,
    }
    return b'{"body":' + event.body + b"," + _line(rest)[1:]


def _header(source: Source, key: str, signed: SignedHead | None) -> dict[str, Json]:
    return {
        "kind": "header",
        "format": FORMAT,
        "at": to_text(source.at),
        "by": source.actor.name,
        "selection": {**source.selection.as_json, "audit": source.with_audit},
        "origin": signed.head.origin if signed else "",
        "key": key,
        "head": json.loads(signed.to_line()) if signed else None,
        "operators": declared_operators(source.engine.services),
    }


def declared_operators(services: Services) -> list[Json]:
    """Return what re-execution needs of the operators; `offline_verifier` rebuilds the operators from it."""
    return [_operator(operator) for operator in services]


def _operator(operator: Operator) -> dict[str, Json]:
    parameters = [{"name": p.name, "kind": p.kind, "required": p.required} for p in operator.parameters]
    return {
        **({"package": str(operator.origin)} if operator.origin else {}),
        "name": operator.name,
        "title": operator.title,
        "mode": operator.mode.value,
        "parameters": [*parameters],
        "errors": list(operator.errors),
    }


def _package(source: Source, row: Row) -> dict[str, Json]:
    try:
        with source.engine.database.read() as tx:
            package: Package = version_rows.content(tx, row.definition)
    except NotFound as error:
        raise Corrupt(f"The package of case {row.id} is no longer stored; the case cannot be proven.") from error
    files: dict[str, Any] = {path: base64.b64encode(content).decode() for path, content in package.files.items()}
    return {"kind": "package", "hash": row.definition, "files": files}


def _version(source: Source, row: Row) -> dict[str, Json]:
    try:
        with source.engine.database.read() as tx:
            version: Version = version_rows.find(tx, row.process, row.version)
    except NotFound as error:
        raise Corrupt(f"Version {row.version} of {row.process}, which case {row.id} runs on, is missing.") from error
    return {
        "kind": "version",
        "process": version.process,
        "number": version.number,
        "hash": version.hash,
        "name": version.name,
        "note": version.note,
        "deployed_at": to_text(version.deployed_at),
        "deployed_by": version.deployed_by,
        **({"signed_off_by": version.signed_off_by} if version.signed_off_by else {}),
    }


#: The columns of a case, exported unchanged.
COLUMNS = ("id", "process", "version", "definition", "business_key", "status", "revision", "started_at", "ended_at",
           "outcome", "explanation")  # fmt: skip


def _case(row: Row) -> dict[str, Json]:
    return {"kind": "case", **{name: getattr(row, name) for name in COLUMNS}, "head": row.head.hex()}


def _purged(
    row: Row, tombstone: Tombstone, steps: Sequence[ExportedStep], signed: SignedHead | None, prove: Prover | None
) -> dict[str, Json]:
    """What is left of a purged case: when and by whom it was purged, its hashes, and their places in the tree."""
    told = {"at": to_text(tombstone.at), "by": tombstone.by, "before": to_text(tombstone.before)}
    return {
        "kind": "purged",
        **{name: getattr(row, name) for name in ("id", *LEFT)},
        **told,
        "event": tombstone.seq,
        "hashes": [step.hash.hex() for step in steps],
        "runs": _runs(steps, signed, prove),
    }


# proof


def _newest_head(source: Source) -> SignedHead | None:
    with source.engine.database.read() as tx:
        last = heads.last(tx)
    return SignedHead.from_line(last.line) if last else None


def _is_signed(leaf: int | None, signed: SignedHead | None) -> bool:
    return leaf is not None and signed is not None and leaf < signed.head.size


def _runs(steps: Sequence[ExportedStep], signed: SignedHead | None, prove: Prover | None) -> list[Json]:
    """Return the leaves of a case as runs of adjacent ones, each with its path, without steps not covered yet."""
    runs: list[dict[str, Any]] = []
    for step in steps:
        if prove is None or step.leaf is None or not _is_signed(step.leaf, signed):
            continue
        last = runs[-1] if runs else None
        if last and last["leaf"] + last["steps"] == step.leaf and last["revision"] + last["steps"] == step.revision:
            last["steps"] += 1
        else:
            runs.append({"leaf": step.leaf, "revision": step.revision, "steps": 1})
    if prove is not None:
        for run in runs:
            run["path"] = prove(run["leaf"], run["leaf"] + run["steps"])
    return [*runs]


def _prover(source: Source, head: Head) -> Prover:
    """Return a prover for the tree of *head*; raise `Corrupt` if the leaves no longer make that tree."""

    def read(first: int, end: int) -> list[bytes]:
        with source.engine.database.read() as tx:
            found = export_rows.leaves(tx, first, end)
            return [entry(instance, revision, digest) for _, instance, revision, digest in found]

    def everything() -> Iterator[bytes]:
        for first in range(0, head.size, 10_000):
            yield from read(first, min(first + 10_000, head.size))

    nodes = Nodes(everything(), read)
    if nodes.size != head.size or nodes.node(0, nodes.size).hex() != head.root:
        raise Corrupt(
            f"The records no longer match checkpoint {head.number}, so nothing can be proven from them and nothing "
            "was exported. Find out what was altered with: usher verify --all --checkpoint FILE"
        )
    return lambda first, end: [digest.hex() for digest in range_path(first, end, head.size, nodes.node)]

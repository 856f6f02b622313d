"""Verifies an export offline: without database, server, secret or network. `jsonl_history` writes the file.

Checks the form and place of every line, the hash chain of each case, its inclusion in the signed tree, its definition
by content hash, its re-execution with services off, and finally the signature over the whole file. Any contents of a
line yield at worst a finding, never an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ..bpmn import Diagram, compile_diagram
from ..checkpoints.leaf_entries import entry
from ..checkpoints.merkle import Head, SignedHead, signs_export
from ..core.canonical import canonical, parse_canonical
from ..core.errors import Corrupt, EngineError
from ..core.findings import Finding
from ..reexecution import Verified, Verifier
from ..services import Mode, Operator, Parameter, Services
from ..store.checkpoint_rows import AUDIT
from ..store.instance_rows import GENESIS
from .exported_case import ReadCase, of_purged_case
from .inclusion_proofs import includes
from .jsonl_history import FORMAT
from .line_reader import Malformed, digest_of, files_of, number_of, text_of

#: The longest possible line is a step, or a package of eight megabytes in base64.
MAX_LINE = 40_000_000


def verify_export(lines: Iterable[bytes], *, key: str, checkpoints: Iterable[str] | None = None) -> Verified:
    """
    Check an export.

    Args:
        lines: The file's lines with their line ends, such as a file open in binary mode.
        key: The public key it must be signed with, obtained from the practice, not from the file.
        checkpoints: The lines of a checkpoint file kept elsewhere; the export's head must be one of them.

    Returns:
        How many cases were checked and how many agree, and a finding for every difference.
    """
    reader = _Reader(key, None if checkpoints is None else set(checkpoints))
    for number, line in enumerate(lines, start=1):
        reader.take(number, line)
    reader.close()
    return reader.result


def _never_called(_values: Any, _call: Any) -> None:
    """Stand-in for an operator: re-execution never calls one."""


class _Reader:
    """Reads the lines once; keeps one case at a time, and each definition."""

    def __init__(self, key: str, checkpoints: set[str] | None) -> None:
        self.result = Verified()
        self._key = key
        self._checkpoints = checkpoints
        self._digest = hashlib.sha256()
        self._counts: dict[str, int] = {}
        self._number = 0
        self._ended = False
        self._head: Head | None = None
        self._verifier = Verifier(Services())
        self._definitions: dict[str, Diagram | str] = {}
        self._versions: dict[tuple[str, int], str] = {}
        self._case: ReadCase | None = None
        self._last_case = ""
        self._last_event = 0
        self._chain: tuple[int, bytes] = (0, GENESIS)

    # lines

    def take(self, number: int, line: bytes) -> None:
        self._number = number
        if self._ended:
            self._report("trailer", f"Line {number} comes after the end of the export; it was added.")
            return
        try:
            record = _record(line)
            kind = _kind(number, record)
            if kind != "trailer":
                self._digest.update(line)
                self._counts[kind] = self._counts.get(kind, 0) + 1
            self._read(kind, record)
        except Malformed as fault:
            self._digest.update(b"altered")  # makes the checksum of the file wrong
            self._report("line", f"Line {number}: {fault}")

    def close(self) -> None:
        self._finish_case()
        if purged := self._counts.get("purged"):
            self.result.notes.add(f"{purged} cases were purged; the hashes of their steps were checked.")
        if not self._number:
            self._report("line", "The file is empty.")
        elif not self._ended:
            message = f"The export ends after line {self._number} without its last line: it was cut off."
            self._report("truncated", message)

    def _read(self, kind: str, record: dict[str, Any]) -> None:
        match kind:
            case "step":
                self._open_case(record).add_step(record)
            case "proof":
                self._open_case(record).runs = _runs(record)
            case "case":
                self._begin_case(record)
            case "header":
                self._read_header(record)
            case "package":
                self._read_package(record)
            case "version":
                place = (text_of(record, "process"), number_of(record, "number"))
                self._versions[place] = text_of(record, "hash")
            case "purged":
                self._finish_case()
                self.result.findings += of_purged_case(record, _runs(record), self._head)
            case "event":
                self._finish_case()
                self._read_event(record)
            case "trailer":
                self._finish_case()
                self._read_trailer(record)
            case _:
                raise Malformed(f"An export has no line of the kind “{kind[:40]}”.")

    # header and trailer

    def _read_header(self, record: dict[str, Any]) -> None:
        if record.get("format") != FORMAT:
            raise Malformed(f"This version cannot check this export; its format must be “{FORMAT}”.")
        if text_of(record, "key") != self._key:
            self._report("key", f"The export was signed with another key: {text_of(record, 'key')[:60]}")
        self._verifier = Verifier(_services(record.get("operators")))
        if record.get("head") is None:
            self._report("head", "There was no checkpoint yet when this was exported; inclusion cannot be proven.")
            return
        try:
            signed = SignedHead.from_line(canonical(record["head"]).decode())
        except (Corrupt, ValueError) as error:
            raise Malformed("The signed head is not a checkpoint; it was altered.") from error
        self._check_head(signed, text_of(record, "origin"))

    def _check_head(self, signed: SignedHead, origin: str) -> None:
        head = signed.head
        if signed.key != self._key:
            self._report("key", f"Checkpoint {head.number} was signed with another key: {signed.key[:60]}")
        elif not signed.is_signed_by(self._key):
            self._report("signature", f"The signature of checkpoint {head.number} is wrong; it was altered.")
        elif origin != head.origin:
            message = f"The checkpoint belongs to another database ({head.origin}) than the export ({origin})."
            self._report("origin", message)
        else:
            self._head = head
            if self._checkpoints is not None and signed.to_line() not in self._checkpoints:
                message = f"Checkpoint {head.number} of {head.origin} is not in the checkpoint file given."
                self._report("checkpoint file", message)

    def _read_trailer(self, record: dict[str, Any]) -> None:
        self._ended = True
        stated = record.get("counts")
        counts = {kind: count for kind, count in self._counts.items() if kind != "header"}
        if not isinstance(stated, dict) or {kind: count for kind, count in stated.items() if count} != counts:
            known = stated if isinstance(stated, dict) else {}
            kinds = sorted({*counts, *known})
            wrong = [f"{kind} {counts.get(kind, 0)}, not {known.get(kind)}" for kind in kinds if
                     counts.get(kind, 0) != known.get(kind)]  # fmt: skip
            self._report("count", f"Lines are missing or were added; there are: {', '.join(wrong)}.")
        if text_of(record, "sha256") != self._digest.hexdigest():
            message = "The lines do not match the checksum in the last line: one was altered, moved, added or removed."
            self._report("sum", message)
        elif not signs_export(self._key, self._digest.digest(), text_of(record, "signature")):
            self._report("signature", "The signature over the whole export is wrong, or was made with another key.")

    # definitions

    def _read_package(self, record: dict[str, Any]) -> None:
        digest = text_of(record, "hash")
        try:
            package = files_of(record)
            if package.hash == digest:
                self._definitions[digest] = compile_diagram(package)
                return
            message = f"The package {digest[:12]}… does not match its hash: one of its files was altered."
        except EngineError as error:
            message = f"The package {digest[:12]}… cannot be read: {error.message}"
        self._definitions[digest] = message
        self._report("definition", message)

    def _definition(self, process: str, version: int, definition: str) -> Diagram | str:
        named = self._versions.get((process, version))
        if named is None:
            return f"Version {version} of {process} is not in the export."
        if named != definition:
            return f"Version {version} of {process} is not the package this case runs on."
        return self._definitions.get(definition, "The package this case runs on is not in the export.")

    # cases

    def _begin_case(self, record: dict[str, Any]) -> None:
        self._finish_case()
        self._case = case = ReadCase.begin(record)
        if case.row.id <= self._last_case:
            self._report("order", f"Line {self._number}: case {case.row.id} is out of order or repeated.")
        self._last_case = case.row.id

    def _open_case(self, record: dict[str, Any]) -> ReadCase:
        name = text_of(record, "case")
        if self._case is None or self._case.row.id != name:
            raise Malformed(f"This line belongs to case {name[:12]}, unlike the lines before it.")
        return self._case

    def _finish_case(self) -> None:
        case, self._case = self._case, None
        if case is None:
            return
        process = case.row.process
        _, _, findings = self._verifier.compare(case.record, lambda *version: self._definition(process, *version))
        self.result.add(1, [*findings, *case.inclusion(self._head)])

    # audit events

    def _read_event(self, record: dict[str, Any]) -> None:
        seq, body, digest = number_of(record, "seq"), canonical(record.get("body")), digest_of(record, "hash")
        before = digest_of(record, "previous") if record.get("previous") else GENESIS
        if hashlib.sha256(before + body).digest() != digest:
            self._report("audit", f"Audit event {seq} does not match its hash: it or an earlier one was altered.")
        if seq <= self._last_event:
            self._report("order", f"Line {self._number}: audit event {seq} is out of order or repeated.")
        last, chained = self._chain
        if last + 1 == seq and chained != before and last:
            self._report("audit", f"Audit event {seq} does not follow from the one before it.")
        self._last_event, self._chain = seq, (seq, digest)
        if self._head is not None and record.get("leaf") is not None:
            leaf, path = number_of(record, "leaf"), _path(record)
            if not includes(self._head, leaf, [entry(AUDIT, seq, digest)], path):
                signed = f"the tree that checkpoint {self._head.number} signed"
                self._report("inclusion", f"Audit event {seq} is not in {signed}.")

    def _report(self, kind: str, message: str) -> None:
        self.result.findings.append(Finding("", None, "", kind, message))


def _kind(number: int, record: dict[str, Any]) -> str:
    kind = text_of(record, "kind")
    if (number == 1) != (kind == "header"):
        raise Malformed("The header must be the first line and occur only once.")
    return kind


def _record(line: bytes) -> dict[str, Any]:
    """Return the record in a line; raise `Malformed` unless the line is exactly as an export writes it."""
    if len(line) > MAX_LINE:
        raise Malformed("It is longer than any line of an export.")
    try:
        record = parse_canonical(line)
        whole = canonical(record) + b"\n" == line
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("It cannot be read; it was altered or cut off.") from error
    if not whole or not isinstance(record, dict):
        raise Malformed("It is not in the form that an export writes; it was altered or cut off.")
    return record


def _runs(record: dict[str, Any]) -> list[tuple[int, int, int, list[bytes]]]:
    runs = record.get("runs")
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise Malformed("It contains no proof.")
    return [(number_of(r, "leaf"), number_of(r, "revision"), number_of(r, "steps"), _path(r)) for r in runs]


def _path(record: dict[str, Any]) -> list[bytes]:
    path = record.get("path")
    if not isinstance(path, list):
        raise Malformed("It contains no path to the signed head.")
    return [digest_of({"path": digest}, "path") for digest in path]


def _services(declared: Any) -> Services:
    """Return the operators that the header declares; none can be called."""
    try:
        return Services(
            tuple(
                Operator(
                    name=str(one["name"]),
                    title=str(one["title"]),
                    mode=Mode(one["mode"]),
                    call=_never_called,
                    parameters=tuple(Parameter.of_kind(p["name"], p["kind"], required=p["required"])
                                     for p in one["parameters"]),
                    errors=dict.fromkeys(one["errors"], ""),
                    takes_anything="package" in one,  # another version of it may have been there before
                )
                for one in declared
            )
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("The operators in the header cannot be read; it was altered.") from error

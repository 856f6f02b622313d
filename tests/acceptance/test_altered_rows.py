"""Any column of any table is altered outside Usher: no page breaks, and the alteration is reported."""

from __future__ import annotations

import logging
import os
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acceptance.conftest import House, Visitor
from conftest import alice
from sqlalchemy import Column, LargeBinary, String, Table, Text, event
from usher_engine import Worker
from usher_engine.assurance import Checker
from usher_engine.checkpoints import check_everything, take
from usher_engine.store.tables.engine_tables import metadata

#: Values to put into a column, by its correct type; moments and JSON are text as well.
NUMBERS = (-7, "seven", None, 2**62, b"\xff", 1.5)
TEXTS = ("", "yesterday", None, 5, b"\xff\xfe", "{", "[7]", "\ud7ff\x00")
BYTES = (b"", "text", None, 5, b"PK\x03\x04", b"x\x9c")
#: Each column of these gets one of them, chosen by its name. ``USHER_ALTERED=step,draft`` (or ``all``) tries every
#: value in every column of those named.
USUAL = (
    "instance", "instance_state", "step", "user_task", "case_kind", "audit_event", "version", "package", "patient",
    "patient_response", "account", "web_session", "check_run", "legal_hold", "leaf", "task_draft",
)  # fmt: skip
EVERY = metadata.tables.keys() & (set(metadata.tables) if os.environ.get("USHER_ALTERED") == "all"
                                  else set(os.environ.get("USHER_ALTERED", "").split(",")))  # fmt: skip
#: What once broke a page or a check, always tried.
BROKE = {
    "account.name": [b"\xff\xfe"], "patient.id": ["\ud7ff\x00"], "leaf.revision": ["seven"],
    "user_task.candidate_group": [b"\xff"],
}  # fmt: skip
LOOKERS = ("audrey", "alice", "ana", "adam")
#: Tables whose altered rows verify finds.
OF_CASES = frozenset({"instance", "step", "user_task", "instance_state", "job", "case_actor"})

Look = tuple[str, str]


@dataclass
class Desk:
    """A furnished house, who looks at its pages, and the pages that read each table."""

    house: House
    file: Path
    visitors: dict[str, Visitor]
    reads: dict[str, set[Look]]
    case: str

    def status(self, look: Look) -> int:
        who, address = look
        try:
            return self.visitors[who].client.get(address).status_code
        except Exception:  # noqa: BLE001 - even the page for faults failed: that is a fault too
            return 599


@pytest.fixture
def desk(house: House, database_url: str) -> Desk:
    cases = _furnish(house)
    visitors = {who: house.visitor(who) for who in LOOKERS}
    made = Desk(house, Path(database_url.removeprefix("sqlite:///")), visitors, defaultdict(set), cases["waiting"])
    statements: list[str] = []
    database = house.enrollment.engine.database.db
    event.listen(database, "before_cursor_execute", lambda *sent: statements.append(sent[2]))
    opened: set[str] = set()
    for look in _looks(house, cases):
        statements.clear()
        status = 404 if look[1] in opened else made.status(look)
        opened |= {look[1]} if status < 400 else set()
        assert status < 500, look
        for name in metadata.tables if status < 400 else ():
            if any(name in statement for statement in statements):
                made.reads[name].add(look)
    return made


def _furnish(house: House) -> dict[str, str]:
    """A bit of everything: open and ended cases, a refused look, a draft, a check, a hold, a review, a checkpoint."""
    engine, staff, audrey, ana = house.enrollment.engine, *map(house.visitor, ("alice", "audrey", "ana"))
    cases = {}
    for name, patient in (("waiting", "sample-pending"), ("declined", "sample-declined"), ("ended", "sample-bare")):
        house.select(patient, staff)
        cases[name] = engine.queries.instances(limit=1)[0].id
        house.clock.forward(minutes=1)
    Worker(engine).run_due()
    staff.post(f"/cases/{cases['ended']}/cancel", {"reason": "Moved away."})
    cases["task"] = next(one.id for one in engine.inbox.tasks() if one.instance == cases["waiting"])
    staff.post(f"/inbox/{cases['task']}/claim")
    engine.task_drafts.save(cases["task"], {"reason": "half"}, actor=alice)
    engine.deploy(engine.versions.package("enrollment"), actor=alice, note="again")
    ana.get("/processes")
    ana.post("/processes/enrollment/draft")
    house.visitor("charlie").get(f"/cases/{cases['ended']}")
    audrey.post("/audit/retention/holds", {"patient": "sample-declined", "reason": "A court."})
    audrey.post("/audit/reviews", {"from": "2026-05-01", "until": "2026-05-03", "remark": "fine"})
    take(engine.database, engine.settings, house.clock())
    checker = Checker(engine.context, engine.audit)
    checker.run(checker.begin(actor=alice), alice)
    return cases


def _looks(house: House, cases: dict[str, str]) -> Iterator[Look]:
    """Every page with GET, with ids that are there where it needs some."""
    given: dict[str, Any] = {
        "task_id": cases["task"], "instance_id": cases["waiting"], "patient_id": "sample-declined", "number": 1,
        "process": "enrollment", "name": "alice", "path": "enrollment.bpmn", "side": "draft", "source": "draft",
    }  # fmt: skip
    for rule in house.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in ("static", "sign_in.sign_out"):
            built = rule.build({name: given.get(name, "X") for name in rule.arguments}, append_unknown=False)
            assert built is not None
            yield from ((who, built[1]) for who in LOOKERS)
    more = ("/cases?q=hana", "/audit/patients/sample-pending", f"/cases/{cases['ended']}")
    yield from ((who, page) for who in ("audrey", "alice") for page in more)
    yield "audrey", f"/cases/{cases['ended']}/replay?check=1"
    yield "audrey", "/reports/cases.csv"


def hostile(column: Column[Any]) -> list[Any]:
    kinds = {String: TEXTS, Text: TEXTS, LargeBinary: BYTES}
    values = next((values for kind, values in kinds.items() if isinstance(column.type, kind)), NUMBERS)
    fitting = [value for value in values if value is not None or column.nullable]
    return fitting if EVERY else [fitting[zlib.crc32(str(column).encode()) % len(fitting)], *BROKE.get(str(column), [])]


class Owner:
    """A person who owns the database file and has removed its triggers."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("PRAGMA foreign_keys=OFF")
        for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self._db.execute(f'DROP TRIGGER "{name}"')
        self._db.execute("VACUUM INTO ?", (f"{file}.before",))
        self._db.execute("ATTACH ? AS kept", (f"{file}.before",))

    def alter(self, table: Table, column: Column[Any], value: Any) -> bool:
        """Put *value* into every row, or, if it must be unique, into one; return whether there was any."""
        statement = f'UPDATE OR IGNORE "{table.name}" SET "{column.name}" = ?1 WHERE "{column.name}" IS NOT ?1'
        try:
            return self._db.execute(statement, (value,)).rowcount > 0
        except sqlite3.IntegrityError:  # a number that SQLite finds rows by takes numbers only
            return False

    def undo(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for name in metadata.tables:
            self._db.execute(f'DELETE FROM main."{name}"')
            self._db.execute(f'INSERT INTO main."{name}" SELECT * FROM kept."{name}"')
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


@pytest.fixture
def owner(desk: Desk) -> Iterator[Owner]:
    """While it goes on nothing is logged: a kept trace would keep a cursor, and with it an old view of the file."""
    logging.disable(logging.CRITICAL)
    person = Owner(desk.file)
    yield person
    person.close()
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(3600)
def test_no_altered_column_breaks_a_page_or_verify(desk: Desk, owner: Owner) -> None:
    broken: list[Any] = []
    for table in (metadata.tables[name] for name in sorted(EVERY or USUAL)):
        for column in table.columns:
            for value in hostile(column):
                if owner.alter(table, column, value):
                    here = (table.name, column.name, value)
                    broken += [(*here, *look) for look in sorted(desk.reads[table.name]) if desk.status(look) >= 500]
                    broken += [(*here, wrong) for wrong in _unseen(desk, column)]
                    owner.undo()
    assert not broken, "\n".join(map(str, broken[:60]))


def _unseen(desk: Desk, column: Column[Any]) -> list[str]:
    """What verify misses: that the rows of a case were altered."""
    engine, proven = desk.house.enrollment.engine, column.table.name in OF_CASES
    if not proven and not EVERY:
        return []
    try:
        findings = engine.verification.verify_all().findings + check_everything(engine.database, file=None, key=None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this test looks for
        return [f"verify: {type(error).__name__}: {error}"]
    return ["verify found nothing"] if proven and not findings else []


def test_a_group_that_is_no_text_any_more_breaks_no_inbox(desk: Desk, owner: Owner) -> None:
    group = metadata.tables["user_task"].c.candidate_group
    assert owner.alter(group.table, group, b"\xff\xfe")
    assert "was altered outside Usher (candidate group)" in desk.visitors["alice"].get("/inbox").text, "claimed by her"
    assert desk.visitors["audrey"].get(f"/cases/{desk.case}").status_code == 200
    assert [one.instance for one in desk.house.enrollment.engine.verify(desk.case)] == [desk.case]


def test_an_altered_row_is_reported_with_the_others(desk: Desk, owner: Owner) -> None:
    started = metadata.tables["instance"].c.started_at
    assert owner.alter(started.table, started, "yesterday")
    listed = desk.visitors["audrey"].get("/cases").text
    assert listed.count("/cases/") >= 3, "each is still listed"
    page = desk.visitors["audrey"].get(f"/cases/{desk.case}").text
    assert "This record was altered outside Usher (started at). Keep the database as it is" in page
    refused = desk.visitors["alice"].post(f"/cases/{desk.case}/cancel", {"reason": "no"})
    assert refused.status_code == 409 and "was altered outside Usher (started at)" in refused.text
    found = desk.house.enrollment.engine.verify(desk.case)
    assert [one.instance for one in found] == [desk.case] and "start" in found[0].message

"""A hundred synthetic patients, imported by the command line and triggered over the API: who is asked for what, who
gets no mail, and that no social security number is anywhere: on no page, in no mail, no log and not in the database.

The product runs here as an operator runs it: `usher serve` as a process of its own, set up by `usher` commands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from browser.clinic import PASSWORD, PATIENCE_S, Postbox
from conftest import ROOT, SECRET, SHARED
from playwright.sync_api import Browser, BrowserContext, Page, expect
from usher_web.commands.listening import bind_socket

FILE = SHARED / "patients" / "synthea-100-Patient.ndjson"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not in {FILE.parent}")

CAST = (("alice", "staff"), ("audrey", "auditor"), ("adam", "admin"))
TRIGGER = {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}
#: The six mandatory fields as the form's message names them.
NAMES = {
    "first_name": "first name",
    "last_name": "last name",
    "birth_date": "date of birth",
    "zip_code": "ZIP code",
    "email": "e-mail",
    "birth_sex": "birth sex",
}
BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
#: Parameters that choose a part of a page; the whole is reached without them.
PARTS = ("view=", "task=", "step=", "status=")
WORD = re.compile(r"[\w-]+")
LINK = re.compile(r'(?:href|data-[a-z-]*url|data-poll)="(/[^"#]*)')
#: Pages are looked at of one patient in so many; of the others, the history, the mails, the log and the file.
STRIDE = 4
USHER = [sys.executable, "-c", "from usher_web.cli import main; main()"]


@dataclass
class Operator:
    """A person at a shell with the settings of one installation, and what its server has logged."""

    url: str
    environment: dict[str, str]
    postbox: Postbox
    log: Path
    database: Path
    printed: list[str]

    def usher(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed; answers what it prints."""
        ran = subprocess.run(
            [*USHER, *arguments], input=stdin, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        self.printed += [ran.stdout, ran.stderr]
        return ran.stdout


@dataclass
class Everyone:
    """All patients of the file as they stand in it, and the case each trigger has led to."""

    operator: Operator
    people: dict[str, dict[str, Any]]
    cases: dict[str, dict[str, Any]]
    alice: BrowserContext
    audrey: BrowserContext
    token: dict[str, str]

    def expected(self, patient: str) -> str:
        """Where the case must be, derived from the raw record alone."""
        record = self.people[patient]
        if record.get("deceasedDateTime") or record.get("deceasedBoolean"):
            return "deceased"
        return "minor" if age(record["birthDate"]) < 18 else "adult"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("everyone")
    postbox = Postbox(lambda: datetime.now(UTC), threading.Condition())
    postbox.start()
    with bind_socket("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    # Whatever the shell of the tests sets for Usher is not meant for this installation.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
    ours = {
        "USHER_ENV": "development",
        "USHER_SECRET_KEY": SECRET,
        "USHER_DATABASE_URL": f"sqlite:///{folder / 'usher.db'}",
        "USHER_BASE_URL": f"http://127.0.0.1:{port}",
        "USHER_PRACTICE_NAME": "Sample Clinic",
        "USHER_SMTP_PORT": str(postbox.port),
        "USHER_SMTP_SECURITY": "none",
        "USHER_API_PER_MINUTE": "100000",
        "USHER_MAIL_HOLD": "0",
        "USHER_CHECKPOINT_FILE": str(folder / "checkpoints.jsonl"),
        "USHER_SIGNING_KEY_FILE": str(folder / "signing-key.pem"),
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / "server.log"
    found = Operator(ours["USHER_BASE_URL"], {**outside, **ours}, postbox, log, folder / "usher.db", [])
    _set_up(found)
    with log.open("wb") as written:
        command = [*USHER, "serve", "--port", str(port)]
        server = subprocess.Popen(command, env=found.environment, stdout=written, stderr=subprocess.STDOUT)
        yield found
        server.terminate()
        server.wait(60)
    postbox.stop()


def _set_up(operator: Operator) -> None:
    operator.usher("db", "upgrade")

    def add(name: str, role: str) -> None:
        operator.usher("user", "add", name, "--role", role, "--password-stdin", stdin=PASSWORD)

    with ThreadPoolExecutor(4) as shells:
        started = [
            shells.submit(operator.usher, "deploy", str(ROOT / "processes" / "enrollment")),
            *(shells.submit(add, name, role) for name, role in CAST),
        ]
        for one in started:
            one.result()


@pytest.fixture(scope="module")
def everyone(operator: Operator, browser: Browser) -> Iterator[Everyone]:
    """Import the file, put the trigger on its field, and trigger for every patient as the EHR does."""
    people = {record["id"]: record for record in map(json.loads, FILE.read_text().splitlines())}
    report = json.loads(operator.usher("import-patients", str(FILE), "--json"))
    none = dict.fromkeys(("changed", "same", "kept", "conflicts"), 0)
    assert report == {"lines": len(people), "new": len(people), **none, "bad": []}
    token = {"Authorization": f"Bearer {operator.usher('token', 'add', 'ehr', '--role', 'staff').strip()}"}
    adam, alice, audrey = (_signed_in(browser, operator.url, name) for name in ("adam", "alice", "audrey"))
    _put_trigger(adam.pages[0])
    cases = {patient: _trigger(alice, token, patient) for patient in people}
    yield Everyone(operator, people, cases, alice, audrey, token)
    for context in (adam, alice, audrey):
        context.close()


def _signed_in(browser: Browser, url: str, name: str) -> BrowserContext:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    _when_up(page)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/sign-in" not in address)
    return context


def _when_up(page: Page, tries: int = 600) -> None:
    """Open the sign-in page; until the server listens, connections are refused at once."""
    for _ in range(tries):
        try:
            page.goto("/sign-in")
        except Exception as refused:
            if "ERR_CONNECTION_REFUSED" not in str(refused):
                raise
            page.wait_for_timeout(100)
        else:
            return
    raise AssertionError("the server did not start")


def _put_trigger(page: Page) -> None:
    page.goto("/admin/triggers")
    for label, words in (("Template", TRIGGER["template"]), ("Field", TRIGGER["field"]), ("Action", TRIGGER["action"])):
        page.get_by_role("textbox", name=label).fill(words)
    page.get_by_role("button", name="Set the trigger").click()
    expect(page.get_by_role("row", name="Office Visit")).to_be_visible()


def _trigger(context: BrowserContext, token: dict[str, str], patient: str) -> dict[str, Any]:
    headers = {**token, "Idempotency-Key": f"visit of {patient}"}
    answer = context.request.post("/api/v1/triggers", data={"patient_id": patient, **TRIGGER}, headers=headers)
    assert answer.status == 201, answer.text()
    found: dict[str, Any] = answer.json()
    return found


# what must be the case, from the raw records


def age(birth_date: str) -> int:
    born, today = date.fromisoformat(birth_date), datetime.now(UTC).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def absent(record: dict[str, Any]) -> list[str]:
    """Which mandatory fields a record of this file lacks. The file knows no periods, old names or ranks."""
    official = [name for name in record.get("name", []) if name.get("use") == "official"]
    sexes = [extension.get("valueCode") for extension in record["extension"] if extension["url"] == BIRTH_SEX]
    has = {
        "first_name": any(name.get("given") for name in official),
        "last_name": any(name.get("family") for name in official),
        "birth_date": len(record.get("birthDate", "")) == 10,
        "zip_code": any(address.get("postalCode") for address in record.get("address", [])),
        "email": any(way.get("system") == "email" and way.get("value") for way in record.get("telecom", [])),
        "birth_sex": bool(sexes) or bool(record.get("gender")),
    }
    return [key for key in NAMES if not has[key]]


def in_words(keys: list[str]) -> str:
    names = [NAMES[key] for key in keys]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def social_security_numbers(people: dict[str, dict[str, Any]]) -> list[str]:
    """Every value of an identifier of type SS or of the system of social security numbers, with and without dashes."""
    values = [
        identifier["value"]
        for record in people.values()
        for identifier in record["identifier"]
        if identifier.get("system") == "http://hl7.org/fhir/sid/us-ssn"
        or any(coding.get("code") == "SS" for coding in identifier.get("type", {}).get("coding", []))
    ]
    return [*values, *(value.replace("-", "") for value in values)]


# the test and its parts


@pytest.mark.timeout(400)
def test_everyone(everyone: Everyone) -> None:
    """One test, because its parts share what is slow: the import, a trigger for everybody, a server of their own."""
    everybody_stands_where_the_rules_say(everyone)
    every_living_adult_is_asked_for_exactly_what_is_missing(everyone)
    the_same_trigger_again_is_the_same_case(everyone)
    nobody_has_got_a_mail_and_a_completed_form_sends_one(everyone)
    no_social_security_number_is_anywhere(everyone)


def everybody_stands_where_the_rules_say(everyone: Everyone) -> None:
    wrong = {}
    ends = {"deceased": "recorded as deceased", "minor": "patients under 18 are not invited by themselves"}
    for patient, case in everyone.cases.items():
        expected = everyone.expected(patient)
        if expected == "adult":
            lacks = absent(everyone.people[patient])
            if lacks and case["at"] != ["UpdateNow"]:
                wrong[patient] = case
            continue
        shown = everyone.audrey.request.get(f"/cases/{case['instance']}").text()
        if case["status"] != "finished" or ends[expected] not in shown:
            wrong[patient] = case
    assert wrong == {}
    kinds = [everyone.expected(patient) for patient in everyone.people]
    assert all(kinds.count(kind) > 10 for kind in ("deceased", "minor", "adult")), "the file shows every rule"


def every_living_adult_is_asked_for_exactly_what_is_missing(everyone: Everyone) -> None:
    tasks = {task["instance"]: task for task in _all_tasks(everyone)}
    adults = [patient for patient in everyone.people if everyone.expected(patient) == "adult"]
    found, expected = {}, {}
    for patient in adults:
        lacks = absent(everyone.people[patient])
        are = "is" if len(lacks) == 1 else "are"
        expected[patient] = ("UpdateNow", f"The invitation cannot be sent: {in_words(lacks)} {are} missing.")
        task = tasks.pop(everyone.cases[patient]["instance"])
        found[patient] = (task["element"], task["message"].splitlines()[0])
    assert found == expected
    assert tasks == {}, "only living adults have a task"


def _all_tasks(everyone: Everyone) -> list[dict[str, Any]]:
    found, after = [], ""
    while after is not None:
        page = everyone.alice.request.get(f"/api/v1/tasks?limit=50&after={after}", headers=everyone.token).json()
        found += page["tasks"]
        after = page["next"]
    return found


def the_same_trigger_again_is_the_same_case(everyone: Everyone) -> None:
    for patient, case in list(everyone.cases.items())[:5]:
        assert _trigger(everyone.alice, everyone.token, patient)["instance"] == case["instance"]
    patient = next(iter(everyone.people))
    headers = {**everyone.token, "Idempotency-Key": f"visit of {patient}"}
    other = {"patient_id": list(everyone.people)[1], **TRIGGER}
    answer = everyone.alice.request.post("/api/v1/triggers", data=other, headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")


def nobody_has_got_a_mail_and_a_completed_form_sends_one(everyone: Everyone) -> None:
    """The last adult of the file gets an address at the desk; it is the only mail of the day."""
    assert everyone.operator.postbox.mails() == ()
    adult = [patient for patient in everyone.people if everyone.expected(patient) == "adult"][-1]
    page = everyone.alice.new_page()
    page.goto(f"/cases/{everyone.cases[adult]['instance']}/onward")
    page.get_by_role("button", name="Update Now", exact=True).click()
    page.get_by_label("E-mail").fill("last.adult@example.org")
    page.get_by_role("button", name="Save and send invitation").click()
    expect(page.locator(".strip").filter(has_text="Update Now is done.").first).to_be_visible()
    postbox = everyone.operator.postbox
    with postbox._changed:
        assert postbox._changed.wait_for(lambda: postbox.raw, PATIENCE_S)
    assert [mail.to for mail in postbox.mails()] == ["last.adult@example.org"]
    page.close()


def no_social_security_number_is_anywhere(everyone: Everyone) -> None:
    numbers = social_security_numbers(everyone.people)
    assert len(numbers) == 2 * len(everyone.people)
    shape = re.compile(r"\d{3}-?\d{2}-?\d{4}")  # by shape first: 240 numbers in turn would be slow
    looked_at = list(everyone.people)[::STRIDE]
    assert {everyone.expected(patient) for patient in looked_at} == {"deceased", "minor", "adult"}
    others = everyone.people.keys() - set(looked_at)
    left_out = others | {everyone.cases[patient]["instance"] for patient in others}
    seen = {**_crawled(everyone.alice, "/inbox", left_out), **_crawled(everyone.audrey, "/cases", left_out)}
    assert len([path for path in seen if path.startswith("/patients/")]) >= len(looked_at)
    assert len([path for path in seen if path.startswith("/cases/")]) >= len(looked_at)
    for case in everyone.cases.values():
        of_case = f"/api/v1/instances/{case['instance']}"
        for path in (of_case, f"{of_case}/history"):
            answer = everyone.audrey.request.get(path, headers=_auditor(everyone))
            assert answer.status == 200
            seen[path] = answer.text()
    operator = everyone.operator
    seen["the mails"] = "\n".join(mail.decode("utf-8", "replace") for mail in operator.postbox.raw)
    seen["the log"] = operator.log.read_text()
    seen["what commands print"] = "\n".join(operator.printed)
    for file in operator.database.parent.glob("usher.db*"):
        seen[file.name] = file.read_bytes().decode("latin-1")
    secret = set(numbers)
    assert {place: found for place, text in seen.items() if (found := secret & set(shape.findall(text)))} == {}
    assert operator.postbox.raw, "a mail was looked at"


_AUDITOR: dict[str, str] = {}


def _auditor(everyone: Everyone) -> dict[str, str]:
    """A token of an auditor: sees the history of every case over the API."""
    if not _AUDITOR:
        secret = everyone.operator.usher("token", "add", "audit-tool", "--role", "auditor").strip()
        _AUDITOR["Authorization"] = f"Bearer {secret}"
    return _AUDITOR


def _crawled(context: BrowserContext, start: str, left_out: set[str], most: int = 2_000) -> dict[str, str]:
    """
    Every page a person reaches from *start* by links, and what scripts fetch for them; by address.

    Addresses with one of the words *left_out* in them are not opened.
    """
    found: dict[str, str] = {}
    todo, met = [start], {start, ""}
    while todo:
        path = todo.pop()
        assert len(found) < most, "the pages lead on for ever"
        answer = context.request.get(path)
        assert answer.status < 400, f"{answer.status} at {path}"
        found[path] = text = answer.text()
        if "text/html" in answer.headers["content-type"]:
            for link in LINK.findall(text.replace("&amp;", "&")):
                onward = _path(path, link)
                if _sameness(onward) not in met and left_out.isdisjoint(WORD.findall(onward)):
                    todo.append(onward)
                met.add(_sameness(onward))
    return found


def _path(base: str, link: str) -> str:
    parts = urlsplit(urljoin(base, link))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _sameness(path: str) -> str:
    """One name for addresses that say the same: tabs around a task or of a list, a case's diagram; none for no page."""
    if path.startswith(("/static/", "/sign-")):
        return ""
    if path.endswith("/diagram.bpmn"):
        return "the diagram"
    base, _, query = path.partition("?")
    return "?".join((base, *(one for one in query.split("&") if one and not one.startswith(PARTS))))

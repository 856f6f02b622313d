"""One visit to every route with a request it takes, and what each asked of the database."""

from __future__ import annotations

import html
import re
import threading
from typing import Any
from urllib.parse import urlsplit

from acceptance.conftest import PASSWORD, House
from conftest import ROOT
from statements import Asked, asked_of
from usher_engine import SYSTEM, Actor
from usher_engine.accounts import Role
from usher_engine.cases import CaseSelection
from usher_engine.definitions import Package, read_folder, to_zip
from werkzeug.test import TestResponse

PLACE = {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}
REASON = {"reason": "asked at the desk"}
PROCESS = "/processes/enrollment"
ANA = Actor(name="ana", role="analyst")
STATIC = ROOT / "web" / "usher_web" / "static" / "dist"
PEOPLE = ("alice", "ana", "audrey", "adam")


class Tour:
    """
    Visits the routes in an order in which each finds what it needs; ``asked`` holds what each one asked.

    A page is opened twice and the second time counts: by then it is recorded who saw it. ``first`` holds the other.
    """

    def __init__(self, house: House) -> None:
        self.house, self.engine = house, house.enrollment.engine
        self.asked: dict[str, Asked] = {}
        self.first: dict[str, Asked] = {}
        self.parked = self._park("sample-deferred", "sample-declined")
        self.people = {name: house.visitor(name) for name in PEOPLE}
        self.tokens = {role: house.token(role, name=f"program-{role}") for role in Role}

    def visit(self) -> None:
        self._inbox()
        self._cases()
        self._patients()
        self._invitations()
        self._drafts()
        self._trying_out()
        self._runs()
        self._auditors()
        self._administrators()
        self._programs()
        self._starts()
        self._sessions()

    # how

    def send(
        self, who: str, method: str, path: str, data: Any = None, *, headers: dict[str, str] | None = None,
        status: int = 399, **body: Any,
    ) -> TestResponse:  # fmt: skip
        """*status* is the highest the answer may have."""
        visitor = self.people.get(who) or self.house.visitor()
        sent = {"X-CSRF-Token": visitor.csrf, **(headers or {})}
        with asked_of(self.engine.database) as asked:
            answer = visitor.client.open(path, method=method, data=data, headers=sent, **body)
            text = answer.get_data().decode(errors="replace")  # a streamed answer is read as it is sent
        assert answer.status_code <= status, (method, path, answer.status_code, text[-2000:])
        where = self.house.app.url_map.bind("localhost")
        rule, _ = where.match(urlsplit(path).path, method=method, return_rule=True)
        name = f"{method} {rule.rule}"
        self.first.setdefault(name, asked)
        self.asked[name] = asked
        return answer

    def look(self, who: str, *paths: str, headers: dict[str, str] | None = None) -> None:
        """Open each page twice."""
        for path in paths:
            for _ in range(2):
                self.send(who, "GET", path, headers=headers)

    def post(self, who: str, path: str, data: Any = None, **more: Any) -> TestResponse:
        return self.send(who, "POST", path, data, **more)

    def _park(self, *patients: str) -> list[str]:
        """Cases whose mails could not be sent."""
        alice, found = self.house.visitor("alice"), []
        self.house.postbox.down = True
        for patient in patients:
            self.house.select(patient, alice)
            task = self.house.newest_task()
            alice.post(f"/inbox/{task}/complete", REASON)
            found.append(task.split(":")[0])
        for _ in range(self.engine.settings.job_attempts):
            self.house.worker.run_due()
            self.house.clock.forward(days=1)
        self.house.postbox.down = False
        return found

    def _select(self, patient: str) -> str:
        self.post("alice", f"/patients/{patient}/trigger", PLACE)
        return self.house.newest_task()

    # staff

    def _inbox(self) -> None:
        task = self._select("sample-pending")
        self.look("alice", "/", "/inbox", "/inbox/rows", f"/inbox/{task}")
        self.post("alice", f"/inbox/{task}/claim")
        self.post("alice", f"/inbox/{task}/draft", json={"values": {"reason": "a"}})
        self.look("alice", f"/inbox/{task}/draft", "/session")
        self.post("alice", "/session/stay")
        self.post("alice", f"/inbox/{task}/draft/choose")
        self.post("alice", f"/inbox/{task}/draft/correct")
        self.post("alice", f"/inbox/{task}/draft/let-go")
        self.post("alice", f"/inbox/{task}/release")
        self.post("alice", f"/inbox/{task}/complete")
        self.post("alice", f"/inbox/{self._select('sample-no-email')}/cancel", REASON)

    def _cases(self) -> None:
        case = self._select("sample-no-email").split(":")[0]
        pages = ("", "/diagram.bpmn", "/replay", "/replay.json", "/proof")
        self.look("alice", "/cases", *(f"/cases/{case}{page}" for page in pages), f"/cases/{case}/onward")
        self.post("alice", f"/cases/{self.parked[0]}/retry")
        self.post("audrey", f"/cases/{case}/evidence")
        self.post("alice", f"/cases/{case}/cancel", REASON)
        self.post("alice", "/cases/searches", {"name": "Waiting", "status": "waiting"})
        self.post("alice", "/cases/searches/1/name", {"name": "Still waiting"})
        self.post("alice", "/cases/searches/1/delete")

    def _patients(self) -> None:
        one = "/patients/sample-pending"
        self.look("alice", "/patients", one, f"{one}/template?name=Office%20Visit", "/search?q=Ha")

    def _invitations(self) -> None:
        for patient in ("sample-complete", "sample-pending"):
            self.house.select(patient)
            if patient == "sample-pending":
                self.house.visitor("alice").post(f"/inbox/{self.house.newest_task()}/complete")
            self.house.worker.run_due()
            link = self.house.postbox.link
            self.look("", link)
            proof = hidden(self.post("", link, self.house.identity_of(patient)), "proof")
            if patient == "sample-complete":
                self.post("", f"{link}/answer", {"proof": proof, "answer": "defer", "until": "2026-06-01"})
            else:
                self.look("", f"{link}/opt-out")
                self.post("", f"{link}/opt-out")

    # analysts

    def _drafts(self) -> None:
        self.look("ana", "/processes", PROCESS, f"{PROCESS}/1/diagram.bpmn", "/drafts/new")
        self.post("ana", f"{PROCESS}/draft")
        self.post("ana", "/drafts/new", {"key": "recall", "name": "Recall"})
        mail, form = f"{PROCESS}/draft/file/mail/invitation.en.md", f"{PROCESS}/files/update-now.form"
        self.look("ana", f"{PROCESS}/edit", form, f"{PROCESS}/files", mail, f"{PROCESS}/draft/package.zip")
        text = "---\nsubject: Hi\n---\n\nHello {{ first_name }}"
        self.post("ana", "/drafts/preview", {"path": "mail/invitation.en.md", "text": text})
        self.post("ana", f"{PROCESS}/draft/check", json={"files": {}})
        self.post("ana", f"{PROCESS}/draft/changes", json={"files": {}})
        self.post("ana", f"{PROCESS}/files", {"path": "call.form"})
        etag = self._etag("call.form")
        self.post("ana", f"{PROCESS}/files/rename", {"path": "call.form", "new": "ring.form", "etag": etag})
        self.post("ana", f"{PROCESS}/files/remove", {"path": "ring.form", "etag": etag})
        self._late(mail)
        self.post("ana", f"{PROCESS}/files", {"path": "notes.form"})
        there = {"If-Match": f'"{self._etag("notes.form")}"'}
        self.send("ana", "DELETE", f"{PROCESS}/draft/file/notes.form", headers=there)
        self.look("ana", f"{PROCESS}/compare", f"{PROCESS}/compare/draft/diagram.bpmn", f"{PROCESS}/history?state=1")
        self._history()
        self._import()
        self._deployment()
        self.post("ana", f"{PROCESS}/roll-back", {"number": 1, "seen": 2, "note": "Too short."})
        self.post("ana", f"{PROCESS}/draft")
        draft = self.engine.drafts.find("enrollment").etag
        self.post("ana", f"{PROCESS}/draft/discard", {"etag": draft})

    def _history(self) -> None:
        there = {"etag": self.engine.drafts.find("enrollment").etag}
        self.post("ana", f"{PROCESS}/draft/keep", json={**there, "name": "Before the holidays"})
        self.post("ana", f"{PROCESS}/history", {**there, "name": "Again"})
        self.post("ana", f"{PROCESS}/history/1/back", there)

    def _import(self) -> None:
        self.look("ana", f"{PROCESS}/import")
        self.post("ana", f"{PROCESS}/import", {"etag": self.engine.drafts.find("enrollment").etag})

    def _deployment(self) -> None:
        """A changed promise is accepted, the sign-off is asked for and sent back, and the draft is deployed at last."""
        file = "examples/05-pending-resend.json"
        changed = self.engine.drafts.package("enrollment").files[file].replace(b'"InvitationSent"\n', b'"Elsewhere"\n')
        abe = Actor(name="abe", role="analyst")
        self.engine.drafts.save_file("enrollment", file, changed, etag=self._etag(file), actor=abe)
        seen = {"etag": self.engine.drafts.find("enrollment").etag}
        self.post("ana", f"{PROCESS}/deploy/accept", {**seen, "file": file})
        self.engine.drafts.save_file("enrollment", "notes.txt", b"short", etag="", actor=abe)
        seen = {"etag": self.engine.drafts.find("enrollment").etag}
        self.engine.deployments.ask_sign_off("enrollment", note="x", actor=abe, **seen)
        self.post("ana", f"{PROCESS}/deploy/send-back", {**seen, **REASON})
        self.look("ana", f"{PROCESS}/deploy")
        self.post("ana", f"{PROCESS}/deploy", {**seen, "note": "Shorter mail."})

    def _etag(self, path: str) -> str:
        return str(self.engine.drafts.find("enrollment").file(path).etag)

    def _late(self, mail: str) -> None:
        """Two saves over the same file: the later ones wait for a choice."""
        seen = {"If-Match": f'"{self._etag("mail/invitation.en.md")}"', "X-Requested-With": "fetch"}
        for text in ("Their text", "My text", "My other text"):
            self.send("ana", "PUT", mail, f"---\nsubject: Hi\n---\n\n{text} {{{{ link }}}}\n", headers=seen, status=412)
        chosen, forgotten = (aside.id for aside in self.engine.drafts.set_aside("enrollment"))
        self.look("ana", f"{PROCESS}/late/{chosen}", f"{PROCESS}/draft/late/{chosen}")
        choice = {"etag": self._etag("mail/invitation.en.md"), "choice": "theirs"}
        self.post("ana", f"{PROCESS}/late/{chosen}", choice)
        self.send("ana", "DELETE", f"{PROCESS}/draft/late/{forgotten}")

    def _trying_out(self) -> None:
        self.look("ana", f"{PROCESS}/try", f"{PROCESS}/try/1/diagram.bpmn")
        act = {"try.source": "1", "try.act": "begin", "start": '{"patient_id": "p1"}'}
        run = hidden(self.post("ana", f"{PROCESS}/try", act), "try.run")
        answer = '{"status": "Completed", "guard": null, "response": null, "fields": {}}'
        act = {"try.source": "1", "try.run": run, "try.act": "answer", "answer": answer, "try.operator": "patient/load"}
        run = hidden(self.post("ana", f"{PROCESS}/try", act), "try.run")
        self.post("ana", f"{PROCESS}/try/save", {"try.source": "1", "try.run": run, "name": "Completed"})

    def _runs(self) -> None:
        self.house.select("sample-no-zip")
        files = dict(read_folder(ROOT / "processes" / "enrollment").files)
        drawn = files["enrollment.bpmn"].decode().replace('in ["Declined", "Deferred"]', 'in ["Declined"]')
        self.engine.deploy(Package({**files, "enrollment.bpmn": drawn.encode()}), actor=SYSTEM)
        self.look("ana", f"{PROCESS}/backtest", f"{PROCESS}/migrate")
        run = self._asked_for("backtest", {"on": "4"})
        self.house.worker.run_due()
        (other,) = self.engine.batches.cases(run)
        pages = (run, f"{run}/progress", f"{run}/cases/{other.instance}", f"{run}/recorded.bpmn", f"{run}/cases.csv")
        self.look("ana", *(f"{PROCESS}/backtest/{page}" for page in pages))
        self.post("ana", f"{PROCESS}/backtest/{self._asked_for('backtest', {'on': '4'})}/cancel")
        self._assumption(files)
        run = self._asked_for("migrate", {"from": "1", "to": "4"})
        self.house.worker.run_due()
        self.look("ana", f"{PROCESS}/migrate/{run}", f"{PROCESS}/migrate/{run}/progress")
        self.post("ana", f"{PROCESS}/migrate/{run}/run", REASON)
        self.house.worker.run_due()
        self.post("ana", f"{PROCESS}/migrate/{self._asked_for('migrate', {'from': '1', 'to': '4'})}/cancel")

    def _assumption(self, files: dict[str, bytes]) -> None:
        """A draft in which another task asks: nobody answered it."""
        drawn = files["enrollment.bpmn"].decode()
        drawn = drawn.replace('"UpdateNow"', '"AskAgain"').replace(">UpdateNow<", ">AskAgain<")
        asks, every = Package({**files, "enrollment.bpmn": drawn.encode()}), CaseSelection(process="enrollment")
        run = self.engine.batches.ask_backtest(asks, every, label="the draft", actor=ANA)
        self.house.worker.run_due()
        page = f"{PROCESS}/backtest/{run.id}/assume/AskAgain"
        self.look("ana", page)
        self.post("ana", page, {"first_name": "Ada"})

    def _asked_for(self, what: str, form: dict[str, str]) -> str:
        """The id of a run that was just asked for."""
        return self.post("ana", f"{PROCESS}/{what}", form).location.rsplit("/", 1)[-1]

    # auditors and administrators

    def _auditors(self) -> None:
        self.look("audrey", "/reports", "/reports/elements.csv", "/reports/diagram/enrollment/1.bpmn", "/exports")
        self.look("audrey", "/audit", "/audit/reviews", "/audit/people", "/audit/people/alice", "/audit/retention")
        self.look("audrey", "/audit/patients", "/audit/patients/sample-pending")
        self.post("audrey", "/audit/check")
        for thread in threading.enumerate():
            if thread.name.startswith("usher-check"):
                thread.join()
        self.look("audrey", "/audit/check")
        self.post("audrey", "/audit/reviews", {"since": "2026-05-04", "until": "2026-05-04", "note": "All quiet."})
        held = {"patient": "sample-pending", **REASON}
        self.post("audrey", "/audit/retention/holds", held)
        self.post("audrey", "/audit/retention/holds/lift", held)
        self.post("audrey", "/exports", {"format": "csv"})

    def _administrators(self) -> None:
        case = self.parked[1]
        self.look("adam", "/admin/people", "/admin/tokens", "/admin/triggers", "/admin/cases", f"/admin/cases/{case}")
        self.look("adam", "/admin/processes")
        self.post("adam", "/admin/people", {"name": "dora", "password": PASSWORD, "role": "staff"})
        self.look("adam", "/admin/people/dora")
        self.post("adam", "/admin/people/dora", {"role": "staff", "groups": "Billing"})
        self.post("alice", f"/inbox/{self._select('sample-pending')}/claim")
        self.post("adam", "/admin/people/alice/release", REASON)
        self.post("adam", "/admin/people/dora/password", {"password": f"{PASSWORD} too"})
        self.post("adam", "/admin/people/dora/disabled", {"disabled": "yes"})
        self.post("adam", "/admin/tokens", {"name": "lab", "role": "staff"})
        self.post("adam", "/admin/tokens/lab/revoke")
        self.post("adam", "/admin/triggers", {"template": "Recall", "field": "Portal", "action": "Enrollment"})
        self.post("adam", f"/admin/cases/{case}/repair", status=409)
        self.post("adam", f"/admin/cases/{case}/retry")
        self.post("adam", f"/admin/cases/{case}/cancel", REASON)
        self.post("adam", "/admin/processes/enrollment/pause", {**REASON, "version": "0"})
        self.post("adam", "/admin/processes/enrollment/resume", {**REASON, "version": "0"})
        self.look("adam", "/admin/patients", "/admin/patients/sample-deferred")
        version = self.house.enrollment.patient("sample-opted-out").version
        reported = {**REASON, "status": "Deactivated", "version": version}
        self.post("adam", "/admin/patients/sample-opted-out/portal-status", reported)
        undone = {**REASON, "scope": "practice", "opted_out": "no"}
        self.post("adam", "/admin/patients/sample-opted-out/opt-out", undone)
        self.post("adam", "/audit/retention/purge", {"before": "", "sure": "yes"})

    # programs and the doors

    def _programs(self) -> None:
        staff, analyst = self.tokens[Role.STAFF], self.tokens[Role.ANALYST]
        for number in range(3):  # the first case of its way through the diagram writes down and reads a little more
            keyed = {**staff, "Idempotency-Key": f"k{number}"}
            begun = self.post("", "/api/v1/triggers", json={**PLACE, "patient_id": "sample-deferred"}, headers=keyed)
            case = begun.get_json()["instance"]
            if number < 2:
                self.post("", f"/api/v1/instances/{case}/cancel", json=REASON, headers=staff)
        task = self.house.newest_task()
        for path in ("tasks", "instances", f"instances/{case}", f"instances/{case}/history", "metrics"):
            self.look("", f"/api/v1/{path}", headers=staff)
        self.look("", "/api/v1/definitions", headers=analyst)
        admin, about = self.tokens[Role.ADMIN], "/api/v1/patients/sample-opted-out"
        self.post("", f"{about}/portal-status", json={**REASON, "status": "Completed"}, headers=admin)
        opted_out = {**REASON, "scope": "practice", "opted_out": True}
        self.post("", f"{about}/opt-out", json=opted_out, headers=admin)
        self.look("", "/api/v1/health", "/api/v1/openapi.json")
        self.post("", f"/api/v1/tasks/{task}/claim", json={}, headers=staff)
        self.post("", f"/api/v1/tasks/{task}/unclaim", json={}, headers=staff)
        seen = self.engine.instance(case).revision
        self.post("", f"/api/v1/tasks/{task}/complete", json={"data": {}, "revision": seen}, headers=staff)
        self.engine.deploy(read_folder(ROOT / "tests" / "processes" / "message_catch"), actor=SYSTEM)
        self.engine.start("message_catch", {}, actor=SYSTEM, business_key="invoice-7")
        paid = {"name": "Paid", "data": {"sum": 5}, "business_key": "invoice-7"}
        self.post("", "/api/v1/messages", json=paid, headers={**staff, "Idempotency-Key": "m"})
        package = self.engine.versions.package("message_catch")
        changed = to_zip(Package({**package.files, "notes.txt": b"new"}))
        zipped = {**analyst, "Content-Type": "application/zip"}
        self.post("", "/api/v1/definitions/message_catch/versions", changed, headers=zipped)

    def _starts(self) -> None:
        self.engine.deploy(read_folder(ROOT / "tests" / "processes" / "room_booking"), actor=SYSTEM)
        self.look("alice", "/start", "/start/room_booking")
        self.post("alice", "/start/room_booking", {"start.key": "k", "room": "Room 4", "day": "2026-06-01"})
        self.look("alice", "/start/room_booking")
        keyed = {**self.tokens[Role.STAFF], "Idempotency-Key": "start"}
        asked = {"data": {"room": "Room 5", "day": "2026-06-01"}}
        self.post("", "/api/v1/processes/room_booking/instances", json=asked, headers=keyed)

    def _sessions(self) -> None:
        self.look("", "/sign-in", "/static/dist/" + next(one.name for one in STATIC.iterdir() if one.is_file()))
        self.post("", "/sign-in", {"name": "bob", "password": PASSWORD})
        self.post("ana", "/sign-out")


def hidden(page: TestResponse, name: str) -> str:
    """What the hidden field called *name* holds."""
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', page.text)
    assert found is not None, name
    return html.unescape(found.group(1))

"""One visit to every route with a request it takes, and what each asked of the database."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import threading
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from acceptance.conftest import PASSWORD, House
from conftest import ROOT
from statements import Asked, asked_of
from usher_engine import SYSTEM, Actor
from usher_engine.accounts import Role, StaffProfiles, Substitutes
from usher_engine.cases import CaseSelection
from usher_engine.definitions import Package, read_folder, to_zip
from werkzeug.test import TestResponse

PLACE = {"template": "Office Visit", "field": "Patient Portal", "action": "Enrollment"}
REASON = {"reason": "asked at the desk"}
PROCESS = "/processes/enrollment"
ANA = Actor(name="ana", role="analyst")
STATIC = ROOT / "web" / "usher_web" / "static" / "dist"
PEOPLE = ("alice", "bob", "ana", "audrey", "adam")


class Tour:
    """
    Visits the routes in an order in which each finds what it needs; ``asked`` holds what each one asked.

    A page is opened twice and the second time counts: by then it is recorded who saw it. ``first`` holds the other.
    """

    def __init__(self, house: House) -> None:
        self.house, self.engine = house, house.enrollment.engine
        self.asked: dict[str, Asked] = {}
        self.first: dict[str, Asked] = {}
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
        self._substitutes()
        self._programs()
        self._starts()
        self._outcomes()
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
        self._fail()
        return found

    def _fail(self) -> None:
        """Try all mails until nothing is tried any more; the days that takes end every session."""
        self.house.postbox.down = True
        for _ in range(self.engine.settings.job_attempts):
            self.house.worker.run_due()
            self.house.clock.forward(days=1)
        self.house.postbox.down = False
        self.people = {name: self.house.visitor(name) for name in PEOPLE}

    def _select(self, patient: str) -> str:
        self.post("alice", f"/patients/{patient}/trigger", PLACE)
        return self.house.newest_task()

    # staff

    def _inbox(self) -> None:
        task = self._select("sample-pending")
        self.look("alice", "/", "/inbox", "/inbox/rows", f"/inbox/{task}")
        self.look("alice", f"/inbox/{task}/preview")
        self.post("alice", "/inbox/bulk", {"act": "claim", "task": task})
        started = self.post("alice", "/inbox/bulk/run", {"bulk.act": "claim", "bulk.task": task})
        batch = urlsplit(started.headers["Location"]).path.rpartition("/")[2]
        self.look("alice", f"/inbox/bulk/{batch}", f"/inbox/bulk/{batch}/progress")
        self.post("alice", f"/inbox/bulk/{batch}/stop")
        self.post("alice", f"/inbox/{task}/claim")
        self.post("alice", f"/inbox/{task}/due", {"day": "2026-06-01"})
        self.post("alice", f"/inbox/{task}/later", {"until": "2026-06-01"})
        self.post("alice", f"/inbox/{task}/assign", {"to": "alice"})
        self.post("alice", f"/inbox/{task}/draft", json={"values": {"reason": "a"}})
        self.look("alice", f"/inbox/{task}/draft", "/session")
        self.post("alice", "/session/stay")
        self.post("alice", f"/inbox/{task}/draft/choose")
        self.post("alice", f"/inbox/{task}/draft/correct")
        self.post("alice", f"/inbox/{task}/draft/let-go")
        self.post("alice", f"/inbox/{task}/release")
        self.post("alice", "/inbox/views", {"name": "To Friday", "query": "due=friday"})
        self.post("alice", "/inbox/views/1/move", {"way": "first"})
        self.post("alice", "/inbox/views/1/delete")
        self.post("alice", f"/inbox/{task}/complete")
        self.post("alice", f"/inbox/{self._select('sample-no-email')}/cancel", REASON)
        self.look("alice", f"/events?cases={task.partition(':')[0]}:1", "/outcomes", "/outcomes/strip")
        self._forget_acts()

    def _cases(self) -> None:
        self.house.worker.run_due()
        self.parked = self._park("sample-deferred", "sample-declined")
        self._forget_acts()
        case = self._select("sample-no-email").split(":")[0]
        pages = ("", "/diagram.bpmn", "/replay", "/replay.json", "/proof")
        self.look("alice", "/cases", *(f"/cases/{case}{page}" for page in pages), f"/cases/{case}/onward")
        self._comments(case)
        self.post("alice", f"/cases/{self.parked[0]}/retry")
        self.post("audrey", f"/cases/{case}/evidence")
        self.post("alice", f"/cases/{case}/cancel", REASON)
        self._forget_acts()
        self.post("alice", "/cases/searches", {"name": "Waiting", "status": "waiting"})
        self.post("alice", "/cases/searches/1/name", {"name": "Still waiting"})
        self.post("alice", "/cases/searches/1/delete")

    def _comments(self, case: str) -> None:
        here = f"/cases/{case}/comments"
        self.post("bob", f"{here}/draft", json={"values": {"text": "half"}})
        self.look("bob", here, f"{here}/draft", f"{here}/people")
        self.post("bob", here, {"text": "@alice please call her"})
        number = self.engine.instance(case).revision
        sent = {"text": "", "file": (io.BytesIO(b"words"), "a.txt")}
        self.post("bob", here, sent, content_type="multipart/form-data")
        digest = hashlib.sha256(b"words").hexdigest()
        self.look("bob", f"/cases/{case}/files/{digest}")
        self.post("bob", f"{here}/{number}/correct", {"text": "@alice please call her today"})
        self.post("bob", f"{here}/{number}/withdraw")

    def _forget_acts(self) -> None:
        """Take the lines away that stand above alice's pages; test_routes_queries counts what they cost."""
        for act in self.house.accounts.user("alice").followed:
            self.post("alice", f"/outcomes/{act.instance}/away")

    def _outcomes(self) -> None:
        """The ways out of a stopped case; they take days, so nothing else follows."""
        self.post("alice", "/patients/sample-complete-2/trigger", PLACE)
        case = self.engine.queries.instances(business_key="sample-complete-2")[0].id
        self._fail()
        self.post("alice", f"/outcomes/{case}/again")
        self._fail()
        self.post("alice", f"/outcomes/{case}/address", {"email": "ivo@example.org"})

    def _patients(self) -> None:
        one = "/patients/sample-pending"
        self.look("alice", "/patients", one, f"{one}/template?name=Office%20Visit", "/search?q=Ha", "/palette?q=Ha")
        self._look_alikes()

    def _look_alikes(self) -> None:
        """Two who look alike, and a value that staff corrected and the EHR has changed too."""
        twin = {"name": [{"family": "Twin", "given": ["Alex"]}], "birthDate": "2000-02-29", "resourceType": "Patient"}
        patients = [{**twin, "id": key, "telecom": [{"system": "phone", "value": "555 0141"}]} for key in ("t1", "t2")]
        self.house.enrollment.import_patients(json.dumps(one) for one in patients)
        self.look("alice", f"/patients/t1/sure?{urlencode(PLACE)}")
        with self.engine.database.begin() as tx:
            now = self.engine.clock()
            self.house.enrollment.registry.update(tx, "t1", {"phone": "555 0142"}, by="alice", now=now)
        patients[0]["telecom"] = [{"system": "phone", "value": "555 0143"}]
        self.house.enrollment.import_patients([json.dumps(patients[0])])
        self.look("alice", "/import-conflicts")
        (found,) = self.house.enrollment.import_conflicts.of("t1")
        self.post("alice", "/import-conflicts/t1/phone", {"take": "ehr", "seen": found.seen})

    def _invitations(self) -> None:
        for patient in ("sample-complete", "sample-pending"):
            self.house.select(patient)
            if patient == "sample-pending":
                self.house.visitor("alice").post(f"/inbox/{self.house.newest_task()}/complete")
            self.house.worker.run_due()
            link = self.house.postbox.link
            self.look("", link, f"{link}/answer", f"{link}/new-link")
            self.post("", f"{link}/opened")
            self.post("", f"{link}/new-link")
            proof = hidden(self.post("", link, self.house.identity_of(patient)), "proof")
            if patient == "sample-complete":
                self.post("", f"{link}/answer", {"proof": proof, "answer": "defer", "until": "2026-06-01"})
            else:
                self.look("", f"{link}/opt-out")
                self.post("", f"{link}/opt-out")
                sent = self.house.enrollment.invitations(patient)
                mail = next(one.message_id for one in sent if not one.revoked_at)
                page = f"/invitations/{patient}/withdraw"
                self.look("alice", f"{page}?mail={quote(mail)}")
                self.post("alice", page, {"mail": mail, "why": "asked"})
        self._undo()

    def _undo(self) -> None:
        """A mail that is held, and stopped."""
        object.__setattr__(self.engine.settings, "mail_hold", 10)
        task = self._select("sample-no-zip")
        self.post("alice", f"/inbox/{task}/complete", {**self.house.form_of(task), "zip_code": "10001"})
        self.post("alice", f"/invitations/undo/{task.partition(':')[0]}/2")
        object.__setattr__(self.engine.settings, "mail_hold", 0)

    # analysts

        self._forget_acts()

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
        self._profile(text)
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

    def _profile(self, text: str) -> None:
        """A name, an address and a sample of a mail to it."""
        self.post("ana", "/profile/name", {"display_name": "Ana Alonso"})
        self.post("ana", "/profile/email", {"email": "ana@clinic.example.org"})
        link = self.house.postbox.confirmation
        self.look("ana", "/profile", link)
        self.post("ana", link)
        self.post("ana", f"{PROCESS}/mail/send-to-me", {"path": "mail/invitation.en.md", "text": text})
        self.post("ana", "/profile/email/remove")
        self.look("alice", "/profile")
        self.post("alice", "/profile/digest", {"digest": "never"})
        self._digest()

    def _digest(self) -> None:
        """The link in bob's mail of the morning, opened by whoever has it."""
        bob, profiles = Actor(name="bob", role="staff"), StaffProfiles(self.engine.database, self.engine.clock)
        profiles.take_over_address("bob", "bob@clinic.example.org", actor=bob)
        choices = self.house.enrollment.digests.choices
        choices.turn_on("bob", actor=bob)
        due = choices.take_next(self.engine.settings.calendar.day_of(self.engine.clock()))
        assert due is not None
        self.look("", f"/profile/digest/{due.off}")
        self.post("", f"/profile/digest/{due.off}")

    def _substitutes(self) -> None:
        """Named by the person and by an administrator, and ended by each."""
        today = self.house.clock().date().isoformat()
        for who, where in (("alice", "/profile"), ("adam", "/admin/people/alice")):
            self.post(who, f"{where}/substitutes", {"first": today, "last": today, "substitute": "bob"})
            substitutes = Substitutes(self.engine.database, self.house.clock, self.engine.settings.calendar)
            self.post(who, f"{where}/substitutes/{substitutes.of('alice')[0].id}/end")

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
        drawn = drawn.replace('"UpdateNow"', '"AskOnce"').replace(">UpdateNow<", ">AskOnce<")
        asks, every = Package({**files, "enrollment.bpmn": drawn.encode()}), CaseSelection(process="enrollment")
        run = self.engine.batches.ask_backtest(asks, every, label="the draft", actor=ANA)
        self.house.worker.run_due()
        page = f"{PROCESS}/backtest/{run.id}/assume/AskOnce"
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
        self.look("adam", "/admin/processes", "/admin/operators", "/admin/working-days", "/workload")
        self.post("adam", "/admin/working-days/week", {"weekday": ["0", "1", "2", "3"]})
        self.post("adam", "/admin/working-days/holidays", {"day": "2026-05-01", "name": "May Day"})
        self.post("adam", "/admin/working-days/holidays/remove", {"day": "2026-05-01"})
        self.post("adam", "/admin/working-days/us-federal", {"year": "2026"})
        self.post("adam", "/admin/people", {"name": "dora", "password": PASSWORD, "role": "staff"})
        self.look("adam", "/admin/people/dora")
        self.post("adam", "/admin/people/dora", {"role": "staff", "groups": "Billing"})
        self.post("adam", "/admin/people/dora/name", {"display_name": "Dora Diaz"})
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
        one = f"instances/{case}"
        for path in ("tasks", "patients?q=example", "instances", one, f"{one}/history", "metrics"):
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

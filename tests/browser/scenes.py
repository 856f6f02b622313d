"""Every page of the product in every state worth looking at: who sees it, and how it is reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from browser.clinic import PASSWORD, Clinic
from browser.people import Patient
from conftest import ROOT
from playwright.sync_api import Page, expect
from usher_engine import SYSTEM, Actor
from usher_engine.accounts import FollowedAct, FollowedActs
from usher_engine.cases import BulkAct, CaseSelection, TaskAct
from usher_engine.definitions import Package, read_folder
from usher_engine.enrollment import Answer, portal_status

ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
ANA = Actor(name="ana", role="analyst")
BOB = Actor(name="bob", role="staff", groups=frozenset({"Front desk"}))


@dataclass(frozen=True)
class Stage:
    """A clinic on a busy day: tasks by title, cases by how they ended."""

    clinic: Clinic
    tasks: dict[str, str]
    cases: dict[str, str]

    def filled(self, path: str) -> str:
        """*path* with `{task:free}` and `{case:finished}` filled in."""
        for kind, known in (("task", self.tasks), ("case", self.cases)):
            for name, value in known.items():
                path = path.replace(f"{{{kind}:{name}}}", value)
        return path


Opening = Callable[[Page, Stage], None]


@dataclass(frozen=True)
class Scene:
    name: str
    who: str | None
    open: Opening
    #: The address it begins at; empty where it depends on what the scene does first.
    path: str = ""


SCENES: dict[str, Scene] = {}


def scene(name: str, *who: str, path: str = "") -> Callable[[Opening], Opening]:
    """Register a scene, once for each of *who*; without any it is open to everybody."""

    def register(opening: Opening) -> Opening:
        for one in who or (None,):
            found = Scene(f"{one or 'anybody'}-{name}", one, opening, path)
            SCENES[found.name] = found
        return opening

    return register


def plain(name: str, path: str, *who: str) -> None:
    """A scene that is just an address, see `Stage.filled`."""

    def opening(page: Page, stage: Stage) -> None:
        page.goto(stage.filled(path))

    scene(name, *who, path=path)(opening)


def set_stage(clinic: Clinic) -> Stage:
    """Let a day pass: triggers, tasks in every state, mails, an answer, an incident."""
    engine, tasks, cases = clinic.enrollment.engine, {}, {}

    def opened(name: str, patient: str) -> str:
        case = clinic.trigger(patient)
        tasks[name], cases[name] = case.tasks[0].id, case.id
        return case.tasks[0].id

    opened("free", clinic.add(first_name="Ada", email=None, zip_code=None))
    engine.cases.claim(opened("mine", clinic.add(first_name="Ben", email=None, birth_sex=None)), actor=ALICE)
    engine.cases.claim(opened("taken", clinic.add(first_name="Cleo", zip_code=None)), actor=BOB)
    opened("overdue", clinic.add("Pending", first_name="Dan"))
    clinic.clock.forward(days=4)
    opened("resend", clinic.add("Pending", first_name="Eve"))
    declined = clinic.add(first_name="Finn")
    clinic.invited(declined)
    _respond(clinic, declined, Answer.DECLINE)
    opened("enroll", declined)
    gone = opened("gone", clinic.add("Pending", first_name="Gus"))
    clinic.clock.forward(hours=2)
    engine.complete(gone, {}, actor=BOB)

    accepted = clinic.add(first_name="Hana")
    clinic.invited(accepted)
    _respond(clinic, accepted, Answer.ACCEPT)
    cases["finished"] = clinic.cases(accepted)[0].id
    cases["explained"] = clinic.trigger(clinic.add("Deactivated", first_name="Ivo")).id
    cases["not eligible"] = clinic.trigger(clinic.add(first_name="June", resource={"active": False})).id
    cancelled = opened("cancelled", clinic.add(first_name="Kai", email=None))
    engine.cases.cancel_task(cancelled, "The patient moved away.", actor=ALICE)
    clinic.postbox.refusal = "554 No"
    stopped = clinic.add(first_name="Lena")
    cases["incident"] = clinic.trigger(stopped).id
    clinic.until(lambda: clinic.cases(stopped)[0].status == "incident")
    clinic.postbox.refusal = ""
    clinic.settled(clinic.cases(declined)[0].business_key)
    acts = FollowedActs(clinic.accounts.database)
    for number in (cases["cancelled"], cases["finished"], cases["incident"]):
        act = FollowedAct(instance=number, revision=1, done="Update Now is done.", at=clinic.clock())
        acts.follow("alice", act)
    clinic.token("lab-interface")
    cases["twin"] = _look_alikes(clinic)
    cases |= _runs(clinic)
    return Stage(clinic, tasks, cases)


def _look_alikes(clinic: Clinic) -> str:
    """One of two who look alike, with an e-mail address that staff corrected and the EHR has changed too."""
    same = {"first_name": "Alex", "last_name": "Twin", "birth_date": "2000-02-29"}
    one, _ = clinic.add(**same), clinic.add("Pending", **same, zip_code="97103")
    before = clinic.enrollment.patient(one).resource
    with clinic.enrollment.engine.database.begin() as tx:
        clinic.enrollment.registry.update(tx, one, {"email": "a@example.org"}, by="alice", now=clinic.clock())
    clinic.imports({**before, "telecom": [{"system": "email", "value": "b@example.org", "use": "home"}]})
    return one


def _runs(clinic: Clinic) -> dict[str, str]:
    """A backtest on a package that sends some cases another way, and running cases tried on it and moved to it."""
    engine, files = clinic.enrollment.engine, dict(read_folder(ROOT / "processes" / "enrollment").files)
    text = files["enrollment.bpmn"].decode()
    for before, after in (
        ('in ["Declined", "Deferred"]', 'in ["Deferred"]'),
        ('"ResendInvitation"', '"SendAgain"'),
        (">ResendInvitation<", ">SendAgain<"),
    ):
        text = text.replace(before, after)
    other = Package({**files, "enrollment.bpmn": text.encode()})
    backtest = engine.batches.ask_backtest(other, CaseSelection(process="enrollment"), label="the draft", actor=ANA)
    version = engine.deploy(other, actor=ANA, note="Declined patients are not asked again: their no is a no.").number
    live = CaseSelection(process="enrollment", version=1, live=True)
    known = {"EnrollNow": "EnrollNow"}
    tried = engine.batches.ask_migration(version, live, known, reason="", actor=ANA, trial=True)
    assumed = engine.batches.ask_again(backtest.id, [{"element": "SendAgain", "answer": {}}], actor=ANA)
    for run in (backtest, assumed, tried):
        _ended(clinic, run.id)
    waits = engine.queries.instances(status="waiting", limit=1)[0].id
    moved = engine.batches.ask_migration(
        version, CaseSelection(process="enrollment", cases=(waits,)), {}, reason="x", actor=ANA
    )
    _ended(clinic, moved.id)
    parted = engine.batches.cases(backtest.id, outcome="different")[0]
    runs = {"backtest": backtest.id, "assumed": assumed.id, "trial": tried.id, "migration": moved.id}
    return {**runs, "parted": parted.instance, "part": parted.part, "bulk": _bulk(clinic)}


def _bulk(clinic: Clinic) -> str:
    """A run over many tasks, some of which were refused."""
    runs = clinic.enrollment.engine.task_runs
    ids = [clinic.trigger(clinic.add(first_name=name, zip_code=None)).tasks[0].id for name in ("Hal", "Ida", "Jo")]
    clinic.enrollment.engine.cases.claim(ids[1], actor=BOB)
    bulk = BulkAct(act=TaskAct.PUT_OFF, day=date(2026, 12, 24), note="after the holidays")
    run = runs.ask(runs.choose(ids, actor=ALICE), bulk, actor=ALICE)
    _ended(clinic, run.id)
    return run.id


def _ended(clinic: Clinic, run: str) -> None:
    while clinic.enrollment.engine.batches.find(run).status == "open":
        clinic.enrollment.engine.batches.work(run)


def _respond(clinic: Clinic, patient: str, answer: Answer) -> None:
    token, known = clinic.link(patient).rpartition("/")[2], clinic.fields(patient)
    proof = clinic.enrollment.identify(token, known["zip_code"], known["birth_date"])
    terms = "1" if answer is Answer.ACCEPT else ""
    clinic.enrollment.respond(token, proof, answer, terms=terms)


# staff

plain("inbox", "/inbox", "alice")
plain("outcomes", "/outcomes", "alice")
plain("inbox-mine", "/inbox?view=mine", "alice")
plain("inbox-overdue", "/inbox?view=overdue", "alice")
plain("inbox-later", "/inbox?view=later", "alice")
plain("inbox-filtered", "/inbox?kind=enrollment%2FUpdateNow&due=friday&sort=urgent&cols=why,due,with,since", "alice")
plain("inbox-nothing", "/inbox?q=zzzz", "alice")
plain("inbox-view-gone", "/inbox?group=Nurses&cols=why,clinic&sort=clinic", "alice")
plain("bulk-run", "/inbox/bulk/{case:bulk}", "alice")
plain("task-update-now", "/inbox/{task:free}", "alice")
plain("task-form", "/inbox/{task:mine}", "alice")
plain("task-resend", "/inbox/{task:resend}", "alice")
plain("task-enroll", "/inbox/{task:enroll}", "alice")
plain("task-taken", "/inbox/{task:taken}", "alice")
plain("task-gone", "/inbox/{task:gone}", "alice")
plain("patients", "/patients", "alice")
plain("patients-more", "/patients?q=quill", "alice")
plain("patients-closed", "/patients?closed=1", "alice")
plain("patients-nobody", "/patients?q=quilting", "alice")
plain("look-alike", "/patients/{case:twin}/sure?template=Office+Visit&field=Patient+Portal&action=Enrollment", "alice")
plain("import-conflicts", "/import-conflicts", "alice", "adam")
plain("patient", "/patients/sample-pending", "alice")
plain("patient-declined", "/patients/sample-declined", "alice")
plain("patient-guard", "/patients/sample-deceased", "alice")
plain("patient-bare", "/patients/sample-bare", "alice")
plain("template", "/patients/sample-complete/template?name=Office+Visit", "alice")
plain("template-guard", "/patients/sample-minor/template?name=Office+Visit", "alice")
plain("search", "/search?q=quill", "alice", "audrey")
plain("search-near", "/search?q=quilt", "alice")
plain("search-nothing", "/search?q=zzzz", "alice")
plain("cases", "/cases", "alice", "audrey")
plain("cases-none", "/cases?status=incident&patient=sample-complete", "alice")
plain("cases-found", "/cases?who=alice&status=waiting&started_from=2026-05-01&started_to=2026-05-31", "audrey")
plain("cases-nothing", "/cases?who=nobody&incident=yes", "alice")
plain("cases-wrong", "/cases?started_from=2026-05-09&started_to=2026-05-01", "audrey")
plain("case-waiting", "/cases/{case:free}", "alice", "audrey")
plain("case-finished", "/cases/{case:finished}", "alice", "audrey")
plain("case-incident", "/cases/{case:incident}", "alice")
plain("case-explained", "/cases/{case:explained}", "alice")
plain("case-cancelled", "/cases/{case:cancelled}", "alice")
plain("replay", "/cases/{case:finished}/replay", "audrey")
plain("caught-mail", "/demo/outbox", "alice")
plain("not-found", "/patients/nobody", "alice")
plain("forbidden", "/admin/people", "alice")


@scene("task-form-wrong", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto(f"/inbox/{stage.tasks['mine']}")
    page.get_by_label("E-mail").fill("ben at example")
    page.get_by_role("button", name="Save and send invitation").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


@scene("task-cancel", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto(f"/inbox/{stage.tasks['resend']}")
    page.get_by_text("Cancel task…").click()


@scene("task-gone-typed", "alice")
def _(page: Page, stage: Stage) -> None:
    clinic = stage.clinic
    task = clinic.trigger(clinic.add("Deferred", first_name="Milo")).tasks[0].id
    page.goto(f"/inbox/{task}")
    page.get_by_label("Why is the response removed?").fill("She asked for it.")
    clinic.enrollment.engine.cases.cancel_task(task, "Wrong patient.", actor=BOB)
    page.get_by_role("button", name="Enroll Now").click()
    expect(page.get_by_role("region", name="What you typed")).to_be_visible()


@scene("task-draft", "alice")
def _(page: Page, stage: Stage) -> None:
    clinic = stage.clinic
    task = clinic.trigger(clinic.add("Deferred", first_name="Milo")).tasks[0].id
    for who in (ALICE, BOB):
        clinic.enrollment.engine.task_drafts.save(task, {"reason": f"Words of {who.name}."}, actor=who)
    page.goto(f"/inbox/{task}")
    expect(page.get_by_text("bob is typing in this task too")).to_be_visible()


@scene("task-own-answer", "alice")
def _(page: Page, stage: Stage) -> None:
    clinic = stage.clinic
    task = clinic.trigger(clinic.add("Deferred", first_name="Milo")).tasks[0].id
    clinic.enrollment.engine.complete(task, {"reason": "She asked for it."}, actor=ALICE)
    page.goto(f"/inbox/{task}")
    expect(page.get_by_role("heading", level=1)).to_have_text("You completed this")


@scene("task-offline", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto(f"/inbox/{stage.tasks['mine']}")
    page.wait_for_selector("body[data-ready]")
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(page.get_by_text("No network.")).to_be_visible()


@scene("person-claims", "adam", path="/admin/people/alice")
def _(page: Page, stage: Stage) -> None:
    page.goto("/admin/people/alice")
    expect(page.get_by_role("heading", name="Claimed tasks")).to_be_visible()


@scene("case-cancel", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto(f"/cases/{stage.cases['free']}")
    page.get_by_text("Cancel the case…").click()


@scene("keys", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto("/inbox")
    page.wait_for_selector("body[data-ready]")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


@scene("menu", "alice")
def _(page: Page, stage: Stage) -> None:
    page.goto("/inbox")
    page.locator(".bar [data-menu] summary").click()


# analysts, auditors, administrators

plain("processes", "/processes", "ana", "audrey")
plain("audit", "/audit", "audrey", "adam")
plain("audit-refused", "/audit?kind=Refused&from=2026-05-01&to=2026-05-31", "audrey")
plain("audit-wrong", "/audit?from=2026-05-09&to=2026-05-01", "audrey")
plain("audit-reviews", "/audit/reviews", "audrey")
plain("retention", "/audit/retention?before=", "audrey", "adam")
plain("retention-wrong", "/audit/retention?before=2026-05-01", "adam")
plain("trail-people", "/audit/people", "audrey")
plain("trail-person", "/audit/people/alice", "audrey")
plain("trail-patients", "/audit/patients?q=a", "audrey")
plain("trail-patient", "/audit/patients/sample-pending", "audrey")
plain("reports", "/reports", "ana", "audrey", "adam")
plain("process", "/processes/enrollment", "ana", "audrey")
plain("backtests", "/processes/enrollment/backtest", "ana", "audrey")
plain("backtest", "/processes/enrollment/backtest/{case:backtest}", "ana", "audrey")
plain("backtest-case", "/processes/enrollment/backtest/{case:backtest}/cases/{case:parted}", "ana")
plain("backtest-part", "/processes/enrollment/backtest/{case:backtest}?part={case:part}", "ana")
plain("backtest-assumed", "/processes/enrollment/backtest/{case:assumed}", "ana")
plain("backtest-assume", "/processes/enrollment/backtest/{case:backtest}/assume/SendAgain", "ana")
plain("migrations", "/processes/enrollment/migrate?from=1&to=2", "ana", "audrey")
plain("migration-trial", "/processes/enrollment/migrate/{case:trial}", "ana")
plain("migration", "/processes/enrollment/migrate/{case:migration}", "ana", "audrey")
plain("try", "/processes/enrollment/try?source=1", "ana")


def _try_example(page: Page, stage: Stage, name: str) -> None:
    page.goto("/processes/enrollment/try?source=1")
    page.get_by_label("With the inputs of an example").select_option(f"examples/{name}.json")
    page.get_by_role("button", name="Begin with this example").click()


@scene("try-task", "ana")
def _try_task(page: Page, stage: Stage) -> None:
    _try_example(page, stage, "08-declined-enroll-now")
    expect(page.get_by_role("heading", name="Enroll Now")).to_be_visible()
    page.get_by_role("button", name="Enroll Now").click()
    expect(page.get_by_text("One field needs another look.")).to_be_visible()


@scene("try-service", "ana")
def _try_service(page: Page, stage: Stage) -> None:
    page.goto("/processes/enrollment/try?source=1")
    page.get_by_text("Inputs of my own").click()
    page.get_by_role("button", name="Begin with this data").click()
    expect(page.get_by_role("heading", name="What does patient/load answer?")).to_be_visible()


@scene("try-end", "ana")
def _try_end(page: Page, stage: Stage) -> None:
    _try_example(page, stage, "11-completed")
    expect(page.get_by_text("The run ended at")).to_be_visible()


plain("people", "/admin/people", "adam")
plain("person", "/admin/people/alice", "adam")
plain("person-own", "/admin/people/adam", "adam")
plain("tokens", "/admin/tokens", "adam")
plain("triggers", "/admin/triggers", "adam")
plain("stopped-cases", "/admin/cases", "adam")
plain("patient-by-id", "/admin/patients", "adam")
plain("operators", "/admin/operators", "adam")


@scene("patient-standing", "adam", path="/admin/patients/patient-1")
def _(page: Page, stage: Stage) -> None:
    """A patient with a history, one form open."""
    standing, clock = stage.clinic.enrollment.portal_standing, stage.clinic.clock
    patient = stage.clinic.add(first_name="Nora")
    stage.clinic.trigger(patient)
    stage.clinic.until(lambda: stage.clinic.status(patient) == "Pending")
    clock.forward(minutes=5)
    standing.set_status(patient, "Deactivated", "The portal's report of today.", actor=SYSTEM, source="API")
    clock.forward(minutes=5)
    standing.set_opt_out(patient, "address", True, "Called: wants letters only.", actor=SYSTEM, source="administration")
    page.goto(f"/admin/patients/{patient}")
    page.get_by_text("Set another portal status…").click()
    expect(page.get_by_role("button", name="Set the portal status")).to_be_visible()


@scene("case-to-end", "adam", path="/admin/cases/{case:free}")
def _(page: Page, stage: Stage) -> None:
    page.goto(f"/admin/cases/{stage.cases['free']}")
    page.get_by_text("Cancel the case…").click()
    expect(page.get_by_role("button", name="Cancel this case")).to_be_visible()


@scene("processes-to-pause", "adam", path="/admin/processes")
def _(page: Page, stage: Stage) -> None:
    """Paused for the picture only: the other scenes go on."""
    pauses = stage.clinic.enrollment.engine.pauses
    pauses.pause("enrollment", "The mail names the wrong practice.", actor=SYSTEM, version=1)
    page.goto("/admin/processes")
    page.get_by_text("Pause all versions of enrollment…").click()
    expect(page.get_by_role("button", name="Pause all versions of enrollment")).to_be_visible()
    pauses.resume("enrollment", "It was only looked at.", actor=SYSTEM, version=1)


@scene("working-days", "adam", path="/admin/working-days")
def _(page: Page, stage: Stage) -> None:
    """Holidays for the picture only."""
    keeper = stage.clinic.enrollment.engine.working_calendar
    keeper.add_us_federal(2026, actor=SYSTEM)
    page.goto("/admin/working-days")
    expect(page.get_by_text("Thanksgiving Day").first).to_be_attached()
    for day in keeper.working_days().holidays:
        keeper.remove_holiday(day, actor=SYSTEM)


@scene("person-added", "adam")
def _(page: Page, stage: Stage) -> None:
    page.goto("/admin/people")
    stage.clinic.patients += 1
    page.get_by_role("textbox", name="Name").fill(f"new-{stage.clinic.patients}")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#shown-once")).to_be_visible()


@scene("trigger-refused", "adam")
def _(page: Page, stage: Stage) -> None:
    page.goto("/admin/triggers")
    for name, words in (("Template", "Office Visit"), ("Field", "Portal"), ("Action", "Billing")):
        page.get_by_role("textbox", name=name).fill(words)
    page.get_by_role("button", name="Set the trigger").click()
    expect(page.get_by_role("alert")).to_be_visible()


# anybody: signing in, and what patients see

plain("sign-in", "/sign-in")
plain("exports", "/exports", "audrey")
plain("not-found", "/nowhere")
plain("link-unusable", "/i/nobody-has-given-this-out")
plain("opt-out-of-nobody", "/i/nobody-has-given-this-out/opt-out")


@scene("sign-in-wrong")
def _(page: Page, stage: Stage) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


@scene("link-identify")
def _(page: Page, stage: Stage) -> None:
    Patient(page, stage.clinic).open(stage.clinic.invited(stage.clinic.add()))


@scene("link-identify-wrong")
def _(page: Page, stage: Stage) -> None:
    patient = Patient(page, stage.clinic)
    patient.open(stage.clinic.invited(stage.clinic.add()))
    patient.identify("00000", "1981-05-04")
    expect(page.get_by_role("alert")).to_be_visible()


@scene("link-answer")
def _(page: Page, stage: Stage) -> None:
    _entered(page, stage)


@scene("link-answer-wrong")
def _(page: Page, stage: Stage) -> None:
    _entered(page, stage).answer("Not now", "2030-01-01")
    expect(page.get_by_role("alert")).to_be_visible()


@scene("link-done")
def _(page: Page, stage: Stage) -> None:
    _entered(page, stage).answer("Not now", "2026-07-01")
    expect(page.get_by_role("heading", name="We ask again on 1 July 2026")).to_be_visible()


@scene("link-done-before")
def _(page: Page, stage: Stage) -> None:
    who = stage.clinic.add()
    link = stage.clinic.invited(who)
    _respond(stage.clinic, who, Answer.DECLINE)
    _identified(page, stage, link, who)
    expect(page.get_by_role("heading", name="You said no on")).to_be_visible()


@scene("link-locked")
def _(page: Page, stage: Stage) -> None:
    patient = Patient(page, stage.clinic)
    patient.open(stage.clinic.invited(stage.clinic.add()))
    for _ in range(5):
        patient.identify("00000", "1981-05-04")
    expect(page.get_by_role("heading", name="This link is locked")).to_be_visible()


@scene("link-wrong")
def _(page: Page, stage: Stage) -> None:
    patient = Patient(page, stage.clinic)
    patient.open(stage.clinic.invited(stage.clinic.add()))
    patient.identify("00000", "1981-05-04")
    expect(page.get_by_role("alert")).to_contain_text("4 tries are left")


@scene("link-spanish")
def _(page: Page, stage: Stage) -> None:
    Patient(page, stage.clinic).open(stage.clinic.invited(stage.clinic.add()))
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("heading", name="Su invitación al portal del paciente")).to_be_visible()


@scene("link-withdrawn")
def _(page: Page, stage: Stage) -> None:
    who = stage.clinic.add()
    link = stage.clinic.invited(who)
    sent = stage.clinic.enrollment.invitations(who)[0]
    stage.clinic.enrollment.links.withdraw(sent.message_id, "Meant for somebody else.", actor=ALICE)
    Patient(page, stage.clinic).open(link)
    expect(page.get_by_role("heading", name="This invitation was withdrawn")).to_be_visible()


@scene("withdraw", "alice", path="/invitations/patient-1/withdraw")
def _(page: Page, stage: Stage) -> None:
    who = stage.clinic.add()
    stage.clinic.invited(who)
    page.goto(f"/patients/{who}")
    page.get_by_role("link", name="Withdraw…").click()
    expect(page.get_by_role("heading", name="Withdraw the invitation to")).to_be_visible()


@scene("link-replaced")
def _(page: Page, stage: Stage) -> None:
    who = stage.clinic.add()
    link = stage.clinic.invited(who)
    _respond(stage.clinic, who, Answer.DECLINE)
    with stage.clinic.enrollment.engine.database.begin() as tx:
        portal_status.remove_response(tx, who, reason="Called.", by="alice", now=stage.clinic.clock())
    _identified(page, stage, link, who)
    expect(page.get_by_role("heading", name="There is a newer invitation")).to_be_visible()


@scene("link-refused")
def _(page: Page, stage: Stage) -> None:
    who = stage.clinic.add()
    stage.clinic.invited(who)
    patient = Patient(page, stage.clinic)
    patient.enter(who)
    record = {**stage.clinic.enrollment.patient(who).resource, "active": False}
    stage.clinic.enrollment.import_patients([json.dumps(record)])
    patient.answer("Yes")
    expect(page.get_by_role("heading", name="Something changed. Please call us.")).to_be_visible()


@scene("opt-out")
def _(page: Page, stage: Stage) -> None:
    page.goto(_opt_out(stage))


@scene("opted-out")
def _(page: Page, stage: Stage) -> None:
    page.goto(_opt_out(stage))
    page.get_by_role("button", name="Stop e-mail").click()
    expect(page.get_by_role("heading", name="No more e-mail")).to_be_visible()


def _identified(page: Page, stage: Stage, link: str, who: str) -> None:
    known, patient = stage.clinic.fields(who), Patient(page, stage.clinic)
    patient.open(link)
    patient.identify(known["zip_code"], known["birth_date"])


def _entered(page: Page, stage: Stage) -> Patient:
    who = stage.clinic.add()
    stage.clinic.invited(who)
    patient = Patient(page, stage.clinic)
    patient.enter(who)
    return patient


def _opt_out(stage: Stage) -> str:
    who = stage.clinic.add()
    stage.clinic.invited(who)
    return stage.clinic.mails(who)[0].links[1]

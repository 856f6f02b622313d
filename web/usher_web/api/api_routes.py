"""The HTTP API for programs (/api/v1): JSON in and out, bearer tokens, problem details. Described by `api.openapi`."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

import usher_engine
from flask import Blueprint, Response, json, request, url_for
from usher_engine.accounts import Role
from usher_engine.core import whole_number
from usher_engine.core.faults import counts as fault_counts
from usher_engine.definitions import from_zip
from werkzeug.exceptions import BadRequest, PreconditionRequired, UnsupportedMediaType

from .. import audit_logging, auth, strict_json
from ..casework.search_query import parse_search
from ..casework.visibility import visible_case
from ..json_schema import read
from ..site import site
from ..staff.look_alike_question import question_about
from .found_patients import full_patients
from .metrics import CONTENT_TYPE, prometheus
from .openapi import description
from .serializers import (
    Answer,
    Cancellation,
    Definitions,
    Health,
    History,
    Instances,
    Message,
    OptOut,
    Seen,
    Start,
    StatusReport,
    Tasks,
    Trigger,
    full_instance,
    full_standing,
    full_step,
    full_task,
    full_version,
    outcome,
)

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

MAX_JSON = 256 * 1024
MAX_PAGE = 200
MAX_KEY = 200
#: The source of a change made here, as its audit event names it.
SOURCE = "API"


@blueprint.before_request
def limit_body() -> None:
    """Limit bodies to `MAX_JSON`; only packages may be larger."""
    if request.endpoint != "api.add_version":
        request.max_content_length = MAX_JSON


@blueprint.post("/triggers")
@auth.token_policy(Role.STAFF, pages=True)
def trigger() -> Response:
    """The EHR's trigger. A repeated Idempotency-Key returns the same case; with another body it is refused."""
    key = _key()
    body = read(Trigger, strict_json.body())
    if auth.is_page() and question_about(body["patient_id"]) is not None:  # a person's act, from a page of before
        raise usher_engine.Conflict("Another patient has this name and birth date. Reload the page to see both.")
    instance = site().enrollment.trigger(
        body["patient_id"],
        body["template"],
        body["field"],
        body["action"],
        actor=auth.actor(),
        key=key,
        source=auth.source(),
    )
    location = {"Location": url_for("api.instance", instance_id=instance.id)}
    return _json(outcome(instance), HTTPStatus.CREATED, location)


@blueprint.post("/processes/<key>/instances")
@auth.token_policy(Role.STAFF, Role.ANALYST, Role.ADMIN)
def start_instance(key: str) -> Response:
    """Body: ``{"data": {…}}`` as the start form asks. The process decides which roles and groups may start it."""
    idempotency_key, body = _key(), read(Start, strict_json.body())
    begun = site().engine.starts.begin(
        key, body.get("data", {}), actor=auth.actor(), key=idempotency_key, source=auth.source(), again=True
    )
    location = {"Location": url_for("api.instance", instance_id=begun.instance.id)}
    return _json(outcome(begun.instance), HTTPStatus.CREATED, location)


@blueprint.get("/tasks")
@auth.token_policy(Role.STAFF, Role.AUDITOR)
def tasks() -> Response:
    limit = _limit()
    listed = site().engine.inbox.tasks(auth.actor(), limit=limit, after=request.args.get("after"))
    audit_logging.note_listed(task.business_key for task in listed)
    last = listed[-1].sort_key if len(listed) == limit else None
    found: Tasks = {"tasks": [full_task(task) for task in listed], "next": last}
    return _json(found)


@blueprint.post("/tasks/<task_id>/claim")
@auth.token_policy(Role.STAFF)
def claim(task_id: str) -> Response:
    revision = _revision(read(Seen, strict_json.body()))
    return _json(outcome(site().engine.cases.claim(task_id, actor=auth.actor(), revision=revision)))


@blueprint.post("/tasks/<task_id>/unclaim")
@auth.token_policy(Role.STAFF)
def unclaim(task_id: str) -> Response:
    revision = _revision(read(Seen, strict_json.body()))
    return _json(outcome(site().engine.cases.release(task_id, actor=auth.actor(), revision=revision)))


@blueprint.post("/tasks/<task_id>/complete")
@auth.token_policy(Role.STAFF)
def complete(task_id: str) -> Response:
    """Body: ``{"data": {…}, "revision": 3}``; the revision may be in If-Match instead, and must be in one of them."""
    body = read(Answer, strict_json.body())
    revision = _revision(body)
    if revision is None:
        raise PreconditionRequired("Send the revision you saw, as “revision” in the body or in If-Match.")
    answer = body.get("data", {})
    return _json(outcome(site().engine.complete(task_id, answer, actor=auth.actor(), revision=revision)))


@blueprint.get("/patients")
@auth.token_policy(Role.STAFF, Role.AUDITOR)
def patients() -> Response:
    """The patients that the text q may mean, as the page of patients finds them."""
    text, closed = request.args.get("q", "")[:200], request.args.get("closed") == "yes"
    after = request.args.get("after") or None
    return _json(full_patients(site().enrollment.finder.find(text, closed=closed, limit=_limit(), after=after)))


@blueprint.get("/instances")
@auth.token_policy(Role.STAFF, Role.AUDITOR)
def instances() -> Response:
    """Takes the parameters of the page of cases (`search_query.PARAMETERS`); business_key is the id of a patient."""
    given, key = request.args.to_dict(), request.args.get("business_key")
    search = parse_search(given)
    if search.errors:
        raise usher_engine.InvalidSubmission("This cannot be looked for.", fields=search.errors)
    if given.get("after") and given.get("before"):
        both = "goes one way: send after or before"
        raise usher_engine.InvalidSubmission("Send after or before, not both.", fields={"before": both})
    wanted = replace(search.wanted, about=frozenset({key})) if key else search.wanted
    page = site().engine.search.find(
        wanted, actor=auth.actor(), after=given.get("after") or None, before=given.get("before") or None, limit=_limit()
    )
    audit_logging.note_listed(instance.business_key for instance in page.cases)
    first, last = (page.cases[0].id, page.cases[-1].id) if page.cases else (None, None)
    found: Instances = {
        "instances": [full_instance(instance) for instance in page.cases],
        "next": last if page.older else None,
        "previous": first if page.newer else None,
    }
    return _json(found)


@blueprint.get("/instances/<instance_id>")
@auth.token_policy(Role.STAFF, Role.AUDITOR)
def instance(instance_id: str) -> Response:
    found = visible_case(instance_id)
    return _json(full_instance(found), headers={"ETag": f'"{found.revision}"'})


@blueprint.get("/instances/<instance_id>/history")
@auth.token_policy(Role.STAFF, Role.AUDITOR)
def history(instance_id: str) -> Response:
    steps = site().engine.queries.history(visible_case(instance_id).id)
    found: History = {"instance": instance_id, "steps": [full_step(step) for step in steps]}
    return _json(found)


@blueprint.post("/instances/<instance_id>/cancel")
@auth.token_policy(Role.STAFF, Role.ADMIN)
def cancel(instance_id: str) -> Response:
    """Body: ``{"reason": …, "revision": 3}``; administrators may end any case, staff only their own work."""
    body = read(Cancellation, strict_json.body())
    revision, reason = _revision(body), body["reason"]
    found = site().engine.instance(instance_id) if auth.actor().role == Role.ADMIN else visible_case(instance_id)
    return _json(outcome(site().engine.cases.cancel(found.id, reason, actor=auth.actor(), revision=revision)))


@blueprint.post("/messages")
@auth.token_policy(Role.STAFF)
def message() -> Response:
    """Body: ``{"name": …, "data": {…}, "business_key": …}`` or ``"instance"`` instead of the business key."""
    key, body = _key(), read(Message, strict_json.body())
    instance = site().engine.incoming.deliver_message(
        body["name"],
        body.get("data", {}),
        actor=auth.actor(),
        business_key=body.get("business_key"),
        instance=body.get("instance"),
        key=key,
        source=auth.source(),
    )
    return _json(outcome(instance))


@blueprint.post("/patients/<patient_id>/portal-status")
@auth.token_policy(Role.ADMIN)
def set_portal_status(patient_id: str) -> Response:
    """Body: ``{"status": …, "reason": …}``; with the ``version`` seen, later changes are not overwritten."""
    body = read(StatusReport, strict_json.body())
    standing = site().enrollment.portal_standing.set_status(
        patient_id, body["status"], body["reason"], actor=auth.actor(), source=SOURCE, version=body.get("version")
    )
    audit_logging.note_listed([standing.patient])
    return _json(full_standing(standing))


@blueprint.post("/patients/<patient_id>/opt-out")
@auth.token_policy(Role.ADMIN)
def set_opt_out(patient_id: str) -> Response:
    """Body: ``{"scope": "practice", "opted_out": false, "reason": …}``; scope address means the current one."""
    body = read(OptOut, strict_json.body())
    standing = site().enrollment.portal_standing.set_opt_out(
        patient_id, body["scope"], body["opted_out"], body["reason"], actor=auth.actor(), source=SOURCE
    )
    audit_logging.note_listed([standing.patient])
    return _json(full_standing(standing))


@blueprint.get("/definitions")
@auth.token_policy(Role.ANALYST, Role.AUDITOR)
def definitions() -> Response:
    found: Definitions = {"definitions": [full_version(version) for version in site().engine.versions.all()]}
    return _json(found)


@blueprint.post("/definitions/<key>/versions")
@auth.token_policy(Role.ANALYST)
def add_version(key: str) -> Response:
    """Deploy a package: the body is a zip of its folder."""
    if request.mimetype not in ("application/zip", "application/octet-stream"):
        raise UnsupportedMediaType("Send the package as a zip: Content-Type: application/zip.")
    package = from_zip(request.get_data())
    if package.key != key:
        raise usher_engine.InvalidSubmission(
            f"The package holds the process “{package.key}”, not “{key}”. Send it to that address.",
            fields={"key": f"is “{package.key}” in the package"},
        )
    version = site().engine.deploy(package, actor=auth.actor(), note=request.args.get("note", "")[:500])
    return _json(full_version(version), HTTPStatus.CREATED)


@blueprint.get("/health")
@auth.public
def health() -> Response:
    """200 when the database answers; 503 with the reason when it does not."""
    site().engine.versions.all()
    found: Health = {"status": "ok"}
    return _json(found)


@blueprint.get("/metrics")
@auth.token_policy(*Role)
def metrics() -> Response:
    counts = {**site().engine.queries.counts(), "faults": fault_counts()}
    return Response(prometheus(counts), content_type=CONTENT_TYPE)


@blueprint.get("/openapi.json")
@auth.public
def openapi() -> Response:
    return _json(description(site().settings.base_url))


def _key() -> str:
    """The idempotency key of the request; raises `BadRequest` without one."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise BadRequest(f"Send an Idempotency-Key header of 1 to {MAX_KEY} characters, a new one for each request.")
    return key


def _revision(body: Seen | Answer | Cancellation) -> int | None:
    sent = body.get("revision", request.headers.get("If-Match", "").strip().strip('"') or None)
    if sent is None:
        return None
    number = whole_number(str(sent))
    if number is None:
        raise BadRequest("revision must be a whole number, as the task showed it.")
    return number


def _limit() -> int:
    return min(max(whole_number(request.args.get("limit", "")) or 50, 1), MAX_PAGE)


def _json(body: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json")

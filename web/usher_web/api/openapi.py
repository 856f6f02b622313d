"""The description of the API that programs read (OpenAPI 3.1). Its schemas are derived from `api.serializers`.

tests/acceptance checks it against the existing routes, and against every answer the API gives in a test.
"""

from __future__ import annotations

from typing import Any

from ..json_schema import components, reference
from . import found_patients, serializers

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_DAY = {"type": "string", "format": "date"}

#: Refusals that any request can get.
ALWAYS = (400, 500, 503)
#: Refusals of requests that need a token; 409 if the stored record was altered.
WITH_TOKEN = (401, 403, 409, 429)
WITH_BODY = (413, 415)

WORDS = {
    400: "The request cannot be read, or a header is missing.",
    401: "No valid token.",
    403: "The token's role, or somebody else's claim, forbids it.",
    404: "There is no such thing, or not for you.",
    409: "Somebody was faster: winner and at are who and when. Or the record was altered: see detail.",
    410: "The case was purged after its retention time.",
    413: "The body is too large.",
    415: "The body is of another kind than described here.",
    422: "Some fields need another look; fields or problems names them.",
    428: "The revision is missing.",
    429: "Too many requests in a minute; Retry-After is when to go on.",
    500: "A fault in Usher; nothing was changed. Give the administrator the number in reference.",
    503: "The process is paused, or the database or a service does not answer: see detail. Send it again later.",
}


def _answer(description: str, shape: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": reference(shape)}}}


def _body(shape: Any, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": reference(shape)}}}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


def _query(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema or _TEXT}


def _header(name: str, description: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": _TEXT}


def _refusals(*codes: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": reference(serializers.Problem)}}
    return {str(code): {"description": WORDS[code], "content": content} for code in sorted(codes)}


_MOVED = _answer("Where the case stands now.", serializers.Outcome)
_IF_MATCH = _header("If-Match", "The revision seen, instead of revision in the body.", required=False)
_PAGE = [_query("limit", "At most 200; 50 by default.", _NUMBER), _query("after", "next of the page before.")]


def _idempotency_key(what: str) -> dict[str, Any]:
    return _header("Idempotency-Key", f"New for each {what}; repeated on a retry.", required=True)


def _read_operation(
    summary: str, shape: Any, *parameters: dict[str, Any], codes: tuple[int, ...] = ()
) -> dict[str, Any]:
    answers = {"200": _answer(summary, shape), **_refusals(*ALWAYS, *WITH_TOKEN, *codes)}
    return {"summary": summary, "parameters": list(parameters), "responses": answers}


def _move_operation(
    summary: str,
    shape: Any,
    *parameters: dict[str, Any],
    codes: tuple[int, ...] = (),
    success: str = "200",
    body_required: bool = True,
    description: str = "",
) -> dict[str, Any]:
    """An operation that changes a case, with *shape* as its body."""
    refusals = _refusals(*ALWAYS, *WITH_TOKEN, *WITH_BODY, 404, 422, *codes)
    return {
        "summary": summary,
        **({"description": description} if description else {}),
        "parameters": list(parameters),
        "requestBody": _body(shape, required=body_required),
        "responses": {success: _MOVED, **refusals},
    }


def _set_operation(summary: str, shape: Any, description: str) -> dict[str, Any]:
    """An operation that sets a property of a patient, with *shape* as its body."""
    refusals = _refusals(*ALWAYS, *WITH_TOKEN, *WITH_BODY, 404, 422)
    return {
        "summary": summary,
        "description": description,
        "parameters": [_path("patient_id")],
        "requestBody": _body(shape),
        "responses": {"200": _answer("Where the patient stands now.", serializers.Standing), **refusals},
    }


def _public_operation(summary: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "security": [], "responses": {"200": answer, **_refusals(*ALWAYS)}}


_SEARCH = (
    _query("status", "waiting, finished, incident or cancelled."),
    _query("business_key", "What the case is about, for example the patient's id."),
    _query("patient", "Id, record number or words of the name of a patient."),
    _query("who", "Name of a person or program that acted in it."),
    _query("element", "Id of an element the case came to."),
    _query("outcome", "Id of the end event it reached."),
    _query("process", "Id of the process."),
    _query("version", "Its version.", _NUMBER),
    _query("incident", "yes: there was an incident, past or present."),
    *(
        _query(f"{what}_{end}", f"Day it {what}, {words}.", _DAY)
        for what in ("started", "ended")
        for end, words in (("from", "at the earliest"), ("to", "at the latest"))
    ),
    *_PAGE,
    _query("before", "previous of the page after; instead of after."),
)

_DEPLOY = {
    "summary": "Deploy a process package (a zip of its folder).",
    "parameters": [_path("key"), _query("note", "What changed.")],
    "requestBody": {"required": True, "content": {"application/zip": {}, "application/octet-stream": {}}},
    "responses": {
        "201": _answer("The new version.", serializers.Version),
        **_refusals(*ALWAYS, *WITH_TOKEN, *WITH_BODY, 422),
    },
}

_METRICS = {
    "summary": "Counts, as Prometheus reads them.",
    "responses": {
        "200": {"description": "Fine.", "content": {"text/plain": {"schema": _TEXT}}},
        **_refusals(*ALWAYS, *WITH_TOKEN),
    },
}

_DESCRIPTION = {"description": "Fine.", "content": {"application/json": {"schema": {"type": "object"}}}}

PATHS: dict[str, dict[str, Any]] = {
    "/triggers": {
        "post": _move_operation(
            "Select the Patient Portal trigger on a template's field, as the EHR does.",
            serializers.Trigger,
            _idempotency_key("trigger"),
            success="201",
            description="It starts the process an administrator bound it to. A patient has one live case of each"
            " process: while it waits, another trigger answers with that case.",
        )
    },
    "/processes/{key}/instances": {
        "post": _move_operation(
            "Start a case of a process, as its start form asks for it.",
            serializers.Start,
            _path("key"),
            _idempotency_key("case"),
            success="201",
            body_required=False,
            description="For tokens whose role or group the process names; for others it is not there. The same key and"
            " data answer with the same case.",
        )
    },
    "/tasks": {"get": _read_operation("Open tasks.", serializers.Tasks, *_PAGE)},
    "/patients": {
        "get": _read_operation(
            "Patients by name, or those that q may mean.",
            found_patients.Patients,
            _query("q", "Names in any order, a date of birth, a record, telephone or ZIP number, an e-mail address."),
            _query("closed", "yes: patients that are deceased, inactive or merged instead of those in force."),
            *_PAGE,
            codes=(404,),
        )
    },
    "/tasks/{task_id}/claim": {
        "post": _move_operation(
            "Take a task.", serializers.Seen, _path("task_id"), _IF_MATCH, codes=(410,), body_required=False
        )
    },
    "/tasks/{task_id}/unclaim": {
        "post": _move_operation(
            "Give a task back to its group.",
            serializers.Seen,
            _path("task_id"),
            _IF_MATCH,
            codes=(410,),
            body_required=False,
        )
    },
    "/tasks/{task_id}/complete": {
        "post": _move_operation(
            "Answer a task; an unclaimed one is claimed with it.",
            serializers.Answer,
            _path("task_id"),
            _IF_MATCH,
            codes=(410, 428),
        )
    },
    "/instances": {"get": _read_operation("Cases, newest first.", serializers.Instances, *_SEARCH, codes=(404, 422))},
    "/instances/{instance_id}": {
        "get": _read_operation("One case.", serializers.Instance, _path("instance_id"), codes=(404, 410)),
    },
    "/instances/{instance_id}/history": {
        "get": _read_operation(
            "The steps of a case, oldest first.", serializers.History, _path("instance_id"), codes=(404, 410)
        ),
    },
    "/instances/{instance_id}/cancel": {
        "post": _move_operation(
            "End a case before its end.",
            serializers.Cancellation,
            _path("instance_id"),
            _IF_MATCH,
            codes=(410,),
            description="Staff end cases that are their work, an administrator's token any case.",
        )
    },
    "/messages": {
        "post": _move_operation(
            "Deliver a message to the case that waits for it.",
            serializers.Message,
            _idempotency_key("message"),
            codes=(410,),
            description="The case is named by its number (instance) or by what it is about (business_key). A message"
            " that no case waits for is refused with 404, which lists who waits for what; it is not stored.",
        )
    },
    "/patients/{patient_id}/portal-status": {
        "post": _set_operation(
            "Set the portal status another system reports.",
            serializers.StatusReport,
            "For an administrator's token. Pending, Declined and Deferred come from an invitation and its answer and"
            " cannot be set. A status the patient has already changes nothing. With version, a change made since is not"
            " overwritten.",
        )
    },
    "/patients/{patient_id}/opt-out": {
        "post": _set_operation(
            "Opt a patient out of e-mail, or undo that.",
            serializers.OptOut,
            "For an administrator's token. The scope practice holds for the patient, address for the patient's e-mail"
            " address of today, for every patient who has it. An opt-out that exists already stays as it is.",
        )
    },
    "/definitions": {"get": _read_operation("Deployed versions.", serializers.Definitions)},
    "/definitions/{key}/versions": {"post": _DEPLOY},
    "/health": {"get": _public_operation("Whether the database answers.", _answer("It does.", serializers.Health))},
    "/metrics": {"get": _METRICS},
    "/openapi.json": {"get": _public_operation("This description.", _DESCRIPTION)},
}

_ANSWERS = (
    serializers.Problem,
    serializers.Outcome,
    serializers.Instances,
    serializers.Tasks,
    found_patients.Patients,
    serializers.History,
    serializers.Standing,
    serializers.Definitions,
    serializers.Health,
)
#: Shapes that refuse unknown fields.
_BODIES = (
    serializers.Trigger,
    serializers.Start,
    serializers.Message,
    serializers.Seen,
    serializers.Answer,
    serializers.Cancellation,
    serializers.StatusReport,
    serializers.OptOut,
)


def description(base_url: str) -> dict[str, Any]:
    """The whole document; *base_url* is the address of this server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Usher", "version": "1", "description": "Patient-portal enrolment as a process."},
        "servers": [{"url": f"{base_url.rstrip('/')}/api/v1"}],
        "security": [{"token": []}],
        "paths": PATHS,
        "components": {
            "schemas": components(_ANSWERS, strict=_BODIES),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }

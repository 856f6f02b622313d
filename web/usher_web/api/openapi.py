"""The description of the API that programs read (OpenAPI 3.1). A test holds it against the routes there are."""

from __future__ import annotations

from typing import Any

from usher_engine.enrollment import MAX_REASON, REPORTABLE, OptOutScope

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_MOMENT = {"type": "string", "format": "date-time"}
_DAY = {"type": "string", "format": "date"}


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


def _query(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema or _TEXT}


def _header(name: str, description: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": _TEXT}


def _refusals(*codes: int) -> dict[str, Any]:
    words = {
        400: "The request cannot be read, or a header is missing.",
        401: "No valid token.",
        403: "The token's role, or somebody else's claim, forbids it.",
        404: "There is no such thing, or not for you.",
        409: "Somebody was faster; winner and at say who, and when.",
        422: "Some fields need another look; fields or problems names them.",
        428: "The revision is missing.",
        503: "The process is paused; detail says who paused it, when and why. Send the same again once it goes on.",
    }
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {str(code): {"description": words[code], "content": content} for code in (401, *codes)}


_TASK_STATE = _object(id=_TEXT, element=_TEXT, title=_TEXT)
_WAIT = _object(element=_TEXT, due=_maybe(_MOMENT), message=_maybe(_TEXT))
_OUTCOME = _object(
    instance=_TEXT, revision=_NUMBER, status=_TEXT, at=_list(_TEXT), tasks=_list(_TASK_STATE), waits=_list(_WAIT)
)

SCHEMAS = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457. Also carries fields, problems, winner, at or reference where they fit.",
        "required": ["type", "title", "status"],
        "properties": {"type": _TEXT, "title": _TEXT, "status": _NUMBER, "detail": _TEXT},
    },
    "Outcome": _OUTCOME,
    "Instance": {
        "allOf": [
            _ref("Outcome"),
            _object(
                process=_TEXT,
                version=_NUMBER,
                business_key=_TEXT,
                started_at=_MOMENT,
                ended_at=_maybe(_MOMENT),
                outcome=_maybe(_TEXT),
                explanation=_maybe(_TEXT),
                incident=_maybe(_TEXT),
            ),
        ]
    },
    "Task": _object(
        id=_TEXT,
        instance=_TEXT,
        element=_TEXT,
        title=_TEXT,
        message=_TEXT,
        group=_TEXT,
        assignee=_maybe(_TEXT),
        created=_MOMENT,
        due=_maybe(_MOMENT),
        priority=_NUMBER,
        revision=_NUMBER,
    ),
    "Step": _object(
        revision=_NUMBER,
        at=_MOMENT,
        actor=_TEXT,
        command={"type": "object"},
        events=_list({"type": "object"}),
        previous=_TEXT,
        hash=_TEXT,
    ),
    "Version": _object(
        process=_TEXT,
        version=_NUMBER,
        name=_TEXT,
        hash=_TEXT,
        note=_TEXT,
        deployed_at=_MOMENT,
        deployed_by=_TEXT,
    ),
    "Message": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _TEXT, "data": {"type": "object"}, "business_key": _TEXT, "instance": _TEXT},
    },
    "Trigger": _object(
        patient_id=_TEXT, template=_TEXT, field=_TEXT, action={"type": "string", "enum": ["Enrollment"]}
    ),
}

_MOVED = _answer("Where the case stands now.", _ref("Outcome"))
_SEEN = {"revision": _NUMBER}
_IF_MATCH = _header("If-Match", "The revision seen, instead of revision in the body.", required=False)
_PAGE = [_query("limit", "At most 200; 50 by default.", _NUMBER), _query("after", "next of the page before.")]


def _move(summary: str) -> dict[str, Any]:
    body = _body({"type": "object", "properties": _SEEN}, required=False)
    answers = {"200": _MOVED, **_refusals(403, 404, 409)}
    return {"summary": summary, "parameters": [_path("task_id"), _IF_MATCH], "requestBody": body, "responses": answers}


def _ask(summary: str, schema: dict[str, Any], *parameters: dict[str, Any], missing: bool = False) -> dict[str, Any]:
    refusals = _refusals(403, 404) if missing else _refusals(403)
    answers = {"200": _answer(summary, schema), **refusals}
    return {"summary": summary, "parameters": list(parameters), "responses": answers}


_FINE = {"200": {"description": "Fine."}}
_COMPLETE = {
    "summary": "Answer a task; an unclaimed one is claimed with it.",
    "parameters": [_path("task_id"), _IF_MATCH],
    "requestBody": _body({"type": "object", "properties": {"data": {"type": "object"}, **_SEEN}}),
    "responses": {"200": _MOVED, **_refusals(403, 404, 409, 422, 428)},
}

PATHS: dict[str, dict[str, Any]] = {
    "/triggers": {
        "post": {
            "summary": "Select the Patient Portal trigger on a template's field, as the EHR does.",
            "description": "A patient has one live case: while it waits, another trigger answers with that case.",
            "parameters": [_header("Idempotency-Key", "New for each trigger; repeated on a retry.", required=True)],
            "requestBody": _body(_ref("Trigger")),
            "responses": {"201": _MOVED, **_refusals(400, 403, 404, 422, 503)},
        }
    },
    "/tasks": {"get": _ask("Open tasks.", _object(tasks=_list(_ref("Task")), next=_maybe(_TEXT)), *_PAGE)},
    "/tasks/{task_id}/claim": {"post": _move("Take a task.")},
    "/tasks/{task_id}/unclaim": {"post": _move("Give a task back to its group.")},
    "/tasks/{task_id}/complete": {"post": _COMPLETE},
    "/instances": {
        "get": _ask(
            "Cases, newest first.",
            _object(instances=_list(_ref("Instance")), next=_maybe(_TEXT), previous=_maybe(_TEXT)),
            _query("status", "waiting, finished, incident or cancelled."),
            _query("business_key", "What the case is about, for example the patient's id."),
            _query("patient", "Id, record number or words of the name of a patient."),
            _query("who", "Name of somebody who had a hand in it."),
            _query("element", "Id of an element the case came to."),
            _query("outcome", "Id of the end event it reached."),
            _query("process", "Id of the process."),
            _query("version", "Its version.", _NUMBER),
            _query("incident", "yes: there was an incident, past or present."),
            *(_query(f"{what}_{end}", f"Day it {what}, {words}.", _DAY) for what in ("started", "ended")
              for end, words in (("from", "at the earliest"), ("to", "at the latest"))),
            *_PAGE,
            _query("before", "previous of the page after; instead of after."),
        )
    },
    "/instances/{instance_id}": {"get": _ask("One case.", _ref("Instance"), _path("instance_id"), missing=True)},
    "/instances/{instance_id}/history": {
        "get": _ask(
            "The steps of a case, oldest first.",
            _object(instance=_TEXT, steps=_list(_ref("Step"))),
            _path("instance_id"),
            missing=True,
        )
    },
    "/instances/{instance_id}/cancel": {
        "post": {
            "summary": "End a case before its end.",
            "description": "Staff end cases that are their work, an administrator's token any case.",
            "parameters": [_path("instance_id"), _IF_MATCH],
            "requestBody": _body(
                {"type": "object", "required": ["reason"], "properties": {"reason": _TEXT, **_SEEN}}
            ),
            "responses": {"200": _MOVED, **_refusals(403, 404, 409, 422)},
        }
    },
    "/messages": {
        "post": {
            "summary": "Deliver a message to the case that waits for it.",
            "description": "The case is named by its number (instance) or by what it is about (business_key). A message"
            " that no case waits for is refused with 404, which says who waits for what; it is kept nowhere.",
            "parameters": [_header("Idempotency-Key", "New for each message; repeated on a retry.", required=True)],
            "requestBody": _body(_ref("Message")),
            "responses": {"200": _MOVED, **_refusals(400, 403, 404, 409, 422)},
        }
    },
    "/definitions": {"get": _ask("Deployed versions.", _object(definitions=_list(_ref("Version"))))},
    "/definitions/{key}/versions": {
        "post": {
            "summary": "Deploy a process package (a zip of its folder).",
            "parameters": [_path("key"), _query("note", "What changed.")],
            "requestBody": {"required": True, "content": {"application/zip": {}}},
            "responses": {"201": _answer("The new version.", _ref("Version")), **_refusals(403, 422)},
        }
    },
    "/health": {"get": {"summary": "Whether the database answers.", "security": [], "responses": _FINE}},
    "/metrics": {"get": {"summary": "Counts, as Prometheus reads them.", "responses": _FINE}},
    "/openapi.json": {"get": {"summary": "This description.", "security": [], "responses": _FINE}},
}


# what administrators set of a patient

SCHEMAS["Standing"] = _object(
    patient=_TEXT,
    status=_TEXT,
    opted_out={"type": "boolean"},
    address_opted_out={"type": "boolean"},
    version=_NUMBER,
)
_STATUS = {"type": "string", "enum": list(REPORTABLE)}
_SCOPE = {"type": "string", "enum": [scope.value for scope in OptOutScope]}
_REASON = {"type": "string", "minLength": 1, "maxLength": MAX_REASON}


def _set(summary: str, description: str, body: dict[str, Any], *codes: int) -> dict[str, Any]:
    answers = {"200": _answer("Where the patient stands now.", _ref("Standing")), **_refusals(403, 404, *codes)}
    said = {"summary": summary, "description": description, "parameters": [_path("patient_id")]}
    return {"post": {**said, "requestBody": _body(body), "responses": answers}}


PATHS["/patients/{patient_id}/portal-status"] = _set(
    "Set the portal status another system reports.",
    "For an administrator's token. Pending, Declined and Deferred come from an invitation and its answer and cannot be"
    " set. A status the patient has already changes nothing. With version, a change made since is not overwritten.",
    {
        "type": "object",
        "required": ["status", "reason"],
        "properties": {"status": _STATUS, "reason": _REASON, "version": _NUMBER},
    },
    409,
    422,
)
PATHS["/patients/{patient_id}/opt-out"] = _set(
    "Opt a patient out of e-mail, or undo that.",
    "For an administrator's token. The scope practice holds for the patient, address for the patient's e-mail address"
    " of today, for every patient who has it. What is so already stays as it is.",
    _object(scope=_SCOPE, opted_out={"type": "boolean"}, reason=_REASON),
    409,
    422,
)


def description(base_url: str) -> dict[str, Any]:
    """The whole document; *base_url* is where this server is reached."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Usher", "version": "1", "description": "Patient-portal enrolment as a process."},
        "servers": [{"url": f"{base_url.rstrip('/')}/api/v1"}],
        "security": [{"token": []}],
        "paths": PATHS,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }

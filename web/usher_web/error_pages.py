"""The one table from errors to status codes and pages. The API sends the same as problem details (RFC 9457)."""

from __future__ import annotations

import logging
from typing import Any

import usher_engine as engine
from flask import Flask, Response, g, render_template, request
from usher_engine.core.faults import report as report_fault
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, SecurityError

from .problems import Problem, problem_response, wants_json

log = logging.getLogger("usher.web")

#: Most specific first. An unlisted error is a fault of ours: 500, with a number for the log.
STATUS: tuple[tuple[type[engine.EngineError], int, str], ...] = (
    (engine.NotFound, 404, "Nothing is here"),
    (engine.Purged, 410, "This case was purged"),
    (engine.NotAllowed, 403, "You may not do this"),
    (engine.StaleDraft, 412, "Somebody saved this meanwhile"),
    (engine.Conflict, 409, "Somebody was faster"),
    (engine.InvalidSubmission, 422, "Some fields need another look"),
    (engine.InvalidDefinition, 422, "The process package cannot be used as it is"),
    (engine.ExpressionError, 422, "An expression cannot be evaluated"),
    (engine.LimitExceeded, 422, "This is more than one request may ask for"),
    (engine.BusinessError, 422, "The answer is no"),
    (engine.ServiceError, 503, "A service did not answer"),
    (engine.Paused, 503, "This process is paused"),
    (engine.Unavailable, 503, "The database cannot be used right now"),
    # Not a fault of the program: the stored record was altered, and the page says what.
    (engine.Corrupt, 409, "The record was altered"),
)

TITLES = {
    400: "This request cannot be read",
    401: "You are signed out",
    403: "You may not do this",
    404: "Nothing is here",
    405: "This address does not do that",
    413: "This is too large",
    415: "This kind of content is not taken",
    429: "Too many tries",
}


#: The text for refusals by the web framework; its own sentences are for developers.
PLAIN = {
    400: "Something in it is missing or garbled. Go back, reload the page and try again.",
    401: "Sign in and try again.",
    403: "Your role does not include this.",
    404: "The address may be mistyped, or what was here is gone or not for you.",
    405: "It may have been opened from the address bar, or reloaded. Go back and use the button on the page.",
    413: "Send less at once: a shorter text, or a smaller file.",
    415: "Send it in the form that the description of this address asks for.",
    429: "Wait a minute and try again.",
}

IN_GENERAL = "It could not be done. Go back and try again."


def describe(error: Exception) -> Problem:
    """Describe *error* for the user; of a fault of ours only a number, the rest goes to the log."""
    if isinstance(error, HTTPException):
        return _refusal(error)
    for kind, status, title in STATUS:
        if isinstance(error, kind):
            if kind is engine.Corrupt:
                log.error("an altered record was met at %s", request.endpoint)
            return Problem(status=status, title=title, detail=error.message, extra=_extra(error))
    return _fault(error)


def _refusal(error: HTTPException) -> Problem:
    """Our own refusals have a sentence; the framework's get one from `PLAIN`."""
    code = error.code or 500
    detail = "" if error.description == type(error).description else str(error.description or "")
    if code >= 500 and not detail:
        return _fault(error)
    extra = {"allowed": sorted(error.valid_methods or ())} if isinstance(error, MethodNotAllowed) else {}
    title = TITLES.get(code, "This did not work")
    return Problem(status=code, title=title, detail=detail or PLAIN.get(code, IN_GENERAL), extra=extra)


def _fault(error: Exception) -> Problem:
    reference = report_fault(error, where="web", at=str(request.endpoint))
    detail = "Nothing was changed. Try again; if it happens again, tell your administrator."
    extra = {"reference": reference}
    if isinstance(error, MemoryError):  # USHER_MEMORY_LIMIT_MB
        return Problem(status=503, title="This needs too much memory", detail=detail, extra=extra)
    return Problem(status=500, title="Something is wrong on our side", detail=detail, extra=extra)


def _extra(error: engine.EngineError) -> dict[str, Any]:
    match error:
        case engine.InvalidSubmission():
            return {"fields": error.fields}
        case engine.InvalidDefinition():
            return {"problems": [{"element": element, "reason": reason} for element, reason in error.problems]}
        case engine.Conflict():
            return {"winner": error.winner, "at": error.at.isoformat() if error.at else None}
        case _:
            return {}


def as_page(error: Exception) -> Any:
    """Render the error as a page, or as problem details for a program."""
    if isinstance(error, HTTPException) and error.response is not None:
        return error.response
    if isinstance(error, SecurityError):  # an unknown host name: our pages cannot build addresses for it
        return Response("This server is not reached under this name.\n", 400, content_type="text/plain; charset=utf-8")
    return render_problem(describe(error))


def render_problem(found: Problem) -> Any:
    """Render *found* as a page, or as problem details for a program."""
    if request.path.startswith("/api/") or wants_json():
        return problem_response(found)
    g.fault = found.status >= 500
    page = render_template(
        "error.html",
        code=found.status,
        title=found.title,
        text=found.detail,
        reference=found.extra.get("reference"),
        next=_next_steps(found.status),
    )
    return page, found.status


def took_too_long(app: Flask, environ: dict[str, Any], stopped: BaseException, seconds: float) -> Response:
    """The answer to a request that was stopped at its time limit."""
    with app.request_context(environ):
        found = Problem(
            status=503,
            title="This took too long",
            detail=f"Usher stopped it after {seconds:.0f} seconds, so that others can go on. Check whether it was done "
            "before you try again; if it happens again, tell your administrator.",
            extra={"reference": report_fault(stopped, where="time limit", at=str(request.endpoint))},
        )
        return app.process_response(app.make_response(render_problem(found)))


def _next_steps(status: int) -> list[tuple[str, str]]:
    if status == 401 or g.get("session") is None:
        return [("/", "Go to the start page")]
    return [("/", "Go to the start page"), (request.referrer or "/", "Back to where you were")]


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def refuse_unreadable() -> None:
    """Before every view, refuse input with characters that no text may hold; JSON is checked where it is parsed."""
    is_form = request.mimetype in FORMS  # reading anything else here would fix how much of it may be read
    form = (request.form, {name: sent.filename for name, sent in request.files.items(multi=True)}) if is_form else ()
    for given in (request.view_args or {}, request.args, *form):
        pairs = given.items(multi=True) if isinstance(given, MultiDict) else given.items()
        for name, text in pairs:
            if "\x00" in f"{name}{text}":
                raise BadRequest(f"{_label(name)} holds a character that is not text. Type it again, do not paste it.")


def _label(name: str) -> str:
    shown = name.replace("\x00", "")[:60]
    return f"The field “{shown}”" if shown == name else "The name of a field"


def register(app: Flask) -> None:
    app.before_request(refuse_unreadable)
    app.register_error_handler(Exception, as_page)

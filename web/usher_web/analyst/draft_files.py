"""The files of a draft, for the editors in the browser: read and saved with ETags, checked while they are typed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import usher_engine
from flask import Blueprint, Response, json, request
from usher_engine import StaleDraft
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, PointKind, file_etag, names_by_place, names_with_shapes
from usher_engine.definitions import Package, to_zip
from usher_engine.differences import compare
from werkzeug.exceptions import BadRequest, PreconditionRequired
from werkzeug.http import unquote_etag
from werkzeug.wrappers import Response as AnyResponse

from .. import auth, strict_json
from ..problems import Problem, problem_response
from ..site import site
from ..words.presentation import people_time
from .diff_view import change_lines, sentence
from .finding_words import shown_findings

#: Why a script may want the state before a save to be kept.
BEFORE = {"": PointKind.SAVED, "import": PointKind.IMPORT, "tidy": PointKind.TIDY}
#: Changes listed at most before something takes the place of a file.
LISTED = 12

blueprint = Blueprint("drafts", __name__, url_prefix="/processes/<process>/draft")


@blueprint.get("/file/<path:path>")
@auth.policy(Role.ANALYST)
def file(process: str, path: str) -> AnyResponse:
    """Return one file unchanged, always as a download or for a script, never as a page."""
    package = site().engine.drafts.package(process)
    if path not in package.files:
        raise usher_engine.NotFound(f"The draft has no file {path}.")
    response = Response(package.files[path], content_type="application/octet-stream")
    response.headers["Content-Disposition"] = "attachment"
    response.set_etag(file_etag(package.files[path]))
    return response.make_conditional(request)


@blueprint.put("/file/<path:path>")
@auth.policy(Role.ANALYST)
def save(process: str, path: str) -> Response:
    """
    Save one file: If-Match with the ETag seen, or If-None-Match: * for a new one. 412 says what is stored.

    ``?before=import`` or ``tidy`` keeps the state before this save as a restore point; the answer says its number.
    """
    before = BEFORE.get(request.args.get("before", ""))
    if before is None:
        raise BadRequest(f"A state can be kept before: {', '.join(filter(None, BEFORE))}.")
    drafts, content, seen = site().engine.drafts, request.get_data(), _etag_seen()
    try:
        draft = drafts.save_file(process, path, content, etag=seen, actor=auth.actor(), before=before)
    except StaleDraft as late:
        return _conflict_response(late)
    return _save_response(draft, path, before=before, sent=content)


@blueprint.delete("/file/<path:path>")
@auth.policy(Role.ANALYST)
def remove(process: str, path: str) -> Response:
    try:
        draft = site().engine.drafts.remove_file(process, path, etag=_etag_seen(), actor=auth.actor())
    except StaleDraft as late:
        return _conflict_response(late)
    return _save_response(draft, path)


@blueprint.post("/keep")
@auth.policy(Role.ANALYST)
def keep(process: str) -> Response:
    """Keep the draft as it is for good: ``{"name": …, "etag": …}``; the ETag is that of the whole draft."""
    sent = strict_json.large_body()
    name, etag = sent.get("name", ""), sent.get("etag", "")
    if not isinstance(name, str) or not isinstance(etag, str):
        raise BadRequest("Send the name and the ETag of the draft as texts.")
    kept = site().engine.draft_history.keep(process, name, etag=etag, actor=auth.actor())
    return _json({"number": kept.number, "name": kept.name})


@blueprint.post("/check")
@auth.policy(Role.ANALYST)
def check(process: str) -> Response:
    """
    The gate's findings on the draft, with some files as they are being typed: ``{"files": {path: text}}``.

    ``names`` are those that expressions may read, ``places`` which of them at which element, ``start`` those that a
    case must begin with.
    """
    package = _with_typed_files(site().engine.drafts.package(process))
    checked = site().engine.deployments.lint(process, package)
    findings = shown_findings(checked.findings, package)
    now = people_time(site().now(), site().now(), site().settings.calendar)
    names, places = names_with_shapes(package, checked.names), names_by_place(checked.names)
    known = {"names": names, "places": places, "start": checked.start}
    return _json({"findings": findings, **known, "hash": package.hash, "at": now})


@blueprint.post("/changes")
@auth.policy(Role.ANALYST)
def changes(process: str) -> Response:
    """What would change in the draft with these files in it, in words: ``{"files": {path: text}}``."""
    present = site().engine.drafts.package(process)
    comparison = compare(present, _with_typed_files(present))
    lines = change_lines(comparison, present.diagrams(), "")
    listed = [{"sign": line.sign, "word": line.word, "title": line.title} for line in lines if not line.only_moved]
    return _json({"sentence": sentence(comparison), "changes": listed[:LISTED], "more": max(0, len(listed) - LISTED)})


@blueprint.get("/package.zip")
@auth.policy(Role.ANALYST)
def package(process: str) -> Response:
    """Return the whole draft as it would be deployed."""
    response = Response(to_zip(site().engine.drafts.package(process)), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{process}-draft.zip"'
    return response


@blueprint.get("/late/<key>")
@auth.policy(Role.ANALYST)
def late(process: str, key: str) -> Response:
    """Return a save that came too late, as it was sent."""
    _, content = site().engine.drafts.set_aside_content(process, key)
    return Response(content, headers={"Content-Disposition": "attachment"}, content_type="application/octet-stream")


@blueprint.delete("/late/<key>")
@auth.policy(Role.ANALYST)
def forget(process: str, key: str) -> Response:
    site().engine.drafts.forget_aside(process, key, actor=auth.actor())
    return Response(status=HTTPStatus.NO_CONTENT)


def _etag_seen() -> str:
    """The ETag the sender saw; empty for a file that must not be there."""
    if request.headers.get("If-None-Match", "").strip() == "*":
        return ""
    etag = unquote_etag(request.headers.get("If-Match"))[0]
    if not etag:
        raise PreconditionRequired("Send If-Match with the ETag you saw, or If-None-Match: * for a new file.")
    return etag


def _with_typed_files(package: Package) -> Package:
    files = strict_json.large_body().get("files")
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise BadRequest("Send the files as they are typed: {“files”: {path: text}}.")
    return Package({**package.files, **{path: text.encode() for path, text in files.items()}})


def _save_response(
    draft: Draft, path: str, *, before: PointKind = PointKind.SAVED, sent: bytes | None = None
) -> Response:
    found = draft.file(path)
    etag = found.etag if found else ""
    calendar, now = site().settings.calendar, site().now()
    body: dict[str, Any] = {"saved": people_time(draft.changed_at, now, calendar), "etag": etag, "draft": draft.etag}
    if before is not PointKind.SAVED:
        points = site().engine.draft_history.points(draft.process, limit=2)
        body["before"] = next((point.number for point in points if point.kind is before), None)
    if sent is not None and etag != file_etag(sent):
        body["merged"] = {"sent": file_etag(sent), **_merged_with(draft, path, sent)}
    response = _json(body)
    if etag:
        response.set_etag(etag)
    return response


def _merged_with(draft: Draft, path: str, sent: bytes) -> dict[str, str]:
    """Whose change came into the file that was sent, and what it was, in words."""
    history = site().engine.draft_history
    theirs = next((one.by for one in history.points(draft.process, limit=3)[2:]), draft.changed_by)
    merged = site().engine.drafts.package(draft.process)
    comparison = compare(Package({**merged.files, path: sent}), merged)
    return {"by": theirs, "sentence": sentence(comparison)}


def _conflict_response(late: StaleDraft) -> Response:
    extra: dict[str, Any] = {
        "winner": late.winner,
        "at": late.at.isoformat() if late.at else None,
        "aside": late.aside,
        "etag": late.etag,
    }
    title = "Somebody saved this meanwhile"
    return problem_response(Problem(status=412, title=title, detail=late.message, extra=extra))


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), content_type="application/json")

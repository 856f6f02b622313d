"""Problem details for programs (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import Response, json, request


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """*extra* holds members of its own: ``fields``, ``problems``, ``winner``, ``at``, ``allowed`` or ``reference``."""

    status: int
    title: str
    detail: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def problem_response(problem: Problem) -> Response:
    body = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.extra,
    }
    response = Response(json.dumps(body), problem.status, content_type="application/problem+json")
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="usher"'
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(problem.extra.get("allowed", ()))
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = "60"
    return response


def wants_json() -> bool:
    """Whether one of our scripts sent the request and expects problem details."""
    return request.is_json or request.headers.get("X-Requested-With") == "fetch"

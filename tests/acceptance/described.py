"""Holds what the API answers against its own description, answer by answer."""

from __future__ import annotations

import copy
import re
from datetime import datetime
from functools import cache
from typing import Any

from flask import Flask, Request, Response, json, request
from jsonschema import Draft202012Validator, FormatChecker
from usher_web.api.openapi import description

PREFIX = "/api/v1"
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Watch:
    """Checks every answer of the API; *faults* lists those that the *document* does not describe."""

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = closed(document) if document else _described()
        self.seen: set[tuple[str, str, int]] = set()
        self.faults: list[str] = []

    def over(self, app: Flask) -> None:
        app.after_request(self._look)

    def _look(self, response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and rule.rule.startswith(PREFIX) and request.method not in ("HEAD", "OPTIONS"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix(PREFIX)
            method = request.method.lower()
            self.seen.add((path, method, response.status_code))
            self.faults += [f"{method} {path}: {fault}" for fault in self._wrong(path, method, request, response)]
        return response

    def _wrong(self, path: str, method: str, asked: Request, answer: Response) -> list[str]:
        operation = self.document["paths"].get(path, {}).get(method)
        if operation is None:
            return ["is not described"]
        expected = operation["responses"].get(str(answer.status_code))
        if expected is None:
            return [f"{answer.status_code} is not described: {answer.get_data(as_text=True)[:200]}"]
        content = expected["content"].get(answer.mimetype)
        if content is None:
            return [f"{answer.status_code} is {answer.mimetype}; described are {list(expected['content'])}"]
        if answer.mimetype == "text/plain":
            return []
        wrong = self._against(content["schema"], answer.get_data(as_text=True), f"{answer.status_code}")
        if answer.status_code < 300 and asked.mimetype == "application/json" and asked.get_data():
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            wrong += self._against(body, asked.get_data(as_text=True), "the body taken")
        return wrong

    def _against(self, schema: dict[str, Any], text: str, what: str) -> list[str]:
        validator = Draft202012Validator({**schema, "components": self.document["components"]}, format_checker=FORMATS)
        return [f"{what}: {error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(text))]


@cache
def _described() -> dict[str, Any]:
    return closed(description("http://localhost"))


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with every field that it does not name forbidden; programs must take others, we must describe ours."""
    document = copy.deepcopy(document)
    for schema in document["components"]["schemas"].values():
        schema["additionalProperties"] = False
    return document

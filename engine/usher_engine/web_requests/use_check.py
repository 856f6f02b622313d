"""What the gate checks of each use of `http/request`: hosts, secrets and the declared shape."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..core.shapes import shape_problems
from ..operator_use import Use, UseProblem
from ..outside_hosts import WebOrigin
from ..settings import Settings
from .secret_headers import SECRET_HEADERS, header_problem, secret_problem
from .web_address import PLACEHOLDER, BadAddress, parse_address

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FEWEST, _MOST = 1, 100


@dataclass(frozen=True, slots=True)
class UseCheck:
    """Checks uses against the hosts and secrets of *settings*."""

    settings: Settings

    def problems(self, use: Use) -> Iterable[UseProblem]:
        origin = None
        if "url" in use.sources:
            begin = _beginning(use)
            origin = _origin_in(begin, is_whole="url" in use.values)
            yield from self._address(use, begin, origin)
        yield from _headers(use)
        if "secrets" in use.sources:
            yield from self._secrets(use, origin)
        if "response" in use.sources:
            yield from _response(use)
        tries = use.values.get("tries")
        if isinstance(tries, int) and not _FEWEST <= tries <= _MOST:
            yield UseProblem(f"“tries” must be from {_FEWEST} to {_MOST}.")

    def _address(self, use: Use, begin: str, origin: WebOrigin | None) -> Iterator[UseProblem]:
        if not begin:
            message = "Only the running case tells which host is called. Begin “url” with a text like 'https://…/'."
            yield UseProblem(message, is_warning=True)
        elif origin is None:
            message = (
                "“url” must begin with http:// or https:// and a host that ends before the next part, in one text."
            )
            yield UseProblem(message)
        elif origin not in self.settings.web_hosts:
            known = ", ".join(map(str, self.settings.web_hosts)) or "none"
            message = f"Usher may not call {origin}. Allowed (USHER_HTTP_HOSTS): {known}."
            yield UseProblem(f"{message} An administrator can add it.")
        path = use.values.get("path", {} if "path" not in use.sources else None)
        if "url" in use.values and isinstance(path, dict):
            for name in sorted({*PLACEHOLDER.findall(begin)} - path.keys()):
                yield UseProblem(f"The address has “{{{name}}}”, for which “path” has no value.")

    def _secrets(self, use: Use, origin: WebOrigin | None) -> Iterator[UseProblem]:
        given = use.values.get("secrets")
        if not isinstance(given, dict):
            yield UseProblem("“secrets” must be written out, like {'Authorization': 'Bearer {lab}'}.")
            return
        known = {one.name: one for one in self.settings.web_secrets}
        for header, template in given.items():
            problem = header_problem(header) or secret_problem(header, template, known, origin)
            if problem:
                yield UseProblem(problem)


def _headers(use: Use) -> Iterator[UseProblem]:
    given = use.values.get("headers")
    for header in given if isinstance(given, dict) else ():
        if problem := header_problem(header):
            yield UseProblem(problem)
        elif header.lower() in SECRET_HEADERS:
            message = f"What “headers” say stands in the history for all to read. Put “{header}” into “secrets”."
            yield UseProblem(message, is_warning=True)


def _response(use: Use) -> Iterator[UseProblem]:
    shape: Any = use.values.get("response")
    if not isinstance(shape, dict):
        yield UseProblem("“response” must be written out: the shape of the answer, as JSON Schema.")
        return
    if not shape:
        yield UseProblem(
            "“response” names nothing of the answer. Declare its shape, or {'type': 'null'} to keep nothing."
        )
    yield from (UseProblem(problem) for problem in shape_problems(shape, where="“response”"))


def _beginning(use: Use) -> str:
    """The text with which the address begins in every case; "" where only a case tells."""
    known = use.values.get("url")
    if isinstance(known, str):
        return known
    try:
        part: ast.AST = ast.parse(use.sources["url"].strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    while isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
        part = part.left
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""


def _origin_in(begin: str, *, is_whole: bool) -> WebOrigin | None:
    """The host that an address with this beginning leads to; None where what follows could make it another."""
    host_ends = is_whole or begin.partition("://")[2].partition("/")[1]
    try:
        return parse_address(PLACEHOLDER.sub("x", begin)).origin if host_ends else None
    except BadAddress:
        return None

"""The operator `http/request`: one request to a web service, and its answer in a declared shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..core.canonical import Json, check_input, compact
from ..core.errors import BusinessError, InvalidSubmission, ServiceError
from ..core.shapes import ANYTHING, Shape, number, record, shape_problems, text
from ..operator_use import Use
from ..outside_hosts import networks_of
from ..services import Call, Mode, Operator, Parameter
from ..settings import Settings
from .answer_mapping import WrongShape, kept_shape, mapped_answer
from .bounded_network import LookUp
from .exchange import TIMEOUT, TOO_LARGE, UNAVAILABLE, Answered, Failed, Limits, Request, exchange, merged_headers
from .secret_headers import plain_headers, secret_headers
from .use_check import METHODS, UseCheck
from .web_address import BadAddress, WebAddress, filled_address

NAME = "http/request"
NOT_FOUND, CONFLICT, REFUSED, WRONG_SHAPE = "not-found", "conflict", "refused", "wrong-shape"

_ERRORS = {
    NOT_FOUND: "The service knows nothing at this address (404, 410).",
    CONFLICT: "What is asked does not fit what the service has (409, 412).",
    REFUSED: "The service does not do what is asked (any other answer from 400 to 499).",
    WRONG_SHAPE: "The answer is not JSON of the declared shape.",
    TOO_LARGE: "The answer is larger than allowed.",
    TIMEOUT: "The service did not answer in time, at the last try either.",
    UNAVAILABLE: "The service could not be reached or answered 5xx or 429, at the last try either.",
}
_CODES = {404: NOT_FOUND, 410: NOT_FOUND, 409: CONFLICT, 412: CONFLICT}
#: Answers that ask to try again later.
_LATER = frozenset({408, 425, 429})
_NO_LOG_IN = frozenset({401, 407})


def web_request_operator(settings: Settings, look_up: LookUp | None = None) -> Operator:
    """``http/request``, for the hosts and secrets of *settings*."""
    return Operator(
        name=NAME,
        title="Call a web service",
        mode=Mode.EFFECT,
        call=WebRequests(settings, look_up).call,
        parameters=(
            Parameter(name="method", shape=text(enum=METHODS), help="GET, POST, PUT, PATCH or DELETE"),
            Parameter(name="url", help="address, like 'https://lab.example.org/orders/{id}'"),
            Parameter(name="path", shape=record(), required=False, help="values for the {names} in the address"),
            Parameter(name="query", shape=record(), required=False, help="values after the “?”, by name"),
            Parameter(name="headers", shape=record(), required=False, help="further headers, by name"),
            Parameter(
                name="secrets",
                shape=record(),
                required=False,
                help="headers with a secret: {'Authorization': 'Bearer {lab}'}; the worker puts it in",
            ),
            Parameter(name="body", shape=ANYTHING, required=False, help="what is sent, as JSON"),
            Parameter(
                name="response",
                shape=record(),
                help="shape of the answer (JSON Schema); only what it names is kept: "
                "{'type': 'object', 'properties': {'state': {'type': 'string'}}, 'required': ['state']}",
            ),
            Parameter(
                name="tries", shape=number(whole=True), required=False, help="tries before it gives up; default: all"
            ),
        ),
        result=_result(ANYTHING),
        errors=_ERRORS,
        check=UseCheck(settings).problems,
        result_of=result_of,
    )


def result_of(use: Use) -> Shape:
    """The shape of the result of one use: the declared shape in ``body``."""
    declared = use.values.get("response")
    return _result(kept_shape(declared) if isinstance(declared, dict) and not shape_problems(declared) else ANYTHING)


def _result(body: Shape) -> Shape:
    status = {**number("Status of the answer", whole=True), "minimum": 200, "maximum": 299}
    return record({"status": status, "body": body})


@dataclass(frozen=True, slots=True)
class WebRequests:
    """The implementation of the operator; *look_up* finds the addresses of hosts, for tests."""

    settings: Settings
    look_up: LookUp | None = None

    def call(self, given: Mapping[str, Any], call: Call) -> Json:
        shape = given["response"]
        if problems := shape_problems(shape, where="“response”"):
            raise ServiceError(f"{problems[0]} Correct the diagram.", retry=False)
        if given["method"] not in METHODS:
            raise ServiceError(f"“method” must be one of {', '.join(METHODS)}. Correct the diagram.", retry=False)
        address = _address(given)
        if address.origin not in self.settings.web_hosts:
            raise ServiceError(f"{address.origin} is not in USHER_HTTP_HOSTS. Nothing was sent.", retry=False)
        secrets = secret_headers(given.get("secrets") or {}, self.settings.web_secrets, address.origin)
        body = _written(given.get("body"))
        ours = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Usher"}
        if body:
            ours["Content-Type"] = "application/json"
        request = Request(
            method=given["method"],
            address=address,
            headers={**ours, "Idempotency-Key": quote(call.key, safe=":")},  # ids of elements may have any letters
            own=merged_headers(plain_headers(given.get("headers") or {}), secrets.headers),
            body=body,
        )
        try:
            answered = self._answered(request)
            result = {"status": answered.status, "body": mapped_answer(answered.body, answered.coding, shape)}
        except WrongShape as wrong:
            raise BusinessError(WRONG_SHAPE, str(wrong)) from None
        except Failed as failed:
            raise self._later(failed, given, call) from None
        if secrets.are_in(result):
            reason = f"The answer of {address.origin.host} repeats the secret it was sent, so nothing of it was kept."
            raise ServiceError(f"{reason} Leave that field out of “response”, or change the service.", retry=False)
        return result

    def _answered(self, request: Request) -> Answered:
        """The answer of the service if it did what was asked."""
        limits = Limits(
            hosts=self.settings.web_hosts,
            networks=networks_of(self.settings.http_networks),
            seconds=self.settings.http_timeout_s,
            most_bytes=self.settings.http_answer_kb * 1_000,
            look_up=self.look_up,
        )
        answered, host = exchange(request, limits), request.address.origin.host
        status = answered.status
        if status in _NO_LOG_IN:
            raise ServiceError(f"{host} does not take the secret it was sent (answer {status}).", retry=False)
        if status in _LATER or status >= 500:
            raise Failed(UNAVAILABLE, f"{host} asks to try again later (answer {status}).")
        if not 200 <= status < 300:
            raise BusinessError(_CODES.get(status, REFUSED), f"{host} answered {status}.")
        return answered

    def _later(self, failed: Failed, given: Mapping[str, Any], call: Call) -> ServiceError | BusinessError:
        """What *failed* is at this attempt: to be tried again, or at the last one a refusal the diagram may catch."""
        most = min(given.get("tries") or self.settings.job_attempts, self.settings.job_attempts)
        if failed.retry and call.attempt < most:
            return ServiceError(failed.message, retry=True)
        return BusinessError(failed.code, failed.message)


def _written(body: Json) -> bytes:
    try:
        return b"" if body is None else compact(check_input(body, where="body")).encode()
    except InvalidSubmission as wrong:
        raise ServiceError(f"What is to be sent cannot be: {wrong.message}", retry=False) from None


def _address(given: Mapping[str, Any]) -> WebAddress:
    try:
        return filled_address(given["url"], given.get("path") or {}, given.get("query") or {})
    except BadAddress as wrong:
        raise ServiceError(f"{wrong} Correct the data or the diagram.", retry=False) from None

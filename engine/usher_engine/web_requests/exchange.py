"""Sends a request and reads the answer, within its time and size; follows redirects to allowed hosts only.

Its errors are plain sentences without addresses, headers and contents, because they are shown and recorded.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpcore

from ..core.errors import ServiceError
from ..outside_hosts import Network, WebOrigin
from .bounded_network import BoundedNetwork, ForbiddenAddress, LookUp, OutOfTime
from .web_address import BadAddress, WebAddress

logging.getLogger("httpcore").setLevel(logging.WARNING)  # it logs headers, and so what servers repeat of a secret

#: Codes of what a later try may mend, and of an answer that is too large.
TIMEOUT, UNAVAILABLE, TOO_LARGE = "timeout", "unavailable", "too-large"
MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: These keep the method and the body; after others a request that changes something would become another one.
_REPEATING = frozenset({307, 308})
_READING = frozenset({"GET", "HEAD"})


class Failed(Exception):
    """The request failed with *code*; with *retry*, a later try may go well."""

    def __init__(self, code: str, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry = retry


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """*headers* go along everywhere, *own* (with secrets, and what the diagram wrote) only to the first host."""

    method: str
    address: WebAddress
    headers: Mapping[str, str]
    own: Mapping[str, str]
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.address.origin})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The answer of a server, not a redirect."""

    status: int
    coding: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """*hosts* may be called, at inner addresses only in *networks*; *look_up* finds addresses, for tests."""

    hosts: tuple[WebOrigin, ...]
    networks: tuple[Network, ...]
    seconds: float
    most_bytes: int
    look_up: LookUp | None = None


def exchange(request: Request, limits: Limits) -> Answered:
    """
    Send *request* and return the answer.

    Raises:
        ServiceError: It must not or cannot be sent; a person has to change something.
        Failed: It failed and may go well later, or the answer has more than ``most_bytes``.
    """
    host = request.address.origin.host
    with _plain_reasons(host):
        network = BoundedNetwork(limits.networks, limits.seconds, limits.look_up)
        trust = ssl.create_default_context() if any(one.scheme == "https" for one in limits.hosts) else None
        with httpcore.ConnectionPool(trust, max_keepalive_connections=0, network_backend=network) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                if request.address.origin not in limits.hosts:
                    raise ServiceError(
                        f"{host} redirects to a host that is not in USHER_HTTP_HOSTS. Nothing was sent there.",
                        retry=False,
                    )
                answered = _answer(pool, request, limits.most_bytes)
                if isinstance(answered, Answered):
                    return answered
                request = answered
    raise ServiceError(f"{host} redirects more than {MAX_REDIRECTS} times.", retry=False)


def _answer(pool: httpcore.ConnectionPool, request: Request, most: int) -> Answered | Request:
    """The answer to *request*, or the request that a redirect asks for."""
    origin, target = request.address.origin, request.address.target
    url = httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target)
    headers = {"Host": origin.authority, **merged_headers(request.headers, request.own)}
    if not request.body and request.method not in _READING:
        headers["Content-Length"] = "0"
    with pool.stream(request.method, url, headers=list(headers.items()), content=request.body or None) as response:
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in _REDIRECTS and "location" in found:
            return _redirected(request, response.status, found["location"])
        if found.get("content-length", "0").isdecimal() and int(found.get("content-length", "0")[:12]) > most:
            raise _too_large(origin, most)
        body = bytearray()
        for part in response.iter_stream():
            body += part
            if len(body) > most:
                raise _too_large(origin, most)
        return Answered(
            status=response.status, coding=found.get("content-encoding", "identity").strip().lower(), body=bytes(body)
        )


def merged_headers(some: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Both; where both name a header, in whatever case, that of *others*."""
    names = {name.lower() for name in others}
    return {**{name: value for name, value in some.items() if name.lower() not in names}, **others}


def _redirected(request: Request, status: int, location: str) -> Request:
    host = request.address.origin.host
    try:
        address = request.address.redirected(location)
    except (BadAddress, ValueError):
        raise ServiceError(f"{host} redirects to an address that cannot be called.", retry=False) from None
    if request.method not in _READING and status not in _REPEATING:
        reason = f"{host} answered {status}, a redirect after which nobody knows whether it did what was asked."
        raise ServiceError(f"{reason} Write the address it leads to into the diagram.", retry=False)
    elsewhere = address.origin != request.address.origin
    return replace(request, address=address, own={} if elsewhere else request.own)


def _too_large(origin: WebOrigin, most: int) -> Failed:
    return Failed(TOO_LARGE, f"The answer of {origin.host} is larger than {most // 1000} kB.", retry=False)


@contextmanager
def _plain_reasons(host: str) -> Iterator[None]:
    # “from None”: the library's errors may quote what was sent or received.
    try:
        yield
    except ForbiddenAddress:
        reason = f"{host} leads to an address inside a network. If it belongs there, add the network to"
        raise ServiceError(f"{reason} USHER_HTTP_NETWORKS. Nothing was sent.", retry=False) from None
    except ssl.SSLCertVerificationError:
        raise ServiceError(
            f"The certificate of {host} is not valid for its name. Nothing was sent.", retry=False
        ) from None
    except OutOfTime:
        raise Failed(TIMEOUT, f"{host} did not answer in time.") from None
    except (httpcore.ProtocolError, ssl.SSLError):
        raise Failed(UNAVAILABLE, f"{host} does not answer as a web server does.") from None
    except (OSError, httpcore.NetworkError):
        raise Failed(UNAVAILABLE, f"{host} cannot be reached, or hung up.") from None

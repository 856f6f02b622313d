"""Reads the settings of `http/request`: the hosts it may call, the inner networks they may lie in, and its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

Network: TypeAlias = IPv4Network | IPv6Network

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")
_SECRET = re.compile(r"(?P<name>[a-z][a-z0-9_-]{0,39})@(?P<origin>[^=\s]+)=(?P<kind>env|file):(?P<place>\S.*)")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """Where a request goes: scheme, host (lower case) and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        return str(self).partition("://")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretPlace:
    """Where the secret *name* is read from when it is sent; it goes to *origin* alone."""

    name: str
    origin: WebOrigin
    kind: Literal["env", "file"]
    place: str


def web_origin(text: str) -> WebOrigin:
    """The origin *text* names, like ``https://lab.example.org``; raises `ValueError` where there is more or less."""
    found = urlsplit(text)
    host, port = (found.hostname or "").rstrip("."), found.port  # raises ValueError for an impossible port
    if found.scheme not in _PORTS or found.path not in ("", "/") or found.query or found.fragment:
        raise ValueError(text)
    if "@" in found.netloc or not text.isascii() or any(letter.isspace() for letter in text) or port == 0:
        raise ValueError(text)
    if ":" in host:
        host = str(ip_address(host))
    elif not _HOST.fullmatch(host):
        raise ValueError(text)
    return WebOrigin(found.scheme, host, port or _PORTS[found.scheme])


def origins_of(text: str) -> tuple[WebOrigin, ...]:
    """The hosts in a setting, with commas between them; raises `ValueError` with the first that is wrong."""
    return tuple(web_origin(part) for part in _parts(text))


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks in a setting, like ``10.20.0.0/16``; raises `ValueError`."""
    return tuple(ip_network(part) for part in _parts(text))


def secrets_of(text: str) -> tuple[SecretPlace, ...]:
    """The secrets in a setting: ``NAME@ORIGIN=env:VARIABLE`` or ``…=file:PATH``; raises `ValueError`."""
    found = []
    for part in _parts(text):
        match = _SECRET.fullmatch(part)
        if match is None or match["place"].startswith("USHER_"):
            raise ValueError(part)
        kind: Literal["env", "file"] = "env" if match["kind"] == "env" else "file"
        origin = web_origin(match["origin"])
        found.append(SecretPlace(name=match["name"], origin=origin, kind=kind, place=match["place"]))
    if len({one.name for one in found}) < len(found):
        raise ValueError(text)
    return tuple(found)


def _parts(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(",") if part.strip())

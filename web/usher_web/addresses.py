"""Parse addresses that browsers send, and distinguish our own pages and origin from those of other sites."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def parts(address: str) -> SplitResult | None:
    """Return the parts of *address*, or None if it is not an address."""
    try:
        found = urlsplit(address)
        found.port  # noqa: B018 - read for the error a port that is none raises
    except ValueError:
        return None
    return found


def origin(address: str) -> tuple[str, str, int] | None:
    """The origin of *address*, normalised (RFC 6454, 4): scheme, host, port; None if it has none."""
    found = parts(address)
    if found is None or found.scheme not in _PORTS or not found.hostname:
        return None
    return found.scheme, found.hostname, found.port or _PORTS[found.scheme]


def inside(target: str) -> str:
    """Return *target* if it is the path of one of our pages, else an empty text: no open redirects."""
    found = parts(target)
    ours = found is not None and not found.scheme and not found.netloc
    plain = target.isprintable() and "\\" not in target
    return target if ours and plain and target.startswith("/") and not target.startswith("//") else ""

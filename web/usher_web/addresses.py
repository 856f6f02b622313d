"""Addresses that browsers send: taken apart without trusting that they are any, and told from those of other sites."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def parts(address: str) -> SplitResult | None:
    """*address* taken apart; None for what is none."""
    try:
        found = urlsplit(address)
        found.port  # noqa: B018 - read for the error a port that is none raises
    except ValueError:
        return None
    return found


def origin(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of *address* (RFC 6454, 4), however it writes them; None for what has none of its own."""
    found = parts(address)
    if found is None or found.scheme not in _PORTS or not found.hostname:
        return None
    return found.scheme, found.hostname, found.port or _PORTS[found.scheme]


def inside(target: str) -> str:
    """*target* if it is a page of ours, else nothing; a link from elsewhere must not lead past our pages."""
    found = parts(target)
    ours = found is not None and not found.scheme and not found.netloc
    plain = target.isprintable() and "\\" not in target
    return target if ours and plain and target.startswith("/") and not target.startswith("//") else ""

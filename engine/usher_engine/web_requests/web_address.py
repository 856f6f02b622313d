"""The address of a request: its template with values in place, taken apart once, so that check and call agree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from ..core.canonical import is_storable
from ..outside_hosts import WebOrigin, web_origin

PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
#: Characters that have a meaning in an address and are never escaped by us.
_MEANT = "/:@!$&'()*+,;=-._~%?[]"
_MOST = 4_000


class BadAddress(ValueError):
    """Why an address cannot be called; the text is a sentence without the address."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Where a request goes: *target* is its path and query in ASCII."""

    origin: WebOrigin
    target: str

    def redirected(self, location: str) -> WebAddress:
        """The address *location* leads to from here; raises `BadAddress`."""
        return parse_address(urljoin(f"{self.origin}{self.target}", location))


def filled_address(template: str, path: Mapping[str, Any], query: Mapping[str, Any]) -> WebAddress:
    """
    The address of *template*, its ``{name}`` filled from *path* and *query* added.

    A value fills one segment of the path: what has a meaning in an address is escaped. Raises `BadAddress`.
    """
    unfilled = sorted({*PLACEHOLDER.findall(template)} - path.keys())
    if unfilled:
        raise BadAddress(f"The address has “{{{unfilled[0]}}}”, for which “path” has no value.")
    filled = PLACEHOLDER.sub(lambda found: _segment(found[1], path[found[1]]), template)
    extra = urlencode([(name, text) for name, value in query.items() for text in _texts(name, value)], quote_via=quote)
    joined = f"{filled}{'&' if '?' in filled else '?'}{extra}" if extra else filled
    return parse_address(joined)


def parse_address(text: str) -> WebAddress:
    """The address *text* spells; raises `BadAddress`."""
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in text) or "\\" in text:
        raise BadAddress("The address has a space, a line end or a backslash in it.")
    try:
        parts = urlsplit(text)
        origin = web_origin(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        raise BadAddress(
            "The address must begin with http:// or https:// and a host, without a name or password."
        ) from None
    path = quote(parts.path or "/", safe=_MEANT)
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", unquote(path))):
        raise BadAddress("The path of the address must not lead upwards (“..”).")
    query = quote(parts.query, safe=_MEANT)
    target = f"{path}?{query}" if query else path
    if len(target) > _MOST:
        raise BadAddress(f"The address is longer than {_MOST} characters.")
    return WebAddress(origin, target)


def _segment(name: str, value: Any) -> str:
    text = _text(name, value)
    if not text:
        raise BadAddress(f"The value of “{name}” in the address is empty.")
    return quote(text, safe="")


def _texts(name: str, value: Any) -> list[str]:
    """*value* as it stands in a query: null is left out, a list repeats the name."""
    if value is None:
        return []
    return [_text(name, one) for one in value] if isinstance(value, list) else [_text(name, value)]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) or (isinstance(value, str) and is_storable(value)):
        return str(value)
    raise BadAddress(f"The value of “{name}” in the address must be text, a number, or true or false.")

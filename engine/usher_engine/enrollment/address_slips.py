"""Finds the usual slips in a typed e-mail address: gmial.com, example.con. They are asked about, not refused. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.email_address import NotAnEmailAddress, parse_email_address

#: Where most patients have their mail; an address one slip away from one of these is asked about.
PROVIDERS = (
    "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "live.com", "comcast.net",
    "verizon.net", "proton.me", "protonmail.com", "googlemail.com", "hotmail.co.uk", "yahoo.co.uk", "yahoo.es",
    "hotmail.es", "outlook.es", "gmx.de", "gmx.net", "web.de", "t-online.de", "orange.fr", "free.fr", "mail.ru",
    "qq.com", "163.com", "me.com", "msn.com", "mac.com", "att.net", "sbcglobal.net", "cox.net", "ymail.com",
    "mail.com", "email.com", "fastmail.com",
)  # fmt: skip

#: Endings that are no top-level domain, or that nearly nobody means, and what they stand for.
ENDINGS = {
    "con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "xom": "com", "cpm": "com", "coom": "com",
    "nte": "net", "ent": "net", "nett": "net", "met": "net", "ogr": "org", "rog": "org", "orgg": "org", "edi": "edu",
}  # fmt: skip

#: Shorter names are too close to each other: me.com, mac.com and msn.com are all somebody's.
SHORTEST_COMPARED = 8


def meant_address(typed: str) -> str:
    """The address that *typed* is probably a slip of; empty for one that looks right, or is none at all."""
    try:
        address = parse_email_address(typed).shown
    except NotAnEmailAddress:
        return ""
    local, _, domain = address.rpartition("@")
    meant = _meant_domain(domain)
    return f"{local}@{meant}" if meant and meant != domain else ""


def _meant_domain(domain: str) -> str:
    if domain in PROVIDERS:
        return ""
    name, _, ending = domain.rpartition(".")
    righted = f"{name}.{ENDINGS.get(ending, ending)}"
    close = (known for known in PROVIDERS if len(known) >= SHORTEST_COMPARED and is_one_slip(righted, known))
    return righted if righted in PROVIDERS else next(close, righted if righted != domain else "")


def is_one_slip(typed: str, known: str) -> bool:
    """Whether *typed* is *known* with one letter left out, doubled, replaced or exchanged with its neighbour."""
    return typed != known and (typed in _slips(known) or known in _shortened(typed) or _differs_once(typed, known))


def _slips(known: str) -> Iterator[str]:
    yield from _shortened(known)
    yield from (known[:at] + known[at + 1] + known[at] + known[at + 2 :] for at in range(len(known) - 1))


def _shortened(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _differs_once(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1

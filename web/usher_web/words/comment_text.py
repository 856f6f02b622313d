"""The text of comments: whom it mentions, and the pieces a page shows. Plain text; only our own addresses are links."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

#: “@name” where a word begins; what follows is as long as the name of an account may be.
_MENTION = re.compile(r"(?<![\w.@/-])@([A-Za-z0-9][A-Za-z0-9._@-]{0,59})")
#: What ends a sentence and not a name.
_AFTER = "._-@"
#: The pages of ours that a comment may point to.
_PAGES = r"/(?:cases|inbox|patients)/[A-Za-z0-9_.:/?=#-]*[A-Za-z0-9]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some words of a comment: plain, a link to a page of ours (*href*), or a mention of the account *who*."""

    words: str
    href: str = ""
    who: str = ""


def names_after_at(text: str) -> list[str]:
    """What stands behind each “@” in *text*, once each, in order."""
    return list(dict.fromkeys(found[1] for found in _MENTION.finditer(text)))


def who_is_meant(name: str, known: Collection[str]) -> str:
    """The account among *known* that “@name” means; empty if none. A full stop behind it may be the sentence's."""
    by_fold = {one.casefold(): one for one in known}
    while name:
        if name.casefold() in by_fold:
            return by_fold[name.casefold()]
        shorter = name[:-1] if name[-1] in _AFTER else ""
        name = shorter
    return ""


def pieces(text: str, mentioned: Collection[str], base_url: str) -> list[Piece]:
    """*text* cut into plain words, mentions of *mentioned*, and addresses of pages below *base_url*."""
    ours = re.compile(f"{re.escape(base_url.rstrip('/'))}({_PAGES})")
    found: list[tuple[int, int, Piece]] = [
        (one.start(), one.end(), Piece(words=one[0], href=one[1])) for one in ours.finditer(text)
    ]
    for one in _MENTION.finditer(text):
        who = who_is_meant(one[1], mentioned)
        if who:
            end = one.start() + 1 + len(who)
            found.append((one.start(), end, Piece(words=text[one.start() : end], who=who)))
    parts, at = [], 0
    for start, end, piece in sorted(found, key=lambda each: each[0]):
        if start < at:
            continue
        if start > at:
            parts.append(Piece(words=text[at:start]))
        parts.append(piece)
        at = end
    return [*parts, Piece(words=text[at:])] if at < len(text) else parts

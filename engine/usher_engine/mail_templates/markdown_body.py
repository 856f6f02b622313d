"""
Parses the body of a Markdown mail (CommonMark) into tokens, with its placeholders kept apart.

Placeholders become marks before Markdown is parsed, and values take the marks' places in the parsed tokens only: no
value can become a link, a heading or HTML. Raw HTML in the source is text. Images are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import Placeholder, Template, compile_template

#: A placeholder in tokens: its number between two characters of the private use area, which no text needs.
MARK = re.compile("\ue000([0-9]+)\ue001")
BUTTON = "{.button}"
_ATTRIBUTE = re.compile(r"\{\.[^}\n]*\}")
#: What the address of a link may begin with.
SCHEMES = ("https", "mailto", "tel")


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """The address of a link: a literal one, or the *expression* of the one placeholder that gives it."""

    line: int
    address: str
    expression: str = ""

    def problem(self, links: Iterable[str]) -> str:
        """Why the link cannot be used in a mail whose values *links* are addresses; empty if it can."""
        known = ", ".join(sorted(links)) or "none"
        if self.expression:
            fits = self.expression in links
            return "" if fits else f"A link leads to one of the addresses that Usher gives a mail: {known}."
        if MARK.search(self.address):
            return f"An address of a link holds no other text beside a placeholder, which is one of: {known}."
        if _scheme(self.address) in SCHEMES:
            return ""
        return f"A link begins with https://, mailto: or tel:, or is one of the placeholders {known}."


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkdownBody:
    """The *tokens* of a body without images; *buttons*, *images* and *stray* attributes by the line they stand on."""

    source: Template
    tokens: tuple[Token, ...]
    destinations: tuple[Destination, ...]
    buttons: tuple[int, ...]
    images: tuple[int, ...]
    stray: tuple[int, ...]

    @property
    def placeholders(self) -> list[Placeholder]:
        return [part for part in self.source.parts if isinstance(part, Placeholder)]


def parse_body(text: str, line: int) -> MarkdownBody:
    """
    Parse *text*, whose first line is line *line* of its file.

    Raises:
        ExpressionError: A placeholder does not compile or runs over a line's end; carries the line of the file.
    """
    try:
        source = compile_template(text)
        marked = _marked(source)
    except ExpressionError as error:
        raise ExpressionError(error.message, line=error.line + line - 1) from None
    reader = _Reader(line, [part for part in source.parts if isinstance(part, Placeholder)])
    tokens = tuple(reader.cleaned(_MARKDOWN.parse(marked)))
    return MarkdownBody(
        source=source,
        tokens=tokens,
        destinations=tuple(reader.destinations),
        buttons=tuple(reader.buttons),
        images=tuple(reader.images),
        stray=tuple(reader.stray),
    )


class _Markdown(MarkdownIt):
    """CommonMark without raw HTML. Addresses are judged by `Destination.problem`, where the author hears about it."""

    def validateLink(self, url: str) -> bool:  # noqa: N802, ARG002  the library's name
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802  the library's name
        return url if MARK.search(url) else super().normalizeLink(url)

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802  the library's name
        return link


_MARKDOWN = _Markdown("commonmark", {"html": False})


def _marked(source: Template) -> str:
    pieces: list[str] = []
    count, line = 0, 1
    for part in source.parts:
        if isinstance(part, str):
            _refuse_private_use(part, line)
            line += part.count("\n")
            pieces.append(part)
            continue
        if "\n" in part.expression.source:
            raise ExpressionError("A placeholder stands on one line, from “{{” to “}}”.", line=part.line)
        pieces.append(f"\ue000{count}\ue001")
        count += 1
    return "".join(pieces)


def _refuse_private_use(text: str, line: int) -> None:
    if found := re.search("[\ue000\ue001]", text):
        reason = "The mail holds characters of the private use area, which no mail program can show."
        raise ExpressionError(reason, line=line + text.count("\n", 0, found.start()))


class _Reader:
    """Takes images and attributes out of tokens and notes the lines of what a mail may hold only once or not at all."""

    def __init__(self, first_line: int, placeholders: list[Placeholder]) -> None:
        self.first_line, self.placeholders = first_line, placeholders
        self.destinations: list[Destination] = []
        self.buttons: list[int] = []
        self.images: list[int] = []
        self.stray: list[int] = []

    def cleaned(self, tokens: list[Token]) -> Iterator[Token]:
        for token in tokens:
            if token.type == "inline":
                begin = token.map[0] if token.map else 0
                token.children = list(self._inline(token.children or [], self.first_line + begin))
            yield token

    def _inline(self, tokens: list[Token], line: int) -> Iterator[Token]:
        link: Token | None = None  # the link that ends just before this token
        opened: Token | None = None
        for token in tokens:
            if token.type == "image":
                self.images.append(line)
                continue
            if token.type == "text":
                self._attributes(token, link, line)
            elif token.type in ("softbreak", "hardbreak"):
                line += 1
            elif token.type == "link_open":
                opened = token
                self.destinations.append(self._destination(str(token.attrs.get("href", "")), line))
            link = opened if token.type == "link_close" else None
            yield token

    def _attributes(self, token: Token, link: Token | None, line: int) -> None:
        """Apply and remove ``{.button}`` directly behind *link*; note every other attribute."""
        if link is not None and token.content.startswith(BUTTON):
            link.meta["button"] = True
            token.content = token.content.removeprefix(BUTTON)
            self.buttons.append(line)
        self.stray += [line] * len(_ATTRIBUTE.findall(token.content))

    def _destination(self, address: str, line: int) -> Destination:
        whole = MARK.fullmatch(address)
        expression = self.placeholders[int(whole[1])].expression.source if whole else ""
        return Destination(line=line, address=address, expression=expression)


def _scheme(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_complete = bool(parts.netloc) if parts.scheme == "https" else bool(parts.path)
    return parts.scheme if is_complete else ""

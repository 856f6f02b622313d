"""The text part of a mail: what a mail program without HTML, a screen reader or a printer makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markdown_it.token import Token

RULE = "-" * 20
#: Puts values in the places of the marks in a text.
Fill = Callable[[str], str]


def text_part(tokens: Sequence[Token], fill: Fill) -> str:
    """The *tokens* as text, one blank line between paragraphs, with the address of each link written out."""
    return _Text(fill).of(tokens)


def inline_text(tokens: Sequence[Token], fill: Fill) -> str:
    """The text of a paragraph; a link that is all of it has its address on a line of its own."""
    links = [token for token in tokens if token.type == "link_open"]
    outside = _outside_links(tokens)
    is_alone = len(links) == 1 and not fill(outside).strip()
    return "".join(_pieces(tokens, fill, ":\n{}" if is_alone else " <{}>")).strip()


def _outside_links(tokens: Sequence[Token]) -> str:
    depth, found = 0, []
    for token in tokens:
        depth += token.nesting if token.type.startswith("link_") else 0
        found += [token.content] if depth == 0 else []
    return "".join(found)


def _pieces(tokens: Sequence[Token], fill: Fill, written: str) -> Iterator[str]:
    address, label = "", ""
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type == "link_open":
            address, label = fill(str(token.attrs["href"])), ""
        elif token.type == "link_close":
            # An address that is its own label is written once.
            yield "" if label in (address, address.partition(":")[2]) else written.format(address)
        else:
            text = fill(token.content)
            label += text
            yield text


class _Text:
    """Collects blocks with the bullets, numbers and quote signs they stand behind."""

    def __init__(self, fill: Fill) -> None:
        self.fill = fill
        self.lines: list[str] = []
        self.prefixes: list[str] = []
        self.counters: list[int | None] = []
        self.bullet = ""
        self.tight = False

    def of(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self._take(token)
        return "\n".join(self.lines).strip("\n") + "\n"

    def _take(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._block(inline_text(token.children or [], self.fill))
            case "code_block" | "fence":
                self._block(self.fill(token.content).rstrip("\n"))
            case "hr":
                self._block(RULE)
            case "blockquote_open":
                self.prefixes.append("> ")
            case "bullet_list_open" | "ordered_list_open":
                if not self.counters:
                    self._space()
                is_numbered = token.type == "ordered_list_open"
                self.counters.append(int(token.attrs.get("start", 1)) if is_numbered else None)
            case "list_item_open":
                self._item()
            case "paragraph_open":
                self.tight = token.hidden
            case "blockquote_close" | "list_item_close":
                self.prefixes.pop()
                self.bullet = ""
            case "bullet_list_close" | "ordered_list_close":
                self.counters.pop()
                self.tight = False

    def _item(self) -> None:
        number = self.counters[-1]
        if number is not None:
            self.counters[-1] = number + 1
        self.bullet = "- " if number is None else f"{number}. "
        self.prefixes.append(" " * len(self.bullet))

    def _block(self, text: str) -> None:
        if not text.strip():
            return
        before = "".join(self.prefixes)
        if not self.tight:
            self._space()
        for line in text.split("\n"):
            self.lines.append((before[: len(before) - len(self.bullet)] + self.bullet + line).rstrip())
            self.bullet = ""

    def _space(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

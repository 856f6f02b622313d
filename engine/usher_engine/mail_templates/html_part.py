"""The HTML part of a mail: a small layout of our own with styles on each element, for mail programs old and new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template as Layout

from markdown_it.token import Token

from .languages import UNDETERMINED, direction
from .text_part import Fill

_LAYOUT = Layout(files(__package__).joinpath("layout.html").read_text(encoding="utf-8"))
_BUTTON = (
    "padding:12px 24px;background:#0f5c5c;color:#ffffff;text-decoration:none;border-radius:6px;font-weight:600;"
    "text-align:center"
)
_FINE = "margin:0 0 16px;font-size:14px;color:#55605f"
_STYLES = {
    "p": "margin:0 0 16px",
    "h1": "margin:0 0 16px;font-size:22px;line-height:1.3",
    "h2": "margin:24px 0 12px;font-size:18px;line-height:1.3",
    "h3": "margin:20px 0 8px;font-size:16px;line-height:1.4",
    "ul": "margin:0 0 16px;padding:0 24px",
    "ol": "margin:0 0 16px;padding:0 24px",
    "li": "margin:0 0 4px",
    "blockquote": "margin:0 0 16px;padding:0 16px",
    "hr": "margin:24px 0 16px;border:0;border-top:1px solid #ccd6d4",
    "pre": "margin:0 0 16px;white-space:pre-wrap;font-family:ui-monospace,Consolas,monospace;font-size:14px",
}
_DEEPEST_HEADING = 3


def html_part(tokens: Sequence[Token], fill: Fill, *, subject: str, language: str) -> str:
    """The *tokens* as an accessible page in *language*; what stands below a thematic break is in small print."""
    way = direction(language)
    known = "" if language == UNDETERMINED else language
    return _LAYOUT.substitute(
        language=escape(known),
        direction=way,
        start="right" if way == "rtl" else "left",
        subject=escape(subject),
        body="".join(_blocks(tokens, fill)),
    )


def _blocks(tokens: Sequence[Token], fill: Fill) -> Iterator[str]:
    small = False
    around: Token | None = None  # the paragraph or heading the next inline token belongs to
    for token in tokens:
        if token.type in ("paragraph_open", "heading_open"):
            around = token
        elif token.type == "inline" and around is not None:
            yield _filled(token.children or [], fill, around, small=small)
        elif token.type in ("code_block", "fence"):
            yield f"<pre{_style('pre')}>{escape(fill(token.content))}</pre>\n"
        elif token.type == "hr":
            small = True
            yield f"<hr{_style('hr')}>\n"
        elif token.nesting > 0:
            start = token.attrs.get("start")
            yield f"<{token.tag}{f' start={chr(34)}{start}{chr(34)}' if start else ''}{_style(token.tag)}>\n"
        elif token.type not in ("paragraph_close", "heading_close"):
            yield f"</{token.tag}>\n"


def _filled(tokens: Sequence[Token], fill: Fill, around: Token, *, small: bool) -> str:
    """A paragraph or heading; empty when its values leave nothing of it."""
    if not fill("".join(token.content for token in tokens)).strip():
        return ""
    inside = "".join(_inline(tokens, fill, _is_one_link(tokens, fill))).strip()
    if around.hidden:  # of a list whose entries are no paragraphs
        return inside
    if small and around.type == "paragraph_open":
        return f'<p class="quiet" style="{_FINE}">{inside}</p>\n'
    tag = around.tag if around.tag[1:] in ("", "1", "2", "3") else f"h{_DEEPEST_HEADING}"
    return f"<{tag}{_style(tag)}>{inside}</{tag}>\n"


def _is_one_link(tokens: Sequence[Token], fill: Fill) -> bool:
    visible = [token for token in tokens if token.type != "text" or fill(token.content).strip()]
    return bool(visible) and (visible[0].type, visible[-1].type) == ("link_open", "link_close")


def _inline(tokens: Sequence[Token], fill: Fill, is_one_link: bool) -> Iterator[str]:
    for token in tokens:
        match token.type:
            case "text":
                yield escape(fill(token.content))
            case "code_inline":
                yield f"<code>{escape(fill(token.content))}</code>"
            case "softbreak":
                yield "\n"
            case "hardbreak":
                yield "<br>\n"
            case "link_open":
                yield _link(token, fill, is_one_link)
            case "link_close" | "strong_open" | "strong_close" | "em_open" | "em_close":
                yield f"<{'/' if token.nesting < 0 else ''}{token.tag}>"


def _link(token: Token, fill: Fill, is_one_link: bool) -> str:
    address = escape(fill(str(token.attrs["href"])))
    if not token.meta.get("button"):
        return f'<a href="{address}" style="color:inherit">'
    display = "block" if is_one_link else "inline-block"
    return f'<a class="button" href="{address}" style="display:{display};{_BUTTON}">'


def _style(tag: str) -> str:
    return f' style="{_STYLES[tag]}"' if tag in _STYLES else ""

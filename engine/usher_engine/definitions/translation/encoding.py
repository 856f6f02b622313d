"""Bytes of a diagram as UTF-8, whatever they were saved in and whatever the file says of itself."""

from __future__ import annotations

import codecs
import re

_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]{0,400}?\?>")
_ENCODING = re.compile(r"""encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def as_utf8(content: bytes) -> tuple[bytes, str]:
    """
    *content* as UTF-8 that says so, and what was done in plain words; unchanged and "" where nothing had to be done.

    Never raises: what cannot be read in any way is left for the parser to refuse.
    """
    text, used = _decoded(content)
    if text is None:
        return content, ""
    told = _told(text)
    clean = text.lstrip("\ufeff \t\r\n")
    same = used == "utf-8" and not content.startswith(codecs.BOM_UTF8) and clean == text
    if same and told in ("", "utf-8", "utf8", "us-ascii", "ascii"):
        return content, ""
    body = _DECLARATION.sub(_HEAD, clean, count=1) if _DECLARATION.match(clean) else clean
    return body.encode("utf-8", "surrogatepass"), _note(used, told, moved=clean != text.lstrip("\ufeff"))


def _note(used: str, told: str, *, moved: bool) -> str:
    if told and told != used and not used.startswith(told):
        return f"The file says it is {told.upper()} but was read as {used.upper()}; it is kept as UTF-8."
    if used != "utf-8":
        return f"The file was {used.upper()}; it is kept as UTF-8."
    return "Blank lines before the XML were removed." if moved else "The mark at the beginning of the file was removed."


def _decoded(content: bytes) -> tuple[str | None, str]:
    """The text and the encoding it was read in; marks and UTF-8 count more than what the file says of itself."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _tried(content[len(mark) :], name), name
    if b"\x00" in content[:4]:
        name = "utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"
        return _tried(content, name), name
    text = _tried(content, "utf-8")
    if text is not None:
        return text, "utf-8"
    told = _told(content[:600].decode("ascii", "replace"))
    if told and not told.startswith(("utf", "us-ascii")) and (text := _tried(content, told)) is not None:
        return text, told
    return _tried(content, "cp1252"), "windows-1252"


def _told(text: str) -> str:
    declaration = _DECLARATION.match(text.lstrip("\ufeff"))
    found = _ENCODING.search(declaration[0]) if declaration else None
    return found[1].lower() if found else ""


def _tried(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None

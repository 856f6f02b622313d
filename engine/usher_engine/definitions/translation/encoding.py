"""Converts a diagram to UTF-8, whatever its real encoding is and whatever its XML declaration claims."""

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
    Return *content* as UTF-8 with a matching declaration, and a sentence about the change ("" if nothing changed).

    Never raises: the parser refuses content that no encoding can read.
    """
    text, used = _decode(content)
    if text is None:
        return content, ""
    declared = _declared_encoding(text)
    clean = text.lstrip("\ufeff \t\r\n")
    same = used == "utf-8" and not content.startswith(codecs.BOM_UTF8) and clean == text
    if same and declared in ("", "utf-8", "utf8", "us-ascii", "ascii"):
        return content, ""
    body = _DECLARATION.sub(_HEAD, clean, count=1) if _DECLARATION.match(clean) else clean
    return body.encode("utf-8", "surrogatepass"), _note(used, declared, moved=clean != text.lstrip("\ufeff"))


def _note(used: str, declared: str, *, moved: bool) -> str:
    if declared and declared != used and not used.startswith(declared):
        return f"The file declares {declared.upper()} but was read as {used.upper()}; Usher stores it as UTF-8."
    if used != "utf-8":
        return f"The file was {used.upper()}; Usher stores it as UTF-8."
    return "Blank lines before the XML were removed." if moved else "The byte order mark was removed."


def _decode(content: bytes) -> tuple[str | None, str]:
    """Return the text and its encoding; byte order marks and UTF-8 take precedence over the declaration."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _decode_as(content[len(mark) :], name), name
    if b"\x00" in content[:4]:
        name = "utf-16-le" if content[1:2] == b"\x00" else "utf-16-be"
        return _decode_as(content, name), name
    text = _decode_as(content, "utf-8")
    if text is not None:
        return text, "utf-8"
    declared = _declared_encoding(content[:600].decode("ascii", "replace"))
    if (
        declared
        and not declared.startswith(("utf", "us-ascii"))
        and (text := _decode_as(content, declared)) is not None
    ):
        return text, declared
    return _decode_as(content, "cp1252"), "windows-1252"


def _declared_encoding(text: str) -> str:
    declaration = _DECLARATION.match(text.lstrip("\ufeff"))
    found = _ENCODING.search(declaration[0]) if declaration else None
    return found[1].lower() if found else ""


def _decode_as(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None

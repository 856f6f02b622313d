"""Attached files: their kind is read from the content, and no name can do harm where it is saved."""

from __future__ import annotations

import pytest
from usher_engine import InvalidSubmission
from usher_engine.core.attachments import KINDS, MAX_NAME, kind_of, safe_name

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n...", "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        ("Grüße,\r\n\tIvo".encode(), "text/plain"),
        (b"\xef\xbb\xbfwith a mark", "text/plain"),
        (b"<script>alert(1)</script>", "text/plain"),
    ],
)
def test_the_kind_is_that_of_the_content(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04zip", b"MZ\x90\x00", b"\x89PNG\r\n\x1a\nIHDR", b"a\x00b", b"\x1b[31m", b"GIF89a\xff"],
)
def test_what_is_of_no_kind_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        kind_of(content)
    assert "Choose another one" in refused.value.fields["file"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("letter.pdf", "letter.pdf"),
        ("Letter.PDF", "Letter.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\x\\a.pdf", "a.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie_ x=1.pdf"),
        ("cod\u202efdp.exe", "codfdp.exe.pdf"),
        ("\u200b\u2066.pdf", "file.pdf"),
        ("", "file.pdf"),
        ("...", "file.pdf"),
        (".pdf", "file.pdf"),
        ("con.pdf", "_con.pdf"),
        ("COM1.tar.pdf", "_COM1.tar.pdf"),
        ('a<b>|?*".pdf', "a_b_____.pdf"),
        ("evil.html", "evil.html.pdf"),
        ("  spaced   out .pdf ", "spaced out.pdf"),
        ("bericht für Zoë.pdf", "bericht für Zoë.pdf"),
        ("\ud800half.pdf", "half.pdf"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, "application/pdf") == safe


def test_a_long_name_keeps_its_ending() -> None:
    name = safe_name("x" * 300 + ".jpeg", "image/jpeg")
    assert len(name) == MAX_NAME
    assert name.endswith("x.jpeg")


@pytest.mark.parametrize("kind", KINDS)
def test_making_a_name_safe_twice_changes_nothing(kind: str) -> None:
    for name in ("a.b", "CON", "a/b\\c?.txt", "x" * 200):
        once = safe_name(name, kind)
        assert safe_name(once, kind) == once

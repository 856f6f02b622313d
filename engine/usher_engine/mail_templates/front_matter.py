"""The first lines of a Markdown mail: its subject, between two lines of three hyphens."""

from __future__ import annotations

from dataclasses import dataclass

from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import Template, compile_template

_FENCE = "---"
_EXAMPLE = "Begin with three lines: ---, subject: …, ---."


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontMatter:
    """The *subject*, the line it stands on, and the number of lines before the *body*."""

    subject: Template
    subject_line: int
    body: str
    lines: int


def read_front_matter(text: str) -> FrontMatter:
    """
    Split *text*, whose lines end in a line feed alone, into subject and body.

    Raises:
        ExpressionError: There is no subject, something else stands beside it, or it does not compile.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        raise ExpressionError(f"The mail has no subject. {_EXAMPLE}", line=1)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise ExpressionError(f"The lines above the mail are not closed. {_EXAMPLE}", line=1)
    subject, at = _subject(lines[1:end])
    try:
        template = compile_template(subject)
    except ExpressionError as error:
        raise ExpressionError(error.message, line=at) from None
    return FrontMatter(subject=template, subject_line=at, body="\n".join(lines[end + 1 :]), lines=end + 1)


def _subject(lines: list[str]) -> tuple[str, int]:
    """The text of the subject, and the line of the file it stands on."""
    found: tuple[str, int] | None = None
    for at, line in enumerate(lines, 2):
        key, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or key.strip().lower() != "subject":
            raise ExpressionError(f"“{key.strip()[:40]}” is not known here; only “subject: …” is.", line=at)
        if found is not None:
            raise ExpressionError("There is a second subject. Keep one.", line=at)
        found = value.strip(), at
    if found is None or not found[0]:
        raise ExpressionError("The subject is empty. Write what the mail is about: subject: …", line=2)
    return found

"""What is wrong with one Markdown mail, each with the line it stands on and, where there is one, the remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from usher_engine.core.errors import ExpressionError

from .mail_template import MailTemplate, compile_mail


@dataclass(frozen=True, kw_only=True, slots=True)
class MailProblem:
    """
    A problem on *line* (from 1) of a mail; an error keeps the mail from being sent.

    *name* and *instead*: an unknown value, and the known one that was probably meant; empty where there is none.
    """

    line: int
    message: str
    severity: Literal["error", "warning"] = "error"
    name: str = ""
    instead: str = ""


def mail_problems(text: str, names: Collection[str] | None, links: Collection[str]) -> list[MailProblem]:
    """
    The problems of the Markdown mail *text*, by line.

    Args:
        text: The source.
        names: The values the mail may use, its links included; None if nobody knows them all.
        links: Those of them that may be the address of a link.
    """
    try:
        template = compile_mail(text)
    except ExpressionError as error:
        return [MailProblem(line=error.line, message=error.message)]
    found = [*_unknown_values(template, names), *_links(template, links), *_parts(template)]
    return sorted(found, key=lambda problem: problem.line)


def closest(name: str, names: Iterable[str]) -> str:
    """The one of *names* that *name* is probably meant to be; empty if none is close."""
    return next(iter(get_close_matches(name, sorted(names), n=1, cutoff=0.7)), "")


def unknown_value(name: str, names: Collection[str]) -> str:
    """The sentence about a value that nothing gives a mail."""
    instead = closest(name, names)
    hint = f" Did you mean “{instead}”?" if instead else ""
    return f"Nothing fills “{name}”.{hint} A mail may name: {', '.join(sorted(names))}."


def _unknown_values(template: MailTemplate, names: Collection[str] | None) -> Iterator[MailProblem]:
    if names is None:
        return
    for name, line in _named(template):
        if name not in names:
            yield MailProblem(line=line, message=unknown_value(name, names), name=name, instead=closest(name, names))


def _named(template: MailTemplate) -> Iterator[tuple[str, int]]:
    """Each value with the lines it is named on, once for each line."""
    front = template.front
    yield from ((name, front.subject_line) for name in sorted(front.subject.names))
    lines = {
        (name, placeholder.line + front.lines)
        for placeholder in template.body.placeholders
        for name in placeholder.expression.names
    }
    yield from sorted(lines, key=lambda found: (found[1], found[0]))


def _links(template: MailTemplate, links: Collection[str]) -> Iterator[MailProblem]:
    for destination in template.body.destinations:
        if message := destination.problem(links):
            instead = closest(destination.expression, links) if destination.expression else ""
            yield MailProblem(line=destination.line, message=message, name=destination.expression, instead=instead)


def _parts(template: MailTemplate) -> Iterator[MailProblem]:
    body = template.body
    for line in body.buttons[1:]:
        message = "A mail has one button, so that nobody wonders which to press. Make this a plain link."
        yield MailProblem(line=line, message=message)
    for line in body.stray:
        message = "Only {.button} means something here, directly behind a link: [Open it]({{ link }}){.button}."
        yield MailProblem(line=line, message=message, severity="warning")
    for line in body.images:
        message = "Images are left out: many mail programs hide them, and they tell their server who reads the mail."
        yield MailProblem(line=line, message=message, severity="warning")
    if not any(token.type in ("inline", "code_block", "fence") for token in body.tokens):
        yield MailProblem(line=template.front.lines + 1, message="The mail is empty below its subject.")

"""A mail written in Markdown: compiled once, then filled for each recipient into its text part and its HTML part."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from usher_engine.core.bounded_cache import cached_by_size
from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar

from .front_matter import FrontMatter, read_front_matter
from .html_part import html_part
from .markdown_body import MARK, MarkdownBody, parse_body
from .text_part import text_part

#: Categories of Unicode that a value keeps none of: control, line and paragraph separators, surrogates, private use.
_BREAKING = frozenset({"Cc", "Zl", "Zp", "Cs", "Co"})
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedMail:
    """One mail, ready to be addressed: *subject* on one line, both parts with a line feed at line ends."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MailTemplate:
    """A compiled template; create it with `compile_mail`."""

    front: FrontMatter
    body: MarkdownBody

    @property
    def names(self) -> frozenset[str]:
        """The values the template needs."""
        return self.front.subject.names | self.body.source.names

    def render(
        self,
        values: Mapping[str, Json],
        now: datetime,
        *,
        language: str,
        links: Collection[str],
        calendar: Calendar = UTC_CALENDAR,
    ) -> RenderedMail:
        """
        Fill the template.

        Each value goes in as one line of plain text, whatever it holds; a paragraph that its values leave empty is
        left out. *links* are the names of the values that may be the address of a link.

        Raises:
            ExpressionError: A placeholder cannot be evaluated, or a link cannot be used; carries its line.
        """
        for destination in self.body.destinations:
            if problem := destination.problem(links):
                raise ExpressionError(problem, line=destination.line)
        subject = self._subject(values, now, calendar)
        filled = [_one_line(value) for value in self._filled(values, now, calendar)]

        def fill(text: str) -> str:
            return MARK.sub(lambda mark: filled[int(mark[1])], text)

        tokens = self.body.tokens
        return RenderedMail(
            subject=subject,
            text=text_part(tokens, fill),
            html=html_part(tokens, fill, subject=subject, language=language),
        )

    def _subject(self, values: Mapping[str, Json], now: datetime, calendar: Calendar) -> str:
        try:
            return self.front.subject.render(values, now, _one_line, calendar=calendar).strip()
        except ExpressionError as error:
            raise ExpressionError(error.message, line=self.front.subject_line) from None

    def _filled(self, values: Mapping[str, Json], now: datetime, calendar: Calendar) -> tuple[str, ...]:
        try:
            return self.body.source.inserted(values, now, calendar=calendar)
        except ExpressionError as error:
            raise ExpressionError(error.message, line=error.line + self.front.lines) from None


@cached_by_size(megabytes=16, per_character=500)
def compile_mail(text: str) -> MailTemplate:
    """
    Compile the Markdown mail *text*.

    Raises:
        ExpressionError: The subject is missing, or a placeholder is not valid; carries its line.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    front = read_front_matter(unified)
    return MailTemplate(front=front, body=parse_body(front.body, front.lines + 1))


def _one_line(text: str) -> str:
    """*text* with a space for whatever would begin a new line, and without marks that turn the direction of others."""
    return _TURNING.sub("", "".join(" " if unicodedata.category(letter) in _BREAKING else letter for letter in text))

"""Parses the pattern of a field into a tree: the subset that browsers, form-js and Usher interpret alike.

JavaScript's semantics apply, without flags, by whole characters: word characters and digits are ASCII, spaces and line
ends are Unicode's. Syntax with another meaning elsewhere is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from ..core.bounded_cache import cached_by_size

Ranges: TypeAlias = tuple[tuple[int, int], ...]

MAX_DEPTH = 20

_LAST = 0x10FFFF
_DIGITS: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_SPACES: Ranges = (
    *((0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
)
_SETS: dict[str, Ranges] = {"d": _DIGITS, "w": _WORD, "s": _SPACES}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
_COUNT = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_GROUPS = {
    "?=": "a look-ahead", "?!": "a look-ahead", "?<": "a look-behind or a named group", "?P": "a named group",
    "?>": "an atomic group", "?#": "a comment", "?(": "a condition",
}  # fmt: skip


class PatternError(ValueError):
    """The pattern is refused; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character from any of *ranges* (both ends included)."""

    ranges: Ranges

    def takes(self, letter: str) -> bool:
        code = ord(letter)
        for low, high in self.ranges:  # noqa: SIM110 - asked for each letter of each value; this takes half the time
            if low <= code <= high:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Boundary:
    r"""``\b`` if *wanted*, else ``\B``."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Parts in sequence."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """``a|b``."""

    branches: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``x*``, ``x?``, ``x{2,5}``; unlimited if *most* is None."""

    body: Part
    least: int
    most: int | None


Part: TypeAlias = Characters | Boundary | Row | Choice | Repeat

WORD = Characters(_WORD)


@cached_by_size(megabytes=4, per_character=700)
def read_pattern(pattern: str) -> Part:
    """Parse *pattern*, which must describe a whole value; raises `PatternError`."""
    return _Reader(pattern).whole()


class _Reader:
    """Recursive-descent parser; ``place`` is the current position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.depth = 0

    def whole(self) -> Part:
        branches = [self._anchored_body()]
        while self._take("|"):
            branches.append(self._anchored_body())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _anchored_body(self) -> Part:
        """Parse the body between ``^`` and ``$``; outside a group each alternative needs both."""
        if self._take("^"):
            row = self._row()
            if self._take("$") and self._peek() in ("", "|"):
                return row
        if self._peek() == ")":
            self._refuse("“)” has no opening bracket")
        raise PatternError(
            "The pattern must start with ^ and end with $ to cover the whole value; group alternatives: ^(a|b)$."
        )

    def _row(self) -> Part:
        parts: list[Part] = []
        while self._peek() not in ("", "|", ")", "$"):
            parts.append(self._repeat(self._atom()))
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def _atom(self) -> Part:
        letter = self._next()
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._class()
        if letter == ".":
            return Characters(_without(_LINE_ENDS))
        if letter == "\\":
            return self._escaped()
        if letter in "*+?{":
            self._refuse(f"“{letter}” has nothing to repeat here; for the character itself write \\{letter}")
        if letter == "^":
            self._refuse("“^” is allowed at the start only; for the character itself write \\^")
        return Characters(_single_character(letter))

    def _group(self) -> Part:
        if self._take("?") and not self._take(":"):
            named = _GROUPS.get("?" + self._peek(), "flags")
            self._refuse(f"it uses {named}, which is not supported; write (…) or (?:…)")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._refuse(f"groups are nested more than {MAX_DEPTH} levels deep")
        branches = [self._row()]
        while self._take("|"):
            branches.append(self._row())
        self.depth -= 1
        if self._peek() == "$":
            self._refuse("“$” is allowed at the end only; for the character itself write \\$")
        if not self._take(")"):
            self._refuse("“)” is missing")
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _repeat(self, body: Part) -> Part:
        bounds = self._bounds()
        if bounds is None:
            return body
        if isinstance(body, Boundary):
            self._refuse("\\b and \\B cannot be repeated")
        self._take("?")  # a lazy repeat matches the same values
        if self._peek() in ("*", "+", "?") or _COUNT.match(self.text, self.place):
            self._refuse("a repeat follows a repeat")
        return Repeat(body, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        found = _COUNT.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        least, most = int(found[1]), int(found[3]) if found[3] else None if found[2] else int(found[1])
        if most is not None and most < least:
            self._refuse(f"{found[0]} ends before it starts")
        return least, most

    def _escaped(self) -> Part:
        letter = self._peek()
        if letter in ("b", "B"):
            self.place += 1
            return Boundary(letter == "b")
        return Characters(self._escape())

    def _escape(self) -> Ranges:
        """Parse what follows a backslash, inside a class or outside."""
        code = _CODE.match(self.text, self.place)
        if code is not None:
            self.place = code.end()
            return _single_character(chr(int(code[1] or code[2], 16)))
        letter = self._next()
        if letter.lower() in _SETS:
            ranges = _SETS[letter.lower()]
            return ranges if letter.islower() else _without(ranges)
        if letter in _CONTROLS:
            return ((_CONTROLS[letter], _CONTROLS[letter]),)
        if not letter or (letter.isascii() and letter.isalnum()):
            self._refuse(f"\\{letter} is not supported; browsers and servers do not interpret it alike")
        return _single_character(letter)

    def _class(self) -> Part:
        """``[a-z]``, ``[^"]``."""
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._in_class()
            if self._peek() == "-" and self.text[self.place + 1 : self.place + 2] not in ("", "]"):
                self.place += 1
                ranges.append(self._range(low, self._in_class()))
            else:
                ranges += low
        if not ranges:
            self._refuse("[] is empty; for the character itself write \\]")
        return Characters(_without(ranges) if negated else tuple(ranges))

    def _in_class(self) -> Ranges:
        letter = self._next()
        if not letter:
            self._refuse("“]” is missing")
        if letter == "[" and self._peek() in (":", ".", "="):
            self._refuse("classes like [:alpha:] are not supported; write [A-Za-z]")
        return self._escape() if letter == "\\" else _single_character(letter)

    def _range(self, low: Ranges, high: Ranges) -> tuple[int, int]:
        first, last = low[0][0], high[-1][1]
        if (low, high) != (((first, first),), ((last, last),)) or first > last:
            self._refuse("a range in […] goes from one character to a later one, like a-z")
        return first, last

    def _peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def _next(self) -> str:
        letter = self._peek()
        self.place += 1
        return letter

    def _take(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self.place += 1
        return True

    def _refuse(self, reason: str) -> NoReturn:
        raise PatternError(f"The pattern cannot be read: {reason} (character {min(self.place, len(self.text))}).")


def _single_character(letter: str) -> Ranges:
    if "\ud800" <= letter <= "\udfff":
        raise PatternError("The pattern contains half a character (\\ud800 to \\udfff); write the whole one.")
    return ((ord(letter), ord(letter)),)


def _without(ranges: Sequence[tuple[int, int]]) -> Ranges:
    """All characters except *ranges*."""
    left, found = 0, []
    for low, high in sorted(ranges):
        if low > left:
            found.append((left, low - 1))
        left = max(left, high + 1)
    return (*found, (left, _LAST)) if left <= _LAST else tuple(found)

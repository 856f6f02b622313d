"""Matches the untrusted patterns of forms in bounded work, with our own parser (engine/decisions/0022).

`pattern_problem` also refuses patterns on which backtracking matchers, like those in browsers, could take forever:
nested repeats, alternatives inside repeats, repeats of an empty pattern, too many repeats in a row.
"""

from __future__ import annotations

from .pattern_parser import WORD, Boundary, Characters, Choice, Part, PatternError, Repeat, Row, read_pattern

MAX_PATTERN = 200
MAX_PATTERN_VALUE = 100  # a longer value matches no pattern
MAX_OPEN_REPEATS = 2  # `+`, `*`: backtracking grows with the value's length to this power
MAX_VARIABLE = 8  # `?`, `{1,3}` and alternatives: at most two to this power paths
MAX_REPEAT = 100
WIDE_REPEAT = 3  # {1,5} and wider count as open


def pattern_problem(pattern: str) -> str:
    """Why *pattern* is refused; empty if it is accepted."""
    if len(pattern) > MAX_PATTERN:
        return f"The pattern is longer than {MAX_PATTERN} characters."
    check = _Analysis()
    try:
        check.width(read_pattern(pattern), repeated=False)
    except PatternError as error:
        return str(error)
    if check.open > MAX_OPEN_REPEATS or check.variable > MAX_VARIABLE:
        return "The pattern has too many repeats and alternatives; write fixed counts like {5}."
    return ""


def fits(pattern: str, value: str) -> bool:
    """
    Whether *pattern* matches the whole of *value*.

    Follows all paths at once, as sets of positions in the value, so the work is bounded by the size of the pattern
    times the length of the value.
    """
    if len(value) > MAX_PATTERN_VALUE:
        return False
    return bool(_Places(value).after(read_pattern(pattern), 1) >> len(value) & 1)


class _Analysis:
    """Counts variable parts and refuses forbidden repeats."""

    def __init__(self) -> None:
        self.open = 0
        self.variable = 0

    def width(self, part: Part, *, repeated: bool) -> int:
        """The minimum number of characters that *part* matches."""
        match part:
            case Characters():
                return 1
            case Boundary():
                return 0
            case Row(parts):
                least = sum(self.width(one, repeated=repeated) for one in parts)
            case Choice(branches):
                if repeated:
                    raise PatternError(
                        "The pattern repeats alternatives, which can take forever; write a class like [ab] instead."
                    )
                self.variable += (len(branches) - 1).bit_length()
                least = min(self.width(branch, repeated=False) for branch in branches)
            case Repeat():
                least = self._repeat(part, repeated=repeated)
        if least > MAX_PATTERN_VALUE:
            raise PatternError(f"The pattern needs a value longer than {MAX_PATTERN_VALUE} characters; no value fits.")
        return least

    def _repeat(self, part: Repeat, *, repeated: bool) -> int:
        most = part.most
        if max(part.least, most or 0) > MAX_REPEAT:
            message = f"The pattern repeats something more than {MAX_REPEAT} times; set the maximum length instead."
            raise PatternError(message)
        if most is None or most - part.least > WIDE_REPEAT:
            self.open += 1
        else:
            self.variable += (most - part.least).bit_length()
        if repeated and most != part.least:
            raise PatternError(
                "The pattern has a repeat inside a repeat, which can take forever; write one, like [a-z ]{1,50}."
            )
        again = most is None or most > 1
        width = self.width(part.body, repeated=repeated or again)
        if again and not width:
            raise PatternError(
                "The pattern repeats something that can be empty, which can take forever; remove the inner ? or *."
            )
        return width * part.least


class _Places:
    """Sets of positions in *text* as integers: bit n is the position before character n."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.every = (2 << len(text)) - 1
        self.where: dict[Characters, int] = {}

    def after(self, part: Part, places: int) -> int:
        """The positions where *part* can end if it starts at one of *places*."""
        match part:
            case Characters():
                return (places & self._before(part)) << 1
            case Boundary(wanted):
                edges = self._before(WORD) ^ (self._before(WORD) << 1)
                return places & (edges if wanted else edges ^ self.every)
            case Row(parts):
                for one in parts:
                    places = self.after(one, places)
                return places
            case Choice(branches):
                found = 0
                for branch in branches:
                    found |= self.after(branch, places)
                return found
            case Repeat():
                return self._after_repeat(part, places)

    def _after_repeat(self, part: Repeat, places: int) -> int:
        for _ in range(part.least):
            before, places = places, self.after(part.body, places)
            if places == before:  # so would every further round
                break
        found = fresh = places
        rounds = len(self.text) if part.most is None else part.most - part.least
        while fresh and rounds:
            fresh = self.after(part.body, fresh) & ~found
            found |= fresh
            rounds -= 1
        return found

    def _before(self, part: Characters) -> int:
        """The positions before each character that *part* matches."""
        found = self.where.get(part)
        if found is None:
            found = self.where[part] = sum([1 << place for place, letter in enumerate(self.text) if part.takes(letter)])
        return found

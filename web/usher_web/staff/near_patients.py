"""Patients like a text that nobody fits: its longest word loses a letter at a time until a name begins like it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ..casework.patient_labels import Subject, describe
from ..site import site

MOST = 5
#: The fewest leading letters of a word that must match in a near match, and the most that are tried.
SHORTEST_NEAR, LONGEST_NEAR = 2, 12

Found = TypeVar("Found")


def near_patients(text: str) -> list[Subject]:
    """Patients in force whose names begin like the longest word of *text*."""
    finder = site().enrollment.finder
    longest = max(text.split(), key=len)
    found = first_of(shortened(longest), lambda word: list(finder.find(word, limit=MOST).records))
    return [describe(record) for record in found]


def shortened(word: str) -> Iterator[str]:
    return (word[:length] for length in range(min(len(word) - 1, LONGEST_NEAR), SHORTEST_NEAR - 1, -1))


def first_of(words: Iterator[str], look: Callable[[str], list[Found]]) -> list[Found]:
    """What the first of *words* finds that finds anything."""
    return next((found for word in words if (found := look(word))), [])

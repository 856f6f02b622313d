"""Whose work a task is: the candidate groups its text names, several of them between commas."""

from __future__ import annotations


def groups_of(text: str) -> tuple[str, ...]:
    """The groups *text* names, trimmed, each once, in their order; none where it is everybody's."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))

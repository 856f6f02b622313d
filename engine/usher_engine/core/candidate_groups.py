"""The candidate groups of a task: a text with group names separated by commas."""

from __future__ import annotations


def groups_of(text: str) -> tuple[str, ...]:
    """The groups named in *text*, trimmed, without duplicates, in order; empty when the task is everyone's."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))

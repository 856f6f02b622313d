"""The names of a task's fields in its page, and the fields among what a browser sent.

A form may call its fields as it likes: `revision`, `csrf_token`, `action`. On our pages their names begin with
`PREFIX`, so that they meet neither our own inputs nor the properties of a form in the browser. A name without it is
taken as it is, for a form that somebody wrote by hand.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "f."

#: Our input that names the addresses a person was asked about (`second_thoughts`).
TAKEN = "taken_as_typed"
#: Our input that names the look-alikes a person has seen (`look_alike_question`).
SEEN = "look_alikes_seen"
#: Our button that also claims the next task (`onward`).
THEN = "desk.then"
#: The names of our own inputs.
OURS = ("csrf_token", "revision", TAKEN, SEEN, THEN)


def field_name(key: str) -> str:
    """The name of the input for the field *key*."""
    return PREFIX + key


def submitted(sent: Mapping[str, str]) -> dict[str, str]:
    """The fields of the task's form among what a browser sent, by key."""
    return {name.removeprefix(PREFIX): value for name, value in sent.items() if name not in OURS}

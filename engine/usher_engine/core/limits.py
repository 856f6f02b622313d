"""What one command may do, and what one case may hold: each number once, with its reason."""

from __future__ import annotations

#: How long one command may run: a person who waits longer believes the page has died, and others wait for the case.
MAX_SECONDS = 10.0

#: Elements one command may run, and come to rest on: a repetition of 200 items and a hundred elements around it.
MAX_ELEMENTS = 300

#: Items of one repetition, and rounds of one loop: what a list of tasks, or a history, can still show.
MAX_ITEMS = 200
MAX_ROUNDS = 1_000

#: Open tasks, requests and waits of one case together. Beyond, each command on it takes longer than a click may.
MAX_OPEN = 1_000

#: Characters of a case's data as JSON: what a page, an expression and an answer of the API can still deal with.
MAX_DATA = 256_000

#: Characters of the stored state. Each open task keeps the data it began with: a hundred of them with 40 kB each.
MAX_STATE = 4_000_000

#: Bytes of one step before it is packed; a quarter of what is unpacked when the step is read (store/bodies.py).
MAX_WRITTEN = 4_000_000

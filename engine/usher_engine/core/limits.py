"""Limits of one command and of one case: each number once, with its reason."""

from __future__ import annotations

#: How long one command may run: after that a person believes the page has died, and others wait for the case.
MAX_SECONDS = 10.0

#: Elements one command may run, and come to rest on: a repetition of 200 items and a hundred elements around it.
MAX_ELEMENTS = 300

#: Items of one multi-instance activity, and rounds of one loop: as many as a list of tasks or a history can show.
MAX_ITEMS = 200
MAX_ROUNDS = 1_000

#: Open tasks, requests and waits of one case together. Beyond, each command on it takes longer than a click may.
MAX_OPEN = 1_000

#: Characters of a case's data as JSON: as many as a page, an expression and an API response can handle.
MAX_DATA = 256_000

#: Characters of the stored state: a hundred open tasks with 40 kB each. Each open task keeps the data it began with.
MAX_STATE = 4_000_000

#: Bytes of one step before compression; a quarter of what reading accepts (store/step_codec.py).
MAX_WRITTEN = 4_000_000

"""Records in the audit log what happens in the web: sign-ins, views of patients, refusals, settings (decisions/0006).

Views need not remember to report the patients they show: `casework.patient_labels` calls `note_shown`,
`casework.visibility` and `staff.open_task` call `record_view`, and `register` records refusals after each view. If the
event cannot be written, the page is not shown.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import usher_engine
from flask import Flask, Response, current_app, g, request
from usher_engine import Actor
from usher_engine.accounts import Session
from usher_engine.audit import AuditKind, Look

from .site import site

KEY = "usher.trail"

#: Repeated views by one person in one session within this time are one event.
AGAIN = timedelta(seconds=60)

MAX_REMEMBERED = 20_000

#: Status codes of refused attempts.
REFUSALS = frozenset({403, 404, 409, 422})

#: Actor of sign-in attempts before the person is identified.
STRANGER = Actor(name="", role="stranger")


class Recent:
    """Events written a moment ago by this process, so they are not written twice."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str, str], datetime] = {}
        self._lock = threading.Lock()

    def has(self, key: tuple[str, str, str], now: datetime) -> bool:
        with self._lock:
            return now - self._times.get(key, datetime.min.replace(tzinfo=now.tzinfo)) < AGAIN

    def add(self, keys: Iterable[tuple[str, str, str]], now: datetime) -> None:
        with self._lock:
            if len(self._times) > MAX_REMEMBERED:
                self._times = {key: at for key, at in self._times.items() if now - at < AGAIN}
            self._times.update(dict.fromkeys(keys, now))


def register(app: Flask) -> None:
    app.extensions[KEY] = Recent()
    app.after_request(_keep)


def record(
    kind: AuditKind, details: dict[str, Any], *, subject: str = "", actor: Actor | None = None, about: str = ""
) -> None:
    """Write an event at once. *actor* defaults to the requesting account; *about* is the patient it concerns."""
    site().engine.audit.record(kind, details, actor=actor or g.actor, subject=subject, business_key=about)


def record_view(kind: AuditKind, subject: str, *, business_key: str) -> None:
    """Record that the requesting account is about to see *subject*, which concerns the patient *business_key*."""
    if "usher_viewed" not in g:
        g.usher_viewed = {}
    look = Look(kind=kind, details={"page": request.endpoint}, subject=subject, business_key=business_key)
    g.usher_viewed[(kind, subject)] = look
    _shown_patients().pop(business_key, None)
    g.usher_told = {*g.get("usher_told", ()), business_key}


def note_shown(patient: str) -> None:
    """Note that the answer shows the name of *patient*."""
    if patient and patient not in g.get("usher_told", ()):
        _shown_patients()[patient] = None


def note_listed(patients: Iterable[str]) -> None:
    """Note that the answer lists *patients* by id only."""
    for patient in patients:
        note_shown(patient)


def _shown_patients() -> dict[str, None]:
    if "usher_shown" not in g:
        g.usher_shown = {}
    found: dict[str, None] = g.usher_shown
    return found


def _keep(response: Response) -> Response:
    """After every view, record what it showed, which patients it named and whether it refused, in one transaction."""
    if g.get("actor") is None or not request.endpoint or request.endpoint == "static":
        return response
    recent, now, who = _recent(), site().now(), _session()
    viewed = {(who, *key): look for key, look in g.pop("usher_viewed", {}).items()}
    looks = [look for key, look in viewed.items() if not recent.has(key, now)]
    if response.status_code in REFUSALS:
        looks.append(_refusal(response.status_code))
    listed = {(who, "PatientsListed", patient): patient for patient in _shown_patients()}
    new = [patient for key, patient in listed.items() if not recent.has(key, now)]
    if new:  # patients not on this person's screen a moment ago; a list that stays open is recorded once
        looks.append(Look(kind="PatientsListed", details={"page": request.endpoint, "patients": new}))
    if looks:
        site().engine.audit.record_page(looks, actor=g.actor)
    recent.add([*viewed, *listed], now)
    return response


def _refusal(status: int) -> Look:
    named = request.view_args or {}
    subject = next((str(named[name]) for name in ("task_id", "instance_id", "patient_id", "name") if name in named), "")
    details = {"page": request.endpoint, "method": request.method, "status": status}
    about = str(named["patient_id"]) if "patient_id" in named else _business_key(subject)
    return Look(kind="Refused", details=details, subject=subject, business_key=about)


def _business_key(subject: str) -> str:
    """The business key of the case of *subject*; empty if there is no such case."""
    try:
        return site().engine.instance(subject.partition(":")[0]).business_key
    except usher_engine.NotFound:
        return ""


def _session() -> str:
    """A key that identifies the session, or the program."""
    session: Session | None = g.get("session")
    return session.key if session else f"program {g.actor.name}"


def _recent() -> Recent:
    found: Recent = current_app.extensions[KEY]
    return found

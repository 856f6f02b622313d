"""Reads and writes telephone numbers and e-mail addresses of a FHIR R4 Patient, and the emergency contact. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..core.email_address import shown_email_address
from ..core.errors import InvalidSubmission
from .fhir_entries import append_entry, codes, end_period, entries, put, record, text
from .fhir_preference import EMAIL_USES, MOBILE_USES, NO_USE, Entry, is_in_use, preferred

#: The number to call: a person is reached best on the mobile, and at work last.
PHONE_USES = ("mobile", "home", NO_USE, "work", "temp")

_RELATIONSHIPS = "http://terminology.hl7.org/CodeSystem/v2-0131"
_EMERGENCY: Entry = {"coding": [{"system": _RELATIONSHIPS, "code": "C", "display": "Emergency Contact"}]}

#: How a kind of contact is recognized in `Patient.telecom`.
Test = Callable[[Entry], bool]


def is_email(contact: Entry) -> bool:
    return contact.get("system") == "email"


def is_mobile(contact: Entry) -> bool:
    """Of system sms, or of system phone with the use mobile."""
    return contact.get("system") == "sms" or (contact.get("system"), contact.get("use")) == ("phone", "mobile")


def is_phone(contact: Entry) -> bool:
    return contact.get("system") in ("phone", "sms")


def is_home_phone(contact: Entry) -> bool:
    return (contact.get("system"), contact.get("use")) == ("phone", "home")


def is_work_phone(contact: Entry) -> bool:
    return (contact.get("system"), contact.get("use")) == ("phone", "work")


def spelled_email(resource: Entry, now: datetime) -> str:
    """The e-mail address to write to, letter for letter as it stands in the record; empty for none."""
    entry = _entry(resource, now, is_email, EMAIL_USES)
    return entry["value"] if entry else ""


def read_email(resource: Entry, now: datetime) -> str:
    return shown_email_address(spelled_email(resource, now))


def write_email(resource: Entry, value: str, now: datetime) -> None:
    found = _entry(resource, now, is_email, EMAIL_USES)
    _write(resource, found, {"system": "email", "use": "home"}, value, now)


def reader(test: Test, uses: Sequence[str] = MOBILE_USES) -> Callable[[Entry, datetime], str]:
    """A function that reads the number to use among those that pass *test*."""

    def read(resource: Entry, now: datetime) -> str:
        return text((_entry(resource, now, test, uses) or {}).get("value"))

    return read


def writer(test: Test, use: str, uses: Sequence[str] = MOBILE_USES) -> Callable[[Entry, str, datetime], None]:
    """A function that writes into the entry that is read, or a new one of *use*."""

    def write(resource: Entry, value: str, now: datetime) -> None:
        _write(resource, _entry(resource, now, test, uses), {"system": "phone", "use": use}, value, now)

    return write


def _entry(resource: Entry, now: datetime, test: Test, uses: Sequence[str]) -> Entry | None:
    found = [contact for contact in entries(resource, "telecom") if test(contact) and text(contact.get("value"))]
    return preferred(found, uses, now, has_value=lambda _: True)


def _write(resource: Entry, found: Entry | None, new: Entry, value: str, now: datetime) -> None:
    if value:
        entry = found if found is not None else append_entry(resource, "telecom", new)
        put(entry, "value", value)
    elif found is not None:
        end_period(found, now)


# the emergency contact


def read_emergency_name(resource: Entry, now: datetime) -> str:
    name = record((_emergency(resource, now) or {}).get("name"))
    given = name.get("given")
    parts = [*(given if isinstance(given, list) else []), name.get("family")]
    return text(name.get("text")) or " ".join(filter(None, map(text, parts)))


def read_emergency_phone(resource: Entry, now: datetime) -> str:
    return reader(is_phone, PHONE_USES)(_emergency(resource, now) or {}, now)


def read_emergency_relationship(resource: Entry, now: datetime) -> str:
    others = [one for one in entries(_emergency(resource, now) or {}, "relationship") if "C" not in codes(one)]
    displays = (text(coding.get("display")) for one in others for coding in entries(one, "coding"))
    return next(filter(None, (text(one.get("text")) for one in others)), "") or next(filter(None, displays), "")


def write_emergency_name(resource: Entry, value: str, now: datetime) -> None:
    contact = _emergency_to_correct(resource, value, now)
    if contact is not None:
        put(contact, "name", {"text": value} if value else None)


def write_emergency_phone(resource: Entry, value: str, now: datetime) -> None:
    contact = _emergency_to_correct(resource, value, now)
    if contact is not None:
        writer(is_phone, "mobile", PHONE_USES)(contact, value, now)


def write_emergency_relationship(resource: Entry, value: str, now: datetime) -> None:
    contact = _emergency_to_correct(resource, value, now)
    if contact is None:
        return
    if value and not any(key in contact for key in ("name", "telecom", "address", "organization")):
        reason = "needs the name or the telephone number of the emergency contact as well"
        raise InvalidSubmission(
            f"The relationship {reason}.", fields={"emergency_contact_relationship": reason}
        )  # FHIR R4, invariant pat-1
    kept = [one for one in entries(contact, "relationship") if "C" in codes(one)]
    contact["relationship"] = [*kept, *([{"text": value}] if value else [])]


def _emergency(resource: Entry, now: datetime) -> Entry | None:
    return next((one for one in entries(resource, "contact") if _is_emergency(one) and is_in_use(one, now)), None)


def _is_emergency(contact: Entry) -> bool:
    return any("C" in codes(relationship) for relationship in entries(contact, "relationship"))


def _emergency_to_correct(resource: Entry, value: str, now: datetime) -> Entry | None:
    """The emergency contact, or a new one if there is a *value* to keep."""
    found = _emergency(resource, now)
    if found is None and value:
        return append_entry(resource, "contact", {"relationship": [dict(_EMERGENCY)]})
    return found

"""Removes social security numbers, narrative and photos from patient records before they are stored.

Enrolment does not need them, and data that is not stored cannot reach a page, a mail or a log.
"""

from __future__ import annotations

import re
from typing import Any

from ..core.canonical import Json

#: SS as in HL7 v2 table 0203; SB is its name in the identifier types of FHIR R4.
_CODES = frozenset({"SS", "SB"})
_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1"})
_SHAPE = re.compile(r"\d{3}-\d{2}-\d{4}")


def redact(resource: dict[str, Any]) -> dict[str, Any]:
    """*resource* without social security numbers, narrative (`text.div`) and photos at any depth."""
    return {key: _without(value) for key, value in resource.items() if not _is_dropped(key, value)}


def is_social_security(identifier: Json) -> bool:
    """Whether a FHIR Identifier is a social security number by its type, its system or its shape."""
    if not isinstance(identifier, dict):
        return False
    kind = identifier.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    if any(isinstance(c, dict) and c.get("code") in _CODES for c in codings or ()):
        return True
    words = str(kind.get("text", "")) if isinstance(kind, dict) else ""
    system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
    return (
        "social security" in words.lower()
        or system.lower().rstrip("/") in _SYSTEMS
        or _SHAPE.fullmatch(value.strip()) is not None
    )


def _without(value: Json) -> Json:
    if isinstance(value, list):
        return [_without(item) for item in value if not _is_secret(item)]
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if not _is_dropped(key, item)}
    return value


def _is_dropped(key: str, value: Json) -> bool:
    if key == "text":
        return isinstance(value, dict) and "div" in value
    return key == "photo" or (key == "identifier" and _is_secret(value))


def _is_secret(value: Json) -> bool:
    return isinstance(value, dict) and ("value" in value or "type" in value) and is_social_security(value)

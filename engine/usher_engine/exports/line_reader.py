"""Reads the fields of one line in an export; raises `Malformed` for anything unexpected, never another error."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..definitions import Package


class Malformed(Exception):
    """The line is not one that an export writes."""


def text_of(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise Malformed(f"Its “{name}” is not a text.")
    return value


def number_of(record: dict[str, Any], name: str) -> int:
    value = record.get(name)
    if type(value) is not int or value < 0:
        raise Malformed(f"Its “{name}” is not a number.")
    return value


def digest_of(record: dict[str, Any], name: str) -> bytes:
    """Return a SHA-256 hash from its only valid spelling, lower-case hexadecimal."""
    try:
        value = bytes.fromhex(text_of(record, name))
    except ValueError:
        value = b""
    if len(value) != 32 or value.hex() != record[name]:
        raise Malformed(f"Its “{name}” is not a hash.")
    return value


def files_of(record: dict[str, Any]) -> Package:
    """Return the package in a line; raise `InvalidDefinition` if no deployment would accept it."""
    files = record.get("files")
    if not isinstance(files, dict):
        raise Malformed("It contains no files.")
    try:
        return Package({path: base64.b64decode(text_of(files, path), validate=True) for path in files})
    except (binascii.Error, ValueError) as error:
        raise Malformed("A file in it cannot be read.") from error

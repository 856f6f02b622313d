"""Passwords: the rules for choosing one, and Argon2id hashes."""

from __future__ import annotations

import base64
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from ..core.errors import InvalidSubmission

MIN_LENGTH = 12
MAX_LENGTH = 200
MIN_DIFFERENT = 5
#: A shorter name may occur in a password by chance.
SHORTEST_NAME = 4
#: One verification takes 64 MiB and about 0.1 s; with more at once, strangers at the sign-in page could starve staff.
AT_ONCE = 2
#: Bytes of salt in a made-up hash.
SALT = 16

#: Long enough, but among the first that are guessed (letters and digits only, lower case).
_GUESSED_FIRST = (
    "123456789012 1234567890123 12345678901234 passwordpassword password1234 password12345 password123456 "
    "qwertyuiop12 qwertyuiop123 qwertyuiopasdf 1qaz2wsx3edc 1q2w3e4r5t6y adminadminadmin administrator "
    "administrator1 letmeinletmein welcomewelcome welcome12345 changemechangeme iloveyou1234 abcdefghijkl "
    "qwerty123456 qwerty1234567 abc123abc123 trustno1trustno1 sunshine1234 princess1234 football1234"
)
GUESSED_FIRST = frozenset(_GUESSED_FIRST.split())


class PasswordRefused(InvalidSubmission):
    """This password cannot be used."""


class Passwords:
    """Hashes and verifies passwords, a few at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = _hash_of_nothing(self._hasher)

    def hash(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether *stored* is the hash of *password*; takes the same time when there is no such account."""
        if len(password) > MAX_LENGTH:
            return False
        with self._turns:
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash that no password has; made up, because computing one would take 64 MiB in every process that starts."""
    salt, made = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (SALT, hasher.hash_len))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${made}"


def check(password: str, name: str) -> None:
    """Refuse passwords that are easy to guess; raises `PasswordRefused` with the reason."""
    reason = _weakness(password, name)
    if reason:
        raise PasswordRefused(f"The password {reason}", fields={"password": f"The password {reason}"})


def _weakness(password: str, name: str) -> str:
    plain = "".join(letter for letter in password.lower() if letter.isalnum())
    if len(password) < MIN_LENGTH:
        return f"needs at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"may have at most {MAX_LENGTH} characters."
    if len(set(password)) < MIN_DIFFERENT:
        return "repeats the same few characters; mix more of them."
    if plain in GUESSED_FIRST:
        return "is among those guessed first; choose another."
    if len(name) >= SHORTEST_NAME and name.lower() in password.lower():
        return "contains the account's name; choose another."
    return ""

"""The checkpoint file: one signed head a line, append-only, best kept on another machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..core.errors import Misconfigured
from ..settings import Settings
from ..store.private_files import opener, tighten
from .merkle import SigningKey, public_key


def read_lines(file: Path) -> list[str]:
    """Return the lines of *file*, or none if it does not exist; raise `Misconfigured` if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    except OSError as error:
        raise Misconfigured(f"The checkpoint file {file} cannot be read ({type(error).__name__}).") from error


def append_lines(file: Path, lines: Iterable[str]) -> None:
    """Append *lines* and wait until they are on the disk; raise `Misconfigured` if the file cannot be written."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    try:
        tighten(file)
        with open(file, "ab", opener=opener) as opened:
            if opened.tell() and not _ends_its_line(file):
                text = f"\n{text}"  # half a line left by a crash must not corrupt the next one
            opened.write(text.encode())
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise Misconfigured(f"The checkpoint file {file} cannot be written ({type(error).__name__}).") from error


def write_anew(file: Path, lines: Iterable[str]) -> None:
    """Write *lines* instead of what *file* holds, which stays beside it with the ending ``.before``."""
    try:
        if file.exists():
            file.replace(file.with_name(f"{file.name}.before"))
    except OSError as error:
        raise Misconfigured(f"The checkpoint file {file} cannot be written ({type(error).__name__}).") from error
    append_lines(file, lines)


def _ends_its_line(file: Path) -> bool:
    with file.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) == b"\n"


def public_key_of(settings: Settings, given: str | None = None) -> str:
    """
    Return the public key to verify with: *given* as text or as a file path, else that of the signing key.

    Raises `Misconfigured` if there is none.
    """
    if given is not None:
        file = Path(given)
        try:
            return public_key(file.read_text(encoding="utf-8") if file.is_file() else given)
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"The public key {given} cannot be read.") from error
    own = Path(settings.signing_key_file)
    if settings.signing_key:
        return SigningKey.from_line(settings.signing_key).public_text
    if not own.exists():
        raise Misconfigured(
            f"There is no signing key at {own}. Give the public key with --key; print it where the key is with: "
            "usher checkpoint --public-key"
        )
    return SigningKey.at(own).public_text

"""Writes an export to a file that is either complete or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ..core.errors import Misconfigured


def write_file(file: Path, pieces: Callable[[], Iterable[bytes]]) -> int:
    """
    Write *pieces* to *file* and return the number of bytes.

    Writes a temporary file in the same folder and renames it at the end. On any failure it removes the temporary file
    and leaves an existing *file* unchanged. It calls *pieces* only after it has opened the temporary file.

    Raises:
        Misconfigured: The file cannot be written.
    """
    try:
        opened, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    except OSError as error:
        raise _unwritable(file, error) from error
    draft = Path(name)
    try:
        with os.fdopen(opened, "wb") as writing:
            for piece in pieces():
                writing.write(piece)
            writing.flush()
            os.fsync(writing.fileno())
            size = writing.tell()
        draft.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return size


def _unwritable(file: Path, error: OSError) -> Misconfigured:
    return Misconfigured(f"The file {file} cannot be written: {error.strerror or type(error).__name__}.")

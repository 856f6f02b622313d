"""Creates files that hold patients' data with mode 0600, and takes other accounts' rights to existing ones away."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

log = logging.getLogger("usher.files")

OTHERS = 0o077


def opener(path: str, flags: int) -> int:
    """An opener for `open` that creates files with mode 0600."""
    return os.open(path, flags, 0o600)


def create(file: Path) -> None:
    """Create *file* with mode 0600 if it does not exist; the next code that opens it reports errors."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return


def tighten(file: Path) -> None:
    """Take other accounts' rights to *file* away and log it; log it too when another account owns the file."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if os.name != "posix" or not mode & OTHERS:
            return
        file.chmod(mode & ~OTHERS)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s can be opened by other accounts: %s. Run: chmod 600 %s", file, error.strerror, file)
    else:
        log.warning("%s was open to other accounts (mode %04o); now only this account can open it", file, mode)

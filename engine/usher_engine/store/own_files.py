"""Files that hold patients' data belong to the account Usher runs as, and to nobody else (mode 0600)."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

log = logging.getLogger("usher.files")

OTHERS = 0o077


def opener(path: str, flags: int) -> int:
    """For `open`: a file it creates is ours alone."""
    return os.open(path, flags, 0o600)


def create(file: Path) -> None:
    """Make *file* ours alone where there is none; opening it says why it cannot be made."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return


def tighten(file: Path) -> None:
    """Take other accounts' rights to *file* away, and tell of it; where it is somebody else's, tell of that."""
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
        log.warning("%s could be opened by other accounts (mode %04o); now by this one only", file, mode)

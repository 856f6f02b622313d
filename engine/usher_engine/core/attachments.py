"""Files that people attach: what kind a content is, and a name that is safe to keep and to offer for download. Pure.

The kind is read from the content, never from the name or from what a browser says.
"""

from __future__ import annotations

import unicodedata

from .errors import InvalidSubmission

#: The kinds that are taken, with the endings a name of that kind may have; the first is added where it has none.
KINDS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "text/plain": (".txt",),
}

#: The beginnings of the kinds that have one.
_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}

#: The longest name, in characters.
MAX_NAME = 100

#: Names that Windows keeps for devices.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{one}{n}" for one in ("com", "lpt") for n in range(1, 10))})
#: Characters that some file system does not take.
_UNSAFE = frozenset('<>:"|?*')
#: Control characters that plain text has.
_TEXT = frozenset("\t\n\r\f")


def kind_of(content: bytes) -> str:
    """The kind of *content*; raises `InvalidSubmission` for what is not taken."""
    if not content:
        raise refused_file("is empty")
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if all(letter in _TEXT or unicodedata.category(letter) != "Cc" for letter in text):
        return "text/plain"
    raise refused_file("is no PDF, PNG, JPEG or plain text (UTF-8)")


def safe_name(name: str, kind: str) -> str:
    """
    *name* without folders, control characters, marks of direction and what a file system does not take.

    It is at most `MAX_NAME` characters long and ends as its *kind* does, so that opening it shows nothing else.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = (letter for letter in last if unicodedata.category(letter)[0] != "C")
    plain = " ".join("".join("_" if letter in _UNSAFE else letter for letter in kept).split()).rstrip(". ")
    endings = KINDS[kind]
    ending = next((one for one in endings if plain.lower().endswith(one)), "")
    stem = (plain[: len(plain) - len(ending)] if ending else plain).strip(". ") or "file"
    if stem.partition(".")[0].strip().lower() in _DEVICES:
        stem = f"_{stem}"
    ending = ending or endings[0]
    return f"{stem[: MAX_NAME - len(ending)]}{ending}"


def refused_file(why: str) -> InvalidSubmission:
    """The refusal of a file, as the end of a sentence."""
    reason = f"The file {why}. Choose another one; nothing was added."
    return InvalidSubmission(reason, fields={"file": reason})

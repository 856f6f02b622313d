"""Proofs that nothing was altered or removed: the Merkle tree of RFC 9162, and tree heads signed with Ed25519.

Knows no rows: `checkpointer` decides which are leaves. `Tree` keeps at most one hash for each power of two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from ..core.canonical import Json, canonical
from ..core.errors import Corrupt, Misconfigured

#: Prefix of signed heads; nothing else that this key signs may begin with it.
CONTEXT = b"usher checkpoint 1\n"

#: The same for the last line of an export.
EXPORT_CONTEXT = b"usher export 1\n"

KEY_KIND = "ed25519:"

# the tree (RFC 9162, 2.1.1)


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """
    A Merkle tree that only grows.

    It keeps the roots of its full subtrees, largest first; with them and the size, it can grow after a restart.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise Corrupt("The stored peaks of the Merkle tree do not fit its size.")
        self.size = size
        self.peaks = list(peaks)

    def append(self, entry: bytes) -> None:
        """Add the leaf of *entry*."""
        added, full = leaf_hash(entry), self.size
        while full & 1:
            added, full = node_hash(self.peaks.pop(), added), full >> 1
        self.peaks.append(added)
        self.size += 1

    @property
    def peaks_text(self) -> str:
        """The peaks as they are stored: hexadecimal, separated by spaces."""
        return " ".join(peak.hex() for peak in self.peaks)

    @property
    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found


def root_of(entries: Iterable[bytes]) -> bytes:
    tree = Tree()
    for entry in entries:
        tree.append(entry)
    return tree.root


# signed heads


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """
    The contents of a checkpoint: at time *at*, the tree of database *origin* had *size* leaves and this *root*.

    *number* counts the checkpoints of a database from 1; *root* is hexadecimal.
    """

    origin: str
    number: int
    size: int
    root: str
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedHead:
    """*key* is the public key as `public_text` writes it, *signature* base64 of 64 bytes."""

    head: Head
    key: str
    signature: str

    def to_line(self) -> str:
        """Return the line for the checkpoint file, without a line end."""
        return canonical({"head": asdict(self.head), "key": self.key, "signature": self.signature}).decode()

    @classmethod
    def from_line(cls, line: str) -> SignedHead:
        """Return the head in *line*; raise `Corrupt` unless `to_line` wrote it."""
        try:
            record = json.loads(line)
            signed = cls(head=Head(**record["head"]), key=record["key"], signature=record["signature"])
            whole = signed.to_line() == line
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Corrupt("This line is not a signed checkpoint.") from error
        if not whole or not _sound(signed):
            raise Corrupt("This line is not a signed checkpoint.")
        return signed

    def is_signed_by(self, key: str) -> bool:
        """Whether the owner of the public *key* made the signature."""
        try:
            _public_key(key).verify(base64.b64decode(self.signature, validate=True), _signed_bytes(self.head))
        except (InvalidSignature, binascii.Error):
            return False
        return self.key == key


def signs_export(key: str, digest: bytes, signature: str) -> bool:
    """Whether the owner of the public *key* made *signature* over an export with this SHA-256."""
    try:
        _public_key(key).verify(base64.b64decode(signature, validate=True), EXPORT_CONTEXT + digest)
    except (InvalidSignature, ValueError):
        return False
    return True


def _sound(signed: SignedHead) -> bool:
    head = signed.head
    texts = (head.origin, head.root, head.at, signed.key, signed.signature)
    return all(type(text) is str for text in texts) and all(type(n) is int and n > 0 for n in (head.number, head.size))


def _signed_bytes(head: Head) -> bytes:
    record: Json = asdict(head)
    return CONTEXT + canonical(record)


# keys


class SigningKey:
    """The private key that signs checkpoints; only its owner can read its file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        #: The public key for people to pass on: ``ed25519:`` and base64.
        self.public_text = KEY_KIND + base64.b64encode(raw).decode()

    def sign(self, head: Head) -> SignedHead:
        signature = base64.b64encode(self._key.sign(_signed_bytes(head))).decode()
        return SignedHead(head=head, key=self.public_text, signature=signature)

    def sign_export(self, digest: bytes) -> str:
        """Return the signature (base64) over an export with this SHA-256, for `signs_export`."""
        return base64.b64encode(self._key.sign(EXPORT_CONTEXT + digest)).decode()

    @classmethod
    def at(cls, file: Path) -> SigningKey:
        """Return the key in *file*, created at first use; raise `Misconfigured`."""
        try:
            if not file.exists():
                _make(file)
            _refuse_open(file)
            key = load_pem_private_key(file.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise Misconfigured(f"The signing key {file} cannot be read or made ({type(error).__name__}).") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured(f"The signing key {file} is not an Ed25519 key.")
        return cls(key)

    @classmethod
    def from_line(cls, line: str) -> SigningKey:
        """Return the key of which *line* is the one between BEGIN and END of its file; raise `Misconfigured`."""
        try:
            key = load_der_private_key(base64.b64decode(line, validate=True), None)
        except (ValueError, TypeError) as error:
            raise Misconfigured(f"USHER_SIGNING_KEY is no key ({type(error).__name__}).") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured("USHER_SIGNING_KEY is not an Ed25519 key.")
        return cls(key)


def _make(file: Path) -> None:
    """Write a new key; if two processes do so at once, the first wins."""
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as writing:
        writing.write(made)
        writing.flush()
        os.fsync(writing.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # another process made the key first: use that one
    finally:
        draft.unlink()


def _refuse_open(file: Path) -> None:
    if os.name == "posix" and file.stat().st_mode & 0o077:
        raise Misconfigured(f"Others can read the signing key {file}. Make it private: chmod 600 {file}")


def public_key(text: str) -> str:
    """Return *text* if it is a public key in the form of `SigningKey.public_text`; raise `Misconfigured` otherwise."""
    found = text.strip()
    _public_key(found)
    return found


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix(KEY_KIND), validate=True))
    except ValueError:
        raise Misconfigured(
            "This is not a public key. A key begins with ed25519: ; print it with: usher checkpoint --public-key"
        ) from None

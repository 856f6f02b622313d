"""Binds a signing key to a database: what signs for it first is the only key that may, on whatever machine.

Several nodes serve one database. A node that came with a key of its own would break the proof for good, because heads
are only ever added; so it refuses to sign, and says how it gets the right key.
"""

from __future__ import annotations

from pathlib import Path

from ..core.errors import Corrupt, Misconfigured
from ..settings import Settings
from ..store import Database, Transaction, checkpoint_rows
from .merkle import SignedHead, SigningKey


def signing_key(database: Database, settings: Settings) -> SigningKey:
    """
    The key that signs for *database*; the first one asked for becomes it.

    Raises `Misconfigured` if this node has no key, another one, or one that cannot be read.
    """
    with database.read() as tx:
        bound = _bound(tx)
    if bound is not None:
        return _own(settings, bound)
    with database.begin() as tx:
        return bind_signing_key(tx, settings)


def bind_signing_key(tx: Transaction, settings: Settings) -> SigningKey:
    """What `signing_key` returns, within a transaction that writes."""
    bound = _bound(tx)
    key = _own(settings, bound)
    if checkpoint_rows.bind_key(tx, key.public_text):
        return key
    return _own(settings, _bound(tx))  # another node was first


def public_key_of_database(database: Database, settings: Settings) -> str:
    """The public key of the database; before anything was signed, that of this node. Raises `Misconfigured`."""
    with database.read() as tx:
        return _bound(tx) or _read(settings).public_text


def _bound(tx: Transaction) -> str | None:
    """The public key that signs for the database; a version before 0.3 did not store it beside its heads."""
    stored = checkpoint_rows.bound_key(tx)
    newest = checkpoint_rows.last(tx)
    if stored is not None or newest is None:
        return stored
    try:
        return SignedHead.from_line(newest.line).key
    except Corrupt:
        raise Corrupt("The last checkpoint in the database cannot be read; nothing was signed.") from None


def _own(settings: Settings, bound: str | None) -> SigningKey:
    """This node's key, which must be the *bound* one; a key file is made only where nothing was signed before."""
    if bound is not None and not settings.signing_key and not Path(settings.signing_key_file).exists():
        raise Misconfigured(f"There is no signing key at {settings.signing_key_file}. {_remedy(bound)}")
    key = _read(settings)
    if bound is not None and key.public_text != bound:
        where = "USHER_SIGNING_KEY" if settings.signing_key else settings.signing_key_file
        raise Misconfigured(f"The signing key in {where} is not the one of this database. {_remedy(bound)}")
    return key


def _read(settings: Settings) -> SigningKey:
    if settings.signing_key:
        return SigningKey.from_line(settings.signing_key)
    return SigningKey.at(Path(settings.signing_key_file))


def _remedy(bound: str) -> str:
    return (
        f"Nothing was signed. This database is signed with {bound}. Give this node that key: copy the key file of the "
        "node that signed before, or set USHER_SIGNING_KEY to the line between its BEGIN and END, or mount it and name "
        "it in USHER_SIGNING_KEY_FILE."
    )

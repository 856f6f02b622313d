"""What browsers carry for us, signed so that they cannot change it: with the one secret, the one clock, a salt each."""

from __future__ import annotations

import hashlib

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from .site import site


class _Clocked(TimestampSigner):
    """Signs with the time of the one clock."""

    def get_timestamp(self) -> int:
        return int(site().now().timestamp())


def serializer(salt: str) -> URLSafeTimedSerializer:
    """Signs and reads what is kept under *salt*; one salt's signatures are worth nothing under another."""
    hashing = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(site().settings.secret_key, salt=salt, signer=_Clocked, signer_kwargs=hashing)

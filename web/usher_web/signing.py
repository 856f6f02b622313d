"""Signs values that browsers keep for us, with the secret key, the injected clock, and a salt for each purpose."""

from __future__ import annotations

import hashlib

from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from .site import site


class _Clocked(TimestampSigner):
    """Signs with the time of the one clock."""

    def get_timestamp(self) -> int:
        return int(site().now().timestamp())


def serializer(salt: str) -> URLSafeTimedSerializer:
    """A serializer for the purpose *salt*; it refuses values signed for another purpose."""
    hashing = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(site().settings.secret_key, salt=salt, signer=_Clocked, signer_kwargs=hashing)

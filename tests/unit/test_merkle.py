"""The Merkle tree against published roots and its definition; signed heads; the key file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.checkpoints.merkle import (
    Head,
    SignedHead,
    SigningKey,
    Tree,
    leaf_hash,
    node_hash,
    public_key,
    root_of,
    signs_export,
)
from usher_engine.core.errors import Corrupt, Misconfigured

#: Entries and roots that implementations of Certificate Transparency are tested with (RFC 6962, and RFC 9162).
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

HEAD = Head(origin="usher-1", number=1, size=3, root="ab" * 32, at="2026-05-04T09:02:00.000000Z")


def by_definition(entries):
    """The root as RFC 9162, 2.1.1, defines it."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return node_hash(by_definition(entries[:split]), by_definition(entries[split:]))


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size):
    assert root_of(ENTRIES[:size]).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
def test_a_tree_grows_from_its_peaks(entries, cut):
    before = Tree()
    for entry in entries[:cut]:
        before.append(entry)
    after = Tree(before.size, before.peaks)
    for entry in entries[cut:]:
        after.append(entry)
    assert after.root == by_definition(entries)
    assert after.size == len(entries)


def test_peaks_that_do_not_fit_are_refused():
    with pytest.raises(Corrupt, match="do not fit its size"):
        Tree(3, [b"\x00" * 32])


def test_a_signed_head_survives_its_line(tmp_path):
    key = SigningKey.at(tmp_path / "key.pem")
    signed = key.sign(HEAD)
    assert SignedHead.from_line(signed.to_line()) == signed
    assert signed.is_signed_by(key.public_text)
    assert public_key(f" {key.public_text}\n") == key.public_text


def test_another_head_key_or_signature_is_refused(tmp_path):
    key, other = SigningKey.at(tmp_path / "key.pem"), SigningKey.at(tmp_path / "other.pem")
    signed = key.sign(HEAD)
    assert not signed.is_signed_by(other.public_text)
    for changed in (replace(HEAD, size=4), replace(HEAD, origin="usher-2"), replace(HEAD, root="00" * 32)):
        assert not replace(signed, head=changed).is_signed_by(key.public_text)
    assert not replace(signed, signature="no base64!").is_signed_by(key.public_text)
    assert not replace(signed, signature="").is_signed_by(key.public_text)
    assert not replace(signed, signature=f"{signed.signature[:8]}!{signed.signature[8:]}").is_signed_by(key.public_text)
    assert not replace(signed, key=other.public_text).is_signed_by(key.public_text)


def verify_independently(public_text, signature, message):
    """Verify with an independent Ed25519; raise InvalidSignature."""
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_text.removeprefix("ed25519:"), validate=True))
    public.verify(base64.b64decode(signature, validate=True), message)
    return True


def test_the_signed_bytes_follow_the_documented_format(tmp_path):
    """Checkpoint files outlive versions: key, context and bytes must be those that exports.md documents."""
    key = SigningKey.at(tmp_path / "key.pem")
    assert key.public_text.startswith("ed25519:") and len(key.public_text) == 8 + 44
    head = (
        b'usher checkpoint 1\n{"at":"2026-05-04T09:02:00.000000Z","number":1,"origin":"usher-1","root":"'
        + b"ab" * 32
        + b'","size":3}'
    )
    assert verify_independently(key.public_text, key.sign(HEAD).signature, head)
    assert verify_independently(key.public_text, key.sign_export(b"digest"), b"usher export 1\ndigest")


def test_only_the_key_of_an_export_verifies_it(tmp_path):
    key, other = SigningKey.at(tmp_path / "key.pem"), SigningKey.at(tmp_path / "other.pem")
    digest = hashlib.sha256(b"export").digest()
    signature = key.sign_export(digest)
    assert signs_export(key.public_text, digest, signature) is True
    assert signs_export(other.public_text, digest, signature) is False
    assert signs_export(key.public_text, hashlib.sha256(b"other").digest(), signature) is False
    for wrong in ("", "no base64!", f"{signature[:8]}!{signature[8:]}", key.sign(HEAD).signature):
        assert signs_export(key.public_text, digest, wrong) is False


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "null", '"text"', "{}", '{"head":{},"key":"k","signature":"s"}', "[" * 100_000, '{"head":1}'],
)
def test_a_line_that_is_not_a_head_is_refused(line):
    with pytest.raises(Corrupt, match="not a signed checkpoint"):
        SignedHead.from_line(line)


def test_a_head_is_read_from_its_own_line_only(tmp_path):
    """Each head has exactly one valid line: otherwise a line could be altered and its head still count as signed."""
    line = SigningKey.at(tmp_path / "key.pem").sign(HEAD).to_line()
    for other in (f"{line} ", line.replace(",", ", ", 1), json.dumps(json.loads(line)), line[:-1] + ',"more":1}'):
        with pytest.raises(Corrupt, match="not a signed checkpoint"):
            SignedHead.from_line(other)


@pytest.mark.parametrize(("field", "value"), [("size", "3"), ("size", True), ("number", 0), ("root", 5), ("at", None)])
def test_a_head_of_wrong_types_is_refused(field, value):
    record = {"origin": "o", "number": 1, "size": 3, "root": "ab", "at": "now", field: value}
    line = json.dumps({"head": record, "key": "k", "signature": "s"}, separators=(",", ":"), sort_keys=True)
    with pytest.raises(Corrupt, match="not a signed checkpoint"):
        SignedHead.from_line(line)


def test_the_key_is_private_and_made_once(tmp_path):
    file = tmp_path / "key.pem"
    first = SigningKey.at(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [left.name for left in tmp_path.iterdir()] == ["key.pem"]
    assert SigningKey.at(file).public_text == first.public_text


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o640, 0o620, 0o610])
def test_a_key_others_could_use_is_refused(tmp_path, mode):
    file = tmp_path / "key.pem"
    SigningKey.at(file)
    file.chmod(mode)
    with pytest.raises(Misconfigured, match=f"chmod 600 {file}"):
        SigningKey.at(file)


@pytest.mark.parametrize(
    ("made", "lock", "message"),
    [
        (X25519PrivateKey, NoEncryption(), "key.pem is not an Ed25519 key"),
        (Ed25519PrivateKey, BestAvailableEncryption(b"secret"), r"key.pem cannot be read or made \(TypeError\)"),
    ],
)
def test_a_key_of_another_kind_is_refused(tmp_path, made, lock, message):
    file = tmp_path / "key.pem"
    file.write_bytes(made.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    file.chmod(0o600)
    with pytest.raises(Misconfigured, match=message):
        SigningKey.at(file)


def test_a_key_is_read_though_a_process_died_while_making_one(tmp_path):
    file = tmp_path / "key.pem"
    key = SigningKey.at(file)
    (tmp_path / f"key.pem.{os.getpid()}").write_text("half a k")
    assert SigningKey.at(file).public_text == key.public_text


def test_a_text_that_is_not_a_key_is_refused(tmp_path):
    file = tmp_path / "key.pem"
    file.write_text("no key")
    file.chmod(0o600)
    with pytest.raises(Misconfigured, match="cannot be read"):
        SigningKey.at(file)
    with pytest.raises(Misconfigured, match="cannot be read or made"):
        SigningKey.at(tmp_path / "no folder" / "key.pem")
    good = SigningKey.at(tmp_path / "other.pem").public_text
    for text in ("", "ed25519:", "ed25519:AAAA", "hello", f"{good[:20]}!{good[20:]}"):
        with pytest.raises(Misconfigured, match="not a public key"):
            public_key(text)

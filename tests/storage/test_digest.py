"""Digests: the same values that other tools compute, in any cut of the stream."""

import hashlib
import io
import shutil
import subprocess

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from storage.digest import (
    Fingerprint,
    Hasher,
    digest_stream,
    equal,
    fingerprint,
    fingerprint_bytes,
    parse_supplied,
)
from storage.errors import InputError

ABC_SM3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
"""GB/T 32905, annex A: the message abc."""
ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ABC_BLAKE3 = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"


def test_known_values() -> None:
    """FP-01."""
    assert fingerprint_bytes(b"abc") == Fingerprint(3, ABC_SHA256, ABC_SM3, ABC_BLAKE3)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_the_cut_of_the_stream_does_not_matter(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    hasher = Hasher()
    for piece in pieces:
        hasher.update(piece)
    assert hasher.finish() == fingerprint_bytes(whole) == fingerprint(io.BytesIO(whole))


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, (1 << 20) - 1, (3 << 20) + 7])
def test_large_pieces_are_hashed_alike(size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    seen = fingerprint(io.BytesIO(data))
    assert seen.size == size
    assert seen.sha256 == hashlib.sha256(data).hexdigest()
    assert seen.sm3 == hashlib.new("sm3", data).hexdigest()
    assert seen.blake3 == blake3(data).hexdigest()
    for algorithm, value in seen.digests.items():
        assert digest_stream(io.BytesIO(data), algorithm) == value


def test_the_system_computes_the_same() -> None:
    data = "证据".encode() * 1000
    program = shutil.which("sha256sum")
    assert program is not None
    output = subprocess.run([program], input=data, capture_output=True, check=True).stdout
    assert output.split()[0].decode() == fingerprint_bytes(data).sha256


@given(st.binary(max_size=50))
def test_fingerprints_are_read_back(data: bytes) -> None:
    """FP-04."""
    value = fingerprint_bytes(data)
    assert Fingerprint.from_json(value.as_json()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "sha256:",
        ABC_SHA256[:-1],
        ABC_SHA256 + "0",
        "sha256:" + "g" * 64,
        "sha512:" + "0" * 128,
        "crc32:00000000",
        "md5:" + "0" * 40,
        "sha256:" + "０" * 64,
        f"sha256:{ABC_SHA256} x",
    ],
)
def test_other_supplied_values_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_supplied(text)


@pytest.mark.parametrize("algorithm", ["sha256", "sm3", "blake3"])
@pytest.mark.parametrize("form", ["{0}:{1}", " {0}:{1}\n", "{0}: {1}"])
def test_supplied_values(algorithm: str, form: str) -> None:
    value = fingerprint_bytes(b"abc").digests[algorithm]
    for text in (form.format(algorithm, value), form.format(algorithm.upper(), value.upper())):
        parsed = parse_supplied(text)
        assert (parsed.algorithm, parsed.value) == (algorithm, value)


def test_supplied_spellings() -> None:
    assert parse_supplied(ABC_SHA256).algorithm == "sha256"
    assert parse_supplied(f"SHA-256:{ABC_SHA256}").algorithm == "sha256"
    assert parse_supplied("MD5:" + "0" * 32).algorithm == "md5"
    assert parse_supplied("SHA-1:" + "0" * 40).algorithm == "sha1"


def test_comparison() -> None:
    assert equal(ABC_SHA256, ABC_SHA256.upper())
    assert not equal(ABC_SHA256, ABC_SM3)

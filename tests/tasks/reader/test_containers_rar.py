"""rar's headers and checksums, which are read here because libarchive keeps quiet about them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader.containers import rarheads
from tasks.reader.containers.checksums import Blake2sp, verified
from tasks.reader.containers.rarheads import Head
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tests.tasks.reader import packer
from tests.tasks.reader.packed import CONTENT, taken

WRITERS = {"rar": packer.rar5, "old": packer.rar4}


@pytest.mark.parametrize("kind", WRITERS)
def test_headers_tell_names_sizes_and_the_end(kind: str) -> None:
    data = WRITERS[kind](CONTENT)
    heads = rarheads.read(Source(data), 100)
    assert [head.name.decode() for head in heads.files] == list(CONTENT)
    assert [head.packed for head in heads.files] == [len(each) for each in CONTENT.values()]
    assert (heads.end, heads.volume, heads.encrypted) == (len(data), False, False)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), st.binary(max_size=300), st.integers(0, 60))
def test_noise_behind_any_header_ends_quietly(kind: str, noise: bytes, kept: int) -> None:
    data = WRITERS[kind]({"a": b"x" * 10})[: 8 + kept] + noise
    heads = rarheads.read(Source(data), 10)
    assert len(heads.files) <= 11


def test_a_header_that_leads_back_to_itself_ends() -> None:
    # Size 0 in the old form, and a header of nothing in the new one.
    assert not rarheads.read(Source(rarheads.RAR4 + bytes(100)), 10).files
    assert not rarheads.read(Source(rarheads.RAR5 + bytes(100)), 10).files


def test_blake2sp_is_the_published_one() -> None:
    empty = "dd0e891776933f43c7d032b08a917e25741f8aa9a12c12e1cac8801500f2ca4f"
    assert Blake2sp().digest().hex() == empty


@given(st.binary(max_size=3000), st.integers(1, 700))
def test_blake2sp_is_the_same_however_the_bytes_come(data: bytes, size: int) -> None:
    whole, pieces = Blake2sp(), Blake2sp()
    whole.update(data)
    for at in range(0, len(data), size):
        pieces.update(data[at : at + size])
    assert whole.digest() == pieces.digest()


@pytest.mark.parametrize("good", [True, False], ids=["right", "wrong"])
def test_a_member_is_checked_by_the_hash_that_it_has(good: bool) -> None:
    tree = Blake2sp()
    tree.update(b"content")
    digest = tree.digest() if good else hashlib.sha256(b"content").digest()
    pieces = verified(iter([b"con", b"tent"]), Head(b"a", 7, False, False, -1, digest))
    if good:
        assert b"".join(pieces) == b"content"
    else:
        with pytest.raises(Refused, match="校验值"):
            list(pieces)


@pytest.mark.parametrize("kind", WRITERS)
def test_encrypted_members_are_never_given_as_their_cipher_text(kind: str) -> None:
    data = WRITERS[kind](CONTENT, encrypted=True)
    assert all("加密" in str(said) for _, said in taken(data))

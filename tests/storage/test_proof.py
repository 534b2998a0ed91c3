"""tlog-proofs: one spelling, and only what the checkpoint's key and tree vouch for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError
from storage.merkle import MAX_SIZE, leaf_hash, node_hash
from storage.note import Signer
from storage.proof import HEADER, MAX_EXTRA, MAX_PATH, TlogProof, parse_proof

SIGNER = Signer("example.org/log", bytes(range(32)))
KEYS = [SIGNER.verifier]
LEAVES = [b"first", b"second", b"third"]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
LEFT = node_hash(HASHES[0], HASHES[1])
CHECKPOINT = Checkpoint("example.org/log", 3, node_hash(LEFT, HASHES[2]))
NOTE = CHECKPOINT.sign(SIGNER)
PROOF = TlogProof(1, (HASHES[0], HASHES[2]), NOTE)
TEXT = str(PROOF)


def test_the_form() -> None:
    lines = TEXT.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 1"]
    assert [len(line) for line in lines[2:5]] == [44, 44, 0]
    assert TEXT.endswith("\n\n" + NOTE)
    assert parse_proof(TEXT.encode()) == PROOF


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[1:],
        TEXT[:-1],
        TEXT + "\n",
        "\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("index 1", "index 01"),
        TEXT.replace("index 1", "index -1"),
        TEXT.replace("index 1", "index  1"),
        TEXT.replace("index 1", "index"),
        TEXT.replace("index 1\n", ""),
        TEXT.replace("index 1", "Index 1"),
        TEXT.replace("index 1", f"index {MAX_SIZE + 1}"),
        TEXT.replace("index 1", "extra \nindex 1"),
        TEXT.replace("index 1", "extra AA\nindex 1"),
        TEXT.replace("index 1", "index 1\nextra AAAA"),
        TEXT.replace("index 1", "extra AAAA\nextra AAAA\nindex 1"),
        TEXT.replace("index 1", "index 1\nindex 1"),
        TEXT.replace("index 1", "index 1\nAAAA"),
        TEXT.replace("index 1\n", "index 1\n\n"),
        TEXT.replace("\n\nexample", "\nexample"),
        str(TlogProof(1, (bytes(32),) * (MAX_PATH + 1), NOTE)),
        str(TlogProof(1, (bytes(31),), NOTE)),
        str(TlogProof(1, (), NOTE, bytes(MAX_EXTRA + 1))),
        str(TlogProof(1, (), NOTE.partition("\n\n")[0] + "\n")),
        f"{HEADER}\n\n{NOTE}",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        parse_proof(text.encode())


def test_verified_is_what_was_logged() -> None:
    proven = PROOF.verify(b"second", KEYS)
    assert (proven.position, proven.checkpoint) == (1, CHECKPOINT)


@pytest.mark.parametrize("leaf", [b"first", b"", b"secon", b"second\0", HASHES[1]])
def test_another_leaf_is_not_proven(leaf: bytes) -> None:
    with pytest.raises(IntegrityError):
        PROOF.verify(leaf, KEYS)


@pytest.mark.parametrize("index", [0, 2, 3, 1 << 40])
def test_another_index_is_not_proven(index: int) -> None:
    with pytest.raises(IntegrityError):
        TlogProof(index, PROOF.path, NOTE).verify(b"second", KEYS)


@pytest.mark.parametrize(
    "path",
    [(), PROOF.path[:1], PROOF.path[::-1], (*PROOF.path, bytes(32)), (LEFT, HASHES[2])],
)
def test_another_path_proves_nothing(path: tuple[bytes, ...]) -> None:
    with pytest.raises(IntegrityError):
        TlogProof(1, path, NOTE).verify(b"second", KEYS)


def test_an_inner_node_is_not_an_entry() -> None:
    """The classic forgery: an inner node passed off as a leaf of a smaller tree."""
    small = Checkpoint("example.org/log", 2, CHECKPOINT.root).sign(SIGNER)
    with pytest.raises(IntegrityError):
        TlogProof(0, (HASHES[2],), small).verify(HASHES[0] + HASHES[1], KEYS)


def test_another_keys_checkpoint_proves_nothing() -> None:
    with pytest.raises(IntegrityError):
        PROOF.verify(b"second", [Signer("example.org/log", bytes(32)).verifier])


@given(
    st.integers(0, MAX_SIZE),
    st.lists(st.binary(min_size=32, max_size=32), max_size=MAX_PATH),
    st.binary(max_size=100),
)
def test_proofs_are_read_back(index: int, path: list[bytes], extra: bytes) -> None:
    proof = TlogProof(index, tuple(path), NOTE, extra)
    assert parse_proof(str(proof).encode()) == proof


@given(st.binary(max_size=100), st.integers(0, len(TEXT)))
def test_damaged_proofs_are_refused_or_spelled_back(junk: bytes, at: int) -> None:
    whole = TEXT.encode()
    for untrusted in (junk, whole[:at] + junk + whole[at:], whole[:at] + junk):
        try:
            proof = parse_proof(untrusted)
        except IntegrityError:
            continue
        assert str(proof).encode() == untrusted

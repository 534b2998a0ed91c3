"""Consistency proofs as text, and snapshots of a log that grows meanwhile."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.checkpoint import Checkpoint
from storage.consistency import Consistency, ConsistencyError, parse_consistency
from storage.errors import IntegrityError, NotFoundError
from storage.keyring import KeyRing
from storage.merkle import ProofError
from storage.proof import parse_proof
from storage.snapshot import Snapshot
from tests.storage.logs import ORIGIN, VERIFIER, MemoryLogStore, make_events, open_sql_log

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=60).map(tuple)
GOOD = b"zhenglian.consistency/1\nold 3\nnew 7\n" + b"A" * 43 + b"=\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        GOOD.rstrip(b"\n"),
        GOOD + b"\n",
        GOOD.replace(b"/1", b"/2"),
        GOOD.replace(b"old 3", b"old 03"),
        GOOD.replace(b"old 3", b"old -3"),
        GOOD.replace(b"new 7", b"new 7 "),
        GOOD.replace(b"new 7\n", b""),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"A=", b"B="),
        GOOD.replace(b"A" * 43, b"A" * 39),
        GOOD + (b"A" * 43 + b"=\n") * 200,
    ],
)
def test_another_form_is_refused(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_consistency(text)


@given(st.integers(1, 1 << 62), st.integers(1, 1 << 62), HASHES)
def test_what_is_written_is_read(old: int, new: int, path: tuple[bytes, ...]) -> None:
    proof = Consistency(old, new, path)
    assert parse_consistency(str(proof).encode()) == proof


def test_a_proof_of_other_sizes_proves_nothing() -> None:
    head = Checkpoint(ORIGIN, 7, bytes(32))
    with pytest.raises(ConsistencyError):
        Consistency(3, 7, ()).verify(head, head)


def test_a_snapshot_keeps_to_its_checkpoint_while_the_log_grows(tmp_path: Path) -> None:
    store = MemoryLogStore()
    log = open_sql_log(tmp_path, store)
    log.record(make_events(0, 300))
    ring = KeyRing.single(VERIFIER)
    older = Snapshot(store, ring)
    log.record(make_events(300, 700))
    newer = Snapshot(store, ring)
    assert (older.size, newer.size) == (300, 700)
    for index in (0, 255, 256, 299):
        leaf, text = older.prove(index)
        assert parse_proof(text.encode()).verify(leaf, [VERIFIER]).checkpoint == older.checkpoint
    with pytest.raises(NotFoundError):
        older.prove(300)
    proof = newer.prove_extends(older.checkpoint)
    proof.verify(older.checkpoint, newer.checkpoint)
    with pytest.raises(IntegrityError, match="only 300"):
        older.prove_extends(newer.checkpoint)
    with pytest.raises(ProofError):
        newer.prove_extends(Checkpoint(ORIGIN, 300, bytes(32)))


def test_a_changed_entry_is_not_proven(tmp_path: Path) -> None:
    store = MemoryLogStore()
    log = open_sql_log(tmp_path, store)
    log.record(make_events(0, 5))
    path = next(each for each in store.files if "entries" in each)
    store.files[path] = store.files[path].replace("张三".encode(), "李四".encode(), 1)
    with pytest.raises(ProofError):
        Snapshot(store, KeyRing.single(VERIFIER)).prove(0)

"""The full walk of a published log that somebody changed: each change is named, and where."""

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.checkpoint import open_checkpoint
from storage.event import encode
from storage.findings import Finding
from storage.log import CustodyLog, LogReader
from storage.merkle import leaf_hash
from storage.tiles import ENTRIES, Tile, decode_bundle, encode_bundle
from tests.storage.logs import (
    VERIFIER,
    MemoryLogStore,
    leaves_of,
    make_event,
    make_events,
    open_log,
)

SIZE = 300
FIRST, LAST = Tile(ENTRIES, 0), Tile(ENTRIES, 1, SIZE - 256)
Leaves = list[bytes]


@pytest.fixture
def store(tmp_path: Path) -> MemoryLogStore:
    store = MemoryLogStore()
    log: CustodyLog = open_log(tmp_path, store)
    log.record(make_events(0, 40))
    store.files["older"] = store.files["checkpoint"]
    log.record(make_events(40, SIZE))
    return store


def findings(store: MemoryLogStore) -> list[Finding]:
    return LogReader(store, VERIFIER).check().findings


def kinds(store: MemoryLogStore) -> set[tuple[str, int | None]]:
    return {(each.kind, each.index) for each in findings(store)}


def rewrite(store: MemoryLogStore, bundle: Tile, change: Callable[[Leaves], Leaves]) -> None:
    leaves = decode_bundle(store.files[bundle.path], bundle.width)
    store.files[bundle.path] = encode_bundle(change(leaves))


def edited(leaves: Leaves) -> Leaves:
    return [*leaves[:7], leaves[7].replace("张三".encode(), "李四".encode()), *leaves[8:]]


def inserted(leaves: Leaves) -> Leaves:
    return [*leaves[:7], encode(make_event(9999)), *leaves[7:-1]]


def removed(leaves: Leaves) -> Leaves:
    return [*leaves[:7], *leaves[8:]]


def reordered(leaves: Leaves) -> Leaves:
    return [*leaves[:7], leaves[8], leaves[7], *leaves[9:]]


class TestAnEntryBundle:
    @pytest.mark.parametrize("bundle", [FIRST, LAST])
    def test_an_edited_entry_is_named(self, store: MemoryLogStore, bundle: Tile) -> None:
        rewrite(store, bundle, edited)
        assert kinds(store) == {("entry_edited", bundle.start + 7)}

    @pytest.mark.parametrize("bundle", [FIRST, LAST])
    def test_an_inserted_entry_is_named(self, store: MemoryLogStore, bundle: Tile) -> None:
        rewrite(store, bundle, inserted)
        pushed_out = bundle.start + bundle.width - 1
        assert kinds(store) == {("entry_inserted", None), ("entry_missing", pushed_out)}

    @pytest.mark.parametrize("bundle", [FIRST, LAST])
    def test_a_removed_entry_is_named(self, store: MemoryLogStore, bundle: Tile) -> None:
        rewrite(store, bundle, removed)
        assert ("entry_missing", bundle.start + 7) in kinds(store)

    @pytest.mark.parametrize("bundle", [FIRST, LAST])
    def test_reordered_entries_are_named(self, store: MemoryLogStore, bundle: Tile) -> None:
        rewrite(store, bundle, reordered)
        assert {kind for kind, _ in kinds(store)} == {"entry_moved"}

    def test_entries_cannot_follow_their_edit_into_the_tiles(self, store: MemoryLogStore) -> None:
        """Whoever changes the entry and its hash alike still lacks the root above."""
        rewrite(store, FIRST, edited)
        leaves = decode_bundle(store.files[FIRST.path], FIRST.width)
        store.files[Tile(0, 0).path] = b"".join(map(leaf_hash, leaves))
        assert findings(store)
        assert not LogReader(store, VERIFIER).check().proven(7)

    def test_a_missing_bundle_is_named(self, store: MemoryLogStore) -> None:
        del store.files[LAST.path]
        assert ("entry_missing", 256) in kinds(store)


class TestATile:
    @pytest.mark.parametrize("tile", [Tile(0, 0), Tile(0, 1, SIZE - 256), Tile(1, 0, 1)])
    def test_a_changed_tile_is_named(self, store: MemoryLogStore, tile: Tile) -> None:
        data = bytearray(store.files[tile.path])
        data[5] ^= 1
        store.files[tile.path] = bytes(data)
        assert {kind for kind, _ in kinds(store)} == {"tile_changed"}

    @pytest.mark.parametrize("tile", [Tile(0, 0), Tile(0, 1, SIZE - 256), Tile(1, 0, 1)])
    def test_a_missing_tile_is_named(self, store: MemoryLogStore, tile: Tile) -> None:
        del store.files[tile.path]
        assert {kind for kind, _ in kinds(store)} == {"tile_changed"}


class TestAHead:
    def test_a_head_that_another_key_signed_is_named(self, store: MemoryLogStore) -> None:
        note = store.files["checkpoint"].decode().splitlines()
        note[1] = str(SIZE - 1)
        store.files["checkpoint"] = ("\n".join(note) + "\n").encode()
        assert {kind for kind, _ in kinds(store)} == {"checkpoint_signature"}

    def test_a_truncated_log_is_whole_but_against_a_kept_head(self, store: MemoryLogStore) -> None:
        kept = open_checkpoint(store.files["checkpoint"], [VERIFIER])
        store.files["checkpoint"] = store.files["older"]
        reader = LogReader(store, VERIFIER)
        assert reader.check().ok
        assert [each.kind for each in reader.check(kept).findings] == ["rolled_back"]


class TestTheStolenKey:
    def test_a_history_signed_anew_shows_against_a_kept_head_alone(
        self, store: MemoryLogStore, tmp_path: Path
    ) -> None:
        """The limit that docs/threats.md states: with the key, everything can be made anew."""
        kept = open_checkpoint(store.files["checkpoint"], [VERIFIER])
        forged = MemoryLogStore()
        folder = tmp_path / "forged"
        folder.mkdir()
        log = open_log(folder, forged)
        log.record([*make_events(0, 7), *make_events(8, SIZE + 1)])
        reader = LogReader(forged, VERIFIER)
        assert reader.check().ok
        assert [each.kind for each in reader.check(kept).findings] == ["forked"]


def test_a_true_log_has_no_finding(store: MemoryLogStore) -> None:
    check = LogReader(store, VERIFIER).check()
    assert check.ok
    assert [leaf for _, leaf in check.entries] == leaves_of(make_events(0, SIZE))

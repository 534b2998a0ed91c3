"""Partial tiles that the log has outgrown: what goes, what stays, and what is read in their place.

Every checkpoint that was ever published stays verifiable, whatever was removed and whenever the
process that removed it was killed.
"""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.checkpoint import Checkpoint
from storage.directory import DirectoryLogStore
from storage.errors import HostError, NotFoundError
from storage.log import BATCH, PUBLISH_AFTER, CustodyLog
from storage.merkle import Frontier, consistency_proof, leaf_hash, verify_consistency
from storage.objects import LogStore
from storage.outgrown import LOOK_BACK, cut, outgrown, read_tile, remove_outgrown, sweep
from storage.published import LogReader
from storage.snapshot import Snapshot
from storage.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TileHashes,
    decode_bundle,
    decode_tile,
    encode_bundle,
    level_size,
    new_bundles,
    new_tiles,
    parse_path,
    tiles_of,
    top_level,
)
from tests.storage.logs import SIGNER, VERIFIER, MemoryLogStore, make_events, open_sql_log
from tests.storage.logs import open_log as open_memory_log

_STEPS = st.lists(
    st.one_of(
        st.integers(1, 3),
        st.integers(1, 300),
        st.sampled_from([255, 256, 257, 1024, PUBLISH_AFTER]),
    ),
    min_size=1,
    max_size=16,
)


class Grown:
    """A log as the publisher leaves it, whose entries are numbers; it is published step by step."""

    def __init__(self) -> None:
        self.store = MemoryLogStore()
        self.leaves: list[bytes] = []
        self.frontier = Frontier()
        self.levels: dict[int, list[bytes]] = {}
        self.checkpoints: list[Checkpoint] = []

    @property
    def size(self) -> int:
        return self.checkpoints[-1].size if self.checkpoints else 0

    def publish(self, more: int) -> None:
        """Append and publish, but remove nothing."""
        for _ in range(more):
            self.leaves.append(b"entry %d" % len(self.leaves))
            for node in self.frontier.append(leaf_hash(self.leaves[-1])):
                if node.level % 8 == 0:
                    self.levels.setdefault(node.level // 8, []).append(node.hash)
        before, after = self.size, len(self.leaves)
        for tile in new_bundles(before, after):
            bundle = encode_bundle(self.leaves[tile.start : tile.start + tile.width])
            self.store.put_tile(tile.path, bundle)
        for tile in new_tiles(before, after):
            hashes = self.levels[tile.level][tile.start : tile.start + tile.width]
            self.store.put_tile(tile.path, b"".join(hashes))
        self.checkpoints.append(Checkpoint(SIGNER.name, after, self.frontier.root()))
        self.store.publish(self.checkpoints[-1].sign(SIGNER).encode())

    def remove(self) -> int:
        """Remove as the publisher does after its newest checkpoint."""
        before = self.checkpoints[-2].size if len(self.checkpoints) > 1 else 0
        return remove_outgrown(self.store, before, self.size)

    def partials(self) -> set[Tile]:
        found = {parse_path(path) for path in self.store.files if path != "checkpoint"}
        return {tile for tile in found if tile.width < WIDTH}


def _all_tiles(size: int) -> list[Tile]:
    levels = (ENTRIES, *range(top_level(size) + 1)) if size else ()
    return [tile for level in levels for tile in tiles_of(level, size)]


def _verify(store: LogStore, checkpoint: Checkpoint) -> None:
    """Verify a checkpoint that somebody kept, from the tiles and entries alone."""
    frontier = Frontier()
    for bundle in tiles_of(ENTRIES, checkpoint.size):
        leaves = decode_bundle(read_tile(store, bundle), bundle.width)
        tile = Tile(0, bundle.index, bundle.width)
        assert decode_tile(read_tile(store, tile), tile.width) == [
            leaf_hash(each) for each in leaves
        ]
        for leaf in leaves:
            frontier.append(leaf_hash(leaf))
    assert frontier.root() == checkpoint.root
    for tile in _all_tiles(checkpoint.size):
        assert read_tile(store, tile)


@given(st.lists(st.tuples(st.integers(1, 700), st.integers(0, 2)), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_every_checkpoint_is_verifiable_whatever_was_removed(steps: list[tuple[int, int]]) -> None:
    """Removals happen once, twice, or (killed before) not at all after a publication."""
    log = Grown()
    for more, times in steps:
        log.publish(more)
        for _ in range(times):
            log.remove()
        # What the two newest checkpoints name is there under its own name.
        for each in log.checkpoints[-2:]:
            assert all(tile.path in log.store.files for tile in _all_tiles(each.size))
    for each in log.checkpoints:
        _verify(log.store, each)
        hashes = TileHashes(each.size, lambda tile: read_tile(log.store, tile))
        for older in log.checkpoints[:3]:
            if older.size <= each.size:
                proof = consistency_proof(hashes, older.size, each.size)
                verify_consistency(older.size, each.size, proof, older.root, each.root)
    assert LogReader(log.store, VERIFIER).check(log.checkpoints[0]).ok


@given(_STEPS)
@settings(max_examples=40, deadline=None)
def test_only_two_tiles_of_a_level_have_partial_ones(steps: list[int]) -> None:
    log = Grown()
    for more in steps:
        log.publish(more)
        log.remove()
        edge = {level: level_size(level, log.size) // WIDTH for level in range(-1, 8)}
        for level in edge:
            indices = {tile.index for tile in log.partials() if tile.level == level}
            assert len(indices) <= 2
            # A tile that is not full yet keeps all of them, as C2SP tlog-tiles asks.
            for each in log.checkpoints:
                if level_size(level, each.size) // WIDTH == edge[level]:
                    assert set(_partial_edge(level, each.size)) <= log.partials()


def _partial_edge(level: int, size: int) -> list[Tile]:
    return [tile for tile in tiles_of(level, size) if tile.width < WIDTH] if size else []


@given(_STEPS, st.integers(0, 24), st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_what_a_kill_left_goes_with_a_later_tile(steps: list[int], at: int, lost: int) -> None:
    """One or two publications in a row are killed before they remove anything."""
    log = Grown()
    for number, more in enumerate(steps):
        log.publish(more)
        if not at <= number < at + lost:
            log.remove()
    for _ in range(3):
        log.publish(WIDTH)
        log.remove()
    full = level_size(0, log.size) // WIDTH
    assert {tile.index for tile in log.partials() if tile.level in (ENTRIES, 0)} <= {full, full - 1}


def test_one_checkpoint_fills_fewer_tiles_than_are_looked_back_at() -> None:
    """So that what three killed ones in a row left is still found by the fourth."""
    assert 3 * (PUBLISH_AFTER + BATCH) // WIDTH < LOOK_BACK


def test_a_sweep_finds_all_that_older_software_left() -> None:
    log = Grown()
    for _ in range(60):
        log.publish(37)
    old = len(log.partials())
    swept = sweep(log.store, log.size)
    assert swept > 0
    assert len(log.partials()) == old - swept
    full = log.size // WIDTH
    assert {tile.index for tile in log.partials() if tile.level == 0} == {full - 1, full}
    assert sweep(log.store, log.size) == 0
    for each in log.checkpoints:
        _verify(log.store, each)


def test_a_log_is_swept_up_to_what_is_published(tmp_path: Path) -> None:
    store = MemoryLogStore()
    log = open_memory_log(tmp_path, store)
    for start in range(0, 900, 100):
        log.record(make_events(start, start + 100))
    # As software left it that removed nothing.
    for tile in (Tile(0, 0, 7), Tile(ENTRIES, 1, 250)):
        store.files[tile.path] = b"left"
    assert log.sweep() == 2
    assert log.reader().check().ok


def test_nothing_goes_while_no_tile_was_filled() -> None:
    assert not list(outgrown(300, 511))
    assert list(outgrown(300, 512)) == [[Tile(ENTRIES, 0)], [Tile(0, 0)]]
    assert list(outgrown(0, 10_000)) == []


def test_a_tile_whose_full_form_is_gone_keeps_its_partial_ones() -> None:
    log = Grown()
    for _ in range(6):
        log.publish(100)
    del log.store.files[Tile(0, 0).path]
    before = log.partials()
    sweep(log.store, log.size)
    gone = before - log.partials()
    assert gone
    assert {tile.level for tile in gone} == {ENTRIES}


@given(st.lists(st.binary(max_size=40), min_size=WIDTH, max_size=WIDTH), st.integers(1, WIDTH - 1))
@settings(max_examples=30)
def test_a_full_tile_begins_with_each_of_its_partial_ones(leaves: list[bytes], width: int) -> None:
    full = encode_bundle(leaves)
    assert cut(full, Tile(ENTRIES, 7, width)) == encode_bundle(leaves[:width])
    hashes = b"".join(map(leaf_hash, leaves))
    assert cut(hashes, Tile(2, 7, width)) == hashes[: 32 * width]


@given(st.binary(max_size=600), st.integers(1, WIDTH - 1))
def test_a_damaged_full_tile_is_cut_without_complaint(damaged: bytes, width: int) -> None:
    """Whoever asked compares it with the signed root."""
    for level in (ENTRIES, 0):
        assert damaged.startswith(cut(damaged, Tile(level, 0, width)))


def test_what_is_nowhere_is_told_by_the_name_that_was_asked() -> None:
    with pytest.raises(NotFoundError, match=r"tile/0/003\.p/9"):
        read_tile(MemoryLogStore(), Tile(0, 3, 9))
    with pytest.raises(NotFoundError):
        read_tile(MemoryLogStore(), Tile(0, 3))


class Meanwhile(DirectoryLogStore):
    """A store whose log grows past the next tiles as soon as its checkpoint was read."""

    grow: Callable[[], None] | None = None

    def get(self, path: str) -> bytes:
        data = super().get(path)
        if path == "checkpoint" and self.grow:
            grow, self.grow = self.grow, None
            grow()
        return data


def _recorded(folder: Path, sizes: Sequence[int]) -> CustodyLog:
    log = open_sql_log(folder, DirectoryLogStore(folder))
    for size in sizes:
        log.record(make_events(log.head().size, size))
    return log


@pytest.mark.parametrize("reading", ["walk", "entries", "proof", "snapshot"])
def test_a_reader_that_the_log_outgrows_reads_on(tmp_path: Path, reading: str) -> None:
    """A walk takes hours, and the log grows: what it still needs is cut from the full tiles."""
    log = _recorded(tmp_path, [3])
    store = Meanwhile(tmp_path)
    store.grow = lambda: [log.record(make_events(log.head().size, each)) for each in (300, 520)]  # type: ignore[assignment,return-value]
    reader = LogReader(store, VERIFIER)
    if reading == "walk":
        check = reader.check()
        assert check.ok, check.findings
        assert len(check.entries) == 3
    elif reading == "entries":
        assert len(list(reader.entries())) == 3
    elif reading == "proof":
        assert reader.prove(2)
    else:
        assert Snapshot(store, reader.ring).prove(2)
    for level in ("0", "entries"):
        left = list((tmp_path / "log/tile" / level).glob("000.p/*"))
        assert not left, "nothing was removed: nothing was proven"


def test_a_store_that_lets_nothing_be_removed_hinders_no_record(tmp_path: Path) -> None:
    class Stubborn(MemoryLogStore):
        def drop_partials(self, paths: Sequence[str]) -> int:
            raise HostError("locked")

    log = open_memory_log(tmp_path, Stubborn())
    for start in range(0, 900, 300):
        log.record(make_events(start, start + 300))
    assert log.reader().check().ok


def test_killed_at_each_removal_every_head_that_was_given_out_is_verifiable(tmp_path: Path) -> None:
    """An appraiser's package holds a checkpoint of any day; it must be provable for ever."""
    folder, given_out, killed = tmp_path / "log-folder", list[Checkpoint](), 0
    folder.mkdir()
    sizes = [1, 2, 3, 200, 257, 258, 300, 513, 514, 600, 770, 771, 1026]
    for at, size in enumerate(sizes):
        child = os.fork()
        if child == 0:
            _record_killed(folder, size, at % 4)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        log = _recorded(folder, [])
        given_out.append(log.reader().checkpoint())
        assert given_out[-1].size == size
    assert killed >= 2
    store = DirectoryLogStore(folder)
    for each in given_out:
        _verify(store, each)
    assert log.reader().check(given_out[0]).ok
    _recorded(folder, [1290])
    left = {path.parent.name for path in (folder / "log/tile/0").glob("*.p/*")}
    assert left <= {"004.p", "005.p"}


def _record_killed(folder: Path, size: int, after: int) -> None:
    """Record up to a size; be killed after so many files were removed."""
    unlink, left = Path.unlink, [after]

    def counted(path: Path, *args: bool, **named: bool) -> None:
        if ".p" in str(path.parent.suffix):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
        unlink(path, *args, **named)

    Path.unlink = counted  # type: ignore[method-assign,assignment]
    try:
        _recorded(folder, [size])
    finally:
        os._exit(0)

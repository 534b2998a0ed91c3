"""The full walk over a log on disk: whatever was done to it is named, and nothing else is."""

import shutil
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.checkpoint import Checkpoint
from storage.directory import DirectoryLogStore
from storage.findings import LogCheck
from storage.merkle import leaf_hash, tree_root
from storage.note import Signer
from storage.published import LogReader
from storage.tiles import ENTRIES, Tile, TileHashes, decode_tile
from tests.storage.kept import Kept, edited, kept, overwrite
from tests.storage.logs import SIGNER, make_event, make_events

SIZES = {"one tile": (3, 2), "three tiles": (3, 592), "two full tiles": (3, 504)}
"""Events before and after the five of the case."""


@pytest.fixture(params=SIZES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return kept(tmp_path, *SIZES[request.param])


@pytest.fixture
def large(tmp_path: Path) -> Kept:
    return kept(tmp_path, *SIZES["three tiles"])


def named(check: LogCheck) -> list[tuple[str, int | None]]:
    """What was found: its kind, and the entry."""
    assert check.ok == (not check.findings and check.trusted)
    return [(each.kind, each.index) for each in check.findings]


def unproven(check: LogCheck) -> set[int]:
    return {index for index, _ in check.entries if not check.proven(index)}


def test_an_untouched_log_has_no_finding(house: Kept) -> None:
    check = house.check()
    assert named(check) == []
    assert check.ok
    assert [index for index, _ in check.entries] == list(range(house.size))
    assert unproven(check) == set()


@pytest.mark.parametrize("at", [0, 4, -1])
def test_an_edited_event_is_named(house: Kept, at: int) -> None:
    """CU-01: an edited event is detected."""
    index = at % len(house.check().entries[:256])

    def edit(leaves: list[bytes]) -> None:
        leaves[index] = edited(leaves[index])

    house.edit(0, edit)
    check = house.check()
    assert named(check) == [("entry_edited", index)]
    assert check.trusted
    assert unproven(check) == {index}


def test_bytes_that_are_no_event_any_more_are_named(house: Kept) -> None:
    house.edit(0, lambda leaves: leaves.__setitem__(4, b"{}"))
    check = house.check()
    assert named(check) == [("entry_edited", 4)]
    assert "no longer an event" in check.findings[0].message


@pytest.mark.parametrize("index", [0, 4, 9])
def test_a_removed_event_is_named(house: Kept, index: int) -> None:
    """CU-01: a removed event is detected."""
    house.edit(0, lambda leaves: leaves.pop(index))
    check = house.check()
    assert named(check) == [("entry_missing", index)]
    assert index not in {at for at, _ in check.entries}
    assert unproven(check) == set()


@pytest.mark.parametrize("index", [0, 4, 10])
def test_an_inserted_event_is_named(house: Kept, index: int) -> None:
    house.edit(0, lambda leaves: leaves.insert(index, edited(leaves[0])))
    check = house.check()
    assert [kind for kind, _ in named(check)] == ["entry_inserted"]
    assert f"entry {index} " in check.findings[0].message
    assert [at for at, _ in check.entries] == list(range(house.size))
    assert unproven(check) == set()


def test_the_same_event_a_second_time_is_named(house: Kept) -> None:
    house.edit(0, lambda leaves: leaves.insert(7, leaves[4]))
    assert [kind for kind, _ in named(house.check())] == ["entry_inserted"]


def test_reordered_events_are_named(house: Kept) -> None:
    """CU-01: reordered events are detected."""

    def swap(leaves: list[bytes]) -> None:
        leaves[2], leaves[6] = leaves[6], leaves[2]

    house.edit(0, swap)
    check = house.check()
    assert sorted(named(check)) == [("entry_moved", 2), ("entry_moved", 6)]
    assert unproven(check) == {2, 6}


def test_several_wrongs_do_not_hide_each_other(house: Kept) -> None:
    def spoil(leaves: list[bytes]) -> None:
        leaves[1] = edited(leaves[1])
        del leaves[4]

    house.edit(0, spoil)
    assert sorted(named(house.check())) == [("entry_edited", 1), ("entry_missing", 4)]


def test_exchanged_bundles_are_named_entry_by_entry(large: Kept) -> None:
    first, second = (large.file(tile) for tile in large.tiles(ENTRIES)[:2])
    one, other = first.read_bytes(), second.read_bytes()
    overwrite(first, other)
    overwrite(second, one)
    check = large.check()
    assert Counter(kind for kind, _ in named(check)) == {"entry_moved": 512}
    assert unproven(check) == set(range(512))


def test_a_bundle_in_the_place_of_another_is_named(large: Kept) -> None:
    first, second = (large.file(tile) for tile in large.tiles(ENTRIES)[:2])
    overwrite(first, second.read_bytes())
    assert named(large.check()) == [("entry_edited", index) for index in range(256)]


@pytest.mark.parametrize("data", [None, b"", b"\x00\x07junk"])
def test_a_bundle_that_is_gone_is_named(large: Kept, data: bytes | None) -> None:
    path = large.file(large.tiles(ENTRIES)[1])
    path.unlink() if data is None else overwrite(path, data)
    check = large.check()
    assert named(check) == [("entry_missing", index) for index in range(256, 512)]
    assert unproven(check) == set()


def test_bytes_after_the_last_entry_are_named(house: Kept) -> None:
    path = house.file(house.tiles(ENTRIES)[-1])
    overwrite(path, path.read_bytes() + b"\x00")
    check = house.check()
    assert named(check) == [("entry_inserted", None)]
    assert unproven(check) == set()


def _tiles(house: Kept) -> list[Tile]:
    return [tile for level in (0, 1) for tile in house.tiles(level)]


@pytest.mark.parametrize("spoil", ["first", "last", "cut", "grown", "removed"])
def test_a_changed_hash_tile_is_named_and_no_entry_is(house: Kept, spoil: str) -> None:
    for tile in _tiles(house):
        path = house.file(tile)
        whole = path.read_bytes()
        changed = {
            "first": bytes([whole[0] ^ 1]) + whole[1:],
            "last": whole[:-1] + bytes([whole[-1] ^ 128]),
            "cut": whole[:-32],
            "grown": whole + bytes(32),
            "removed": None,
        }[spoil]
        path.unlink() if changed is None else overwrite(path, changed)
        check = house.check()
        assert named(check) == [("tile_changed", None)]
        assert tile.path in check.findings[0].message
        assert check.trusted
        assert unproven(check) == set()
        path.unlink(missing_ok=True)
        path.write_bytes(whole)
    assert house.check().ok


def test_an_event_edited_together_with_its_tile_is_not_believed(large: Kept) -> None:
    """Whoever forges both has no key; all that cannot be told apart from the forgery is named."""
    _forge(large, 0)
    check = large.check()
    assert named(check) == [
        ("tile_changed", None),
        *(("entry_unproven", index) for index in range(256)),
    ]
    assert unproven(check) == set(range(256))


def test_a_whole_tree_over_an_edited_event_is_not_believed(tmp_path: Path) -> None:
    house = kept(tmp_path, *SIZES["one tile"])
    _forge(house, 0)
    check = house.check()
    assert named(check) == [("root_mismatch", None)]
    assert not check.trusted
    assert unproven(check) == set(range(house.size))


def _forge(house: Kept, bundle: int) -> None:
    """Edit an event and make the tile over it say the same."""

    def edit(leaves: list[bytes]) -> None:
        leaves[4] = edited(leaves[4])
        tile = house.file(house.tiles(0)[bundle])
        overwrite(tile, b"".join(map(leaf_hash, leaves)))

    house.edit(bundle, edit)


def test_a_removed_checkpoint_leaves_nothing_proven(house: Kept) -> None:
    (house.root / "log/checkpoint").unlink()
    check = house.check()
    assert named(check) == [("checkpoint_missing", None)]
    assert not check.proven(0)


def _resigned(text: str) -> str:
    stranger = Signer(SIGNER.name, bytes(32))
    _, size, _ = text.split("\n")[:3]
    return Checkpoint(SIGNER.name, int(size), _root(text)).sign(stranger)


def _root(text: str) -> bytes:
    return b64decode(text.split("\n")[2])


def _renamed(text: str) -> str:
    other = Signer("example.org/other", bytes(range(32)))
    return Checkpoint(other.name, int(text.split("\n")[1]), _root(text)).sign(other)


FORGERIES: dict[str, Callable[[str], str]] = {
    "signed by another key": _resigned,
    "of another log": _renamed,
    "larger than was signed": lambda text: text.replace("\n10\n", "\n11\n"),
    "smaller than was signed": lambda text: text.replace("\n10\n", "\n9\n"),
    "without signature": lambda text: text[: text.index("—")],
    "empty": lambda text: "",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_checkpoint_leaves_nothing_proven(tmp_path: Path, name: str) -> None:
    house = kept(tmp_path, *SIZES["one tile"])
    path = house.root / "log/checkpoint"
    overwrite(path, FORGERIES[name](path.read_text()).encode())
    check = house.check()
    assert named(check) == [("checkpoint_signature", None)]
    assert not check.trusted
    assert not any(check.proven(index) for index in range(11))


def test_an_older_checkpoint_alone_is_a_whole_older_log(house: Kept) -> None:
    """What a rollback leaves is consistent in itself: only a head that was kept shows it."""
    older = house.log.checkpoint_text()
    house.log.record(make_events(2000, 2003))
    newest = house.log.reader().checkpoint()
    overwrite(house.root / "log/checkpoint", older.encode())
    assert house.check().ok
    check = house.check(newest)
    assert named(check) == [("rolled_back", None)]
    assert str(newest.size) in check.findings[0].message


def test_a_rolled_back_log_that_went_on_is_a_fork(house: Kept, tmp_path: Path) -> None:
    """An older copy was restored whole, database and all, and other events were recorded."""
    newest = house.log.reader().checkpoint()
    fork = tmp_path / "fork"
    fork.mkdir()
    other = kept(fork, 3, 1)
    other.log.record([make_event(9000 + number) for number in range(house.size)])
    shutil.rmtree(house.root / "log")
    shutil.copytree(other.root / "log", house.root / "log")
    assert house.size > newest.size
    assert house.check().ok
    assert named(house.check(newest)) == [("forked", None)]


def test_a_log_of_the_same_size_with_another_entry_is_a_fork(tmp_path: Path) -> None:
    house = kept(tmp_path, 3, 2)
    newest = house.log.reader().checkpoint()
    (tmp_path / "fork").mkdir()
    other = kept(tmp_path / "fork", 3, 1)
    other.log.record([make_event(9000)])
    assert other.size == newest.size
    assert named(other.check(newest)) == [("forked", None)]


def test_a_head_of_another_log_is_no_head_of_this(house: Kept) -> None:
    stranger = Signer("example.org/other", bytes(32))
    head = Checkpoint(stranger.name, 2, bytes(32))
    check = house.check(head)
    assert named(check) == [("forked", None)]
    assert "another log" in check.findings[0].message


def test_every_kept_head_of_a_growing_log_is_extended(tmp_path: Path) -> None:
    house = kept(tmp_path)
    heads = [house.log.reader().checkpoint()]
    for number in range(6):
        house.log.record(make_events(1000 + 90 * number, 1090 + 90 * number))
        heads.append(house.log.reader().checkpoint())
    assert all(house.check(head).ok for head in heads)


def test_a_kept_head_is_compared_although_a_tile_is_spoiled(large: Kept) -> None:
    head = large.log.reader().checkpoint()
    path = large.file(large.tiles(0)[0])
    overwrite(path, bytes(len(path.read_bytes())))
    assert named(large.check(head)) == [("tile_changed", None)]


def test_tiles_of_smaller_trees_are_of_no_account(tmp_path: Path) -> None:
    """A tile that the tree has outgrown proves nothing any more, and may be removed."""
    house = kept(tmp_path)
    outgrown = house.root / "log" / Tile(0, 0, 3).path
    overwrite(outgrown, bytes(96))
    assert house.check().ok
    outgrown.unlink()
    assert house.check().ok


def test_the_check_keeps_what_it_was_asked_for(large: Kept) -> None:
    reader = LogReader(DirectoryLogStore(large.root), SIGNER.verifier)
    check = reader.check(keep=lambda index, leaf: index % 100 == 0)
    assert check.ok
    assert [index for index, _ in check.entries] == [0, 100, 200, 300, 400, 500]


def test_the_tiles_on_disk_lead_to_the_signed_root(house: Kept) -> None:
    """What the other tests spoil is what the root is made of."""
    hashes = TileHashes(house.size, lambda tile: house.file(tile).read_bytes())
    assert tree_root(hashes, house.size) == house.log.reader().checkpoint().root
    tile = house.tiles(0)[0]
    assert len(decode_tile(house.file(tile).read_bytes(), tile.width)) == tile.width

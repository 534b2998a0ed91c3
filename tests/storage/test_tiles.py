"""The layout of a published log: strict paths, exact tiles, and nothing missing after growth."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.merkle import Frontier, inclusion_proof, leaf_hash, tree_root, verify_inclusion
from storage.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TileError,
    TileHashes,
    decode_bundle,
    decode_tile,
    encode_bundle,
    level_size,
    new_bundles,
    new_tiles,
    parse_path,
    read_bundle,
    tiles_of,
    top_level,
)

BAD_PATHS = [
    "",
    "checkpoint",
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/1000",
    "tile/0/x000/000",
    "tile/0/001/000",
    "tile/0/x001/x000",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/+1/000",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/000.p",
    "tile/0/000/",
    "tile/0/000\n",
    "/tile/0/000",
    "tile/0/００１",
    "tile/entries",
    "tile/data/000",
    "tile/entries/../000",
    "tile/0/" + "x000/" * 30 + "000",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_other_spellings_are_refused(path: str) -> None:
    with pytest.raises(TileError):
        parse_path(path)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(3, 999, 17), "tile/3/999.p/17"),
        (Tile(63, 1000, 255), "tile/63/x001/000.p/255"),
        (Tile(ENTRIES, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_paths_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.integers(-1, 63), st.integers(0, 1 << 40), st.integers(1, WIDTH))
def test_paths_are_read_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile


@given(st.text(alphabet="tile/nrsx.p0123456789", max_size=30))
def test_a_path_is_refused_or_spelled_back(path: str) -> None:
    try:
        tile = parse_path(path)
    except TileError:
        return
    assert tile.path == path


def test_the_example_of_the_specification() -> None:
    size = 70_000
    assert [len(list(tiles_of(level, size))) for level in range(3)] == [274, 2, 1]
    assert list(tiles_of(0, size))[-1].width == 112
    assert list(tiles_of(1, size))[-1].width == 17
    assert list(tiles_of(2, size)) == [Tile(2, 0, 1)]
    assert top_level(size) == 2
    assert list(new_tiles(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]


def _all_tiles(size: int) -> set[Tile]:
    levels = range(top_level(size) + 1)
    return {tile for level in levels for tile in tiles_of(level, size)}


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=5, unique=True).map(sorted))
@settings(max_examples=50, deadline=None)
def test_growth_leaves_nothing_out_and_writes_nothing_twice(sizes: list[int]) -> None:
    written: list[Tile] = []
    bundles: list[Tile] = []
    for old, size in zip([0, *sizes], sizes, strict=False):
        written += new_tiles(old, size)
        bundles += new_bundles(old, size)
        assert _all_tiles(size) <= set(written)
        assert set(tiles_of(ENTRIES, size)) <= set(bundles)
    assert len(written) == len(set(written))
    assert len(bundles) == len(set(bundles))


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=20))
def test_bundles_are_read_back(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    with pytest.raises(TileError):
        decode_bundle(data, len(entries) + 1)
    with pytest.raises(TileError):
        decode_bundle(data + b"\0", len(entries))
    with pytest.raises(TileError):
        decode_bundle(data[:-1], len(entries))


def test_the_longest_entry_fits() -> None:
    entry = bytes(65_535)
    assert decode_bundle(encode_bundle([entry]), 1) == [entry]


@given(st.binary(max_size=300))
def test_damaged_bundles_are_read_as_far_as_they_go(data: bytes) -> None:
    entries, rest = read_bundle(data)
    assert encode_bundle(entries) == data[: len(data) - rest]


@pytest.mark.parametrize("size", [0, 31, 33, 63, 65, 96])
def test_a_tile_has_exactly_its_hashes(size: int) -> None:
    with pytest.raises(TileError):
        decode_tile(bytes(size), 2)


def _tree(size: int) -> tuple[list[bytes], dict[Tile, bytes], bytes]:
    """Leaf hashes, tiles, and root of a tree, the tiles made straight from the definition."""
    rows: dict[int, list[bytes]] = {}
    frontier = Frontier()
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    for leaf in leaves:
        for node in frontier.append(leaf):
            if node.level % 8 == 0:
                rows.setdefault(node.level // 8, []).append(node.hash)
    tiles = {
        tile: b"".join(rows[tile.level][tile.start : tile.start + tile.width])
        for tile in _all_tiles(size)
    }
    return leaves, tiles, frontier.root()


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 65_535, 65_536, 70_000])
def test_proofs_come_from_tiles(size: int) -> None:
    leaves, tiles, root = _tree(size)
    reader = TileHashes(size, tiles.__getitem__)
    assert tree_root(reader, size) == root
    for index in {0, size // 2, size - 1, max(0, size - 257)}:
        proof = inclusion_proof(reader, index, size)
        verify_inclusion(leaves[index], index, size, proof, root)


def test_a_tree_has_no_nodes_beyond_its_size() -> None:
    _, tiles, _ = _tree(300)
    reader = TileHashes(300, tiles.__getitem__)
    for level, index in ((0, 300), (8, 1), (9, 0), (16, 0)):
        with pytest.raises(TileError):
            reader.hash_at(level, index)
    assert level_size(1, 300) == 1

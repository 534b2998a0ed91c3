"""The full walk: every entry, every tile, up to the signed root, naming all that is wrong.

Two sources can vouch for a tile of the tree: the stored tile, and what is recomputed from the
level below. The walk goes up once, recomputing from the entries, and then down once, from the
signed root: at every tile it believes a source that leads to the hash above it. So a changed
entry is told from a changed tile, and one bad place never hides another:

- the entries lead to the hash above, the tile does not: the tile was changed;
- the tile does, the entries do not: the entries were, and the tile's hashes say which;
- neither does: the entries below cannot be proven, and each of them is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, product

from storage.checkpoint import Checkpoint, parse_body
from storage.errors import IntegrityError, NotFoundError
from storage.findings import EntryMatcher, LogCheck
from storage.keyring import KeyRing
from storage.merkle import (
    Frontier,
    consistency_proof,
    leaf_hash,
    node_hash,
    perfect_root,
    verify_consistency,
)
from storage.note import parse_note
from storage.objects import LogStore
from storage.outgrown import read_tile
from storage.tiles import (
    CHECKPOINT_PATH,
    ENTRIES,
    WIDTH,
    Tile,
    TileError,
    TileHashes,
    decode_tile,
    level_size,
    read_bundle,
    tiles_of,
    top_level,
)

Hashes = list[bytes]
Keep = Callable[[int, bytes], bool]


def keep_all(index: int, leaf: bytes) -> bool:
    """Keep every entry in the answer."""
    return True


def walk(store: LogStore, ring: KeyRing, known_head: Checkpoint | None, keep: Keep) -> LogCheck:
    """Walk the log in a store; see ``LogReader.check``."""
    check = LogCheck()
    try:
        text = store.get(CHECKPOINT_PATH)
    except NotFoundError:
        check.add("checkpoint_missing", "no checkpoint is published")
        return check
    check.checkpoint_text = text.decode("utf-8", "replace")
    try:
        checkpoint = ring.open(text)
    except IntegrityError as error:
        check.add("checkpoint_signature", f"the checkpoint cannot be trusted: {error.message}")
        _take_unproven(store, text, check, keep)
        return check
    _Walk(store, checkpoint, check, keep).run(known_head)
    return check


def _take_unproven(store: LogStore, text: bytes, check: LogCheck, keep: Keep) -> None:
    """Keep what lies there, proven by nothing, so that a report can name it."""
    try:
        size = parse_body(parse_note(text).text).size
    except IntegrityError:
        return
    for bundle in tiles_of(ENTRIES, size):
        try:
            leaves, _ = read_bundle(read_tile(store, bundle))
        except NotFoundError:
            return  # The unsigned size may promise any number of further bundles.
        kept = zip(count(bundle.start), leaves, strict=False)
        check.entries.extend(pair for pair in kept if keep(*pair))


class _Walk:
    """One walk over a tree whose size and root are signed."""

    def __init__(
        self, store: LogStore, checkpoint: Checkpoint, check: LogCheck, keep: Keep
    ) -> None:
        self._store = store
        self._checkpoint = checkpoint
        self._size = checkpoint.size
        self._check = check
        self._matcher = EntryMatcher(check, keep)
        self._keep = keep
        self._doubted: dict[int, tuple[list[bytes], Hashes | None]] = {}
        """Level-0 tiles whose entries do not equal the stored tile: leaves, stored hashes."""
        self._stored: dict[Tile, Hashes | None] = {}
        self._believed: dict[Tile, Hashes] = {}
        self._by_entries: dict[int, Hashes] = {0: []}
        self._by_tiles: dict[int, Hashes] = {0: []}
        """Per level from 1: roots of the tiles below, from the entries and from the tiles."""

    def run(self, known_head: Checkpoint | None) -> None:
        """Go up, then down, then compare with a head that somebody kept."""
        self._up()
        self._down()
        self._matcher.finish()
        if known_head is not None:
            self._compare(known_head)

    def _up(self) -> None:
        self._by_entries[1], self._by_tiles[1] = [], []
        for bundle in tiles_of(ENTRIES, self._size):
            self._read_entries(bundle)
        for level in range(1, top_level(self._size) + 1):
            self._by_entries[level + 1], self._by_tiles[level + 1] = [], []
            for tile in tiles_of(level, self._size):
                stored = self._stored[tile] = self._read_tile(tile)
                if tile.width == WIDTH:
                    row = self._by_entries[level][tile.start : tile.start + WIDTH]
                    own = perfect_root(row)
                    self._by_entries[level + 1].append(own)
                    self._by_tiles[level + 1].append(perfect_root(stored) if stored else own)

    def _read_entries(self, bundle: Tile) -> None:
        """Read a bundle and its level-0 tile; keep both only if they are not equal."""
        try:
            data = read_tile(self._store, bundle)
        except NotFoundError:
            data = b""
        leaves, rest = read_bundle(data)
        hashes = [leaf_hash(leaf) for leaf in leaves]
        stored = self._read_tile(Tile(0, bundle.index, bundle.width))
        own = _padded(hashes, bundle.width)
        if rest and len(leaves) >= bundle.width:
            self._check.add(
                "entry_inserted", f"{rest} bytes stand after the last entry of {bundle.path}"
            )
        if rest or hashes != stored:
            self._doubted[bundle.index] = leaves, stored
        else:
            self._matcher.take(zip(count(bundle.start), leaves, strict=False))
        if bundle.width == WIDTH:
            root = perfect_root(own)
            self._by_entries[1].append(root)
            self._by_tiles[1].append(
                root if stored is None or stored == hashes else perfect_root(stored)
            )
        else:
            self._stored[Tile(0, bundle.index, bundle.width)] = stored
            self._by_entries[0] = own

    def _read_tile(self, tile: Tile) -> Hashes | None:
        try:
            return decode_tile(read_tile(self._store, tile), tile.width)
        except (NotFoundError, TileError):
            return None

    def _sources(self, tile: Tile) -> Iterator[Hashes]:
        """Yield what a tile may hold, the stored one first."""
        stored = self._tile_as_stored(tile)
        if stored is not None:
            yield stored
        if tile.level == 0:
            yield self._recomputed(tile)
            return
        end = tile.start + tile.width
        yield self._by_tiles[tile.level][tile.start : end]
        yield self._by_entries[tile.level][tile.start : end]

    def _tile_as_stored(self, tile: Tile) -> Hashes | None:
        if tile.level == 0 and tile.index in self._doubted:
            return self._doubted[tile.index][1]
        return self._stored.get(tile)

    def _recomputed(self, tile: Tile) -> Hashes:
        if tile.index in self._doubted:
            leaves, _ = self._doubted[tile.index]
            return _padded([leaf_hash(leaf) for leaf in leaves], tile.width)
        return self._by_entries[0]

    def _down(self) -> None:
        """From the root: believe of every tile the source that leads to the hash above it."""
        edge = [list(tiles_of(each, self._size))[-1] for each in self._edge_levels()]
        for choice in product(*(_distinct(self._sources(tile)) for tile in edge)):
            if _edge_root(choice) == self._checkpoint.root:
                self._check.trusted = True
                break
        else:
            self._check.add(
                "root_mismatch", "entries and tiles do not lead to the root that is signed"
            )
            choice = tuple(next(self._sources(tile)) for tile in edge)
        for tile, hashes in zip(edge, choice, strict=True):
            self._believe(tile, hashes)
        for level in range(top_level(self._size), 0, -1):
            for tile in tiles_of(level, self._size):
                self._descend(tile)
        for index in sorted(self._doubted):
            self._judge_entries(index)

    def _edge_levels(self) -> Iterator[int]:
        """Yield, from the lowest, the levels that end in a partial tile."""
        for level in range(top_level(self._size) + 1):
            if level_size(level, self._size) % WIDTH:
                yield level

    def _descend(self, tile: Tile) -> None:
        """Choose the sources of the tiles below a believed one."""
        hashes = self._believed.get(tile)
        for offset in range(tile.width):
            below = Tile(tile.level - 1, tile.start + offset)
            if hashes is None:
                continue
            expected = hashes[offset]
            if below.level == 0 and below.index not in self._doubted:
                # Entries and tile agree, so there is one root, and it is known.
                if self._by_entries[1][below.index] != expected:
                    self._distrust(below)
                continue
            for source in self._sources(below):
                if perfect_root(source) == expected:
                    self._believe(below, source)
                    break
            else:
                self._distrust(below)

    def _believe(self, tile: Tile, hashes: Hashes) -> None:
        self._believed[tile] = hashes
        if self._tile_as_stored(tile) != hashes:
            self._check.add("tile_changed", f"{tile.path} is missing or was changed")

    def _distrust(self, tile: Tile) -> None:
        self._check.add("tile_changed", f"neither {tile.path} nor what is below it is proven")
        span = WIDTH ** (tile.level + 1)
        for index in range(tile.index * span, (tile.index + 1) * span):
            self._check.add("entry_unproven", f"entry {index} cannot be proven", index)

    def _judge_entries(self, index: int) -> None:
        leaves, _ = self._doubted[index]
        width = min(WIDTH, self._size - index * WIDTH)
        believed = self._believed.get(Tile(0, index, width))
        if believed is None:
            self._matcher.take(zip(count(index * WIDTH), leaves, strict=False))
        else:
            self._matcher.match(index * WIDTH, leaves, believed)

    def _compare(self, known: Checkpoint) -> None:
        """Report a log that does not extend a head that somebody kept."""
        mine = self._checkpoint
        if known.origin != mine.origin:
            self._check.add("forked", f"the known head is of another log, {known.origin}")
        elif known.size > mine.size:
            self._check.add(
                "rolled_back",
                f"the log was rolled back: {mine.size} entries are published, and somebody "
                f"holds a signed head of {known.size}",
            )
        elif not self._extends(known):
            self._check.add(
                "forked", f"the log does not extend the known head of {known.size} entries"
            )

    def _extends(self, known: Checkpoint) -> bool:
        hashes = TileHashes(self._size, self._read_believed)
        try:
            proof = consistency_proof(hashes, known.size, self._size)
            verify_consistency(known.size, self._size, proof, known.root, self._checkpoint.root)
        except (IntegrityError, NotFoundError):
            return False
        return True

    def _read_believed(self, tile: Tile) -> bytes:
        believed = self._believed.get(tile)
        return read_tile(self._store, tile) if believed is None else b"".join(believed)


def _padded(hashes: Hashes, width: int) -> Hashes:
    """Return exactly ``width`` hashes; no leaf has the one that fills up."""
    return (hashes + [bytes(32)] * width)[:width]


def _distinct(sources: Iterator[Hashes]) -> list[Hashes]:
    found: list[Hashes] = []
    for each in sources:
        if each not in found:
            found.append(each)
    return found


def _edge_root(partial_tiles: tuple[Hashes, ...]) -> bytes:
    """Return the root that the partial tiles of a tree lead to, from the lowest level up."""
    root: bytes | None = None
    for hashes in partial_tiles:
        frontier = Frontier()
        for each in hashes:
            frontier.append(each)
        parts = frontier.hashes if root is None else [*frontier.hashes, root]
        root = parts[-1]
        for each in reversed(parts[:-1]):
            root = node_hash(each, root)
    assert root is not None
    return root

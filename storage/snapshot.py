"""The published log at one checkpoint: entries and proofs that all lead to the same head.

A log grows while proofs are made; a snapshot keeps to the checkpoint that it was taken at, whose
tiles can be read whatever is published afterwards. Everything that it returns was verified first.
"""

from __future__ import annotations

from functools import lru_cache

from storage.checkpoint import Checkpoint
from storage.consistency import Consistency
from storage.errors import IntegrityError, NotFoundError
from storage.keyring import KeyRing
from storage.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_inclusion
from storage.note import parse_note
from storage.objects import LogStore
from storage.outgrown import read_tile
from storage.proof import TlogProof
from storage.tiles import CHECKPOINT_PATH, ENTRIES, WIDTH, Tile, TileHashes, decode_bundle


class Snapshot:
    """One published checkpoint, verified, and the tiles below it."""

    def __init__(self, store: LogStore, ring: KeyRing) -> None:
        """Take the checkpoint that is published now.

        Raises:
            NotFoundError: nothing was published yet.
            IntegrityError: the checkpoint is not this log's.
        """
        self._store = store
        self.note = store.get(CHECKPOINT_PATH)
        self.checkpoint: Checkpoint = ring.checkpoint_of(parse_note(self.note))
        self._hashes = TileHashes(self.size, lambda tile: read_tile(store, tile))
        self._entries = lru_cache(maxsize=64)(self._bundle)

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers."""
        return self.checkpoint.size

    def prove(self, index: int) -> tuple[bytes, str]:
        """Return an entry's exact bytes and its tlog-proof.

        Raises:
            NotFoundError: the checkpoint does not cover the entry.
            IntegrityError: the stored log does not prove it.
        """
        leaf = self.untrusted_entry(index)
        path = tuple(inclusion_proof(self._hashes, index, self.size))
        verify_inclusion(leaf_hash(leaf), index, self.size, path, self.checkpoint.root)
        return leaf, str(TlogProof(index, path, self.note.decode()))

    def untrusted_entry(self, index: int) -> bytes:
        """Return an entry's bytes as they are stored, proven by nothing yet.

        Raises:
            NotFoundError: the checkpoint does not cover the entry.
        """
        if not 0 <= index < self.size:
            raise NotFoundError(f"the published log has no entry {index}", index=index)
        return self._entries(index // WIDTH)[index % WIDTH]

    def prove_extends(self, older: Checkpoint) -> Consistency:
        """Return the proof that the log extends an older checkpoint.

        Raises:
            IntegrityError: the log is smaller, or does not extend it.
        """
        if older.size > self.size:
            raise IntegrityError(
                f"the checkpoint has {older.size} entries, the log only {self.size}",
                remedy="the log was rolled back, or the checkpoint is of another log: find out why",
            )
        path = tuple(consistency_proof(self._hashes, older.size, self.size))
        proof = Consistency(older.size, self.size, path)
        proof.verify(older, self.checkpoint)
        return proof

    def _bundle(self, number: int) -> list[bytes]:
        bundle = Tile(ENTRIES, number, min(WIDTH, self.size - number * WIDTH))
        return decode_bundle(read_tile(self._store, bundle), bundle.width)

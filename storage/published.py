"""The published log as anybody can read it: a checkpoint, hash tiles and entry bundles.

Nothing here needs the database or the private key. What the store returns is untrusted until
it was compared with the signed checkpoint; ``checkpoint`` and ``prove`` do so, ``entries`` does
not and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError, NotFoundError
from storage.findings import LogCheck
from storage.keyring import KeyRing, as_ring
from storage.merkle import consistency_proof, inclusion_proof
from storage.note import Verifier, parse_note
from storage.objects import LogStore
from storage.outgrown import read_tile
from storage.proof import TlogProof
from storage.tiles import CHECKPOINT_PATH, ENTRIES, WIDTH, Tile, TileHashes, decode_bundle
from storage.walk import keep_all, walk

__all__ = ["LogReader"]


class LogReader:
    """Reads and verifies one published log with its public keys alone."""

    def __init__(self, store: LogStore, keys: KeyRing | Verifier) -> None:
        """Read the log in ``store`` that the holder of these keys signs."""
        self._store = store
        self.ring = as_ring(keys)

    def checkpoint(self) -> Checkpoint:
        """Return the published checkpoint, its signature verified.

        Raises:
            NotFoundError: nothing was published yet.
            IntegrityError: it is not this log's, or its signature is bad.
        """
        return self.ring.open(self._store.get(CHECKPOINT_PATH))

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield index and leaf bytes as stored; they are not compared with the tree.

        Args:
            start: first index.
            end: index after the last; None for all that the checkpoint covers.

        Raises:
            IntegrityError: an entry bundle is damaged.
            NotFoundError: an entry bundle, or the checkpoint, is missing.
        """
        size = self.checkpoint().size
        stop = size if end is None else min(end, size)
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            bundle = Tile(ENTRIES, number, min(WIDTH, size - number * WIDTH))
            leaves = decode_bundle(read_tile(self._store, bundle), bundle.width)
            for index, leaf in enumerate(leaves, bundle.start):
                if start <= index < stop:
                    yield index, leaf

    def leaf(self, index: int) -> bytes:
        """Return the bytes of one entry as stored; they are not compared with the tree.

        Raises:
            NotFoundError: the checkpoint does not cover it.
        """
        for _, leaf in self.entries(index, index + 1):
            return leaf
        raise NotFoundError(f"the published log has no entry {index}", index=index)

    def prove(self, index: int) -> str:
        """Return the tlog-proof of one entry, after verifying it.

        Raises:
            NotFoundError: the checkpoint does not cover the entry.
            IntegrityError: the stored log does not prove the entry.
        """
        text = self._store.get(CHECKPOINT_PATH)
        checkpoint = self.ring.checkpoint_of(parse_note(text))
        if not 0 <= index < checkpoint.size:
            raise NotFoundError(f"the published log has no entry {index}", index=index)
        path = inclusion_proof(self._hashes(checkpoint.size), index, checkpoint.size)
        proof = TlogProof(index, tuple(path), text.decode())
        proof.verify(self._leaf_in(index, checkpoint.size), [self.ring.at(checkpoint.size)])
        return str(proof)

    def prove_consistency(self, older: Checkpoint) -> list[bytes]:
        """Return the hashes that prove that the published log extends an older checkpoint.

        Raises:
            ProofError: the published log is smaller.
        """
        size = self.checkpoint().size
        return consistency_proof(self._hashes(size), older.size, size)

    def check(
        self,
        known_head: Checkpoint | None = None,
        *,
        keep: Callable[[int, bytes], bool] = keep_all,
    ) -> LogCheck:
        """Walk the whole log, entry by entry, and report everything that is wrong with it.

        Args:
            known_head: a checkpoint that somebody else kept; the log must extend it.
            keep: which entries (index, leaf) the answer shall hold.
        """
        return walk(self._store, self.ring, known_head, keep)

    def _hashes(self, size: int) -> TileHashes:
        return TileHashes(size, lambda tile: read_tile(self._store, tile))

    def _leaf_in(self, index: int, size: int) -> bytes:
        number = index // WIDTH
        bundle = Tile(ENTRIES, number, min(WIDTH, size - number * WIDTH))
        leaves = decode_bundle(read_tile(self._store, bundle), bundle.width)
        return leaves[index - bundle.start]


def published_checkpoint(store: LogStore, keys: KeyRing | Verifier) -> Checkpoint | None:
    """Return the verified checkpoint in a store, or None when nothing was published.

    Raises:
        IntegrityError: it is not this log's, or its signature is bad.
    """
    try:
        return LogReader(store, keys).checkpoint()
    except NotFoundError:
        return None
    except IntegrityError as error:
        raise IntegrityError(
            f"the published checkpoint cannot be trusted: {error.message}",
            remedy="run 'custody verify'; restore the log's folder from a copy that you trust",
        ) from error

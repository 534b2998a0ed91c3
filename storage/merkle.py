"""Merkle trees of RFC 6962 with SHA-256: hashes, roots, proofs and their verification. Pure.

The rules, in order:

1. A leaf's hash is ``SHA-256(0x00 || leaf)``, an inner node's ``SHA-256(0x01 || left || right)``.
2. The root of a tree splits its leaves at the largest power of two smaller than their number.
3. The node at *level* h and *index* i is the root of leaves ``[i * 2**h, (i + 1) * 2**h)``; it
   exists once all of these leaves do, and never changes afterwards.
4. A proof is a list of hashes, from the leaf upwards; it has exactly the length that index and
   sizes dictate. Anything else is refused.

Verification treats every argument as untrusted, and a tree of no leaves proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from storage.errors import IntegrityError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
MAX_SIZE = 1 << 62
"""Leaves; far beyond any log, and small enough for every language's integers."""


class ProofError(IntegrityError):
    """A Merkle proof does not prove what it claims."""


class HashReader(Protocol):
    """Gives the hashes of complete nodes."""

    def hash_at(self, level: int, index: int) -> bytes:
        """Return the hash of the node at a level (0: leaves) and index."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """A complete node: level, index and hash."""

    level: int
    index: int
    hash: bytes


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf's bytes (RFC 6962, 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of a tree given its leaves' hashes."""
    frontier = Frontier()
    for each in leaf_hashes:
        frontier.append(each)
    return frontier.root()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes, level by level."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


@dataclass
class Frontier:
    """The roots of the perfect subtrees that make up a tree, largest first.

    All that is needed to append and to know the root; its length is the number of ones in the
    size's binary form. As bytes: the size in eight bytes, big-endian, then the hashes.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[Node]:
        """Add a leaf's hash; return the nodes that it completed, the leaf itself first."""
        index, level = self.size, 0
        done = [Node(0, index, leaf)]
        while index & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            index, level = index >> 1, level + 1
            done.append(Node(level, index, leaf))
        self.hashes.append(leaf)
        self.size += 1
        return done

    def root(self) -> bytes:
        """Return the tree's root."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for each in reversed(self.hashes[:-1]):
            root = node_hash(each, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the stored form."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Frontier:
        """Rebuild from ``to_bytes``.

        Raises:
            IntegrityError: the number of hashes is not the one that the size dictates.
        """
        size = int.from_bytes(untrusted[:8], "big")
        if size > MAX_SIZE or len(untrusted) != 8 + HASH_SIZE * size.bit_count():
            raise IntegrityError("the stored tree frontier is damaged", size=size)
        parts = range(8, len(untrusted), HASH_SIZE)
        return cls(size, [untrusted[start : start + HASH_SIZE] for start in parts])


def tree_root(reader: HashReader, size: int) -> bytes:
    """Return the root of the first ``size`` leaves; at least one."""
    _require_size(size)
    return _range_root(reader, 0, size)


def inclusion_proof(reader: HashReader, index: int, size: int) -> list[bytes]:
    """Return the audit path of a leaf (RFC 6962, 2.1.1).

    Raises:
        ProofError: the tree of that size has no such leaf.
    """
    _require_index(index, size)
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_root(reader, middle, end))
            end = middle
        else:
            proof.append(_range_root(reader, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(reader: HashReader, size1: int, size2: int) -> list[bytes]:
    """Return the proof that a tree of ``size2`` extends its first ``size1`` (RFC 6962, 2.1.2).

    Raises:
        ProofError: the sizes are not ``1 <= size1 <= size2``.
    """
    _require_sizes(size1, size2)
    proof: list[bytes] = []
    start, end, whole = 0, size2, True
    while size1 != end:
        middle = start + _split(end - start)
        if size1 <= middle:
            proof.append(_range_root(reader, middle, end))
            end = middle
        else:
            proof.append(_range_root(reader, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_range_root(reader, start, end))
    return proof[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Verify that a leaf's hash stands at ``index`` in the tree (RFC 9162, 2.1.3.2).

    Raises:
        ProofError: it is not proven.
    """
    _require_index(index, size)
    _require_hashes((leaf, root, *proof))
    left, right, computed = index, size - 1, leaf
    for each in proof:
        if right == 0:
            raise ProofError("the inclusion proof is too long", index=index, size=size)
        if left & 1 or left == right:
            computed = node_hash(each, computed)
            while not left & 1 and left:
                left, right = left >> 1, right >> 1
        else:
            computed = node_hash(computed, each)
        left, right = left >> 1, right >> 1
    if right != 0:
        raise ProofError("the inclusion proof is too short", index=index, size=size)
    if computed != root:
        raise ProofError("the inclusion proof leads to another root", index=index, size=size)


def verify_consistency(
    size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes
) -> None:
    """Verify that the second tree extends the first (RFC 9162, 2.1.4.2).

    Raises:
        ProofError: it is not proven.
    """
    _require_sizes(size1, size2)
    _require_hashes((root1, root2, *proof))
    if size1 == size2:
        if proof or root1 != root2:
            raise ProofError("two trees of one size differ", size1=size1, size2=size2)
        return
    if not proof:
        raise ProofError("the consistency proof is empty", size1=size1, size2=size2)
    # A first tree of 2**n leaves is itself a node of the second, and its hash is left out.
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    older, newer = _fold_consistency(size1 - 1, size2 - 1, path)
    if older != root1 or newer != root2:
        raise ProofError("the consistency proof leads to other roots", size1=size1, size2=size2)


def _fold_consistency(left: int, right: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the two roots that a consistency path leads to."""
    while left & 1:
        left, right = left >> 1, right >> 1
    older = newer = path[0]
    for each in path[1:]:
        if right == 0:
            raise ProofError("the consistency proof is too long")
        if left & 1 or left == right:
            older, newer = node_hash(each, older), node_hash(each, newer)
            while not left & 1 and left:
                left, right = left >> 1, right >> 1
        else:
            newer = node_hash(newer, each)
        left, right = left >> 1, right >> 1
    if right != 0:
        raise ProofError("the consistency proof is too short")
    return older, newer


def _split(width: int) -> int:
    """Return the largest power of two smaller than ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _range_root(reader: HashReader, start: int, end: int) -> bytes:
    """Return the root of a range that the splitting rule produced."""
    width = end - start
    level = width.bit_length() - 1
    if width == 1 << level:
        return reader.hash_at(level, start >> level)
    middle = start + _split(width)
    return node_hash(_range_root(reader, start, middle), _range_root(reader, middle, end))


def _require_size(size: int) -> None:
    if not 1 <= size <= MAX_SIZE:
        raise ProofError(f"a tree of {size} leaves proves nothing", size=size)


def _require_index(index: int, size: int) -> None:
    _require_size(size)
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}", index=index, size=size)


def _require_sizes(size1: int, size2: int) -> None:
    _require_size(size2)
    if not 1 <= size1 <= size2:
        raise ProofError(
            f"a tree of {size2} leaves does not extend one of {size1}", size1=size1, size2=size2
        )


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofError(f"a hash has not exactly {HASH_SIZE} bytes")

"""Merkle trees: what must be refused first, then every prefix and leaf, then samples."""

import base64
import json
import warnings
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import IntegrityError
from storage.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "rfc6962"
EVERY = 130


def _hash(number: int) -> bytes:
    return leaf_hash(number.to_bytes(4, "big"))


LEAVES = [_hash(number) for number in range(EVERY)]


def _defined_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word; as slow as it is plain."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(_defined_root(leaves[:split]), _defined_root(leaves[split:]))


class Reader:
    """A HashReader that keeps every complete node that a frontier reports."""

    def __init__(self, size: int) -> None:
        self.frontier = Frontier()
        self.nodes: dict[tuple[int, int], bytes] = {}
        for number in range(size):
            for node in self.frontier.append(_hash(number)):
                self.nodes[node.level, node.index] = node.hash

    def hash_at(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


READER = Reader(EVERY)


def test_published_vectors() -> None:
    """The published cases of transparency-dev; each says whether it must be refused.

    One of those to be accepted compares two equal texts of twelve bytes in the place of roots;
    ours refuses it, because a hash has exactly 32 bytes.
    """
    if not VECTORS.is_dir():
        warnings.warn(f"published RFC 6962 vectors are not at {VECTORS}", stacklevel=1)
        return
    seen = {True: 0, False: 0}
    for path in sorted(VECTORS.rglob("*.json")):
        case = json.loads(path.read_text())
        proof = [base64.b64decode(each) for each in case["proof"] or []]
        named = {
            name: base64.b64decode(case[name] or "")
            for name in ("root", "leafHash", "root1", "root2")
            if name in case
        }
        try:
            if "leafIdx" in case:
                verify_inclusion(
                    named["leafHash"], case["leafIdx"], case["treeSize"], proof, named["root"]
                )
            else:
                verify_consistency(
                    case["size1"], case["size2"], proof, named["root1"], named["root2"]
                )
            refused = False
        except ProofError:
            refused = True
        stricter = path.name == "sizes-are-equal-one-and-proof-is-empty.json"
        assert refused == (case["wantErr"] or stricter), path.relative_to(VECTORS)
        seen[refused] += 1
    assert seen[True] > 100
    assert seen[False] > 5


def test_hashes_have_their_prefixes() -> None:
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) == sha256(b"\x01" + left + right).digest()
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5), (0, -1), (0, 1 << 63)]
)
def test_no_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])
    with pytest.raises(ProofError):
        inclusion_proof(READER, index, size)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 1), (2, 1), (-1, 1), (1, 1 << 63)])
def test_no_consistency_of_impossible_sizes(size1: int, size2: int) -> None:
    with pytest.raises(ProofError):
        verify_consistency(size1, size2, [], LEAVES[0], LEAVES[0])
    with pytest.raises(ProofError):
        consistency_proof(READER, size1, size2)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), bytes(64)])
def test_hashes_have_exactly_32_bytes(wrong: bytes) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(wrong, 0, 1, [], wrong)
    with pytest.raises(ProofError):
        verify_inclusion(LEAVES[0], 0, 2, [wrong], root_of(LEAVES[:2]))
    with pytest.raises(ProofError):
        verify_consistency(1, 1, [], wrong, wrong)


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    root = root_of(LEAVES[:7])
    verify_consistency(7, 7, [], root, root)
    with pytest.raises(ProofError):
        verify_consistency(7, 7, [], root, LEAVES[0])
    with pytest.raises(ProofError):
        verify_consistency(7, 7, [root], root, root)


def _mutants(proof: list[bytes]) -> list[list[bytes]]:
    """Proofs that differ from a good one in one way each."""
    extra = [[*proof, bytes(32)], [bytes(32), *proof]]
    for at in range(len(proof)):
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        extra.append([*proof[:at], flipped, *proof[at + 1 :]])
        extra.append(proof[:at] + proof[at + 1 :])
        extra.append([*proof[:at], proof[at], proof[at], *proof[at + 1 :]])
        if at and proof[at] != proof[at - 1]:
            extra.append([*proof[: at - 1], proof[at], proof[at - 1], *proof[at + 1 :]])
    return extra


def _refused_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    try:
        verify_inclusion(leaf, index, size, proof, root)
    except ProofError:
        return True
    return False


def test_every_leaf_of_every_tree() -> None:
    for size in range(1, EVERY + 1):
        root = tree_root(READER, size)
        assert root == _defined_root(LEAVES[:size]) == root_of(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(READER, index, size)
            verify_inclusion(LEAVES[index], index, size, proof, root)
            assert _refused_inclusion(LEAVES[index - 1], index, size, proof, root) or size == 1
            assert _refused_inclusion(LEAVES[index], index, size, proof, bytes(32))


def test_every_prefix_of_every_tree() -> None:
    roots = [b"", *(root_of(LEAVES[:size]) for size in range(1, EVERY + 1))]
    for size2 in range(1, EVERY + 1):
        for size1 in range(1, size2 + 1):
            proof = consistency_proof(READER, size1, size2)
            verify_consistency(size1, size2, proof, roots[size1], roots[size2])
            if size1 < size2:
                with pytest.raises(ProofError):
                    verify_consistency(size1, size2, proof, roots[size2], roots[size2])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 64, 100])
def test_mutated_inclusion_proofs_are_refused(size: int) -> None:
    root = tree_root(READER, size)
    for index in range(size):
        proof = inclusion_proof(READER, index, size)
        for mutant in _mutants(proof):
            assert _refused_inclusion(LEAVES[index], index, size, mutant, root)
        for other in range(size + 2):
            if other != index:
                assert _refused_inclusion(LEAVES[index], other, size, proof, root)


@pytest.mark.parametrize(("size1", "size2"), [(1, 2), (3, 7), (4, 8), (6, 8), (64, 100), (7, 130)])
def test_mutated_consistency_proofs_are_refused(size1: int, size2: int) -> None:
    root1, root2 = tree_root(READER, size1), tree_root(READER, size2)
    proof = consistency_proof(READER, size1, size2)
    for mutant in _mutants(proof):
        with pytest.raises(ProofError):
            verify_consistency(size1, size2, mutant, root1, root2)


LARGE = Reader(5000)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_large_trees(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(1, 5000))
    size1 = data.draw(st.integers(1, size2))
    index = data.draw(st.integers(0, size2 - 1))
    root1, root2 = tree_root(LARGE, size1), tree_root(LARGE, size2)
    path = inclusion_proof(LARGE, index, size2)
    verify_inclusion(_hash(index), index, size2, path, root2)
    proof = consistency_proof(LARGE, size1, size2)
    verify_consistency(size1, size2, proof, root1, root2)
    for mutant in _mutants(path):
        assert _refused_inclusion(_hash(index), index, size2, mutant, root2)
    for mutant in _mutants(proof):
        with pytest.raises(ProofError):
            verify_consistency(size1, size2, mutant, root1, root2)


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 1 << 20),
    st.integers(0, 1 << 20),
    st.lists(st.binary(min_size=32, max_size=32), max_size=25),
)
def test_random_proofs_are_refused_as_proof_errors(
    leaf: bytes, index: int, size: int, proof: list[bytes]
) -> None:
    assert _refused_inclusion(leaf, index, size, proof, bytes(32))
    with pytest.raises(ProofError):
        verify_consistency(index, size, proof, leaf, bytes(32))


@given(st.integers(0, 300))
def test_frontier_is_read_back(size: int) -> None:
    frontier = Reader(size).frontier
    again = Frontier.from_bytes(frontier.to_bytes())
    assert again == frontier
    again.append(LEAVES[0])
    assert again.size == size + 1


@pytest.mark.parametrize(
    "stored", [b"", bytes(7), bytes(9), b"\0" * 7 + b"\1", b"\xff" * 8, bytes(8) + bytes(32)]
)
def test_damaged_frontier_is_refused(stored: bytes) -> None:
    with pytest.raises(IntegrityError):
        Frontier.from_bytes(stored)

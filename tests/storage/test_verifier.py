"""The shipped verifier: one small file, its signatures, its JSON, its Merkle proofs."""

import ast
import sys

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash
from storage.verifier import VERIFIER
from tests.storage.shipped import V

SOURCE = VERIFIER.read_text()
TREE = ast.parse(SOURCE, feature_version=(3, 9))


# ---- What it is made of ----


def test_it_has_fewer_than_600_lines_none_of_them_long() -> None:
    lines = SOURCE.splitlines()
    assert len(lines) < 600
    assert max(map(len, lines)) <= 100


def test_it_imports_the_standard_library_alone() -> None:
    named = {
        (alias.name if isinstance(node, ast.Import) else str(node.module)).partition(".")[0]
        for node in ast.walk(TREE)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert named <= sys.stdlib_module_names
    # None of these is newer than 3.9, and none reaches a network.
    assert named == {
        "__future__", "argparse", "base64", "collections", "contextlib", "datetime", "hashlib",
        "json", "os", "pathlib", "re", "shutil", "stat", "subprocess", "sys", "tempfile", "typing",
        "zipfile",
    }  # fmt: skip


def test_it_uses_nothing_newer_than_python_3_9() -> None:
    """Syntax is parsed as 3.9's above; these are calls and names that came later."""
    later = {"pairwise", "file_digest", "UTC", "bit_count", "batched", "Self"}
    names = {node.attr for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(TREE) if isinstance(node, ast.Name)}
    assert not names & later
    arguments = {each.arg for node in ast.walk(TREE) if isinstance(node, ast.Call)
                 for each in node.keywords}  # fmt: skip
    assert "strict" not in arguments


def test_nothing_of_ours_imports_it() -> None:
    root = VERIFIER.parents[2]
    for room in ("storage", "appraisal", "tasks", "flows", "portal"):
        for path in (root / room).rglob("*.py"):
            assert "storage.verifier.verify" not in path.read_text(), path
            assert "storage.verifier import verify\n" not in path.read_text(), path


# ---- Ed25519 ----

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
        "4dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3"
        "feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c664"
        "31e0303dca179c138ac17ad9bef1177331a704",
    ),
]


def accepts(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the program takes a signature; a key that is no point is refused by exception."""
    try:
        return bool(V.ed25519(public, signature, message))
    except V.Refused:
        return False


def openssl_accepts(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032(secret: str, public: str, message: str, signature: str) -> None:
    key, data, signed = map(bytes.fromhex, (public, message, signature))
    own = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert own.public_key().public_bytes_raw() == key
    assert accepts(key, signed, data)
    for at in range(0, 64, 7):
        spoiled = bytearray(signed)
        spoiled[at] ^= 1 << at % 8
        assert not accepts(key, bytes(spoiled), data)
    assert not accepts(key, signed, data + b"\0")


def test_a_signature_has_one_spelling() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"text")
    assert accepts(public, signature, b"text")
    s = int.from_bytes(signature[32:], "little")
    for more in range(1, 16):
        if s + more * V.L < 1 << 256:
            again = signature[:32] + (s + more * V.L).to_bytes(32, "little")
            assert not accepts(public, again, b"text")
    for wrong in (signature[:-1], signature + b"\0", b"", signature[:32]):
        assert not accepts(public, wrong, b"text")
    # S = L and S = 0 beside it.
    assert not accepts(public, signature[:32] + V.L.to_bytes(32, "little"), b"text")
    assert not accepts(public, signature[:32] + bytes(32), b"text")


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)
NOT_CANONICAL = (
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)


@pytest.mark.parametrize("public", [*SMALL_ORDER, *NOT_CANONICAL])
def test_a_key_of_small_order_or_in_another_spelling_signs_nothing(public: str) -> None:
    """With such a key, R = the identity and S = 0 is a signature of every eighth message."""
    key, identity = bytes.fromhex(public), b"\1" + bytes(31)
    for message in (bytes([number]) for number in range(32)):
        assert not accepts(key, identity + bytes(32), message)


@pytest.mark.parametrize("r", [*SMALL_ORDER, *NOT_CANONICAL])
def test_it_takes_no_commitment_that_openssl_refuses(r: str) -> None:
    """The key's holder can make R of small order; then the two must agree, or ours be stricter."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    for number in range(8):
        signature = bytes.fromhex(r) + bytes([number]) + bytes(31)
        assert not accepts(public, signature, b"x") or openssl_accepts(public, signature, b"x")


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.integers(0, 511))
def test_it_agrees_with_openssl(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert accepts(public, signature, message)
    spoiled = bytearray(signature)
    spoiled[bit // 8] ^= 1 << bit % 8
    assert not accepts(public, bytes(spoiled), message)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_it_takes_nothing_that_openssl_refuses(public: bytes, signature: bytes) -> None:
    assert not accepts(public, signature, b"m") or openssl_accepts(public, signature, b"m")


# ---- JSON ----


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 100_000 + b"}",
        b'{"a":1}x',
        b'{"a":01}',
        b"{'a':1}",
        b'{"a":"\n"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"\xff":1}',
        b"",
        b"[" * 200_000,
    ],
)
def test_json_of_another_kind_is_refused(text: bytes) -> None:
    with pytest.raises((V.Refused, ValueError, RecursionError)):
        V.parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":"\\u4e2d"}',
        b'{"a":"\\/"}',
        b'{"a":-0}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\u001F"}',
        '{"\ufb33":1,"\U0001f600":2}'.encode(),
    ],
)
def test_a_leaf_has_one_spelling(text: bytes) -> None:
    assert V.parse_json(text) is not None
    with pytest.raises((V.Refused, UnicodeError)):
        V.parse_json(text, canonical=True)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_every_canonical_leaf_is_read(value: object) -> None:
    assert V.parse_json(rfc8785.dumps(value), canonical=True) == value


# ---- Merkle proofs ----


class Hashes:
    """The nodes of a small tree, kept in memory."""

    def __init__(self, size: int) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        for number in range(size):
            for node in frontier.append(leaf_hash(str(number).encode())):
                self.nodes[node.level, node.index] = node.hash
        self.head = V.Checkpoint(size, frontier.root(), b"")

    def hash_at(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


TREES = {size: Hashes(size) for size in range(1, 35)}


def included(index: int, leaf: bytes, path: list[bytes], head: tuple[int, bytes, bytes]) -> bool:
    """The program's own check, as ``check_event`` makes it."""
    try:
        return bool(V.fold(index, head[0] - 1, leaf, path)[1] == head[1])
    except V.Refused:
        return False


def extends(old: object, new: object, path: list[bytes]) -> bool:
    try:
        V.require_extends(old, new, path)
    except V.Refused:
        return False
    return True


@pytest.mark.parametrize("size", TREES)
def test_every_leaf_is_included_and_no_mutation_is(size: int) -> None:
    tree = TREES[size]
    for index in range(size):
        leaf = leaf_hash(str(index).encode())
        path = inclusion_proof(tree, index, size)
        assert included(index, leaf, path, tree.head)
        assert not included(index, leaf, [*path, bytes(32)], tree.head)
        assert not path or not included(index, leaf, path[:-1], tree.head)
        assert not path or not included(index, leaf, path[1:], tree.head)
        assert not included(index, leaf_hash(b"other"), path, tree.head)
        if index + 1 < size:
            assert not included(index + 1, leaf, path, tree.head)


@pytest.mark.parametrize("new", TREES)
def test_every_prefix_is_extended_and_no_mutation_is(new: int) -> None:
    for old in range(1, new + 1):
        older, newer = TREES[old].head, TREES[new].head
        path = consistency_proof(TREES[new], old, new)
        assert extends(older, newer, path)
        assert not extends(older._replace(root=bytes(32)), newer, path)
        assert not extends(older, newer._replace(root=bytes(32)), path)
        assert not extends(older, newer, [*path, bytes(32)])
        assert not path or not extends(older, newer, path[:-1])
        assert old == new or not extends(newer, older, path)
        for at in range(len(path)):
            spoiled = [*path]
            spoiled[at] = bytes(32)
            assert not extends(older, newer, spoiled)

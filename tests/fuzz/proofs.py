"""Parsers of proof: notes, checkpoints, tiles, events, policies, and the shipped verifier."""

from __future__ import annotations

import io
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path

from storage.checkpoint import Checkpoint, parse_body
from storage.consistency import Consistency, parse_consistency
from storage.cosignature import parse_lines
from storage.errors import CustodyError
from storage.event import decode, encode
from storage.jcs import NotCanonicalError, canonical, parse_canonical
from storage.keyring import KeyRing
from storage.merkle import leaf_hash
from storage.note import Signer, open_note, parse_key, parse_note, parse_signature, sign_note
from storage.policy import Policy, parse_policy
from storage.proof import TlogProof, parse_proof
from storage.tiles import decode_tile, encode_bundle, parse_path, read_bundle
from storage.timestamp import parse_reply
from storage.witness import parse_request
from tests.fuzz.targets import Target, Unfaithful, same
from tests.storage.logs import leaves_of, make_events
from tests.storage.shipped import V

SIGNER = Signer("example.org/custody", bytes(range(32)))
LEAVES = leaves_of(make_events(0, 3))
ROOT = leaf_hash(LEAVES[0])
CHECKPOINT = str(sign_note(Checkpoint(SIGNER.name, 1, ROOT).body(), [SIGNER]))


def targets() -> Iterator[Target]:
    """Yield the targets of proof."""
    ours = (CustodyError,)
    yield Target("note", lambda data: same(str(parse_note(data)).encode(), data), ours, _notes)
    yield Target("note-open", lambda data: open_note(data, [SIGNER.verifier]), ours, _notes)
    yield Target("checkpoint", _checkpoint, (*ours, UnicodeDecodeError), _bodies)
    yield Target("signature-line", _signature, (*ours, UnicodeDecodeError), _signatures)
    yield Target("proof", _proof, ours, _proofs)
    yield Target("consistency", _consistency, ours, _consistencies)
    yield Target("cosignatures", parse_lines, ours, _signatures)
    yield Target(
        "witness-request",
        lambda data: same(str(parse_request(data)).encode(), data),
        ours,
        _requests,
    )
    yield Target("tile-path", _tile_path, (*ours, UnicodeDecodeError), _paths)
    yield Target("tile-bundle", _bundle, ours, _bundles)
    yield Target("event", _event, ours, lambda: LEAVES)
    yield Target("jcs", _jcs, (NotCanonicalError,), lambda: LEAVES)
    yield Target("policy", lambda data: parse_policy(data).text(), ours, _policies)
    yield Target("timestamp-reply", parse_reply, ours, _replies)
    yield Target("verifier-note", V.parse_note, (V.Refused, UnicodeDecodeError), _notes)
    yield Target(
        "verifier-json",
        lambda data: V.parse_json(data, canonical=True),
        (V.Refused, ValueError, RecursionError),
        lambda: LEAVES,
    )
    yield Target("verifier-list", V.parse_list, (V.Refused, UnicodeDecodeError), _lists)
    yield Target("verifier-bundle", _verify, (), _zips)


def _checkpoint(data: bytes) -> None:
    same(parse_body(data.decode()).body(), data.decode())


def _signature(data: bytes) -> None:
    text = data.decode()
    parse_signature(text)


def _proof(data: bytes) -> None:
    found = parse_proof(data)
    same(str(found).encode(), data)
    found.verify(LEAVES[0], [SIGNER.verifier])


def _consistency(data: bytes) -> None:
    found = parse_consistency(data)
    same(str(found).encode(), data)
    found.verify(Checkpoint(SIGNER.name, found.old, ROOT), Checkpoint(SIGNER.name, found.new, ROOT))


def _tile_path(data: bytes) -> None:
    text = data.decode()
    same(parse_path(text).path, text)
    parse_key(text, b"\x01")


def _bundle(data: bytes) -> None:
    entries, rest = read_bundle(data)
    same(encode_bundle(entries) + data[len(data) - rest :], data)
    decode_tile(data, max(1, len(data) // 32))


def _event(data: bytes) -> None:
    same(encode(decode(data)), data)


def _jcs(data: bytes) -> None:
    same(canonical(parse_canonical(data)), data)


def _verify(data: bytes) -> None:
    """Run the shipped verifier over a bundle; it may find anything, and must say it."""
    chosen = Namespace(policy="", since="", originals="", certificate="", by="")
    with tempfile.TemporaryDirectory() as folder:
        path, report = Path(folder, "bundle.zip"), V.Report()
        path.write_bytes(data)
        rows: list[dict[str, str]] = []
        place = Path(folder, "root")
        place.mkdir()
        with report.guard("bundle"):
            root = V.unpack(str(path), str(place))
            V.examine(V.Bundle(root, report), chosen, [], rows)
        V.told(report, [], rows, False)
        if report.code() == 0 and data not in set(_zips()):
            raise Unfaithful("a bundle that nobody made is verified")


def _notes() -> Iterable[bytes]:
    yield CHECKPOINT.encode()
    yield str(sign_note("text\n", [SIGNER, Signer("other.example", bytes(32))])).encode()


def _bodies() -> Iterable[bytes]:
    yield Checkpoint(SIGNER.name, 1, ROOT).body().encode()
    yield Checkpoint("a", 7, bytes(32), ("extension",)).body().encode()


def _signatures() -> Iterable[bytes]:
    for note in _notes():
        for line in note.decode().partition("\n\n")[2].splitlines():
            yield line.encode()
            yield line.encode() + b"\n"


def _proofs() -> Iterable[bytes]:
    yield str(TlogProof(0, (), CHECKPOINT)).encode()
    yield str(TlogProof(2, (ROOT, ROOT), CHECKPOINT, b"extra")).encode()


def _consistencies() -> Iterable[bytes]:
    yield str(Consistency(1, 1, ())).encode()
    yield str(Consistency(1, 3, (ROOT, ROOT))).encode()


def _requests() -> Iterable[bytes]:
    yield b"old 0\n\n" + CHECKPOINT.encode()
    for proof in _proofs():
        yield b"old 1\n" + proof


def _paths() -> Iterable[bytes]:
    yield from (b"tile/0/000", b"tile/entries/x001/234.p/7", b"tile/3/x001/x234/067", b"a+b+c")


def _bundles() -> Iterable[bytes]:
    yield encode_bundle(LEAVES)
    yield ROOT * 3


def _policies() -> Iterable[bytes]:
    yield Policy(KeyRing.single(SIGNER.verifier)).text().encode()


def _replies() -> Iterable[bytes]:
    yield bytes.fromhex("30030201023000")
    yield bytes.fromhex("300930070201023002020100")


def _lists() -> Iterable[bytes]:
    yield b"0" * 64 + b"  data/a.txt\n"
    yield b"SM3 (data/a.txt) = " + b"0" * 64 + b"\n"


def _zips() -> Iterable[bytes]:
    files = {
        "policy.json": next(iter(_policies())),
        "checkpoint": CHECKPOINT.encode(),
        "statement.json": b'{"case":"","exhibits":[],"schema":"zhenglian.proof/1"}',
        "data/a.txt": b"text",
        "events/0.json": LEAVES[0],
        "events/0.proof": next(iter(_proofs())),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"bundle/{name}"), data)
    yield out.getvalue()

"""What the programs judge: a house's log, and all that its operator would hand over.

::

    log/                        the published log itself: checkpoint, hash tiles, entry bundles
    vkey, witness.vkey          public keys; policy.json names the log's too
    cosigned                    the checkpoint with a witness's signature
    events/000000000041.json    the exact bytes of an entry
    events/000000000041.tlog-proof
    heads/000000000256/checkpoint          a head that was published on the way
    consistency/256-4096/{old,new,proof}   for every two of them
    controls/...                the same, each spoiled in one place (``tests.independent.spoiled``)
"""

import io
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from deploy.sample.authority import SampleAuthority
from storage.checkpoint import Checkpoint
from storage.consistency import Consistency
from storage.cosignature import CosignatureSigner
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.event import Action, CustodyEvent, event_id
from storage.keys import load_signer
from storage.merkle import consistency_proof, inclusion_proof
from storage.note import Signer
from storage.nouns import Person
from storage.outgrown import read_tile
from storage.policy import load_policy, write_policy
from storage.proof import TlogProof
from storage.tiles import Tile, TileHashes
from storage.timestamp import make_request
from tests.tasks.proof_made import CASE_NO, FILES, OTHER_FILES, OTHER_NO, take_case

WITNESS = CosignatureSigner("example.org/witness", bytes(range(32)))
BATCH = 4096
CUTS = (64, 255, 256, 257, 4096, 10_000, 16_384, 40_000, 65_536)
"""Sizes at which somebody keeps the published head: powers of two, their neighbours, others."""
CASES, EXHIBITS = 40, 25


class Hashes:
    """A log's nodes, each computed once."""

    def __init__(self, custody: Custody, size: int) -> None:
        tiles = TileHashes(size, lambda tile: self._read(custody, tile))
        self.hash_at = cache(tiles.hash_at)

    @staticmethod
    def _read(custody: Custody, tile: Tile) -> bytes:
        return read_tile(custody.log_store, tile)


@dataclass(frozen=True)
class World:
    """A folder to judge, the key that signs its log, and what was published on the way."""

    folder: Path
    signer: Signer
    heads: tuple[tuple[Checkpoint, str], ...]
    exhibit: str
    authority: SampleAuthority

    @property
    def head(self) -> Checkpoint:
        return self.heads[-1][0]

    def event(self, index: int) -> Path:
        return self.folder / f"events/{index:012d}.json"

    def proof(self, index: int) -> Path:
        return self.folder / f"events/{index:012d}.tlog-proof"


def make_world(custody: Custody, folder: Path, size: int) -> World:
    """Fill a fresh house's log to exactly ``size`` events, and hand everything over."""
    folder.mkdir(parents=True)
    exhibits = take_case(custody, folder / "in1", CASE_NO, FILES)
    exhibits += take_case(custody, folder / "in2", OTHER_NO, OTHER_FILES)
    authority = SampleAuthority(folder / "authority")
    authority.make()
    heads = tuple(_grow(custody, exhibits, size))
    (folder / "vkey").write_text(str(custody.log.ring().current))
    signer = load_signer(custody.workspace, custody.settings.log_origin)
    _write_log(custody, folder)
    _write_entries(custody, folder, *heads[-1])
    for head, text in heads:
        _write(folder / f"heads/{head.size:012d}/checkpoint", text)
    _write_consistency(custody, folder, heads)
    _write(folder / "policy.json", load_policy(custody.workspace).text())
    _anchor(custody, authority, *heads[-1])
    return World(folder, signer, heads, exhibits[0], authority)


def events(start: int, end: int, exhibits: list[str]) -> Iterator[CustodyEvent]:
    """Yield events of many cases; every fiftieth is of an exhibit that was taken in."""
    for number in range(start, end):
        case = f"2026-{number % CASES:04d}-9c1d44e0"
        exhibit = f"{case}/E{number // CASES % EXHIBITS + 1:04d}"
        if number % 50 == 0:
            exhibit = exhibits[number // 50 % len(exhibits)]
            case = exhibit.partition("/")[0]
        yield CustodyEvent(
            event_id(Action.ACCESSED, "independent", str(number)),
            Action.ACCESSED,
            "2026-11-23T10:00:00+08:00",
            "2026-11-23T10:00:00+08:00",
            Person("张三", "310001", "浦东新区市场监督管理局"),
            case=case,
            exhibits=(exhibit,),
            purpose="核对原件",
            details={"number": number},
        )


def _grow(custody: Custody, exhibits: list[str], size: int) -> Iterator[tuple[Checkpoint, str]]:
    """Record events in batches; yield the heads that were published at the cuts and the end."""
    at = custody.log.head().size
    yield _head(custody)
    for cut in (*(cut for cut in CUTS if at < cut < size), size):
        while at < cut:
            end = min(at + BATCH, cut)
            custody.record(list(events(at, end, exhibits)))
            at = end
        yield _head(custody)


def _head(custody: Custody) -> tuple[Checkpoint, str]:
    text = custody.log.checkpoint_text()
    return custody.log.ring().open(text.encode()), text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def copy_log(source: Path, target: Path) -> None:
    """Copy a log, by links where that goes: every file of it is written once."""
    shutil.copytree(source, target, copy_function=os.link)


def _write_log(custody: Custody, folder: Path) -> None:
    shutil.copytree(custody.workspace.objects / "log", folder / "log")


def _write_entries(custody: Custody, folder: Path, head: Checkpoint, text: str) -> None:
    hashes = Hashes(custody, head.size)
    (folder / "events").mkdir()
    for index, leaf in custody.log.reader().entries():
        path = tuple(inclusion_proof(hashes, index, head.size))
        (folder / f"events/{index:012d}.json").write_bytes(leaf)
        _write(folder / f"events/{index:012d}.tlog-proof", str(TlogProof(index, path, text)))
    _write(folder / "cosigned", f"{text}{WITNESS.cosign(head, int(time.time()))}")
    _write(folder / "witness.vkey", str(WITNESS.verifier))


def _write_consistency(
    custody: Custody, folder: Path, heads: tuple[tuple[Checkpoint, str], ...]
) -> None:
    for place, (new, new_text) in enumerate(heads):
        hashes = Hashes(custody, new.size)
        for old, old_text in heads[:place]:
            path = tuple(consistency_proof(hashes, old.size, new.size))
            write_pair(
                folder / f"consistency/{old.size}-{new.size}",
                old_text, new_text, Consistency(old.size, new.size, path),
            )  # fmt: skip


def write_pair(folder: Path, old: str, new: str, proof: Consistency) -> None:
    """Write two heads and the proof between them."""
    for name, text in (("old", old), ("new", new), ("proof", str(proof))):
        _write(folder / name, text)


def _anchor(custody: Custody, authority: SampleAuthority, head: Checkpoint, text: str) -> None:
    """Put a timestamp on a head where the anchor flow puts it, and name the authority."""
    note = text.encode()
    given = {"checkpoint": note}
    for algorithm in ("sha256", "sm3"):
        reply = authority.reply(make_request(note, algorithm, 1, ""))
        given[f"tsa.{algorithm}.tsr"] = reply
    for name, data in given.items():
        key = f"anchors/{head.size:012d}/{name}"
        custody.objects.put(key, io.BytesIO(data), fingerprint_bytes(data))
    pem = authority.certificates.read_text()
    trusted = {"name": "tsa", "url": "http://127.0.0.1/", "certificates": [pem]}
    policy = load_policy(custody.workspace)
    write_policy(custody.workspace, replace(policy, authorities=(trusted,)))

"""A case kept in a real directory store under a real log, and ways to spoil either."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storage.checkpoint import Checkpoint
from storage.digest import fingerprint_bytes
from storage.directory import DirectoryLogStore, DirectoryStore
from storage.event import Action, CustodyEvent, decode, encode, event_id
from storage.findings import LogCheck
from storage.log import CustodyLog
from storage.nouns import Person, case_id, exhibit_id
from storage.published import LogReader
from storage.tiles import ENTRIES, Tile, decode_bundle, encode_bundle, tiles_of, top_level
from storage.verify import CaseReport, verify
from tests.storage.logs import VERIFIER, WHEN, make_events, open_log

CASE_NO, ACCESSION = "沪市监案〔2026〕1号", "A2026-000001"
CASE = case_id(CASE_NO)
ORIGINALS = {
    "E0001": "甲方客户名单".encode() * 40,
    "E0002": bytes(range(256)) * 3,
    "E0003": b"x",
    "E0004": b"\x00" * 768,
}
"""The second and the fourth have one size."""


@dataclass
class Kept:
    """One case in one store, and the log beside it; ``log`` goes on recording."""

    root: Path
    log: CustodyLog

    @property
    def objects(self) -> DirectoryStore:
        return DirectoryStore(self.root)

    def path(self, exhibit: str) -> Path:
        """Where the original of an exhibit lies."""
        digest = fingerprint_bytes(ORIGINALS[exhibit]).sha256
        return self.root / f"cases/{CASE}/originals/{digest}"

    def check(self, known: Checkpoint | None = None) -> LogCheck:
        """Walk the published log, trusting the key alone."""
        return LogReader(DirectoryLogStore(self.root), VERIFIER).check(known)

    def report(self, known: Checkpoint | None = None, **more: Any) -> CaseReport:
        """Verify the case."""
        return verify(self.objects, self.check(known), CASE, **more)

    def results(self, **more: Any) -> dict[str, str]:
        """What is not ok, by exhibit."""
        found = self.report(**more).items
        return {
            item.label.removeprefix(f"{CASE}/"): item.result.value
            for item in found
            if item.result != "ok"
        }

    def file(self, tile: Tile) -> Path:
        """Where a resource of the log lies."""
        return self.root / "log" / tile.path

    def tiles(self, level: int) -> list[Tile]:
        """The tiles of a level (or the bundles) of the published tree."""
        return list(tiles_of(level, self.size))

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers, whoever signed it."""
        return int((self.root / "log/checkpoint").read_text().split("\n")[1])

    def needed(self) -> list[Path]:
        """Every file that the signed head and the case's events lead to."""
        levels = (ENTRIES, *range(top_level(self.size) + 1))
        return [
            self.root / "log/checkpoint",
            *(self.file(tile) for level in levels for tile in self.tiles(level)),
            *sorted((self.root / f"cases/{CASE}/originals").iterdir()),
        ]

    def edit(self, bundle: int, change: Callable[[list[bytes]], Any]) -> None:
        """Change the list of entries of one bundle, in place."""
        tile = self.tiles(ENTRIES)[bundle]
        leaves = decode_bundle(self.file(tile).read_bytes(), tile.width)
        change(leaves)
        overwrite(self.file(tile), encode_bundle(leaves))


def overwrite(path: Path, data: bytes) -> None:
    """Write as whoever owns the host can."""
    path.chmod(0o644)
    path.write_bytes(data)


@contextlib.contextmanager
def spoiled(path: Path, data: bytes) -> Iterator[None]:
    """Let a file hold other bytes until the block ends."""
    whole = path.read_bytes()
    overwrite(path, data)
    try:
        yield
    finally:
        overwrite(path, whole)


def edited(leaf: bytes) -> bytes:
    """Return a well-formed event that says something else."""
    return encode(replace(decode(leaf), purpose="as it suits somebody"))


def _event(action: Action, *subject: str, **more: Any) -> CustodyEvent:
    return CustodyEvent(
        event_id(action, *subject), action, WHEN, WHEN, Person("张三"),
        case=CASE, accession=ACCESSION, **more,
    )  # fmt: skip


def _stored(store: DirectoryStore, data: bytes) -> dict[str, Any]:
    print_ = fingerprint_bytes(data)
    ref = store.put(f"cases/{CASE}/originals/{print_.sha256}", io.BytesIO(data), print_)
    return {"fingerprint": print_.as_json(), "object": ref.as_json()}


def case_events(store: DirectoryStore) -> list[CustodyEvent]:
    """Store the case's originals and its manifest and return the events that say so."""
    manifest = {"path": "manifest.yaml", **_stored(store, b"the manifest of the bundle")}
    details = {
        "manifest": {"case_no": CASE_NO},
        "manifest_file": manifest,
        "exhibits": len(ORIGINALS),
        "first_exhibit": 1,
    }
    return [
        _event(Action.ACCESSIONED, ACCESSION, details=details),
        *(
            _event(
                Action.STORED,
                number,
                exhibits=(exhibit_id(CASE, int(number[1:])),),
                details={"item": {"name": number}, **_stored(store, data)},
            )
            for number, data in ORIGINALS.items()
        ),
    ]


def kept(folder: Path, before: int = 3, after: int = 2) -> Kept:
    """Keep a case; so many other events stand before and after it in the log."""
    root = folder / "objects"
    house = Kept(root, open_log(folder, DirectoryLogStore(root)))
    house.log.record(make_events(0, before))
    house.log.record(case_events(house.objects))
    house.log.record(make_events(before, before + after))
    return house

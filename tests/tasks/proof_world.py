"""A world to prove in: two cases, an authority, a witness, bundles and what auditors keep."""

import io
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.sample.authority import SampleAuthority, serving
from storage.checkpoint import parse_body
from storage.cosignature import CosignatureSigner
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.note import parse_note
from storage.policy import load_policy
from storage.timestamp import make_request
from tasks.proof_anchors import anchor_now
from tasks.proving import Wish, prove
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO, FILES, OTHER_FILES, OTHER_NO, take_case

WITNESS = CosignatureSigner("example.org/witness", bytes(range(32)))
STRANGER = CosignatureSigner("example.org/witness", bytes(range(1, 33)))


def stamped(authority: SampleAuthority, data: bytes) -> bytes:
    """Return an authority's timestamp on bytes."""
    return authority.reply(make_request(data, "sha256", 1, ""))


@dataclass(frozen=True)
class World:
    """Paths of bundles (``exhibit``, ``case``, ``bare``) and of what was published and kept.

    ``plain`` pins the log's key alone, ``full`` the authority and the witness too.
    """

    root: Path
    exhibits: list[str]
    authority: SampleAuthority

    def stamp(self, data: bytes) -> bytes:
        """Return the authority's timestamp on any bytes."""
        return stamped(self.authority, data)

    def bundle(self, name: str, copy: Path) -> Path:
        """Return a copy of a bundle, to be spoiled."""
        return Path(shutil.copytree(self.root / name, copy / name))

    @property
    def plain(self) -> Path:
        return self.root / "plain.json"

    @property
    def full(self) -> Path:
        return self.root / "full.json"

    @property
    def kept(self) -> Path:
        return self.root / "kept-checkpoint"

    @property
    def newer(self) -> Path:
        return self.root / "newer-checkpoint"


@contextmanager
def made_world(root: Path) -> Iterator[World]:
    """Make everything; the house stays open until the block ends."""
    authority = SampleAuthority(root / "authority")
    authority.make()
    with (
        serving(authority.reply) as url,
        open_house(
            root / "home", timestamp_authorities=str(authority.write_settings(url))
        ) as custody,
    ):
        exhibits = take_case(custody, root / "in1", CASE_NO, FILES)
        (root / "kept-checkpoint").write_text(custody.log.checkpoint_text())
        (root / "plain.json").write_text(load_policy(custody.workspace).text())
        take_case(custody, root / "in2", OTHER_NO, OTHER_FILES)
        _anchor(custody)
        exhibits += take_case(custody, root / "in3", CASE_NO, {"补充.txt": b"more"}, "B2")
        prove(custody, exhibits[0], root / "exhibit", Wish(since=root / "kept-checkpoint"))
        prove(custody, CASE_NO, root / "case", Wish(since=root / "kept-checkpoint"))
        prove(custody, CASE_NO, root / "case", Wish(as_zip=True))
        _anchor(custody)
        prove(custody, CASE_NO, root / "bare", Wish(originals=False))
        policy = json.loads((root / "bare/policy.json").read_text())
        policy["witnesses"] = [{"vkey": str(WITNESS.verifier), "url": "http://127.0.0.1/"}]
        policy["witnesses_needed"] = 1
        (root / "full.json").write_text(json.dumps(policy))
        take_case(custody, root / "in4", OTHER_NO, {"later.txt": b"later"}, "B2")
        (root / "newer-checkpoint").write_text(custody.log.checkpoint_text())
        yield World(root, exhibits, authority)


def _anchor(custody: Custody) -> None:
    """Have the newest checkpoint stamped, and leave a witness's cosignature beside it."""
    anchor_now(custody)
    folder = max(key.rpartition("/")[0] for key in custody.objects.keys("anchors/"))
    ref = custody.objects.find(f"{folder}/checkpoint")
    assert ref
    with custody.objects.open(ref) as stored:
        checkpoint = parse_body(parse_note(stored.read()).text)
    line = str(WITNESS.cosign(checkpoint, int(time.time()))).encode()
    key = f"{folder}/{WITNESS.name.replace('/', '_')}.cosignature"
    custody.objects.put(key, io.BytesIO(line), fingerprint_bytes(line))

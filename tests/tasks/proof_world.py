"""A world to prove in: two cases, an authority, a witness, bundles and what auditors keep."""

import io
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.checkpoint import parse_body
from storage.cosignature import CosignatureSigner
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.note import parse_note
from storage.policy import load_policy, parse_policy, write_policy
from tasks.proving import Wish, prove
from tests.services.authority import Authority
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO, FILES, OTHER_FILES, OTHER_NO, take_case

WITNESS = CosignatureSigner("example.org/witness", bytes(range(32)))
STRANGER = CosignatureSigner("example.org/witness", bytes(range(1, 33)))


@dataclass(frozen=True)
class World:
    """Paths of bundles (``exhibit``, ``case``, ``bare``) and of what was published and kept.

    ``plain`` pins the log's key alone, ``full`` the authority and the witness too.
    """

    root: Path
    exhibits: list[str]
    authority: Authority

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
    authority = Authority(root / "authority", "tsa")
    with open_house(root / "home") as custody:
        exhibits = take_case(custody, root / "in1", CASE_NO, FILES)
        (root / "kept-checkpoint").write_text(custody.log.checkpoint_text())
        take_case(custody, root / "in2", OTHER_NO, OTHER_FILES)
        (root / "plain.json").write_text(load_policy(custody.workspace).text())
        _anchor(custody, authority)
        exhibits += take_case(custody, root / "in3", CASE_NO, {"补充.txt": b"more"}, "B2")
        prove(custody, exhibits[0], root / "exhibit", Wish(since=root / "kept-checkpoint"))
        prove(custody, CASE_NO, root / "case", Wish(since=root / "kept-checkpoint"))
        prove(custody, CASE_NO, root / "case", Wish(as_zip=True))
        _anchor(custody, authority)
        prove(custody, CASE_NO, root / "bare", Wish(originals=False))
        (root / "full.json").write_text(load_policy(custody.workspace).text())
        take_case(custody, root / "in4", OTHER_NO, {"later.txt": b"later"}, "B2")
        (root / "newer-checkpoint").write_text(custody.log.checkpoint_text())
        yield World(root, exhibits, authority)


def _anchor(custody: Custody, authority: Authority) -> None:
    """Do what the anchor flow leaves behind: objects below anchors/ and a policy."""
    note = custody.log.checkpoint_text().encode()
    size = custody.log.reader().checkpoint().size
    line = WITNESS.cosign(parse_body(parse_note(note).text), int(time.time()))
    for name, data in {
        "checkpoint": note,
        "tsa.sha256.tsr": authority.stamp(note),
        "example.org_witness.cosignature": str(line).encode(),
    }.items():
        custody.objects.put(
            f"anchors/{size:012d}/{name}", io.BytesIO(data), fingerprint_bytes(data)
        )
    policy = json.loads(load_policy(custody.workspace).text())
    policy["authorities"] = [
        {"name": "tsa", "url": "http://127.0.0.1/", "certificates": authority.certificates}
    ]
    policy["witnesses"] = [{"vkey": str(WITNESS.verifier), "url": "http://127.0.0.1/"}]
    policy["witnesses_needed"] = 1
    write_policy(custody.workspace, parse_policy(json.dumps(policy).encode()))

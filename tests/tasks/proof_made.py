"""Houses with cases to prove, made by the real steps; and bundles spoiled as an attacker would.

Only the cell and the engine are left out: the manifest is made here.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from blake3 import blake3

from storage.custody import Custody
from storage.listing import bundle_digest
from storage.nouns import EvidenceForm, EvidenceKind, Item, Manifest, Person
from storage.verifier import VERIFIER
from tasks import claims, receiving, storing
from tasks.bundle import Arrival, File, Verdict, batches

CASE_NO, OTHER_NO = "沪市监案〔2026〕0777号", "苏市监案〔2026〕4242号"
FILES = {"名单.txt": "甲方客户名单".encode(), "报价.PDF": b"%PDF-1.4 price", "图.x/y": b"\0\1\2"}
OTHER_FILES = {"机密配方.txt": "另案的配方 other formula".encode(), "b.txt": b"other b"}
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
"""The system's own, which has none of our packages."""
MARKS = {"机密配方.txt": "机密配方", "b.txt": "乙案合同"}


def take_case(
    custody: Custody, folder: Path, case_no: str, files: Mapping[str, bytes], number: str = "B1"
) -> list[str]:
    """Take a bundle in; return its exhibits."""
    folder.mkdir(parents=True)
    for place, data in enumerate(files.values()):
        (folder / str(place)).write_bytes(data)
    claim = claims.claim_bundle(custody, folder, "pudong-01", in_place=True)
    listed = [
        File(path, str(folder / str(place)), len(data))
        for place, (path, data) in enumerate(files.items())
    ]
    manifest_file = folder / "manifest.yaml"
    manifest_file.write_text(f"manifest of {case_no} {number}")
    listed.append(File("manifest.yaml", str(manifest_file), manifest_file.stat().st_size))
    arrival = Arrival(claim.accession, "folder", str(folder), tuple(listed), ())
    taken = receiving.take_files(custody, claim.accession, listed)
    bundle = receiving.receive(custody, arrival, [taken])
    verdict = Verdict(
        bundle,
        bundle.files,
        bundle_digest([each.listed() for each in bundle.files]),
        _manifest(case_no, number, list(files)),
        "manifest.yaml",
        _next_exhibit(custody, claim.accession, case_no, len(files)),
    )
    parts = [
        storing.move_originals(custody, verdict.shelf, each)
        for each in batches(verdict.to_store, 100)
    ]
    events = list(storing.accession_events(custody, verdict, storing.gather(parts)))
    custody.record(events)
    claims.finish(custody, claim.accession)
    return [each for event in events for each in event.exhibits]


def _manifest(case_no: str, number: str, paths: list[str]) -> Manifest:
    people = (Person("张三", "310001"), Person("李四", "310002"))
    when = "2026-11-19T10:00:00+08:00"
    items = tuple(
        Item(
            seq, path, EvidenceKind.DOCUMENTARY, EvidenceForm.ORIGINAL,
            f"{MARKS.get(path, path)} {number}", "某公司", when, "上海", "调取",
        )
        for seq, path in enumerate(paths, 1)
    )  # fmt: skip
    return Manifest(
        number, case_no, "涉嫌侵犯商业秘密", "pudong-01", people, "张三", when, "秘密", items
    )


def _next_exhibit(custody: Custody, accession: str, case_no: str, count: int) -> int:
    from storage.catalogue import intents
    from storage.nouns import case_id

    with custody.write() as session:
        return intents.reserve_exhibits(session, accession, case_id(case_no), count)


def verify(bundle: Path, *options: object, cwd: str = "/") -> tuple[int, str]:
    """Run the shipped program as a person would; return its exit code and what it printed."""
    done = subprocess.run(
        [PYTHON, "-I", str(VERIFIER), str(bundle), *map(str, options)],
        capture_output=True, timeout=120, check=False, cwd=cwd,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, done.stdout.decode()


def reseal(bag: Path) -> None:
    """Write every list of a bag again, as whoever changed it would."""
    lists = {f"checks/{each}sums.txt" for each in ("sha256", "sm3", "b3")}
    manifests = {"manifest-sha256.txt", "tagmanifest-sha256.txt"}

    def names() -> list[str]:
        found = (each for each in bag.rglob("*") if each.is_file() and not each.is_symlink())
        return sorted(str(each.relative_to(bag)) for each in found)

    def sha256(name: str) -> str:
        return f"{hashlib.sha256((bag / name).read_bytes()).hexdigest()}  {name}\n"

    plain = [each for each in names() if each not in lists | manifests]
    data = {each: (bag / each).read_bytes() for each in plain}
    (bag / "checks/sha256sums.txt").write_text("".join(map(sha256, plain)))
    sm3 = (f"SM3 ({each}) = {hashlib.new('sm3', data[each]).hexdigest()}\n" for each in plain)
    (bag / "checks/sm3sums.txt").write_text("".join(sm3))
    b3 = (f"{blake3(data[each]).hexdigest()}  {each}\n" for each in plain)
    (bag / "checks/b3sums.txt").write_text("".join(b3))
    payload = [each for each in names() if each.startswith("data/")]
    (bag / "manifest-sha256.txt").write_text("".join(map(sha256, payload)))
    tags = [each for each in names() if each not in payload and not each.startswith("tagman")]
    (bag / "tagmanifest-sha256.txt").write_text("".join(map(sha256, tags)))

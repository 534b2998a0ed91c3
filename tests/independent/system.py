"""Programs that are on the machine: lists, bags, signatures, timestamps, and our own verifier.

``verify.py`` is ours, but shares no code with what made the log. Nothing here needs a network.
"""

import base64
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from deploy.sample.authority import SampleAuthority
from storage.note import Signer, parse_note
from tests.independent.spoiled import flip, spoiled_copy
from tests.independent.verdict import Verdict, run, succeeds, timed
from tests.independent.world import World
from tests.tasks.proof_made import reseal, verify

LISTS = {
    "sha256sum": ("sha256sum", "-c", "--strict", "checks/sha256sums.txt"),
    "b3sum": ("b3sum", "-c", "checks/b3sums.txt"),
    "cksum -a sm3": ("cksum", "-a", "sm3", "--check", "--strict", "checks/sm3sums.txt"),
}


def judge_all(world: World, bundle: Path, scratch: Path) -> Iterator[Verdict]:
    """Let every program on the machine judge a world's proof bundle and heads."""
    judges: list[Callable[[Path], Verdict]] = [
        *(lambda folder, name=name: lists(name, bundle, folder) for name in LISTS),  # type: ignore
        lambda folder: bag(bundle, folder),
        lambda folder: heads(world, folder),
        lambda folder: timestamps(world, bundle, folder),
        lambda folder: our_verifier(world, bundle, folder),
    ]
    for number, judge in enumerate(judges):
        folder = scratch / str(number)
        folder.mkdir(parents=True)
        yield timed(lambda judge=judge, folder=folder: judge(folder))  # type: ignore[misc]
        shutil.rmtree(folder)


def _version(*command: str) -> str:
    found = re.search(r"\d+(\.\d+)+", run(*command).stdout)
    return found[0] if found else "?"


def _spoiled(bundle: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield copies of a bundle, one file changed by a byte in each, and one with a file gone."""
    files = sorted(each for each in bundle.rglob("*") if each.is_file())
    names = [str(each.relative_to(bundle)) for each in files if each.stat().st_size]
    chosen = [next(each for each in names if each.startswith("data/"))]
    chosen += [next(each for each in names if each.endswith(end)) for end in (".json", "-proof")]
    for number, name in enumerate([*chosen, "checkpoint"]):
        yield name, spoiled_copy(bundle, folder / str(number), name)
    gone = Path(shutil.copytree(bundle, folder / "gone"))
    (gone / chosen[0]).unlink()
    yield "missing file", gone


def lists(name: str, bundle: Path, folder: Path) -> Verdict:
    """Check a list of digests."""
    command = LISTS[name]
    verdict = Verdict(name, _version(command[0], "--version"))
    number = len((bundle / command[-1]).read_text().splitlines())
    verdict.right("files", command[-1], succeeds(*command, folder=bundle), number)
    for what, copy in _spoiled(bundle, folder):
        verdict.control(what, succeeds(*command, folder=copy))
    return verdict


def bag(bundle: Path, folder: Path) -> Verdict:
    """Validate the bundle as a BagIt bag."""
    command = (sys.executable, "-m", "bagit", "--validate")
    verdict = Verdict("bagit.py", version("bagit"))
    verdict.right("bag", "bundle", succeeds(*command, bundle))
    for what, copy in _spoiled(bundle, folder):
        verdict.control(what, succeeds(*command, copy))
    return verdict


def heads(world: World, folder: Path) -> Verdict:
    """Verify the signature on every head that was published."""
    verdict = Verdict("openssl pkeyutl", _version("openssl", "version"))
    own = _pem(world.signer, folder / "own.pem")
    stranger = _pem(Signer(world.signer.name, bytes(32)), folder / "stranger.pem")
    for head, note in world.heads:
        parsed = parse_note(note.encode())
        text, value = parsed.text.encode(), parsed.signatures[0].value
        verdict.right("signatures", str(head.size), _signed(folder, own, text, value))
        verdict.control("text", _signed(folder, own, flip(text), value))
        verdict.control("signature", _signed(folder, own, text, flip(value)))
        verdict.control("key", _signed(folder, stranger, text, value))
    return verdict


def _pem(signer: Signer, path: Path) -> Path:
    """Write a public key as SubjectPublicKeyInfo (RFC 8410)."""
    key = bytes.fromhex("302a300506032b6570032100") + signer.verifier.public_key
    text = base64.b64encode(key).decode()
    path.write_text(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    return path


def _signed(folder: Path, key: Path, text: bytes, value: bytes) -> bool:
    (folder / "text").write_bytes(text)
    (folder / "value").write_bytes(value)
    return succeeds(
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin",
        "-in", folder / "text", "-sigfile", folder / "value",
    )  # fmt: skip


def timestamps(world: World, bundle: Path, folder: Path) -> Verdict:
    """Verify the RFC 3161 timestamp on an older head in the bundle."""
    verdict = Verdict("openssl ts", _version("openssl", "version"))
    other = SampleAuthority(folder / "other")
    other.make()
    own, stranger = world.authority.certificates, other.certificates
    for reply in sorted(bundle.glob("older/*/*.tsr")):
        data, stamp = (reply.parent / "checkpoint").read_bytes(), reply.read_bytes()
        what = str(reply.relative_to(bundle))
        verdict.right("timestamps", what, _stamped(folder, own, data, stamp))
        verdict.control("data", _stamped(folder, own, flip(data), stamp))
        # A reply ends with its signature; a few bytes elsewhere are not covered by it.
        verdict.control("stamp", _stamped(folder, own, data, flip(stamp, len(stamp) - 1)))
        verdict.control("authority", _stamped(folder, stranger, data, stamp))
    return verdict


def _stamped(folder: Path, trusted: Path, data: bytes, stamp: bytes) -> bool:
    (folder / "data").write_bytes(data)
    (folder / "stamp").write_bytes(stamp)
    return succeeds(
        "openssl", "ts", "-verify", "-in", folder / "stamp", "-data", folder / "data",
        "-CAfile", trusted,
    )  # fmt: skip


def our_verifier(world: World, bundle: Path, folder: Path) -> Verdict:
    """Run ``verify.py`` of the bundle's maker; the lists of the controls are made right again."""
    verdict = Verdict("verify.py (ours)", "1")
    policy = world.folder / "policy.json"
    number = len(list(bundle.glob("events/*.json")))
    code, text = verify(bundle, "--policy", policy)
    verdict.right("events", text, code == 0, number)
    for what, copy in _spoiled(bundle, folder):
        reseal(copy)
        verdict.control(what, verify(copy, "--policy", policy)[0] != 1)
    return verdict

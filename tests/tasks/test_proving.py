"""Proof bundles as the shipped program judges them: every attack that we know."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.tasks.proof_attacks import ATTACKS, flip
from tests.tasks.proof_made import (
    reseal,
    verify,
)
from tests.tasks.proof_world import World

CLASSES = (
    "data/E0001.txt",
    "events/*.json",
    "events/*.tlog-proof",
    "checkpoint",
    "older/*/checkpoint",
    "older/*/consistency",
    "older/*/*.tsr",
    "older/*/*.cosignature",
    "policy.json",
    "statement.json",
    "README.txt",
    "verify.py",
    "bagit.txt",
    "bag-info.txt",
    "manifest-sha256.txt",
    "tagmanifest-sha256.txt",
    "checks/sha256sums.txt",
    "checks/sm3sums.txt",
    "checks/b3sums.txt",
)


@pytest.mark.parametrize("pattern", CLASSES)
def test_one_changed_bit_in_any_file_is_found(world: World, tmp_path: Path, pattern: str) -> None:
    bag = world.bundle("case", tmp_path)
    victim = sorted(bag.glob(pattern))[-1]
    flip(victim)
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 1
    if "sums" not in pattern and "manifest" not in pattern:
        assert f"[FAILED] {victim.relative_to(bag)}:" in said


RESEALED = (*CLASSES[:6], "older/*/*.cosignature", "statement.json")


@pytest.mark.parametrize("pattern", RESEALED)
def test_one_changed_bit_is_found_when_the_lists_are_made_to_agree(
    world: World, tmp_path: Path, pattern: str
) -> None:
    bag = world.bundle("case", tmp_path)
    flip(sorted(bag.glob(pattern))[-1])
    reseal(bag)
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 1, said


@pytest.mark.parametrize("name", sorted({each.partition("/")[0] for each in CLASSES[3:]}))
def test_a_missing_file_is_found(world: World, tmp_path: Path, name: str) -> None:
    bag = world.bundle("case", tmp_path)
    shutil.rmtree(bag / name) if (bag / name).is_dir() else (bag / name).unlink()
    assert verify(bag, "--policy", world.full)[0] == 1


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_and_its_item_named(world: World, tmp_path: Path, name: str) -> None:
    attack, words = ATTACKS[name]
    bag = world.bundle("case", tmp_path)
    attack(world, bag)
    reseal(bag)
    anchored = "timestamp" in name or "cosignature" in name
    policy = world.full if anchored else world.plain
    code, said = verify(bag, "--policy", policy, "--lang", "en")
    failures = [line for line in said.splitlines() if "[FAILED]" in line]
    assert code == 1, said
    assert any(words in line for line in failures), "\n".join(failures)


@pytest.mark.parametrize(
    ("path", "line", "words"),
    [
        ("manifest-sha256.txt", f"{'0' * 64}  ../../../etc/passwd", "../../../etc/passwd"),
        ("manifest-sha256.txt", f"{'0' * 64}  /etc/passwd", "/etc/passwd"),
        ("checks/sm3sums.txt", f"SM3 (a/../../b) = {'0' * 64}", "a/../../b"),
        ("checks/b3sums.txt", f"{'0' * 64}  data/E0009.txt", "data/E0009.txt: is missing"),
        ("checks/sha256sums.txt", "no digest at all", "no digest at all"),
        ("tagmanifest-sha256.txt", f"{'0' * 64} *verify.py", "verify.py"),
    ],
)
def test_a_list_with_an_odd_line_is_refused(
    world: World, tmp_path: Path, path: str, line: str, words: str
) -> None:
    bag = world.bundle("case", tmp_path)
    with (bag / path).open("a") as file:
        file.write(f"{line}\n")
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 1
    assert words in said


@pytest.mark.parametrize("end", ["\v", "\f", "\u2028", "\x85", "\r\n", "\r"])
def test_a_list_has_one_kind_of_line_end(world: World, tmp_path: Path, end: str) -> None:
    bag = world.bundle("case", tmp_path)
    path = bag / "tagmanifest-sha256.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", end.encode(), 1))
    assert verify(bag, "--policy", world.plain)[0] == 1


def test_an_extra_file_is_found(world: World, tmp_path: Path) -> None:
    bag = world.bundle("case", tmp_path)
    (bag / "data/E0099.txt").write_text("planted")
    code, said = verify(bag, "--policy", world.plain, "--lang", "en")
    assert code == 1
    assert "[FAILED] data/E0099.txt: is not listed" in said


def _zip_with(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "members",
    [
        {"../../evil.txt": b"x"},
        {"/evil.txt": b"x"},
        {"bag/a": b"x", "bag/a/b": b"x"},
        {"bag/a": b"x", "other/a": b"x"},
        {"bag/名单": b"x"},
        {},
    ],
)
def test_a_zip_with_odd_members_is_refused(
    world: World, tmp_path: Path, members: dict[str, bytes]
) -> None:
    path = _zip_with(tmp_path / "b.zip", members)
    assert verify(path, "--policy", world.plain)[0] == 1
    assert not list(tmp_path.parent.rglob("evil.txt"))


def test_a_deflated_a_damaged_and_no_zip_are_refused(world: World, tmp_path: Path) -> None:
    bomb = _zip_with(tmp_path / "bomb.zip", {"bag/a": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)
    cut = tmp_path / "cut.zip"
    cut.write_bytes((world.root / "case.zip").read_bytes()[:-100])
    plain = tmp_path / "plain"
    plain.write_text("no zip")
    for path in (bomb, cut, plain, tmp_path / "absent"):
        code, said = verify(path, "--policy", world.plain)
        assert code == 1, said

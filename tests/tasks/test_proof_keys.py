"""Proof bundles under keys, policies and checkpoints that somebody kept."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.verifier import VERIFIER
from tasks.proving import Wish, prove
from tests.tasks.life import open_house
from tests.tasks.proof_made import (
    CASE_NO,
    FILES,
    PYTHON,
    reseal,
    take_case,
    verify,
)
from tests.tasks.proof_world import STRANGER, World


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the same case from a house with the same name and another key."""
    root = tmp_path_factory.mktemp("forged")
    with open_house(root / "home") as custody:
        take_case(custody, root / "in1", CASE_NO, FILES)
        prove(custody, CASE_NO, root / "case", Wish())
    return root / "case"


def test_a_whole_forged_log_is_found_by_the_pinned_key(world: World, forged: Path) -> None:
    code, said = verify(forged, "--policy", world.plain, "--lang", "en")
    assert code == 1
    assert "not signed by a key that may sign this size" in said


def test_keys_that_came_along_never_suffice(world: World, forged: Path) -> None:
    for bag in (forged, world.root / "case"):
        code, said = verify(bag, "--lang", "en")
        assert code == 3
        assert "[required, not checked] keys came with the bundle" in said
        assert "公钥随包而来" in verify(bag)[1]


@pytest.mark.parametrize(("first", "last"), [(1, 5), (1000, None)])
def test_a_key_counts_only_for_its_sizes(
    world: World, tmp_path: Path, first: int, last: int | None
) -> None:
    policy = json.loads(world.plain.read_text())
    policy["keys"][0].update(first=first, last=last)
    pinned = tmp_path / "policy.json"
    pinned.write_text(json.dumps(policy))
    code, said = verify(world.root / "case", "--policy", pinned, "--lang", "en")
    assert code == 1
    assert "may sign this size" in said


@pytest.mark.parametrize(
    "change_policy",
    [
        lambda policy: policy.update(schema="zhenglian.policy/2"),
        lambda policy: policy["keys"][0].update(vkey="x+00000000+AAAA"),
        lambda policy: policy["keys"].clear(),
        lambda policy: policy.pop("witnesses"),
        lambda policy: policy.update(log="example.org/another"),
        lambda policy: policy["keys"][0].update(first="1"),
        lambda policy: policy.update(witnesses_needed="1"),
    ],
)
def test_a_policy_of_another_form_is_refused(
    world: World, tmp_path: Path, change_policy: Callable[[object], object]
) -> None:
    policy = json.loads(world.plain.read_text())
    change_policy(policy)
    pinned = tmp_path / "policy.json"
    pinned.write_text(json.dumps(policy))
    assert verify(world.root / "case", "--policy", pinned)[0] == 1


def test_a_log_rolled_back_is_found_by_whoever_kept_a_newer_checkpoint(world: World) -> None:
    options = ("--policy", world.plain, "--lang", "en", "--since", world.newer)
    code, said = verify(world.root / "case", *options)
    assert code == 1
    assert "rolled back" in said


def test_a_rewritten_log_is_found_by_whoever_kept_an_older_checkpoint(
    world: World, tmp_path: Path
) -> None:
    """The same key signed two logs; the kept checkpoint is of the other one."""
    from storage.keys import load_signer
    from storage.workspace import Workspace

    signer = load_signer(Workspace(world.root / "home"), "zhenglian.local/custody")
    lines = world.kept.read_text().split("\n")
    body = f"{lines[0]}\n{lines[1]}\n{base64.b64encode(bytes(32)).decode()}\n"
    kept = tmp_path / "kept"
    kept.write_text(f"{body}\n{signer.sign(body)}")
    code, said = verify(world.root / "case", "--policy", world.plain, "--since", kept)
    assert code == 1
    assert "被改写" in said


def test_a_kept_checkpoint_without_a_proof_is_said_and_not_passed_over(world: World) -> None:
    code, said = verify(
        world.root / "bare", "--policy", world.plain, "--lang", "en", "--since", world.kept
    )
    assert code == 3
    assert "there is no proof from size" in said


def test_what_nobody_vouches_for_is_said(world: World, tmp_path: Path) -> None:
    """The access to the originals was stamped at once; no witness has seen it yet."""
    code, said = verify(world.root / "case", "--policy", world.full, "--lang", "en")
    assert code == 3
    assert "events: no 足够的见证 enough cosignatures" in said
    assert "events: no 时间戳" not in said
    bag = world.bundle("case", tmp_path)
    for path in bag.glob("older/*/*.tsr"):
        path.unlink()
    reseal(bag)
    code, said = verify(bag, "--policy", world.full, "--lang", "en")
    assert code == 3
    assert "events: no 时间戳 timestamp" in said


def test_a_stranger_with_the_witness_s_name_does_not_count(world: World, tmp_path: Path) -> None:
    policy = json.loads(world.full.read_text())
    policy["witnesses"][0]["vkey"] = str(STRANGER.verifier)
    pinned = tmp_path / "policy.json"
    pinned.write_text(json.dumps(policy))
    options = ("--policy", pinned, "--lang", "en", "--originals", world.root / "case/data")
    code, said = verify(world.root / "bare", *options)
    assert code == 3
    assert "enough cosignatures" in said


@pytest.mark.parametrize("missing", ["openssl", "b3sum"])
def test_without_a_program_it_says_what_it_could_not_check(
    world: World, tmp_path: Path, missing: str
) -> None:
    for name in {"openssl", "b3sum"} - {missing}:
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    done = subprocess.run(
        [PYTHON, "-I", VERIFIER, world.root / "bare", "--policy", world.full, "--lang", "en",
         "--originals", world.root / "case/data"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (3 if missing == "openssl" else 0), done.stdout
    assert f"needs {'OpenSSL' if missing == 'openssl' else missing}" in done.stdout


def test_programs_and_modules_of_the_bundle_are_never_run(world: World, tmp_path: Path) -> None:
    bag = world.bundle("bare", tmp_path)
    for name in ("openssl", "b3sum"):
        (bag / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (bag / name).chmod(0o755)
    for name in ("json.py", "hashlib.py", "re.py"):
        (bag / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    done = subprocess.run(
        [PYTHON, "verify.py", ".", "--policy", world.plain], cwd=bag,
        env={"PATH": f"{bag}:."}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "json.py" in done.stdout
    assert not (tmp_path / "ran").exists()

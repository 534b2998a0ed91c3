"""The shipped verifier's reading of notes and policies, and of bundles that are none."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from storage.checkpoint import Checkpoint
from storage.verifier import VERIFIER
from tests.storage.logs import SIGNER
from tests.storage.logs import VERIFIER as LOG_KEY
from tests.storage.shipped import V


def policy(**more: object) -> object:
    value = {
        "schema": "zhenglian.policy/1", "log": LOG_KEY.name,
        "keys": [{"vkey": str(LOG_KEY), "first": 1, "last": None}],
        "authorities": [], "witnesses": [], "witnesses_needed": 0, **more,
    }  # fmt: skip
    return V.Policy(json.dumps(value).encode())


NOTE = Checkpoint(LOG_KEY.name, 7, bytes(32)).sign(SIGNER).encode()


def test_a_checkpoint_is_opened_by_its_key() -> None:
    assert policy().open(NOTE).size == 7
    extended = Checkpoint(LOG_KEY.name, 7, bytes(32), ("an extension",)).sign(SIGNER).encode()
    assert policy().open(extended).size == 7


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace(b"\n7\n", b"\n8\n"),
        NOTE.replace(b"\n7\n", b"\n07\n"),
        NOTE.replace(b"\n7\n", b"\n-7\n"),
        NOTE.replace(b"\n7\n", "\n７\n".encode()),
        NOTE.replace(b"example.org", b"example.com"),
        NOTE.rstrip(b"\n"),
        NOTE + b"\n",
        NOTE + b"x",
        NOTE.replace("— ".encode(), b"- "),
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.partition("— ".encode())[0],
        NOTE + NOTE.partition(b"\n\n")[2] * 64,
        b"\xff" + NOTE,
        b"",
        Checkpoint(LOG_KEY.name, 7, bytes(32)).body().encode(),
    ],
)
def test_a_checkpoint_in_another_form_is_refused(note: bytes) -> None:
    with pytest.raises((V.Refused, ValueError)):
        policy().open(note)


def test_a_second_bad_signature_of_the_key_refuses_the_note() -> None:
    other = Checkpoint(LOG_KEY.name, 8, bytes(32)).sign(SIGNER).encode()
    with pytest.raises(V.Refused):
        policy().open(NOTE + other.partition(b"\n\n")[2])


def test_lines_of_unknown_keys_are_passed_over() -> None:
    line = "— sm2.example.org AAAAAAEC\n".encode()
    assert policy().open(NOTE + line).size == 7


def test_text_from_outside_cannot_forge_a_line() -> None:
    wild = "".join(map(chr, random.Random(1).sample(range(0x3000), 500))) + "\x1b[2J\n\u202e｜|"
    said = V.shown(wild)
    assert said.isprintable()
    assert "｜" not in said
    assert "|" not in said


@pytest.mark.parametrize("exists", [True, False])
def test_of_nothing_nothing_holds(tmp_path: Path, exists: bool) -> None:
    """An empty folder, or none at all, has no list that could hold."""
    bundle = tmp_path / "bundle"
    if exists:
        bundle.mkdir()
    command = ["python3", "-I", str(VERIFIER), str(bundle), "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "[holds]" not in done.stdout
    assert "is missing" in done.stdout

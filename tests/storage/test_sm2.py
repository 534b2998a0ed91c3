"""SM2 beside Ed25519: an extra line that openssl verifies and others ignore."""

import os
import subprocess
from pathlib import Path

import pytest

from storage.checkpoint import Checkpoint, open_checkpoint
from storage.custody import Custody
from storage.errors import ConflictError, HostError, IntegrityError
from storage.event import Action
from storage.note import parse_note
from storage.policy import load_policy, parse_policy
from storage.sm2 import Sm2Key, make_sm2_key, verify_sm2
from tasks.auditing import audit_log
from tasks.policies import differences, make_sm2, present_policy
from tests.storage.logs import ORIGIN, SIGNER, VERIFIER

NOTE = Checkpoint(ORIGIN, 7, bytes(32)).sign(SIGNER)


@pytest.fixture
def key(tmp_path: Path) -> Sm2Key:
    make_sm2_key(tmp_path / "sm2.key")
    return Sm2Key(tmp_path / "sm2.key", ORIGIN)


def test_what_the_key_did_not_sign_is_refused(key: Sm2Key, tmp_path: Path) -> None:
    make_sm2_key(tmp_path / "other.key")
    other = Sm2Key(tmp_path / "other.key", ORIGIN)
    signed = key.countersign(NOTE)
    moved = key.countersign(Checkpoint(ORIGIN, 8, bytes(32)).sign(SIGNER))
    line = parse_note(moved.encode()).signatures[-1]
    for note in (
        NOTE,
        other.countersign(NOTE),
        signed.replace("\n7\n", "\n8\n"),
        NOTE + str(line),
    ):
        with pytest.raises(IntegrityError):
            verify_sm2(note.encode(), ORIGIN, key.public_pem)
    with pytest.raises(IntegrityError):
        verify_sm2(signed.encode(), ORIGIN, other.public_pem)
    with pytest.raises(IntegrityError):
        verify_sm2(signed.encode(), "example.org/other", key.public_pem)


def test_tools_that_do_not_know_it_ignore_it(key: Sm2Key) -> None:
    signed = key.countersign(NOTE)
    assert signed.startswith(NOTE)
    assert open_checkpoint(signed.encode(), [VERIFIER]).size == 7
    verify_sm2(signed.encode(), ORIGIN, key.public_pem)


def test_openssl_verifies_it_by_hand(key: Sm2Key, tmp_path: Path) -> None:
    note = parse_note(key.countersign(NOTE).encode())
    (tmp_path / "text").write_text(note.text)
    (tmp_path / "signature").write_bytes(note.signatures[-1].value)
    (tmp_path / "public.pem").write_text(key.public_pem)
    command = (
        "openssl dgst -sm3 -verify public.pem -sigopt distid:1234567812345678 "
        "-signature signature text"
    )
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "Verified OK\n"


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "sm2.key"
    make_sm2_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConflictError):
        make_sm2_key(path)
    path.chmod(0o640)
    with pytest.raises(HostError):
        Sm2Key(path, ORIGIN)
    os.truncate(path, 10)
    path.chmod(0o600)
    with pytest.raises(IntegrityError):
        Sm2Key(path, ORIGIN)


def _say(custody: Custody, number: int) -> None:
    custody.record([custody.event(Action.ACCESSED, [str(number)], purpose="test")])


def test_a_house_with_an_sm2_key_signs_twice(house: Custody, tmp_path: Path) -> None:
    made = make_sm2(house.settings)
    assert not audit_log(house.settings).ok  # the newest checkpoint is older than the key
    _say(house, 1)
    assert audit_log(house.settings).ok
    verify_sm2(house.log.checkpoint_text().encode(), house.settings.log_origin, made.sm2)
    assert load_policy(house.workspace).sm2 == made.sm2
    house.workspace.sm2_key.unlink()
    _say(house, 2)
    assert [finding.kind for finding in audit_log(house.settings).findings] == ["sm2"]


def test_a_published_policy_is_compared(house: Custody, tmp_path: Path) -> None:
    published = tmp_path / "policy.json"
    published.write_text(present_policy(house.settings).text())
    assert differences(house.settings, published) == []
    make_sm2(house.settings)
    (said,) = differences(house.settings, published)
    assert "SM2" in said
    assert parse_policy(published.read_bytes()).sm2 == ""

"""The log's key on disk: made once, private, never replaced."""

import os
import stat
from pathlib import Path

import pytest

from storage.errors import ConflictError, HostError
from storage.keys import load_signer, load_verifier, make_key
from storage.note import Signer
from storage.workspace import Workspace

ORIGIN = "example.org/custody"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "var")
    made.create()
    return made


def test_made_and_loaded(workspace: Workspace) -> None:
    public = make_key(workspace, ORIGIN)
    assert stat.S_IMODE(workspace.log_key.stat().st_mode) == 0o600
    assert load_signer(workspace, ORIGIN).verifier == public == load_verifier(workspace)
    assert workspace.log_public_key.read_text() == f"{public}\n"
    assert sorted(each.name for each in workspace.keys.iterdir()) == ["log.key", "log.pub"]


def test_two_keys_differ(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        workspace = Workspace(tmp_path / name)
        workspace.create()
        made.append(make_key(workspace, ORIGIN))
    assert made[0] != made[1]


def test_a_key_is_never_overwritten(workspace: Workspace) -> None:
    make_key(workspace, ORIGIN)
    before = workspace.log_key.read_bytes()
    with pytest.raises(ConflictError):
        make_key(workspace, ORIGIN)
    assert workspace.log_key.read_bytes() == before


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "a\nb"])
def test_a_name_that_no_key_can_have(workspace: Workspace, origin: str) -> None:
    with pytest.raises(HostError):
        make_key(workspace, origin)
    assert not workspace.log_key.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o610, 0o700, 0o644, 0o777])
def test_a_key_that_others_may_use_is_refused(workspace: Workspace, mode: int) -> None:
    make_key(workspace, ORIGIN)
    workspace.log_key.chmod(mode)
    with pytest.raises(HostError) as caught:
        load_signer(workspace, ORIGIN)
    assert "chmod 600" in caught.value.remedy
    assert f"{mode:04o}" in str(caught.value)


def test_a_read_only_key_is_private_enough(workspace: Workspace) -> None:
    make_key(workspace, ORIGIN)
    workspace.log_key.chmod(0o400)
    load_signer(workspace, ORIGIN)


def test_no_key(workspace: Workspace) -> None:
    with pytest.raises(HostError) as caught:
        load_signer(workspace, ORIGIN)
    assert "custody init" in caught.value.remedy
    with pytest.raises(HostError):
        load_verifier(workspace)


def test_another_logs_key(workspace: Workspace) -> None:
    make_key(workspace, ORIGIN)
    with pytest.raises(HostError) as caught:
        load_signer(workspace, "example.org/other")
    assert ORIGIN in caught.value.remedy


@pytest.mark.parametrize(
    "text", ["", "\n", "junk\n", Signer(ORIGIN, bytes(32)).private_text()[:-2]]
)
def test_a_damaged_key(workspace: Workspace, text: str) -> None:
    workspace.log_key.write_text(text)
    workspace.log_key.chmod(0o600)
    with pytest.raises(HostError):
        load_signer(workspace, ORIGIN)
    workspace.log_public_key.write_text(text)
    with pytest.raises(HostError):
        load_verifier(workspace)


def test_a_key_file_that_is_no_plain_file(workspace: Workspace, tmp_path: Path) -> None:
    os.mkfifo(workspace.log_key, 0o600)
    with pytest.raises(HostError):
        load_signer(workspace, ORIGIN)
    workspace.log_key.unlink()
    elsewhere = tmp_path / "key"
    elsewhere.write_text(Signer(ORIGIN, bytes(32)).private_text())
    elsewhere.chmod(0o600)
    workspace.log_key.symlink_to(elsewhere)
    with pytest.raises(HostError):
        load_signer(workspace, ORIGIN)


def test_stopped_between_the_two_files(workspace: Workspace) -> None:
    public = make_key(workspace, ORIGIN)
    workspace.log_public_key.unlink()
    assert load_signer(workspace, ORIGIN).verifier == public
    assert load_verifier(workspace) == public


def test_errors_never_show_the_key(workspace: Workspace) -> None:
    make_key(workspace, ORIGIN)
    secret = workspace.log_key.read_text().strip()
    workspace.log_key.write_text(secret[:-1] + "\n")
    with pytest.raises(HostError) as caught:
        load_signer(workspace, ORIGIN)
    assert secret[-20:-1] not in str(caught.value) + repr(caught.value.facts)

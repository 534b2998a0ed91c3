"""Rotating the log's key: both keys sign, the old one is gone, every crash is finished."""

import os
import signal
from pathlib import Path

import pytest

from storage.custody import Custody, open_custody
from storage.errors import HostError, IntegrityError
from storage.event import Action
from storage.keys import make_key
from storage.log import LogReader
from storage.policy import load_policy, parse_policy
from storage.settings import Settings
from storage.workspace import Workspace
from tasks.auditing import audit_log
from tasks.rotating import rotate_key


def _say(custody: Custody, number: int) -> None:
    custody.record([custody.event(Action.ACCESSED, [str(number)], purpose="test")])


def test_after_a_rotation_the_new_key_signs(house: Custody) -> None:
    before = house.workspace.log_key.read_text()
    _say(house, 1)
    kept = house.log.checkpoint_text()
    done = rotate_key(house, house.receiver(), "yearly rotation")
    _say(house, 2)
    assert house.workspace.log_key.read_text() != before
    assert not house.workspace.next_key.exists()
    old, new = done.ring.spans
    assert (old.last, new.first) == (done.index + 1, done.index + 2)
    policy = load_policy(house.workspace)
    assert policy.ring == done.ring
    reader = LogReader(house.log_store, policy.ring)
    assert reader.checkpoint().size == done.index + 2
    assert reader.check(policy.ring.open(kept.encode())).ok
    assert audit_log(house.settings).ok
    assert house.workspace.log_public_key.read_text().strip() == str(new.verifier)


def test_an_auditor_with_the_first_key_alone_refuses_what_the_new_one_signed(
    house: Custody, tmp_path: Path
) -> None:
    pinned = tmp_path / "policy.json"
    pinned.write_text(load_policy(house.workspace).text())
    rotate_key(house, house.receiver(), "yearly rotation")
    _say(house, 2)
    assert not audit_log(house.settings, pinned).ok
    assert parse_policy(pinned.read_bytes()).ring.current != house.log.ring().current


def test_two_rotations(house: Custody) -> None:
    for number in range(2):
        rotate_key(house, house.receiver(), "again")
        _say(house, number)
    again = open_custody(house.settings)
    _say(again, 9)
    assert len(again.log.ring().spans) == 3
    assert audit_log(house.settings).ok


def test_another_process_goes_on_with_the_new_key(house: Custody) -> None:
    other = open_custody(house.settings)
    rotate_key(house, house.receiver(), "yearly rotation")
    _say(other, 5)
    assert audit_log(house.settings).ok


def test_a_machine_without_the_new_key_signs_nothing(house: Custody, tmp_path: Path) -> None:
    kept = house.workspace.log_key.read_bytes()
    other = open_custody(house.settings)
    rotate_key(house, house.receiver(), "yearly rotation")
    house.workspace.log_key.write_bytes(kept)
    size = house.log.head().published_size
    with pytest.raises(HostError) as caught:
        _say(other, 5)
    assert "log.key" in caught.value.remedy
    assert other.log.head().published_size == size


def test_a_stolen_old_key_signs_nothing_that_is_believed(house: Custody) -> None:
    from storage.checkpoint import Checkpoint
    from storage.note import Signer

    stolen = Signer.parse(house.workspace.log_key.read_text().strip())
    rotate_key(house, house.receiver(), "it was stolen")
    forged = Checkpoint(stolen.name, house.log.head().size + 5, bytes(32)).sign(stolen)
    house.log_store.publish(forged.encode())
    with pytest.raises(IntegrityError):
        open_custody(house.settings)
    assert not audit_log(house.settings).ok


@pytest.mark.parametrize("at", range(0, 16))
def test_killed_anywhere_it_is_finished(house: Custody, at: int) -> None:
    """Killed before its n-th fsync, then opened again and asked again."""
    first = house.workspace.log_key.read_text()
    child = os.fork()
    if child == 0:
        left = [at]
        real = os.fsync

        def counted(descriptor: int) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            real(descriptor)

        os.fsync = counted
        try:
            mine = open_custody(house.settings)
            rotate_key(mine, mine.receiver(), "yearly rotation")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    again = open_custody(house.settings)
    if len(again.log.ring().spans) == 1:
        rotate_key(again, again.receiver(), "yearly rotation")
    _say(again, 7)
    assert len(again.log.ring().spans) == 2
    assert again.workspace.log_key.read_text() != first
    assert not again.workspace.next_key.exists()
    assert audit_log(house.settings).ok


def test_a_policy_that_is_damaged_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.create()
    make_key(workspace, Settings().log_origin)
    workspace.policy.write_text("{}")
    with pytest.raises(HostError) as caught:
        load_policy(workspace)
    assert caught.value.remedy

"""The commands after damage, as a person types them."""

import shutil

import pytest

from portal.cli import main
from storage.custody import Custody
from storage.event import Action
from tests.house import events, forget


def test_a_house_without_damage_has_nothing_to_repair(
    house: Custody, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["repair", "--dry-run"]) == 0
    assert "0 个损坏或缺失 wrong" in capsys.readouterr().out
    assert main(["repair"]) == 2
    assert "--by, --reason" in capsys.readouterr().err
    assert main(["repair", "--from", "/nowhere/at/all", "--by", "张伟", "--reason", "x"]) == 2


def test_a_lost_log_is_published_again_and_that_is_on_record(
    house: Custody, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(house.workspace.objects / "log")
    forget()
    assert main(["status"]) == 4
    assert "custody republish" in capsys.readouterr().err
    forget()
    assert main(["republish", "--by", "张伟", "--reason", "硬盘损坏"]) == 0
    assert "published again: 1" in capsys.readouterr().out
    assert main(["audit", "--log"]) == 0
    (event,) = events(house, Action.REPAIRED)
    assert (event.actor.name, event.details["missing"]) == ("张伟", 3)

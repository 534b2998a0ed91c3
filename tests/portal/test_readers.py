"""``custody case readers``: the need-to-know list of a case, shown and changed (ST-06)."""

import json
from pathlib import Path

from appraisal import accounts
from appraisal.accounts import Role
from storage.custody import Custody
from tasks.accounts import Accounts
from tasks.reading import shared_pool
from tests.house import CASE_NO, make_bundle
from tests.portal.conftest import Run
from tests.tasks.life import take


def test_st_06_the_list_is_shown_and_changed(house: Custody, tmp_path: Path, run: Run) -> None:
    take(house, shared_pool(), make_bundle(tmp_path / "bundle", files={"a.txt": b"a"}))
    Accounts(house).add(accounts.new_account("liming", "李明", Role.OFFICER))
    assert "本局账户均可查看" in run("case", "readers", CASE_NO).out
    asked = ("case", "readers", CASE_NO, "--add", "liming")
    what, remedy = run(*asked).problem
    assert "理由" in what
    assert "--because" in remedy
    changed = run(*asked, "--because", "承办人", "--json")
    (reader,) = json.loads(changed.out)["readers"]
    assert (reader["login"], reader["reason"]) == ("liming", "承办人")
    assert "李明" in run("case", "readers", CASE_NO).out
    gone = run("case", "readers", CASE_NO, "--remove", "liming", "--because", "调离", "--json")
    assert json.loads(gone.out)["readers"] == []

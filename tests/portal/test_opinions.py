"""Opinions at the command line: what is seen, what is confirmed, what goes back."""

import json
from pathlib import Path

import pytest

from appraisal import acts
from appraisal.desk import Desk
from tests.portal.conftest import Run
from tests.tasks.sent import CLERK, NUMBER, case_house, send
from tests.tasks.test_returning import give, printed


@pytest.fixture
def home(tmp_path: Path) -> str:
    """A house to which an opinion on paper, about another package, came back."""
    with case_house(tmp_path, {"名单.txt": "客户".encode(), "报价.txt": b"quote"}) as custody:
        digest = send(custody)["package_digest"]
        Desk(custody).step(NUMBER, acts.accept(CLERK, custody.now(), digest))
        give(custody, tmp_path / "in", printed(custody), package_digest_stated="0" * 64)
        return str(custody.workspace.root)


def test_ap_08_checks_are_shown_confirmed_and_sent_back(home: str, run: Run) -> None:
    """AP-08: each failure is listed; a person confirms what waits, by name; the rest goes back."""
    shown = run("opinion", "show", NUMBER, CUSTODY_HOME=home)
    assert shown.code == 0
    assert "? signatures（须由人核对 a person must confirm）" in shown.out
    assert "✗ package_digest（不符合 does not hold）" in shown.out
    words = ("--seen", "两处手写签名，红色印章", "--by", "李明", "--second", "王芳")
    both = ("--check", "signatures", "--check", "seal")
    assert run("opinion", "confirm", NUMBER, *both, *words, CUSTODY_HOME=home).code == 0
    found = json.loads(run("opinion", "show", NUMBER, "--json", CUSTODY_HOME=home).out)
    people = {f["code"]: (f["by"], f["second"]) for f in found["findings"] if f.get("by")}
    assert people == dict.fromkeys(("signatures", "seal"), ("李明", "王芳"))
    refused = run(
        "opinion", "confirm", NUMBER, "--check", "package_digest", *words, CUSTODY_HOME=home
    )
    assert refused.code == 3
    assert "不符合" in refused.problem[0]
    assert run("commission", "close", NUMBER, CUSTODY_HOME=home).code == 3
    assert run("opinion", "send-back", NUMBER, CUSTODY_HOME=home).code == 0
    steps = run("commission", "show", NUMBER, "--json", CUSTODY_HOME=home)
    back = json.loads(steps.out)["returned"][-1]["sent_back"]
    assert "[package_digest]" in back
    assert "[signatures]" not in back
    assert run("opinion", "show", NUMBER, CUSTODY_HOME=home).code == 3

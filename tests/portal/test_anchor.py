"""``custody anchor`` and what ``custody doctor`` says of anchors."""

import json
from pathlib import Path

import pytest

from deploy.sample.authority import SampleAuthority, serving
from storage.custody import Custody
from tests.portal.conftest import Run
from tests.services.rgw import free_port


@pytest.fixture
def authority(tmp_path: Path) -> SampleAuthority:
    made = SampleAuthority(tmp_path / "authority")
    made.make()
    return made


def test_nobody_to_ask_is_said(empty: Custody, run: Run) -> None:
    what, remedy = run("anchor", "run").problem
    assert "no timestamp authority and no witness" in what
    assert "CUSTODY_TIMESTAMP_AUTHORITIES" in remedy


def test_wrong_setting_is_said(empty: Custody, run: Run) -> None:
    answer = run("anchor", "list", CUSTODY_TIMESTAMP_AUTHORITIES="[{}]")
    assert answer.code == 5
    assert "CUSTODY_TIMESTAMP_AUTHORITIES cannot be used" in answer.problem[0]


def test_doctor_says_that_nobody_is_asked(empty: Custody, run: Run) -> None:
    found = json.loads(run("doctor", "--json").out)
    (row,) = (each for each in found if each["area"] == "anchor")
    assert (row["name"], row["state"]) == ("authorities", "weak")


@pytest.mark.slow
@pytest.mark.xdist_group("prefect")
def test_a_failure_stands_until_a_timestamp_comes(
    empty: Custody,
    run: Run,
    authority: SampleAuthority,
    prefect_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tasks import steps

    monkeypatch.setattr(steps.obtain_timestamp, "retry_delay_seconds", [0, 0, 0])
    path = str(authority.write_settings(f"http://127.0.0.1:{free_port()}/"))
    monkeypatch.setenv("CUSTODY_TIMESTAMP_AUTHORITIES", path)
    failed = run("anchor", "run")
    assert failed.code == 6
    assert "cannot be reached" in failed.out
    assert run("anchor", "list").code == 6
    found = json.loads(run("doctor", "--json").out)
    rows = {each["name"]: each for each in found if each["area"] == "anchor"}
    assert rows["sample-tsa sm3"]["state"] == "weak"
    assert "cannot be reached" in rows["sample-tsa sm3"]["seen"]
    with serving(authority.reply) as url:
        authority.write_settings(url)
        right = run("anchor", "run", "--json")
    assert right.code == 0
    assert [each["algorithm"] for each in json.loads(right.out)["anchored"]] == ["sha256", "sm3"]
    listed = run("anchor", "list")
    assert listed.code == 0
    assert "sample-tsa" in listed.out
    assert "every day's records were stamped in time" in listed.out
    verified = run("anchor", "verify")
    assert (verified.code, verified.out.count("✓")) == (0, 3)
    rows = {each["name"]: each for each in json.loads(run("doctor", "--json").out)}
    assert rows["sample-tsa sha256"]["state"] == rows["days"]["state"] == "ok"

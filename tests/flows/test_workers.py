"""A real worker of a real Prefect server: it takes what the watcher hands over, and helps read."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from portal.watching import Watch
from storage.catalogue import queries
from storage.catalogue.exclusive import exclusive
from storage.custody import Custody
from storage.event import Action
from tasks import claims
from tasks.bundle import DONE_MARKER
from tasks.spreading import part_name
from tests.house import events, make_bundle

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(400)]
FEW = {f"{number}.txt": f"第 {number} 份文件".encode() for number in range(6)}


@pytest.fixture
def settled(house: Custody, prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a host whose Prefect server holds what ``custody deploy`` makes."""
    chosen = {
        "CUSTODY_PREFECT_API_URL": prefect_server,
        "CUSTODY_RUNS": "workers",
        "CUSTODY_BATCH_SIZE": "2",
        "CUSTODY_CELL_PROCESSES": "1",
        "CUSTODY_HOME": str(house.workspace.root),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **chosen}


def custody(env: dict[str, str], *words: str) -> str:
    """Run a command as a person does; return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", *words], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wait_for(what: str, holds, seconds: float = 120) -> None:  # type: ignore[no-untyped-def]
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"not in {seconds} s: {what}"
        time.sleep(0.3)


def test_what_the_watcher_hands_over_is_ingested_and_read_by_workers(
    house: Custody, settled: dict[str, str], tmp_path: Path
) -> None:
    made = custody(settled, "deploy")
    for part in ("intake 4", "ingest", "read", "heartbeat"):
        assert part in made
    assert custody(settled, "deploy") == made
    from storage.settings import settings

    settings.cache_clear()
    watch = Watch(replace(house, settings=settings()))
    unit = house.workspace.drop / "pudong-01"
    (make_bundle(unit / "whole", files=FEW) / DONE_MARKER).touch()
    watch.begin()
    (claim,) = claims.unfinished(house)
    # Somebody is at the third part and dies: whoever ingests reads it then.
    with exclusive(house.database, part_name(claim.accession, 2)) as held:
        assert held
        worker = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "worker", "--limit", "3"],
            env=settled, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for("four documents read", lambda: len(events(house, Action.READ)) == 4)
            assert claims.is_open(house, claim.accession)
        except BaseException:
            os.killpg(worker.pid, signal.SIGKILL)
            raise
    try:
        wait_for("the claim closed", lambda: not claims.is_open(house, claim.accession))
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(30)
    assert len(events(house, Action.READ)) == len(FEW)
    assert len(events(house, Action.RECEIPTED)) == 1
    with house.read() as session:
        (case,) = queries.list_cases(session)
        exhibits = queries.list_exhibits(session, case["case_id"])
    assert all(each["reading"]["state"] == "read" for each in exhibits)

"""Several hosts for real: whatever ends, hangs or is cut off, everything is as if undisturbed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.drops import BUNDLES, SCANS, TEXTS, case_no, drop
from tests.hosts.installation import CUSTODY, NAMES, UNIT, WORKERS, Installation, surroundings
from tests.hosts.lan import ROOT, hosts

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(1000)]
_SILENT = 125.0
"""Seconds for which a host is cut off: longer than its heartbeats may fail to come."""


@pytest.fixture
def base(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that every host may look into; it stays when the test failed."""
    folder = Path(tempfile.mkdtemp(prefix="hosts-"))
    folder.chmod(0o755)
    yield folder
    if not getattr(request.node, "failed", True):
        shutil.rmtree(folder)


@pytest.fixture
def alone(base: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The same drop taken in by one host that nothing disturbs, beside everything else."""
    home = base / "alone"
    home.mkdir()
    command = [sys.executable, "-m", "tests.hosts.drops", str(home), str(base / "alone.json")]
    with (base / "alone.log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--",
             "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *command],
            cwd=ROOT, env=surroundings(home), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def installation(base: Path) -> Iterator[Installation]:
    """Five hosts that work."""
    with hosts(*NAMES, logs=base) as machines:
        made = Installation(base, machines)
        made.set_up()
        yield made


def test_cut_off_killed_and_restarted_everything_ends_as_if_undisturbed(
    request: pytest.FixtureRequest,
    installation: Installation,
    alone: subprocess.Popen[bytes],
    base: Path,
) -> None:
    request.node.failed = True
    disturb(installation)
    installation.wait_for("everything dropped is taken in", lambda: all_taken_in(installation), 420)
    assert alone.wait(300) == 0, (base / "alone.log").read_text()
    told = installation.told("rows")
    calm = json.loads((base / "alone.json").read_text())
    as_if_undisturbed(told, calm)
    nothing_left_over(installation)
    both_took_part(told)
    dead_runs_are_marked(installation)
    for number in range(1, BUNDLES + 1):
        installation.host["keeper"].run(*CUSTODY, "verify", case_no(number))
    installation.host["worker1"].run(*CUSTODY, "audit", "--log")
    request.node.failed = False


def disturb(installation: Installation) -> None:
    """Drop bundle after bundle, and meanwhile do to the hosts whatever happens to hosts."""
    share, host = installation.share, installation.host
    drop(share, 1)
    drop(share, 2)
    installation.wait_for("both workers work", lambda: len(at_work(installation)) > 1, 180)
    host["worker1"].cut_off()
    cut = time.monotonic()
    drop(share, 3)
    time.sleep(5)
    host["worker2"].kill()
    installation.start_worker("worker2")
    time.sleep(10)
    installation.restart_postgres()
    drop(share, 4)
    time.sleep(15)
    installation.restart_gateway()
    drop(share, 5)
    time.sleep(15)
    installation.restart_prefect()
    time.sleep(max(0.0, cut + _SILENT - time.monotonic()))
    host["worker1"].plug_in()


def at_work(installation: Installation) -> set[str]:
    """Return the workers that have put something on record."""
    return {host for _, host, *_ in installation.told("rows")["events"]} & set(WORKERS)


def all_taken_in(installation: Installation) -> bool:
    told = installation.told("rows")
    return len(told["exhibits"]) == BUNDLES and not told["unfinished"]


def as_if_undisturbed(told: dict[str, Any], calm: dict[str, Any]) -> None:
    """The same exhibits, numbers, digests and readings; each step once; each object once."""
    assert told["exhibits"] == calm["exhibits"]
    assert told["objects"] == calm["objects"]
    steps, undisturbed = (
        Counter(action for action, *_ in each["events"] if action in ("received", "accessioned",
                "stored", "receipted", "read"))
        for each in (told, calm)
    )  # fmt: skip
    assert steps == undisturbed
    assert steps["receipted"] == BUNDLES
    assert steps["read"] == BUNDLES * (TEXTS + SCANS)
    read = Counter(one for action, _, _, of in told["events"] if action == "read" for one in of)
    assert set(read.values()) == {1}


def nothing_left_over(installation: Installation) -> None:
    """The units' share holds receipts and nothing that waits."""
    assert not list((installation.share / "claimed").iterdir())
    receipts = list((installation.share / "drop" / UNIT / "receipts").iterdir())
    assert len(receipts) == BUNDLES
    for each in receipts:
        assert {"receipt.json", "receipt.pdf"} <= {file.name for file in each.iterdir()}


def both_took_part(told: dict[str, Any]) -> None:
    by = Counter(host for action, host, *_ in told["events"] if action in ("read", "received"))
    assert set(by) == set(WORKERS), by
    assert min(by.values()) >= SCANS, by


def dead_runs_are_marked(installation: Installation) -> None:
    """Heartbeats tell which runs are dead; none is believed under way for ever."""
    found: dict[str, Any] = {}

    def marked() -> bool:
        found.update(installation.told("runs"))
        return "RUNNING" not in found["states"]

    installation.wait_for("no dead run is believed to run", marked, 150)
    crashed = [message for _, state, message in found["runs"] if state == "CRASHED"]
    assert any("no heartbeat" in message for message in crashed), found

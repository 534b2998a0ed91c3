"""SIGKILL of the real thing: ``custody watch`` and its Prefect flow, seen from outside."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tasks.unit_board import BOARDS
from tests.faults.bundles import UNIT
from tests.faults.running import ROOT, Undisturbed
from tests.faults.state import check_log, differences, receipts_given, receipts_on_record, state_of
from tests.services.prefect_server import prefect_at
from tests.services.rgw import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("prefect")]
PATIENCE = 120.0
RETRIES = "1"
"""How often Prefect's client asks again; with its own five a server that is gone takes a minute."""
MOMENTS: dict[str, str] = {
    "the first original is stored": "objects/cases/*/originals/*",
    "a document was read": "objects/cases/*/derivatives/*",
}
"""What appears in the workspace when the process is to die."""


@contextmanager
def watching(home: Path, server: str, told: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``custody watch --once`` in a session of its own; what is left of it ends here."""
    with told.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.cli", "watch", "--once"],
            cwd=ROOT,
            env={**os.environ, "CUSTODY_HOME": str(home), "PREFECT_API_URL": server,
                 "CUSTODY_SCAN_SECONDS": "0.05", "PREFECT_CLIENT_MAX_RETRIES": RETRIES},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_until(seen: Callable[[], Any], process: "subprocess.Popen[bytes]") -> None:
    """Wait for something that a process does.

    Raises:
        AssertionError: it ended, or took too long.
    """
    ends = time.monotonic() + PATIENCE
    while not seen():
        assert process.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.001)


def of_the_record(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out Prefect's own home and the unit's board, which are no record."""
    boards = tuple(f"home/drop/{UNIT}/{name}" for name in BOARDS)
    files = {
        name: value
        for name, value in state["files"].items()
        if not name.startswith("home/prefect/") and name not in boards
    }
    return {**state, "files": files}


def test_the_watcher_killed_at_one_moment_after_another(
    dropped: Undisturbed, prefect_server: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    home = root / "home"
    shutil.copytree(dropped.template, root)
    for pattern in MOMENTS.values():
        with watching(home, prefect_server, tmp_path / "told") as process:
            wait_until(lambda pattern=pattern: any(home.glob(pattern)), process)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        check = check_log(home)
        assert check.ok, check.findings
        assert receipts_given(home) <= receipts_on_record(home)
    with watching(home, prefect_server, tmp_path / "told") as process:
        assert process.wait(PATIENCE) == 0
    assert open_claims(home) == 0
    assert differences(dropped.state, of_the_record(state_of(root))) == []
    assert under_way(home) == []


def under_way(home: Path) -> list[Any]:
    """Return what the unit's board, if it has one, still shows."""
    board = home / "drop" / UNIT / BOARDS[0]
    shown: list[Any] = json.loads(board.read_text())["ingests"] if board.exists() else []
    return shown


def copy_database(home: Path, to: Path) -> None:
    """Copy the database of a running server, because making one takes ten seconds."""
    to.mkdir()
    with (
        closing(sqlite3.connect(home / "prefect.db")) as source,
        closing(sqlite3.connect(to / "prefect.db")) as target,
    ):
        source.backup(target)


def open_claims(home: Path) -> int:
    with closing(sqlite3.connect(home / "custody.sqlite")) as database:
        states = database.execute("SELECT state FROM accession_intent").fetchall()
    return len([state for (state,) in states if state not in ("done", "gone")])


def test_a_server_that_is_gone_in_the_middle_leaves_nothing_that_the_next_start_does_not_end(
    dropped: Undisturbed, prefect_server: str, prefect_home: Path, tmp_path: Path
) -> None:
    root, told, port = tmp_path / "root", tmp_path / "told", free_port()
    home = root / "home"
    shutil.copytree(dropped.template, root)
    copy_database(prefect_home, tmp_path / "prefect")
    with ExitStack() as server:
        url = server.enter_context(prefect_at(tmp_path / "prefect", port))
        with watching(home, url, told) as process:
            wait_until(lambda: any(home.glob(MOMENTS["the first original is stored"])), process)
            server.close()
            assert process.wait(PATIENCE) == 0, told.read_text()
    said = told.read_text()
    assert "Traceback" not in said, said
    # Whether the ingest still came to its end without the server, or was given up: told once.
    assert " ".join(said.split()).count("✗") <= 1, said
    check = check_log(home)
    assert check.ok, check.findings
    assert receipts_given(home) <= receipts_on_record(home)
    with prefect_at(tmp_path / "prefect", port) as url, watching(home, url, told) as process:
        assert process.wait(PATIENCE) == 0, told.read_text()
    assert open_claims(home) == 0
    assert differences(dropped.state, of_the_record(state_of(root))) == []
    assert under_way(home) == []

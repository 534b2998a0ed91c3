"""A parent of processes that ingest and are killed: ``python -m tests.faults.driver``.

It imports everything once and then forks a child, in a session of its own, for each order it
reads: one JSON object a line, answered by one JSON line. The child runs the flow's own function
and the watcher's own loop; Prefect alone is left out, which keeps no record of evidence and takes
seconds to start. Orphans of a killed child come to this process, which waits until they ended.
"""

import atexit
import contextlib
import ctypes
import io
import json
import os
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any
from unittest.mock import patch

import prefect

from appraisal import typeface
from flows import ingest
from portal import running, watching
from portal.commands.quarantine import quarantine_release
from storage.catalogue import database
from storage.errors import CustodyError
from storage.settings import relocate
from tasks import reading, settling
from tasks.reader import sandbox, warmth
from tasks.telling import TELLER
from tests.faults.bundles import UNIT, folder
from tests.faults.mishaps import patient, prepare, watch_requests
from tests.faults.seam import Seam
from tests.house import opened_house

PR_SET_CHILD_SUBREAPER = 36
UNRECORDED = ("begin_progress", "advance", "report_failures")
"""What the flow tells Prefect's pages, and nobody else."""
PATIENCE = 20.0
"""Seconds that what a killed process leaves running may take to end."""


def without_engine(seam: Seam, order: dict[str, Any]) -> None:
    """Let the flow's function call the plain body of each task in its place."""
    for name, value in list(vars(ingest).items()):
        if _is_task(value):
            setattr(ingest, name, seam.step_of(name, patient(value, order)))
    for name in UNRECORDED:
        setattr(ingest, name, lambda *arguments: None)
    running.run_ingest = watching.run_ingest = ingest.ingest_bundle.fn


def act(order: dict[str, Any], seam: Seam) -> None:
    """Do what the order says, as the command line would."""
    os.environ["CUSTODY_CELL_PROCESSES"] = "1"
    os.environ["CUSTODY_SCAN_SECONDS"] = "0.01"
    os.environ.update(order.get("env", {}))
    database.BUSY_SECONDS = order.get("busy", database.BUSY_SECONDS)
    relocate(Path(order["home"]))
    without_engine(seam, order)
    # How far it is would be told each second of a clock, which is at no point of its own.
    TELLER.seconds = float("inf")
    if not order.get("paper"):
        # Half of the work, and no state holds more of it than that it is there.
        settling.printed = lambda receipt: b"%PDF-"
    seam.install()
    if order.get("requests"):
        watch_requests(seam, order["requests"])
    if order["do"] == "watch":
        watching.watch_drop(once=True, seconds=0)
    elif order["do"] == "release":
        quarantine_release(order["release"], "张三", "看过了 seen", manifest=Path(order["path"]))
    else:
        running.ingest_path(Path(order["path"]), order["unit"])


def child(order: dict[str, Any]) -> None:
    """Be the process under test; never return."""
    os.setsid()
    told = os.open(order["told"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (0, 1, 2):
        os.dup2(told, descriptor)
    seam = prepare(order)
    code = 1
    try:
        act(order, seam)
        code = 0
    except CustodyError as error:
        # As the command line tells it.
        print(f"✗ {error.message} → {error.remedy}")
        code = error.exit_code
    except BaseException:  # noqa: BLE001 - told to whoever gave the order, with the code
        traceback.print_exc()
    Path(order["points"]).write_text(json.dumps(seam.points))
    atexit._run_exitfuncs()
    sys.stdout.flush()
    # Taking the interpreter apart would take longer than all of its work.
    os._exit(code)


def wait_for_orphans() -> int:
    """Wait until nothing of a killed child runs any more; return how many did not end."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == 0:
            time.sleep(0.005)
    return 1


def warm() -> None:
    """Do once what every process does anew, at some cost and alike: a whole ingest of this one.

    What it loads and compiles is there for all children, and nothing else is left of it: no thread
    that a fork would lose, no connection, no setting.
    """
    typeface.register()
    sandbox.mode()
    bodies = {name: value.fn for name, value in vars(ingest).items() if _is_task(value)}
    bodies |= {name: lambda *arguments: None for name in UNRECORDED}
    with (
        tempfile.TemporaryDirectory(prefix="warm-") as scratch,
        patch.dict(os.environ, {"CUSTODY_CELL_PROCESSES": "1"}),
        patch.dict(vars(ingest), bodies),
        patch.object(running, "run_ingest", ingest.ingest_bundle.fn),
        patch.object(TELLER, "seconds", 0.01),
        contextlib.redirect_stdout(io.StringIO()),
        opened_house(Path(scratch) / "home"),
    ):
        running.ingest_path(folder(Path(scratch)), UNIT)
        reading.shared_pool().close()
        reading.shared_pool.cache_clear()
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join()


def _is_task(value: object) -> bool:
    return isinstance(value, prefect.Task)


def main() -> None:
    """Serve orders until the input ends."""
    warm()
    warmth.settle()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(order)
        _, status = os.waitpid(pid, 0)
        answer = {"code": os.waitstatus_to_exitcode(status), "orphans": wait_for_orphans()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

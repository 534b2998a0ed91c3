"""How soon an ingest begins work when a Prefect server runs already.

Run: ``.venv/bin/python -m tests.bench.begin [--times 5]``. Told is the time from the start of the
command (a new process) to the moment at which Prefect saw the first task of its flow run begin;
both clocks are this machine's. The first of the times warms the disk and is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, keep
from tests.bench.ingest import write_manifest
from tests.bench.sampling import section
from tests.services.prefect_server import prefect_at
from tests.services.rgw import free_port

GOAL = 2.0
_ENDS = 120


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder on the disk under test, and remove it."""
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def tasks(url: str) -> dict[str, float]:
    """Return when each task run of the server began, in seconds since 1970."""
    asked = urllib.request.Request(
        f"{url}/task_runs/filter",
        json.dumps({"limit": 200}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return {
        each["id"]: datetime.fromisoformat(each["start_time"]).timestamp()
        for each in found
        if each["start_time"]
    }


def run(env: dict[str, str], *words: str) -> None:
    """Run a command and see that it ended well."""
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", *words],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=_ENDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"custody {' '.join(words)}: {done.stderr}")


def bundle(root: Path, name: str) -> Path:
    """Write a bundle of one small file."""
    folder = root / name
    folder.mkdir()
    (folder / "a.txt").write_text(f"{name} 份文件。")
    write_manifest(folder, name, ["a.txt"])
    return folder


def begun(url: str, env: dict[str, str], root: Path, number: int) -> float:
    """Ingest one bundle and return the seconds until its first task began."""
    folder = bundle(root, f"b{number}")
    known = tasks(url)
    started = time.time()
    with section("begin"):
        run(env, "ingest", str(folder))
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        # The server writes task runs from its events, a moment behind.
        new = [at for each, at in tasks(url).items() if each not in known]
        if new:
            return min(new) - started
        time.sleep(0.2)
    raise RuntimeError("the server knows no task of the run")


def main() -> None:
    """Start a server and a house, ingest, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.begin", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    with scratch() as root, prefect_at(root / "prefect", free_port()) as url:
        env = {
            **os.environ,
            "CUSTODY_HOME": str(root / "home"),
            "CUSTODY_PREFECT_API_URL": url,
            "CUSTODY_OCR_ENGINE": "tesseract",
        }
        run(env, "init")
        found = [begun(url, env, root, number) for number in range(chosen.times + 1)][1:]
    middle = statistics.median(found)
    print(f"first task begins {middle:.2f} s after the command (median of {chosen.times}; "
          f"{min(found):.2f} to {max(found):.2f} s)")  # fmt: skip
    about = f"median of {chosen.times}, {min(found):.2f} to {max(found):.2f} s"
    keep("begin", [Figure("begin.first_task", middle, "s", GOAL, "less", about=about)])


if __name__ == "__main__":
    main()

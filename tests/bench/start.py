"""How soon a command answers: ``custody --help``, and ``custody verify`` of a small case.

Run: ``.venv/bin/python -m tests.bench.start [--times 15] [--exhibits 5]``. Each is a process of its
own, timed from its start to its end as a person waits for it; the first is not counted, because it
reads programs from the disk. Beside them stands Python that imports nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.bench.begin import scratch
from tests.bench.figures import Figure, keep
from tests.bench.rebuild import CASE, fill

GOALS = {"help": 0.3, "verify": 0.5}


def seconds(words: Sequence[str], env: dict[str, str], times: int) -> float:
    """Return the median of the seconds that a Python process takes."""
    spent = []
    for _ in range(times + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, *words], env=env, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - started)
    return statistics.median(spent[1:])


def main() -> None:
    """Make a house, run, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.start", description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--exhibits", type=int, default=5)
    chosen = parser.parse_args()
    with scratch() as root:
        fill(root / "home", chosen.exhibits, "")
        env = {**os.environ, "CUSTODY_HOME": str(root / "home")}
        bare = seconds(["-c", "pass"], env, chosen.times)
        words = {"help": ["--help"], "verify": ["verify", CASE]}
        for name, each in words.items():
            found = seconds(["-m", "portal.cli", *each], env, chosen.times)
            print(f"custody {' '.join(each)}: {found:.2f} s (goal {GOALS[name]}); Python alone "
                  f"{bare:.2f} s", flush=True)  # fmt: skip
            about = f"median of {chosen.times} processes"
            if name == "verify":
                about += f", a case of {chosen.exhibits} exhibits"
            keep("start", [Figure(
                f"start.{name}", found, "s", GOALS[name], "less",
                peer="Python that imports nothing", peer_value=bare, about=about,
            )])  # fmt: skip


if __name__ == "__main__":
    main()

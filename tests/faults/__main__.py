"""Kill an ingest at each of its writes: ``python -m tests.faults [every-nth [VARIANT]]``.

With ``hostile [NAME...]`` take every hostile bundle in, and print what became of each.
"""

import sys
import tempfile
from pathlib import Path

from tests.faults.bundles import SWEPT
from tests.faults.hostile.table import main as hostile
from tests.faults.running import Drivers, failures, fresh_home, undisturbed


def main(step: int, begins: str = "") -> int:
    """Sweep the variants that begin so; return how many points did not end as undisturbed."""
    drivers = Drivers(2)
    wrong = 0
    chosen = {name: each for name, each in SWEPT.items() if name.startswith(begins)}
    for name, variant in chosen.items():
        with tempfile.TemporaryDirectory() as folder:
            calm = undisturbed(drivers.first, variant, fresh_home(Path(folder)), Path(folder))
            trials = [(calm, (point,)) for point in range(1, len(calm.points) + 1, step)]
            print(f"{name}: {len(trials)} of {len(calm.points)} points", flush=True)
            for text in failures(drivers, Path(folder), trials):
                wrong += 1
                print(text, flush=True)
    drivers.close()
    return wrong


if __name__ == "__main__":
    if sys.argv[1:2] == ["hostile"]:
        sys.exit(hostile(sys.argv[2:]))
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    sys.exit(1 if main(step, " ".join(sys.argv[2:])) else 0)

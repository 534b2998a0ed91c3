"""Kill an ingest at each of its writes: ``python -m tests.faults [every-nth]``.

With ``hostile [NAME...]`` take every hostile bundle in, and print what became of each.
"""

import sys
import tempfile
from pathlib import Path

from tests.faults.bundles import VARIANTS
from tests.faults.hostile.table import main as hostile
from tests.faults.running import Drivers, failures, fresh_home, undisturbed


def main(step: int) -> int:
    """Sweep all variants; return how many points did not end as the undisturbed run."""
    drivers = Drivers(2)
    wrong = 0
    for name, variant in VARIANTS.items():
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
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 1) else 0)

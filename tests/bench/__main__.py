"""Every benchmark, one after another: ``make bench``, or ``python -m tests.bench [NAME ...]``.

Each prints what it measured beside its peer or limit. ``--quick`` makes all of them small: it
shows that they run, not what the machine can do. ``report`` measures the goals and writes
``docs/benchmarks.md``; ``scale`` computes what a province needs and writes ``docs/scale.md``.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys

BENCHES: dict[str, tuple[str, ...]] = {
    "ingest": ("--gigabytes", "0.1", "--documents", "100", "--bundles", "5"),
    "ocr": ("--kinds", "chinese", "--conditions", "300dpi", "--engines", "tesseract"),
    "cell": ("--documents", "100"),
    "s3": ("--gigabytes", "0.05", "--rounds", "1"),
    "begin": ("--times", "1"),
    "commands": ("--exhibits", "20", "--megabytes", "10"),
    "log": ("--large", "5000", "--seconds", "0.5"),
    "proof": ("--exhibits", "50"),
    "rebuild": ("--exhibits", "50"),
    "search": ("--pages", "1000"),
    "alike": ("--documents", "2000"),
    "package": ("--bytes", "50000000"),
    "queue": (
        *("--commissions", "1000", "--exhibits", "1000", "--times", "5", "--seconds", "1"),
        *("--only", "sqlite"),
    ),
    "gauges": ("--commissions", "1000", "--exhibits", "2000", "--times", "1", "--only", "sqlite"),
}
"""The benchmarks, and the arguments that make each small."""


def main() -> int:
    """Run the named benchmarks, or all, or write a document of them; 1 if one failed."""
    if sys.argv[1:2] == ["report"]:
        from tests.bench import report

        return report.main(sys.argv[2:])
    if sys.argv[1:2] == ["scale"]:
        from tests.bench import plan

        return plan.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    unknown = set(chosen.names) - set(BENCHES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    failed = 0
    for name in chosen.names or BENCHES:
        print(f"\n== {name}", flush=True)
        small = BENCHES[name] if chosen.quick else ()
        failed |= subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *small]).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

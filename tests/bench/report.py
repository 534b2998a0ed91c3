"""The report of all benchmarks: ``python -m tests.bench report [--budget 25] [--write]``.

Runs the parts below in this order, the goals first, within the minutes of the budget, and writes
``docs/benchmarks.md`` with its plots from all figures that are kept in ``var/bench``: those of this
run and those of earlier ones, each with its own time and machine. So a part can be measured alone
later, and the report be written again without measuring (``--only ''``). ``--missing`` runs only
parts of which no run has ended well, the quickest first. A part with a figure that misses its goal
is run once more under a profiler, on top of the budget, so that the report can say what holds it
back; ``--profile`` does so with every part. ``--quick`` runs everything small, into a folder of
its own: it shows that the benches work, not what the machine can do.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from tests.bench.page import write
from tests.bench.running import Part, not_profiled, profile, run_all, runs

KEPT = Path("var/bench")
PAGE = Path("docs/benchmarks.md")

PARTS = (
    Part("start", "start", (), ("--times", "1"), 2),
    Part("verify", "verify", (), ("--gigabytes", "0.05"), 4),
    Part("begin", "begin", (), ("--times", "1"), 2),
    Part(
        "ingest",
        "taking",
        ("--gigabytes", "2", "--documents", "3000"),
        ("--gigabytes", "0.02", "--documents", "20"),
        6,
        profiled=("--gigabytes", "0.7", "--documents", "500"),
    ),
    Part(
        "orchestration",
        "orchestration",
        ("--documents", "3000"),
        ("--documents", "20", "--rounds", "1"),
        5,
        profiled=("--documents", "300", "--rounds", "1"),
    ),
    Part("search", "search", (), ("--pages", "1000", "--questions", "20"), 6),
    Part("s3", "s3", (), ("--gigabytes", "0.05", "--rounds", "1"), 3),
    Part("commands", "commands", (), ("--exhibits", "20", "--megabytes", "10"), 5),
    Part("alike", "alike", (), ("--documents", "2000"), 2),
    Part("cell", "cell", ("--documents", "1000"), ("--documents", "40"), 2),
    Part("text", "ocr", ("--text", "2000"), ("--text", "20"), 1),
    Part(
        "log",
        "log",
        ("--large", "100000", "--seconds", "1.5"),
        ("--large", "2000", "--seconds", "0.3"),
        5,
    ),
    Part(
        "growth",
        "growth",
        ("--documents", "100000", "--minutes", "4.5"),
        ("--documents", "40", "--rounds", "1", "--measured", "10"),
        7,
        profiled=("--documents", "10000", "--rounds", "1"),
    ),
    Part("log_store", "log_store", (), ("--events", "30", "--bulk", "300"), 3),
    Part("prefect_tables", "prefect_tables", (), ("--bundles", "1", "--documents", "3"), 3),
    Part("rebuild", "rebuild", ("--exhibits", "3000"), ("--exhibits", "20"), 2),
    Part("rows", "rows", (), ("--documents", "20"), 3),
    Part("package", "package", ("--bytes", "1000000000"), ("--bytes", "20000000"), 2),
    Part(
        "ocr",
        "ocr",
        ("--against", "ocrmypdf", "--kinds", "chinese,ruled-table"),
        ("--kinds", "chinese", "--conditions", "300dpi", "--engines", "tesseract"),
        8,
    ),
    Part(
        "queue",
        "queue",
        (*("--commissions", "100000", "--exhibits", "200000", "--times", "50", "--seconds", "3"),
         "--without-figures"),
        (*("--commissions", "200", "--exhibits", "200", "--times", "2", "--seconds", "1"),
         *("--only", "sqlite")),
        8,
    ),
    Part(
        "search-million",
        "search",
        ("--postgres", "--pages", "1000000"),
        ("--postgres", "--pages", "1000", "--questions", "20"),
        45,
    ),
)  # fmt: skip
"""In the order in which they are run: where the budget ends, the last are missing."""


def chosen_parts(only: str | None, folder: Path, *, missing: bool) -> list[Part]:
    """Return the parts that are to be run.

    Raises:
        SystemExit: a name is none of them.
    """
    names = [part.name for part in PARTS]
    wanted = names if only is None else [each for each in only.split(",") if each]
    if unknown := set(wanted) - set(names):
        raise SystemExit(f"no part {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    asked = [part for part in PARTS if part.name in wanted]
    if not missing:
        return asked
    known = runs(folder)
    done = {name for name, run in known.items() if run.ended == "well"}
    left = [part for part in asked if part.name not in done]
    return sorted(left, key=lambda part: part.minutes)


def main(given: list[str]) -> int:
    """Run what is asked for and write the report; 1 if a part did not end well."""
    parser = argparse.ArgumentParser(prog="tests.bench report", description=__doc__)
    parser.add_argument("--budget", type=float, default=25.0, metavar="MINUTES")
    parser.add_argument("--only", metavar="PART,PART", help="default: all; '' runs none")
    parser.add_argument("--missing", action="store_true", help="only what has not ended well yet")
    parser.add_argument("--profile", action="store_true", help="profile what meets its goal too")
    parser.add_argument("--quick", action="store_true", help="everything small")
    parser.add_argument("--kept", type=Path, help=f"where figures are kept; default {KEPT}")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=PAGE, metavar="PAGE", help=f"default {PAGE}"
    )
    chosen = parser.parse_args(given)
    # Told to end, it ends what it started, as by a person's interrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = chosen.kept or (KEPT.with_name("bench-quick") if chosen.quick else KEPT)
    parts = chosen_parts(chosen.only, folder, missing=chosen.missing)
    well = run_all(parts, folder, chosen.budget, small=chosen.quick)
    page = chosen.write or folder / "benchmarks.md"
    # What was measured is told even if a profile is interrupted.
    missed = write(page, folder, [part.name for part in PARTS], small=chosen.quick)
    for part in chosen_parts(chosen.only, folder, missing=False):
        is_asked_for = chosen.profile and part in parts
        if names := not_profiled(part.name, folder, even_if_met=is_asked_for):
            profile(part, names, folder, small=chosen.quick)
            missed = write(page, folder, [part.name for part in PARTS], small=chosen.quick)
    print(f"\n{page}: {missed} goals missed", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Print the table of cases: ``python -m tests.faults hostile [NAME]``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults.hostile.catalogue import all_cases
from tests.faults.hostile.runner import Outcome, intake

EVERY = 25
"""So many cases lie between two good bundles."""


def main(arguments: list[str]) -> int:
    """Run the cases whose names begin with one of the arguments; return how many do not hold."""
    chosen = [
        case for case in all_cases() if not arguments or case.name.startswith(tuple(arguments))
    ]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, intake(Path(folder).resolve()) as house:
        for number, case in enumerate(chosen, 1):
            wrong += _tell(house.run(case))
            if number % EVERY == 0 or number == len(chosen):
                wrong += _tell(house.run_good())
        findings = house.log_findings()
    for finding in findings:
        print(f"log: {finding}")
    print(f"{len(chosen)} cases, {wrong} do not hold")
    return min(wrong + len(findings), 100)


def _tell(outcome: Outcome) -> int:
    mark = "ok" if outcome.holds else "NO"
    print(
        f"{mark} {outcome.case.name:38} {outcome.verdict:10} "
        f"{outcome.case.expected!s:60} {outcome.seconds:6.2f}",
        flush=True,
    )
    if not outcome.holds:
        print("    " + outcome.told(), flush=True)
    return not outcome.holds

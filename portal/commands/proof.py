"""Commands that prove: verify a case now, audit cases on record."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Compared(StrEnum):
    """Which of the digests on record are computed anew."""

    ALL = "all"
    BLAKE3 = "blake3"
    SHA256 = "sha256"
    SM3 = "sm3"


def verify(
    case: Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)],
    digest: Annotated[
        Compared,
        typer.Option(
            help="Compare all three digests, as a court wants it, or one: blake3 already proves "
            "that the bytes are the same, and is many times as fast.",
        ),
    ] = Compared.ALL,
    json: Json = False,
) -> None:
    """Re-read every original of a case and walk the whole log; 0 only if all is well."""
    from portal.show import as_json
    from portal.verification import print_report, progress_bar
    from storage.digest import ALGORITHMS
    from storage.settings import settings
    from tasks.verifying import verify_case

    algorithms = ALGORITHMS if digest is Compared.ALL else (digest.value,)
    with progress_bar(hidden=json) as advance:
        report = verify_case(settings(), case, advance, algorithms)
    if json:
        as_json(report.as_json())
    else:
        print_report(report)
    if not report.ok:
        raise typer.Exit(4)


def audit(
    case: Annotated[str, typer.Argument(help="Case; empty: all.", show_default=False)] = "",
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            help="Compare the log with a kept checkpoint: receipt, package, note. Repeatable.",
            show_default=False,
        ),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Read back today's share of everything kept.")
    ] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show what was read back, and what never was.")
    ] = False,
    log: Annotated[
        bool, typer.Option("--log", help="Walk the whole log: hashes, order, chains, keys.")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="With --log: trust the keys of this policy.json alone."),
    ] = None,
    json: Json = False,
) -> None:
    """Verify one case or all of them by the audit flow and record the results as events."""
    if against:
        return _against(against, json=json)
    if log:
        return _log(policy, json=json)
    from flows.engine import prepare_engine
    from portal.show import as_json, table
    from storage.settings import settings

    if coverage:
        return _coverage(json=json)
    prepare_engine(settings())
    if sweep:
        return _sweep(json=json)
    from flows.audit import audit_custody

    results = audit_custody(case)
    if json:
        as_json(results)
    else:
        rows = [(r["case_no"], r["summary"], "✓" if r["ok"] else "✗") for r in results]
        table("审计 audit", ("案号", "结果", ""), rows)
    if not all(r["ok"] for r in results):
        raise typer.Exit(4)


def _log(policy: Path | None, *, json: bool) -> None:
    from portal.show import as_json
    from portal.verification import print_log_audit
    from storage.settings import settings
    from tasks.auditing import audit_log

    found = audit_log(settings(), policy)
    if json:
        as_json(found.as_json())
    else:
        print_log_audit(found)
    if not found.ok:
        raise typer.Exit(4)


def _sweep(*, json: bool) -> None:
    from flows.audit import sweep_custody
    from portal.show import as_json
    from portal.upkeep import print_sweep

    outcome = sweep_custody()
    as_json(outcome) if json else print_sweep(outcome)
    if not outcome["ok"]:
        raise typer.Exit(4)


def _coverage(*, json: bool) -> None:
    from portal.show import as_json
    from portal.upkeep import print_coverage
    from storage.custody import current
    from tasks.fixity import report_coverage

    report = report_coverage(current())
    as_json(report) if json else print_coverage(report)


def _against(paths: list[Path], *, json: bool) -> None:
    from portal.comparison import print_comparison
    from portal.show import as_json
    from storage.settings import settings
    from tasks.comparing import compare_workspace

    found = compare_workspace(settings(), paths)
    if json:
        as_json([each.as_json() for each in found])
    else:
        for each in found:
            print_comparison(each)
    if not all(each.ok for each in found):
        raise typer.Exit(4)

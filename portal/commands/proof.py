"""Commands that prove: verify a case now, audit cases on record."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def verify(
    case: Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)],
    json: Json = False,
) -> None:
    """Re-read every original of a case and walk the whole log; 0 only if all is well."""
    from portal.show import as_json
    from portal.verification import print_report, progress_bar
    from storage.settings import settings
    from tasks.verifying import verify_case

    with progress_bar(hidden=json) as advance:
        report = verify_case(settings(), case, advance)
    if json:
        as_json(report.as_json())
    else:
        print_report(report)
    if not report.ok:
        raise typer.Exit(4)


def audit(
    case: Annotated[str, typer.Argument(help="Case; empty: all.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Verify one case or all of them by the audit flow and record the results as events."""
    from flows.engine import prepare_engine
    from portal.show import as_json, table
    from storage.settings import settings

    prepare_engine(settings())
    from flows.audit import audit_custody

    results = audit_custody(case)
    if json:
        as_json(results)
    else:
        rows = [(r["case_no"], r["summary"], "✓" if r["ok"] else "✗") for r in results]
        table("审计 audit", ("案号", "结果", ""), rows)
    if not all(r["ok"] for r in results):
        raise typer.Exit(4)

"""The command line: ``./custody``. Commands stand in the order in which a person needs them.

Every command imports what it needs when it runs, so that ``--help`` and ``verify`` are quick
and Prefect is loaded only by the commands that run a flow.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from portal.commands import (
    accounts,
    agencies,
    alike,
    anchor,
    answering,
    appraisal,
    cases,
    client,
    clocks,
    commission_steps,
    disposal,
    figures,
    holding,
    intake,
    keys,
    notices,
    opinions,
    proof,
    proving,
    quarantine,
    reading,
    searching,
    serving,
    system,
    unlocking,
    upkeep,
    witness,
)
from storage.errors import CustodyError

ORDER = """
demo init doctor manifest ingest watch status quarantine case search read unlock alike
compare history verify audit prove
anchor witness key policy
alerts drill rebuild hold dispose
holders handover seal export access
agency commission dispatch package answer queue accept decline supplement extend opinion overdue
turnaround chase notices
clock clocks calendar
account serve api-description agency-client test
"""


_STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Ordered(TyperGroup):
    """Lists the commands in the order in which a person needs them."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names in that order."""
        return ORDER.split()


app = typer.Typer(
    name="custody",
    cls=Ordered,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="证链 Zhenglian: evidence from the drop folder to the appraiser and back, provably whole.",
    epilog="Exit codes: 0 well; 2 wrong input or usage; 3 not allowed at this point; "
    "4 something does not match the record; 5 the machine or its set-up; "
    "6 a service did not answer, try again; 70 a defect of this software.",
)

app.command("demo")(system.demo)
app.command("init")(system.init)
app.command("doctor")(system.doctor)
app.add_typer(intake.manifest, name="manifest")
app.command("ingest")(intake.ingest)
app.command("watch")(intake.watch)
app.add_typer(quarantine.quarantine, name="quarantine")
app.command("status")(intake.status)
app.add_typer(cases.case, name="case")
app.command("search")(searching.search)
app.command("read")(reading.read)
app.command("unlock")(unlocking.unlock)
app.command("alike")(alike.alike)
app.command("compare")(alike.compare)
app.command("history")(cases.history)
app.command("verify")(proof.verify)
app.command("audit")(proof.audit)
app.command("prove")(proving.prove)
app.add_typer(anchor.anchor, name="anchor")
app.add_typer(witness.witness, name="witness")
app.add_typer(keys.key, name="key")
app.command("policy")(keys.policy)
app.add_typer(upkeep.alerts, name="alerts")
app.command("dispose")(disposal.dispose)
app.add_typer(disposal.hold, name="hold")
app.command("drill")(upkeep.drill)
app.command("rebuild")(upkeep.rebuild)
app.command("holders")(holding.holders)
app.add_typer(holding.handover, name="handover")
app.add_typer(holding.seal, name="seal")
app.command("export")(holding.export)
app.command("access")(holding.access)
app.add_typer(agencies.agency, name="agency")
app.add_typer(commission_steps.commission, name="commission")
app.command("dispatch")(appraisal.dispatch)
app.add_typer(answering.package, name="package")
app.command("answer")(answering.answer)
app.command("queue")(appraisal.queue)
app.command("accept")(appraisal.accept)
app.command("decline")(appraisal.decline)
app.add_typer(appraisal.supplement, name="supplement")
app.command("extend")(appraisal.extend)
app.add_typer(opinions.opinion, name="opinion")
app.command("overdue")(appraisal.overdue)
app.command("turnaround")(figures.turnaround)
app.command("chase")(notices.chase)
app.add_typer(notices.notices, name="notices")
app.add_typer(clocks.clock, name="clock")
app.command("clocks")(clocks.clocks)
app.add_typer(clocks.calendar, name="calendar")
app.add_typer(accounts.account, name="account")
app.command("serve")(serving.serve)
app.command("api-description")(client.api_description)
app.command("agency-client")(client.agency_client)
app.command("test", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(
    system.run_tests
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; whatever goes wrong is one clear line and an exit code."""
    from portal.show import all_written, forgive_encoding

    forgive_encoding()
    code = _run(arguments)
    return code if all_written() else 1


def _run(arguments: Sequence[str] | None) -> int:
    from portal.show import errors, told

    try:
        code: int = app(arguments, standalone_mode=False, prog_name="custody") or 0
        if code == _STOPPED:
            errors.print("已停止 stopped")
        return code
    except CustodyError as error:
        errors.print(f"[bold red]✗[/] {told(error.message)}", soft_wrap=True)
        if error.remedy:
            errors.print(f"  → {told(error.remedy)}", soft_wrap=True)
        return error.exit_code
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        errors.print("已停止 stopped")
        return _STOPPED
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001 - a person must never see a traceback
        return _usage_or_defect(error)


def _usage_or_defect(error: Exception) -> int:
    """Print a usage error as such; anything else is a defect of ours."""
    from portal.show import cell, errors

    show = getattr(error, "show", None)
    if show is not None:
        show()
        return int(getattr(error, "exit_code", 2))
    if _debugging():
        raise error
    kind = cell(type(error).__name__)
    errors.print(f"[bold red]✗[/] internal error: {kind}: {cell(error)}", soft_wrap=True)
    errors.print("  → run it again with CUSTODY_DEBUG=true and report what it prints")
    return 70


def _debugging() -> bool:
    from storage.settings import settings

    try:
        return settings().debug
    except CustodyError:
        return False


if __name__ == "__main__":
    sys.exit(main())

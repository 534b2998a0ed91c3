"""The command line: ``./custody``. Commands stand in the order in which a person needs them.

Only the command that is run is loaded, and it imports what it needs when it runs: so ``verify``
is quick, and Prefect is loaded only by the commands that run a flow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

import typer
from typer.core import TyperGroup

from storage.errors import CustodyError

COMMANDS = {
    "demo": "system.demo",
    "init": "system.init",
    "join": "system.join",
    "doctor": "system.doctor",
    "manifest": "intake.manifest",
    "ingest": "intake.ingest",
    "watch": "intake.watch",
    "status": "intake.status",
    "quarantine": "quarantine.quarantine",
    "case": "cases.case",
    "search": "searching.search",
    "read": "reading.read",
    "unlock": "unlocking.unlock",
    "alike": "alike.alike",
    "compare": "alike.compare",
    "history": "cases.history",
    "verify": "proof.verify",
    "audit": "proof.audit",
    "prove": "proving.prove",
    "anchor": "anchor.anchor",
    "witness": "witness.witness",
    "key": "keys.key",
    "policy": "keys.policy",
    "keep-log": "keys.keep_log",
    "alerts": "upkeep.alerts",
    "drill": "upkeep.drill",
    "repair": "repair.repair",
    "republish": "repair.republish",
    "rebuild": "upkeep.rebuild",
    "backup": "backups.backup",
    "restore": "backups.restore",
    "hold": "disposal.hold",
    "dispose": "disposal.dispose",
    "holders": "holding.holders",
    "handover": "holding.handover",
    "seal": "holding.seal",
    "export": "holding.export",
    "access": "holding.access",
    "agency": "agencies.agency",
    "commission": "commission_steps.commission",
    "dispatch": "appraisal.dispatch",
    "package": "answering.package",
    "answer": "answering.answer",
    "queue": "appraisal.queue",
    "accept": "appraisal.accept",
    "decline": "appraisal.decline",
    "supplement": "appraisal.supplement",
    "extend": "appraisal.extend",
    "opinion": "opinions.opinion",
    "overdue": "appraisal.overdue",
    "turnaround": "figures.turnaround",
    "chase": "notices.chase",
    "notices": "notices.notices",
    "clock": "clocks.clock",
    "clocks": "clocks.clocks",
    "calendar": "clocks.calendar",
    "account": "accounts.account",
    "serve": "serving.serve",
    "metrics": "metrics.metrics",
    "deploy": "workers.deploy",
    "worker": "workers.worker",
    "api-description": "client.api_description",
    "agency-client": "client.agency_client",
    "test": "system.run_tests",
}
"""Where each command is below ``portal/commands``, in the order in which a person needs them."""

_FOR_ANOTHER = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Settings of a command that hands its arguments on to another program."""

_STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


class Ordered(TyperGroup):
    """Lists the commands in the order in which a person needs them."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names in that order."""
        return list(COMMANDS)


def build(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these of its commands."""
    app = typer.Typer(
        name="custody",
        cls=Ordered,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="证链 Zhenglian: evidence from the drop folder to the appraiser and back, "
        "provably whole.",
        epilog="Exit codes: 0 well; 2 wrong input or usage; 3 not allowed at this point; "
        "4 something does not match the record; 5 the machine or its set-up; "
        "6 a service did not answer, try again; 70 a defect of this software.",
    )
    app.callback()(_no_options)
    for name in names:
        module, _, attribute = COMMANDS[name].partition(".")
        found = getattr(import_module(f"portal.commands.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, context_settings=_FOR_ANOTHER if name == "test" else None)(found)
    return app


def _no_options() -> None:
    """Keep one command alone from taking the place of the group."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; whatever goes wrong is one clear line and an exit code."""
    from portal.show import all_written, forgive_encoding

    forgive_encoding()
    code = _run(sys.argv[1:] if arguments is None else list(arguments))
    return code if all_written() else 1


def _run(arguments: list[str]) -> int:
    from portal.show import errors

    # Anything but a command that is there (help, a misspelt name) needs to know them all.
    app = build(arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS)
    try:
        code: int = app(arguments, standalone_mode=False, prog_name="custody") or 0
        if code == _STOPPED:
            errors.print("已停止 stopped")
        return code
    except CustodyError as error:
        return _told(error)
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        errors.print("已停止 stopped")
        return _STOPPED
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001 - a person must never see a traceback
        return _usage_or_defect(error)


def _told(error: CustodyError) -> int:
    """Print one of our errors and what to do about it; return its exit code."""
    from portal.show import errors, told

    errors.print(f"[bold red]✗[/] {told(error.message)}", soft_wrap=True)
    if error.remedy:
        errors.print(f"  → {told(error.remedy)}", soft_wrap=True)
    return error.exit_code


def _usage_or_defect(error: Exception) -> int:
    """Print a usage error as such; anything else is a defect of ours."""
    from portal.show import cell, errors

    show = getattr(error, "show", None)
    if show is not None:
        show()
        return int(getattr(error, "exit_code", 2))
    engine = sys.modules.get("flows.engine")  # There is one if the command runs a flow.
    fault = None if engine is None else engine.blamed(error)
    if fault is not None:
        return _told(fault)
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

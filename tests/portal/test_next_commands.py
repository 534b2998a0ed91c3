"""Where a commission stands, the command line says how it goes on, in commands that there are."""

import shlex
from typing import Any

import pytest
from typer.main import get_command

from appraisal import acts
from appraisal.commission import Commission, NoticeKind
from appraisal.happened import Fate
from appraisal.opinion import OpinionFinding
from appraisal.step import Transition
from appraisal.transitions import apply
from portal.cli import build
from portal.next_commands import next_commands
from tests.appraisal import made

A, B = made.OFFICER, made.CLERK
AT = "2026-03-17T09:00:00+08:00"
SEAL = OpinionFinding.to_confirm("seal", "机构盖章", "the agency's seal")


def after(commission: Commission, *steps: Transition) -> Commission:
    for step in steps:
        commission = apply(commission, step)
    return commission


def back(*findings: OpinionFinding) -> Transition:
    return acts.return_opinion(made.opinion(), f"{made.CASE}/E0003", findings, B, AT)


ASK = acts.request_supplement("图纸", B, AT)
SUPPLY = acts.supply_supplement([made.material(2)], 1, A, AT, made.PACKAGE)[0]
TOLD = [acts.notify(each, "乙公司", "告知书", A, AT) for each in NoticeKind]
GONE = acts.material(Fate.RETURNED, ["E0001"], B, AT)
CLOSED = after(made.accepted(), back(made.GOOD), acts.close(A, AT))
WAYS: list[tuple[Commission, list[str]]] = [
    (made.drafted(), ["dispatch"]),
    (made.dispatched(), ["accept", "decline"]),
    (made.accepted(), ["commission start", "commission notify", "opinion return"]),
    (after(made.accepted(), *TOLD), ["commission start", "opinion return"]),
    (after(made.accepted(), ASK), ["supplement supply"]),
    (after(made.accepted(), ASK, SUPPLY), ["supplement receive"]),
    (after(made.accepted(), back(made.GOOD)), ["opinion show", "commission close"]),
    (
        after(made.accepted(), back(SEAL)),
        ["opinion show", "opinion confirm", "opinion send-back", "commission close"],
    ),
    (CLOSED, ["commission notify", "commission material"]),
    (after(CLOSED, *TOLD, GONE), []),
    (after(made.dispatched(), acts.decline("忙", B, AT)), ["commission material"]),
]


def parsed(words: list[str]) -> str:
    """Return the path of the command that the words call; what it does not know is an error."""
    found: Any = get_command(build())
    path = []
    while hasattr(found, "commands"):
        path.append(words.pop(0))
        found = found.commands[path[-1]]
    found.make_context(path[-1], words)
    return " ".join(path)


@pytest.mark.parametrize(("found", "paths"), WAYS)
def test_the_commands_that_lead_on_are_there(found: Commission, paths: list[str]) -> None:
    ways = next_commands(found)
    assert [parsed(shlex.split(each.command)) for each in ways] == paths
    assert all(found.commission_no in each.command and each.why for each in ways)

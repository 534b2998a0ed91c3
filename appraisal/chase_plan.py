"""The chase plan: how many days before and after a due date whom to tell, as a versioned data file.

Each file in ``rules/chasing/`` is one version of a bureau's plan; days before a date are counted
in the unit of the clock, days after it as calendar days. The days that a rule set names itself
(``warn_before``) are always among them. Pure but for reading the files. (RULES: TT-08.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from storage.errors import HostError

FOLDER = Path(__file__).parent / "rules" / "chasing"
SCHEMA = "zhenglian.chasing/1"
MOST_DAYS = 366
"""The longest time before or after a due date that a plan may name."""
_FIELDS = frozenset({"schema", "id", "version", "valid_from", "valid_to", "default", "clocks"})
_DAYS = frozenset({"before", "after", "then_every", "escalate_after"})


@dataclass(frozen=True)
class Days:
    """When to tell about one clock.

    ``then_every`` repeats after the last day of ``after``; 0 ends there. ``escalate_after`` is the
    number of days past the due date from which the escalation person is told too.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    then_every: int
    escalate_after: int


@dataclass(frozen=True)
class ChasePlan:
    """One version of a plan."""

    plan_id: str
    version: str
    valid_from: date
    valid_to: date | None
    default: Days
    clocks: Mapping[str, Days]

    @property
    def rule_id(self) -> str:
        """Return identifier and version, as they stand in events."""
        return f"{self.plan_id}@{self.version}"

    def days(self, clock: str) -> Days:
        """Return when to tell about a clock, by its name."""
        return self.clocks.get(clock, self.default)


def plan_on(day: date, folder: Path = FOLDER) -> ChasePlan:
    """Return the plan in force on a day.

    Raises:
        HostError: a file is no plan, or not exactly one version is in force.
    """
    found = [
        each
        for each in _load(folder)
        if each.valid_from <= day and (each.valid_to is None or day <= each.valid_to)
    ]
    if len(found) != 1:
        raise HostError(
            f"{day}有{len(found)}个生效的催办方案 {len(found)} chase plans are in force on {day}",
            remedy=f"correct valid_from and valid_to of the files in {folder.name}/",
        )
    return found[0]


@cache
def _load(folder: Path) -> tuple[ChasePlan, ...]:
    return tuple(_read(path) for path in sorted(folder.glob("*.json")))


def _read(path: Path) -> ChasePlan:
    try:
        return parse_plan(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"催办方案{path.name}有误 the chase plan {path.name} cannot be used: {error}",
            remedy="correct the file; docs/chasing.md describes it",
        ) from error


def parse_plan(value: Any) -> ChasePlan:
    """Read a plan; fields that are missing or unknown are refused.

    Raises:
        ValueError: it is no plan.
    """
    if not isinstance(value, dict) or set(value) != _FIELDS or value["schema"] != SCHEMA:
        raise ValueError(f"its fields are not those of {SCHEMA}")
    return ChasePlan(
        plan_id=str(value["id"]),
        version=str(value["version"]),
        valid_from=date.fromisoformat(value["valid_from"]),
        valid_to=date.fromisoformat(value["valid_to"]) if value["valid_to"] else None,
        default=_days(value["default"]),
        clocks={name: _days(each) for name, each in value["clocks"].items()},
    )


def _days(value: Any) -> Days:
    if not isinstance(value, dict) or set(value) != _DAYS:
        raise ValueError(f"a clock has the fields {', '.join(sorted(_DAYS))}")
    before, after = (tuple(map(_whole, value[key])) for key in ("before", "after"))
    if list(after) != sorted(set(after)) or 0 in before + after:
        raise ValueError("days after a date ascend, and 0 is the due date itself")
    return Days(before, after, _whole(value["then_every"]), _whole(value["escalate_after"]))


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MOST_DAYS:
        raise ValueError(f"{value!r} is no number of days from 0 to {MOST_DAYS}")
    return value

"""The clocks of a case itself, as versioned data files: one file is one version of one instrument.

``rules/cases/*.json`` hold, for each clock: what starts and ends it, its length and the units
that it may be counted in (the first is the default), its extensions in their order, the periods
that it does not count, when to warn, and what its end means (overdue, or a measure that lifts
itself). Every rule has its article and how well that was read. What began on a day runs under
the version in force on that day, to its end. Pure but for reading the files.
(RULES: clocks, TT-07 to TT-09, TR-02; docs/clocks.md has the schema.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from appraisal.counting import Words
from appraisal.rules import FOLDER, Article, Limit, Unit, require_calendar
from storage.errors import HostError, InputError, NotFoundError

CASES = FOLDER / "cases"
SCHEMA = "zhenglian.case-rules/1"
HOUR = "hour"
"""The unit of a limit that is counted from a moment, not from a day."""


@dataclass(frozen=True)
class CaseExtension:
    """One extension that a rule allows; ``length`` 0: whoever decides fixes how long."""

    length: int
    approved_by: Words
    article: Article


@dataclass(frozen=True)
class PeriodKind:
    """A kind of period that a clock does not count."""

    kind: str
    name: Words
    article: Article


@dataclass(frozen=True)
class CaseRule:
    """One clock of one version of an instrument; ``units`` is empty for a limit in hours.

    ``lifted``: the measure ends by itself on the due date. ``period_notified``: the law wants an
    excluded period told to the party in writing (ACL art. 25). ``warn_before`` is in the unit.
    """

    name: str
    title: Words
    starts: Words
    ends: Words
    length: int
    units: tuple[Unit, ...]
    lifted: bool
    period_notified: bool
    warn_before: tuple[int, ...]
    article: Article
    extensions: tuple[CaseExtension, ...]
    excluded: Mapping[str, PeriodKind] = field(repr=False)
    rule_id: str
    instrument: Words
    valid_from: date
    valid_to: date | None
    zone: str

    @property
    def in_hours(self) -> bool:
        """Whether the limit is counted in hours from a moment."""
        return not self.units

    @property
    def text(self) -> Words:
        """Return the limit in words."""
        if self.in_hours:
            return f"{self.length}小时", f"{self.length} hours"
        return Limit(self.length, self.units[0]).text()

    def in_force(self, on: date) -> bool:
        """Whether this version governs what begins on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def unit(self, wanted: str) -> Unit:
        """Return the unit to count in: the one asked for, else the default.

        Raises:
            InputError: the rule does not leave the choice.
        """
        chosen = next((each for each in self.units if each.value == wanted), None)
        if chosen is None and wanted and (self.units or wanted != HOUR):
            allowed = ", ".join(each.value for each in self.units) or HOUR
            raise InputError(
                f"{self.title[0]}不能按{wanted}计算 {self.title[1]} is not counted in {wanted}",
                remedy=f"{self.article.zh} ({self.article.en}): {allowed}",
            )
        return chosen or (self.units[0] if self.units else Unit.CALENDAR_DAY)


@dataclass(frozen=True)
class CaseRuleBook:
    """All versions of all clocks of a case."""

    rules: tuple[CaseRule, ...] = field(repr=False)

    @classmethod
    def load(cls, folder: Path = CASES) -> CaseRuleBook:
        """Read every rule file of a folder.

        Raises:
            HostError: a file is no set of case rules, or two versions of a clock overlap.
        """
        return _load(folder)

    def names(self) -> tuple[str, ...]:
        """Return the clocks there are, sorted."""
        return tuple(sorted({each.name for each in self.rules}))

    def get(self, name: str, on: date) -> CaseRule:
        """Return a clock's rule in force on a day; a Chinese title is a name too.

        Raises:
            NotFoundError: there is no such clock, or no version was in force yet.
        """
        named = [each for each in self.rules if name in (each.name, each.title[0])]
        if not named:
            known = ", ".join(f"{each.name} {each.title[0]}" for each in self.in_force(on))
            raise NotFoundError(
                f"没有“{name}”这一期限 there is no clock {name!r}",
                remedy=f"可选 choose one of: {known}",
                clock=name,
            )
        found = next((each for each in named if each.in_force(on)), None)
        if found is None:
            first = min(each.valid_from for each in named)
            raise NotFoundError(
                f"{on}尚无“{named[0].title[0]}”的生效规则 no rule on {named[0].title[1]} is in "
                f"force on {on}; the first is of {first}",
                remedy="核对日期；更早的法律版本须先写成规则文件 "
                "check the day; an earlier version of the law has to be added as a rule file",
                clock=name,
            )
        return found

    def version(self, name: str, rule_id: str) -> CaseRule:
        """Return the rule that a clock was started under.

        Raises:
            HostError: its file is no longer there.
        """
        for each in self.rules:
            if (each.name, each.rule_id) == (name, rule_id):
                return each
        raise HostError(
            f"缺少规则文件{rule_id} the rule file of {rule_id} ({name}) is missing; clocks that "
            "began under it cannot be computed",
            remedy="从代码库恢复该文件 restore it: a rule file is never removed or changed",
            rule_id=rule_id,
        )

    def in_force(self, on: date) -> list[CaseRule]:
        """Return what governs clocks that begin on a day, by instrument."""
        found = [each for each in self.rules if each.in_force(on)]
        return sorted(found, key=lambda each: (each.rule_id, each.name))


def from_json(value: Mapping[str, Any]) -> list[CaseRule]:
    """Build the clocks of one file from its JSON value.

    Raises:
        ValueError, KeyError, TypeError: it is not of this schema.
    """
    if value["schema"] != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    require_calendar(value)
    return [_rule(name, clock, value) for name, clock in value["clocks"].items()]


def _rule(name: str, clock: Mapping[str, Any], whole: Mapping[str, Any]) -> CaseRule:
    units = [str(each) for each in clock["units"]]
    if not units or (HOUR in units and units != [HOUR]):
        raise ValueError(f"{name}: units are days of some kind, or hour alone")
    if clock["at_end"] not in ("overdue", "lifted"):
        raise ValueError(f"{name}: at_end is overdue or lifted")
    return CaseRule(
        name=name,
        title=_words(clock, "name"),
        starts=_words(clock, "start"),
        ends=_words(clock, "end"),
        length=Limit(int(clock["length"]), Unit.CALENDAR_DAY).length,
        units=() if units == [HOUR] else tuple(map(Unit, units)),
        lifted=clock["at_end"] == "lifted",
        period_notified=bool(clock["period_notified"]),
        warn_before=tuple(sorted((int(each) for each in clock["warn_before"]), reverse=True)),
        article=Article.from_json(clock),
        extensions=tuple(
            CaseExtension(int(each["length"]), _words(each, "approved_by"), Article.from_json(each))
            for each in clock["extensions"]
        ),
        excluded={kind: _kind(kind, each, clock) for kind, each in clock["excluded"].items()},
        rule_id=f"{whole['id']}@{whole['version']}",
        instrument=_words(whole, "name"),
        valid_from=date.fromisoformat(whole["valid_from"]),
        valid_to=date.fromisoformat(whole["valid_to"]) if whole["valid_to"] else None,
        zone=str(whole["zone"]),
    )


def _kind(kind: str, value: Mapping[str, Any], clock: Mapping[str, Any]) -> PeriodKind:
    article = Article.from_json({**clock["excluded_by"], "read": value["read"]})
    return PeriodKind(kind, _words(value, "name"), article)


def _words(value: Mapping[str, Any], key: str) -> Words:
    return str(value[key]), str(value[f"{key}_en"])


@cache
def _load(folder: Path) -> CaseRuleBook:
    rules = [rule for path in sorted(folder.glob("*.json")) for rule in _read(path)]
    if not rules or _overlapping(rules):
        raise HostError(
            f"{folder.name}/ 中的规则缺失或重叠 the rules of cases are missing, or two versions of "
            f"one clock are in force on one day: {', '.join(_overlapping(rules))}",
            remedy="从代码库恢复该文件夹 restore the folder from the repository",
        )
    return CaseRuleBook(tuple(rules))


def _read(path: Path) -> list[CaseRule]:
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
        raise HostError(
            f"规则文件{path.name}无法使用 the rule file {path.name} cannot be used: {error}",
            remedy="改正，或从代码库恢复 correct it, or restore it from the repository",
            file=path.name,
        ) from error


def _overlapping(rules: list[CaseRule]) -> list[str]:
    return sorted(
        {
            f"{one.name} ({one.rule_id}, {other.rule_id})"
            for number, one in enumerate(rules)
            for other in rules[number + 1 :]
            if one.name == other.name
            and (one.in_force(other.valid_from) or other.in_force(one.valid_from))
        }
    )

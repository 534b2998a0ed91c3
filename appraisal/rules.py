"""Rule sets: the lengths, units and start events of the clocks, as versioned data files.

Each file in ``rules/`` is one version of one rule set (national, or a province's). Every rule
names its article; ``read`` says how well the source was read (A: full text, B: the passage in an
excerpt, C: title or summary, D: not confirmed, check before relying on it). The book finds the
version in force on a day. Pure but for reading the files. (RULES: clocks, TT-02, TT-05.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from storage.errors import HostError, InputError, NotFoundError

FOLDER = Path(__file__).parent / "rules"
SCHEMA = "zhenglian.rules/1"
CALENDAR = "cn"
"""The calendar that every rule counts by; a file that names another one is refused."""
MAX_LENGTH = 1000
READ_MARKS = frozenset({"", "A", "B", "C", "D"})
"""How well a source was read; empty only for what is not read from a rule file."""


class Unit(StrEnum):
    """How a limit is counted; either way the start day is not."""

    WORKING_DAY = "working_day"
    CALENDAR_DAY = "calendar_day"


class Start(StrEnum):
    """The event on whose day a clock of a commission starts.

    ``RECEIVED`` is the dispatch while nobody acknowledged the receipt; ``EFFECTIVE`` the day that
    was agreed, else that of the acceptance.
    """

    DISPATCHED = "dispatched"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    EFFECTIVE = "effective"


_STARTS = {
    "acceptance": frozenset({Start.DISPATCHED, Start.RECEIVED}),
    "completion": frozenset(Start),
}
UNIT_NAMES: dict[Unit, tuple[str, str]] = {
    Unit.WORKING_DAY: ("个工作日", "working days"),
    Unit.CALENDAR_DAY: ("日", "calendar days"),
}


@dataclass(frozen=True)
class Limit:
    """A number of days and their unit."""

    length: int
    unit: Unit

    def __post_init__(self) -> None:
        """Refuse lengths that no commission has.

        Raises:
            InputError: the length is not between 1 and ``MAX_LENGTH``.
        """
        if not 1 <= self.length <= MAX_LENGTH:
            raise InputError(
                f"a limit has 1 to {MAX_LENGTH} days, not {self.length}",
                remedy="give the agreed time limit in days",
                length=self.length,
            )

    def text(self) -> tuple[str, str]:
        """Return the limit in Chinese and English."""
        zh, en = UNIT_NAMES[self.unit]
        return f"{self.length}{zh}", f"{self.length} {en}"

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return {"length": self.length, "unit": self.unit.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Limit:
        """Rebuild from ``as_json``."""
        return cls(int(value["length"]), Unit(value["unit"]))


@dataclass(frozen=True)
class Article:
    """Where a rule stands, in Chinese and English, and how well it was read (A to D)."""

    zh: str
    en: str
    read: str = ""

    def __post_init__(self) -> None:
        """Refuse a mark that means nothing.

        Raises:
            ValueError: it is none of A, B, C, D.
        """
        if self.read not in READ_MARKS:
            raise ValueError(f"how well {self.en} was read is not one of A, B, C, D: {self.read}")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Article:
        """Return the article of a rule in a rule file."""
        return cls(str(value["article"]), str(value["article_en"]), str(value["read"]))


@dataclass(frozen=True)
class ClockRule:
    """One clock: its limit, the event that starts it, whether a supplement stops it.

    ``warn_before``: how many days before its end to warn, in the limit's unit.
    """

    limit: Limit
    start: Start
    stopped_by_supplement: bool
    article: Article
    warn_before: tuple[int, ...] = ()


@dataclass(frozen=True)
class RuleSet:
    """One version of one rule set, in force from ``valid_from`` to ``valid_to`` (both days in)."""

    id: str
    version: str
    valid_from: date
    valid_to: date | None
    name: tuple[str, str]
    provinces: tuple[str, ...]
    zone: str
    acceptance: ClockRule
    completion: ClockRule
    agreed: Article
    extension: Limit
    extension_times: int
    extension_article: Article
    supplement: Article
    appraisers: int
    registers: tuple[str, ...]

    @property
    def rule_id(self) -> str:
        """Return the identifier with its version, as stored with every due date."""
        return f"{self.id}@{self.version}"

    def in_force(self, on: date) -> bool:
        """Whether this version governs what begins on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class RuleBook:
    """All versions of all rule sets."""

    sets: tuple[RuleSet, ...] = field(repr=False)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> RuleBook:
        """Read every rule file of a folder.

        Raises:
            HostError: a file is not a rule set, or two files are the same version.
        """
        return _load(folder)

    def names(self) -> tuple[str, ...]:
        """Return the identifiers of the rule sets, sorted."""
        return tuple(sorted({each.id for each in self.sets}))

    def get(self, rule_set: str, on: date) -> RuleSet:
        """Return the version of a rule set in force on a day.

        Raises:
            NotFoundError: there is no such rule set, or none was in force yet.
        """
        fitting = [each for each in self.sets if each.id == rule_set and each.in_force(on)]
        if not fitting:
            raise NotFoundError(
                f"{on.isoformat()}没有生效的规则集{rule_set} "
                f"no rule set {rule_set!r} is in force on {on.isoformat()}",
                remedy=f"choose one of: {', '.join(self.names())}",
                rule_set=rule_set,
            )
        return max(fitting, key=lambda each: each.valid_from)

    def for_province(self, province: str) -> str:
        """Return the identifier of a province's rule set, else the national one.

        A place in a province ("浙江省杭州市") has the rules of the province.
        """
        place = "".join(province.split()).casefold()
        for each in self.sets:
            if place.startswith(tuple(name.casefold() for name in each.provinces)):
                return each.id
        return "national"


def from_json(value: Mapping[str, Any]) -> RuleSet:
    """Build a rule set from the JSON value of its file.

    Raises:
        ValueError, KeyError, TypeError: it is not of this schema.
    """
    if value["schema"] != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    require_calendar(value)
    clocks, extension = value["clocks"], value["extension"]
    return RuleSet(
        id=value["id"],
        version=value["version"],
        valid_from=date.fromisoformat(value["valid_from"]),
        valid_to=date.fromisoformat(value["valid_to"]) if value["valid_to"] else None,
        name=(value["name"], value["name_en"]),
        provinces=tuple(value["provinces"]),
        zone=value["zone"],
        acceptance=_clock("acceptance", clocks["acceptance"]),
        completion=_clock("completion", clocks["completion"]),
        agreed=Article.from_json(value["agreed_limit"]),
        extension=Limit.from_json(extension),
        extension_times=int(extension["times"]),
        extension_article=Article.from_json(extension),
        supplement=Article.from_json(value["supplement"]),
        appraisers=int(value["appraisers"]),
        registers=tuple(value["registers"]),
    )


def require_calendar(value: Mapping[str, Any]) -> None:
    """Refuse a file whose days are those of a calendar that is not there.

    Raises:
        ValueError: it names another calendar.
    """
    if value["calendar"] != CALENDAR:
        raise ValueError(f"there is no calendar {value['calendar']!r}")


def _clock(name: str, value: Mapping[str, Any]) -> ClockRule:
    stopped, start = bool(value["stopped_by_supplement"]), Start(value["start"])
    if start not in _STARTS[name]:
        raise ValueError(f"{name} cannot start when a commission is {start}")
    warn = tuple(sorted((int(each) for each in value["warn_before"]), reverse=True))
    return ClockRule(Limit.from_json(value), start, stopped, Article.from_json(value), warn)


@cache
def _load(folder: Path) -> RuleBook:
    book = RuleBook(tuple(_read(path) for path in sorted(folder.glob("*.json"))))
    if not book.sets or _twins(book.sets):
        raise HostError(
            f"the rule sets in {folder.name}/ are missing or one version stands there twice",
            remedy="restore the folder from the repository",
        )
    return book


def _read(path: Path) -> RuleSet:
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, InputError) as error:
        raise HostError(
            f"the rule file {path.name} cannot be used: {error}",
            remedy="correct it, or restore it from the repository",
            file=path.name,
        ) from error


def _twins(sets: Sequence[RuleSet]) -> bool:
    """Whether two versions of one rule set start together, or one starts within a closed other."""
    keys = [(each.id, each.valid_from) for each in sets]
    return len(set(keys)) != len(keys) or any(
        one is not other
        and one.id == other.id
        and one.valid_to is not None
        and one.valid_from <= other.valid_from <= one.valid_to
        for one in sets
        for other in sets
    )

"""Reading what a person filled in: every mistake is collected, then all are told at once.

A ``Fields`` wraps one untrusted mapping (from YAML, JSON or a form). Each reading method returns
a value that is safe to use, and notes a problem where there is one; ``finish`` raises a single
``InputError`` that lists them all, Chinese first. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from storage.errors import InputError
from storage.names import visible

Choice = TypeVar("Choice", bound=StrEnum)
MAX_TEXT = 4000
_MISSING: tuple[Any, ...] = (None, "", [], {}, ())
_YES = frozenset({"true", "yes", "1", "是", "有"})
_NO = frozenset({"false", "no", "0", "否", "无"})


class Fields:
    """One untrusted mapping while it is being read."""

    def __init__(
        self, untrusted: Any, labels: Mapping[str, str], where: str = "", problems: Any = None
    ) -> None:
        """Wrap a mapping; ``labels`` gives the Chinese name of each key it may have."""
        self.labels, self._where = labels, where
        self.problems: list[str] = [] if problems is None else problems
        self._value: Mapping[str, Any] = {}
        if not isinstance(untrusted, Mapping):
            self._note("", "不是键值表", "is not a table of names and values")
            return
        self._value = untrusted
        for key in untrusted:
            if key not in labels:
                shown = visible(str(key))[:60]
                self.problems.append(f"{where}{shown}: 未知字段 unknown field")

    def raw(self, key: str, required: bool = True) -> Any:
        """Return a value as it stands; None if it is missing."""
        value = self._value.get(key)
        if isinstance(value, str):
            value = value.strip()
        if not (isinstance(value, bool | int | float) or value not in _MISSING):
            if required:
                self._note(key, "缺少", "is missing")
            return None
        return value

    def text(self, key: str, required: bool = True, limit: int = MAX_TEXT) -> str:
        """Return a text; numbers and dates become their usual spelling."""
        value = self.raw(key, required)
        if value is None:
            return ""
        if isinstance(value, date):
            value = value.isoformat()
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        return self._checked(key, value, limit)

    def texts(self, key: str, required: bool = True, limit: int = MAX_TEXT) -> tuple[str, ...]:
        """Return a list of texts; one text alone is a list of one."""
        value = self.raw(key, required)
        if value is None:
            return ()
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, Sequence):
            self._note(key, "应为列表", "is not a list")
            return ()
        found = (self._checked(key, _plain(each), limit) for each in value)
        return tuple(each for each in found if each)

    def day(self, key: str, required: bool = True) -> str:
        """Return a date as ISO text."""
        value = self.raw(key, required)
        if value is None:
            return ""
        if isinstance(value, datetime):
            value = value.date()
        try:
            return (value if isinstance(value, date) else date.fromisoformat(value)).isoformat()
        except (TypeError, ValueError):
            self._note(key, "不是日期（如2026-01-30）", "is not a date such as 2026-01-30")
            return ""

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number within bounds."""
        value = self.raw(key, default is None)
        if value is None:
            return low if default is None else default
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._note(
                key, f"应为{low}至{high}的整数", f"is not a whole number from {low} to {high}"
            )
            return low
        return value

    def flag(self, key: str) -> bool:
        """Return yes or no; missing is no."""
        value = self.raw(key, False)
        if value is None or isinstance(value, bool):
            return bool(value)
        word = str(value).lower()
        if word not in _YES | _NO:
            self._note(key, "应为是或否", "is neither yes nor no")
        return word in _YES

    def choice(
        self, key: str, kind: type[Choice], names: Mapping[Choice, str], default: Choice
    ) -> Choice:
        """Return one of an enumeration, by its value or its Chinese name."""
        value = self.raw(key)
        if value is None:
            return default
        return self._chosen(key, value, kind, names) or default

    def choices(
        self, key: str, kind: type[Choice], names: Mapping[Choice, str]
    ) -> tuple[Choice, ...]:
        """Return several of an enumeration, without repeats."""
        found = (self._chosen(key, each, kind, names) for each in self.texts(key))
        return tuple(dict.fromkeys(each for each in found if each is not None))

    def table(self, key: str, labels: Mapping[str, str], required: bool = False) -> Fields:
        """Return a nested mapping, empty if it is missing."""
        value = self.raw(key, required)
        where = f"{self._where}{key}."
        return Fields({} if value is None else value, labels, where, self.problems)

    def tables(
        self, key: str, labels: Mapping[str, str], required: bool = True
    ) -> tuple[Fields, ...]:
        """Return a list of nested mappings."""
        value = self.raw(key, required)
        if value is None:
            return ()
        if isinstance(value, str) or not isinstance(value, Sequence):
            self._note(key, "应为列表", "is not a list")
            return ()
        return tuple(
            Fields(each, labels, f"{self._where}{key}[{n}].", self.problems)
            for n, each in enumerate(value, 1)
        )

    def has(self, key: str) -> bool:
        """Whether the key holds something."""
        return self.raw(key, False) is not None

    def wrong(self, key: str, zh: str, en: str) -> None:
        """Note a problem that the caller found."""
        self._note(key, zh, en)

    def finish(self, what: tuple[str, str], remedy: str) -> None:
        """Raise one error with every problem, if there is any.

        Raises:
            InputError: ``facts["problems"]`` lists them.
        """
        if self.problems:
            listed = "; ".join(self.problems)
            raise InputError(
                f"{what[0]}有{len(self.problems)}处问题 {what[1]} has {len(self.problems)} "
                f"problem(s): {listed}",
                remedy=remedy,
                problems=list(self.problems),
            )

    def _chosen(
        self, key: str, value: Any, kind: type[Choice], names: Mapping[Choice, str]
    ) -> Choice | None:
        for each in kind:
            if value in (each.value, names[each]):
                return each
        known = ", ".join(f"{each.value} {names[each]}" for each in kind)
        shown = visible(str(value))[:40]
        self._note(key, f"“{shown}”不在可选范围", f"is none of: {known}")
        return None

    def _checked(self, key: str, untrusted: Any, limit: int) -> str:
        if not isinstance(untrusted, str):
            self._note(key, "应为文字", "is not text")
            return ""
        value = untrusted.strip()
        if len(value) > limit:
            self._note(key, f"超过{limit}字", f"is longer than {limit} characters")
            return ""
        if any(0xD800 <= ord(each) < 0xE000 or each == "\0" for each in value):
            self._note(key, "含有无法保存的字符", "has characters that cannot be kept")
            return ""
        return value

    def _note(self, key: str, zh: str, en: str) -> None:
        label = self.labels.get(key, "")
        name = f"{self._where}{key}".rstrip(".")
        self.problems.append(" ".join(filter(None, (name, f"{label}{zh}", en))))


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value

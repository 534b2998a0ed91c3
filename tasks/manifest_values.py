"""Values of a manifest: times, check values and paths, from what people write to one form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cached_property

from storage.digest import WEAK, SuppliedDigest, parse_supplied
from storage.errors import InputError
from storage.names import display, shown, visible
from storage.normal import normal_form
from storage.spelling import PREFIX, from_percent, percent

BEIJING = timezone(timedelta(hours=8))
"""What a time without a zone means; China has one zone and no summer time."""

_DAY = r"(?P<y>[0-9]{4})(?:-|/|\.|年)(?P<m>[0-9]{1,2})(?:-|/|\.|月)(?P<d>[0-9]{1,2})日?"
_TIME = (
    r"(?P<H>[0-9]{1,2})(?::|时|点)(?:(?P<M>[0-9]{1,2})分?)?"
    r"(?::?(?P<S>[0-9]{1,2})秒?(?:\.[0-9]{1,9})?)?"
)
_ZONE = r"(?P<z>Z|z|UTC|(?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2})"
_MOMENT = re.compile(rf"{_DAY}(?:(?:[T ]\s*)?{_TIME}\s*{_ZONE}?)?", re.ASCII)


@dataclass(frozen=True)
class Moment:
    """A point of time, or a day of which no time was given (then its first second)."""

    at: datetime
    day_only: bool = False

    @property
    def text(self) -> str:
        """RFC 3339 with zone, whole seconds."""
        return self.at.isoformat(timespec="seconds")

    @property
    def shortest(self) -> str:
        """The day alone if no more is known."""
        return self.at.date().isoformat() if self.day_only else self.text


def parse_moment(written: str, zone: tzinfo = BEIJING) -> Moment | None:
    """Parse a time as people write it: ``2026-11-20 09:30``, 2026年11月20日9时30分, RFC 3339.

    Fractions of a second are dropped. Returns None if it is no time.
    """
    match = _MOMENT.fullmatch(normal_form("NFKC", written).strip())
    if match is None:
        return None
    part = match.groupdict()
    try:
        at = datetime(
            *(int(part[name] or 0) for name in ("y", "m", "d", "H", "M", "S")),  # type: ignore[misc, arg-type]
            tzinfo=_zone(part["z"], zone),
        )
    except ValueError:
        return None
    return Moment(at, part["H"] is None)


def _zone(written: str | None, default: tzinfo) -> tzinfo:
    if not written:
        return default
    digits = re.sub(r"[^0-9+-]", "", written)
    if not digits:
        return UTC
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return timezone(-offset if digits[0] == "-" else offset)


def parse_digests(written: str) -> tuple[SuppliedDigest, ...]:
    """Parse one or more ``algorithm:value``, separated by spaces, line breaks, ``;`` or ``,``.

    Raises:
        InputError: there is none, one of them is no check value, or an algorithm stands there
            twice.
    """
    plain = normal_form("NFKC", written)
    # Blanks are looked at from the first of a run only, else a long run takes its square.
    plain = re.sub(r"(?<!\s)\s*[:=]\s*", ":", plain)
    found = tuple(parse_supplied(each) for each in re.split(r"[\s;,、]+", plain) if each)
    if not found:
        raise InputError("there is no check value, only what parts them")
    if len({each.algorithm for each in found}) != len(found):
        raise InputError("the same digest algorithm stands there twice")
    return found


def strong(digests: Sequence[SuppliedDigest]) -> SuppliedDigest | None:
    """Return the first check value that proves integrity by itself (RULES FP-03)."""
    return next((each for each in digests if each.algorithm not in WEAK), None)


@dataclass(frozen=True)
class PathFault:
    """Why a path cannot be used."""

    zh: str
    en: str


def path_fault(path: str) -> PathFault | None:
    """Return what is wrong with how a path is written, if anything."""
    if path.startswith(PREFIX):
        try:
            path = from_percent(path)
        except InputError:
            return PathFault("不是正确的 bytes:// 写法", "is not written right after bytes://")
    if "\\" in path:
        return PathFault("用了反斜杠 \\", "has a backslash")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return PathFault("是绝对路径", "is absolute")
    parts = path.split("/")
    if ".." in parts:
        return PathFault("含有 ..，超出证据包", "has .. and leaves the bundle")
    if "" in parts or "." in parts:
        return PathFault("含有空的部分或 .", "has an empty part or .")
    return None


class Paths:
    """The files of a bundle, found by their exact path, by NFC form, or as they are shown."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Index the paths; every form but the exact one only when it is first needed."""
        self._exact = frozenset(paths)

    @cached_property
    def _normal(self) -> dict[str, str]:
        return _unique({path: normal_form("NFC", path) for path in self._exact})

    @cached_property
    def _bare(self) -> dict[str, str]:
        return _unique({path: path.strip() for path in self._exact})

    @cached_property
    def _shown(self) -> dict[str, str]:
        return _unique({path: display(path).strip() for path in self._exact})

    @cached_property
    def _loose(self) -> dict[str, str]:
        return _unique({path: shown(path) for path in self._exact})

    def find(self, written: str) -> str | None:
        """Return the one path that a written one means, or None.

        macOS writes decomposed names (NFD), so a path is also matched by its NFC form if
        exactly one file has it. Spaces at the ends do not count, and a name that cannot be
        typed may be written as it is shown, again only if exactly one file is meant. What
        begins with ``bytes://`` gives the exact bytes of a path, and those alone.
        """
        if written.startswith(PREFIX):
            return self._spelled(written)
        for candidate in (written, written.removeprefix("./")):
            if candidate in self._exact:
                return candidate
            if found := self._normal.get(normal_form("NFC", candidate)):
                return found
        again = self._bare.get(written) or self._shown.get(written)
        return again or self._loose.get(written)

    def written(self, path: str, *, displayed: bool = False) -> str:
        """Return how a manifest names a path so that ``find`` gives it and no other.

        As it is, or as it is shown for a form that cannot hold every character; a name that
        is not UTF-8, or that one of these would confuse with another, by its bytes.
        """
        plain = display(path) if displayed and visible(path) != path else path
        bare = plain.strip()
        if bare and _is_text(plain) and self.find(bare) == path:
            return plain
        return percent(path)

    def _spelled(self, written: str) -> str | None:
        try:
            path = from_percent(written)
        except InputError:
            return None
        return path if path in self._exact else None


def _is_text(path: str) -> bool:
    """Say whether a path is UTF-8."""
    return not any("\ud800" <= each <= "\udfff" for each in path)


def _unique(forms: Mapping[str, str]) -> dict[str, str]:
    """Return path by form, only where a form has exactly one path."""
    found: dict[str, str] = {}
    double: set[str] = set()
    for path, form in forms.items():
        if form in found:
            double.add(form)
        found[form] = path
    return {form: path for form, path in found.items() if form not in double}

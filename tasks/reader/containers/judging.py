"""What all containers are judged by alike: numbers, sizes, names, and what is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tasks.reader.answer import Contents, Member
from tasks.reader.limits import Limits, exceeded
from tasks.reader.strict import MAX_NUMBER

# Here names are labels that a sender gave: two attachments may well have the same.
_LABELS = ("mail", "mbox", "msg", "tnef", "pdf")


class Judge:
    """The members of one container so far, within its limits."""

    def __init__(self, limits: Limits) -> None:
        self.members: list[Member] = []
        self._limits = limits
        self._total = 0
        self._problems: list[str] = []

    def add(self, member: Member) -> bool:
        """Take one more member in, in order; return whether the walk may go on."""
        if len(self.members) >= self._limits.max_entries:
            count = len(self.members) + 1
            self._problems.append(exceeded("entries", count, self._limits.max_entries))
            return False
        self._total += max(member.size, 0)
        self.members.append(replace(member, unsafe=(*member.unsafe, *self._exceeded(member))))
        return True

    def contents(self, format: str, problems: Iterable[str]) -> Contents:
        """Return what was found, with ``problems`` of the container itself."""
        found = list(dict.fromkeys([*problems, *self._problems]))
        most = self._limits.max_total_bytes
        if self._total > most and not any(p.startswith("total:") for p in found):
            found.append(exceeded("total", self._total, most))
        members = tuple(self.members if format in _LABELS else _related(self.members))
        return Contents(format, members, min(self._total, MAX_NUMBER), tuple(found))

    def _exceeded(self, member: Member) -> list[str]:
        found = []
        if member.size > self._limits.max_file_bytes:
            found.append(exceeded("size", member.size, self._limits.max_file_bytes))
        length = len(member.raw_name) // 2 or len(member.name.encode(errors="replace"))
        if length > self._limits.max_path_bytes:
            found.append(exceeded("path", length, self._limits.max_path_bytes))
        return found


def _related(members: list[Member]) -> list[Member]:
    """Return the members with what only shows beside the others: doubles, links that lead out."""
    counts = Counter(member.name for member in members)
    earlier: set[str] = set()
    judged = []
    for member in members:
        unsafe = list(member.unsafe)
        if counts[member.name] > 1 and "duplicate" not in unsafe:
            unsafe.append("duplicate")
        if member.kind == "hardlink" and member.target not in earlier:
            unsafe.append("hardlink")
        if member.kind == "file":
            earlier.add(member.name)
        judged.append(replace(member, unsafe=tuple(unsafe)))
    return judged

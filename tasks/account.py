"""The account: every file and every byte that came in, and what became of it. Pure.

A case is *done* when nothing waits and nothing is unexplained. What is explained:

- a received file, if the store holds its digest for this accession: as an exhibit, as the
  manifest, or as the container that was dropped (whose members are listed and explained in
  the same way);
- an exhibit, if it was read, or expanded into parts, or has a reason why it was not;
- a container, if its recorded members are as many, and claim as many bytes, as the container
  says that it holds: **the sum of the children equals the parent**, at every depth;
- a part, if its state is one of ``State``.

Nothing here decides by what should be there: the listing made at intake, the container's own
claim, and the recorded rows come from three sources, and are only compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What became of an exhibit or a part."""

    EXPANDED = "expanded"
    PARTLY_EXPANDED = "partly_expanded"
    READ = "read"
    OCR = "ocr"
    PARTLY_READ = "partly_read"
    EMPTY = "empty"
    FOLDER = "folder"
    NOT_OPENED = "not_opened"
    ENCRYPTED = "encrypted"
    NOT_READABLE = "not_readable"
    NOT_EXTRACTED = "not_extracted"
    TOO_DEEP = "too_deep"
    LIMIT = "limit"
    IN_WORK = "in_work"
    DISPOSED = "disposed"


FAILED = frozenset(
    {
        State.PARTLY_EXPANDED,
        State.PARTLY_READ,
        State.ENCRYPTED,
        State.NOT_READABLE,
        State.NOT_EXTRACTED,
        State.TOO_DEEP,
        State.LIMIT,
    }
)
"""States for a person to look at: what is in them was not, or not wholly, read."""

STATE_NAMES: dict[str, str] = {
    State.EXPANDED: "已展开 expanded",
    State.PARTLY_EXPANDED: "部分展开 partly expanded",
    State.READ: "已识读 read",
    State.OCR: "已识读（OCR） read by OCR",
    State.PARTLY_READ: "部分识读 partly read",
    State.EMPTY: "空白 empty",
    State.FOLDER: "文件夹 folder",
    State.NOT_OPENED: "镜像，未打开 image, not opened",
    State.ENCRYPTED: "已加密 encrypted",
    State.NOT_READABLE: "无法识读 not readable",
    State.NOT_EXTRACTED: "未取出 not extracted",
    State.TOO_DEEP: "层数过深 too deep",
    State.LIMIT: "超出限制 limit exceeded",
    State.IN_WORK: "处理中 in work",
    State.DISPOSED: "已处置 disposed of",
}

_AS_IS = {
    "read": State.READ,
    "partly_read": State.PARTLY_READ,
    "empty": State.EMPTY,
    "encrypted": State.ENCRYPTED,
    "not_opened": State.NOT_OPENED,
}


def opened_up(problems: Iterable[str]) -> tuple[State, str]:
    """Return state and reason code of a container that was expanded.

    One that is damaged, cut off, or has bytes that belong to no member, was not wholly so.
    """
    first = next(iter(problems), "")
    return (State.PARTLY_EXPANDED, first) if first else (State.EXPANDED, "")


def judged(state: str, ocr_pages: int, flags: Iterable[str] = ()) -> tuple[State, str]:
    """Return state and reason code of a document from the state of its transcript.

    A document that gave nothing names why: ``damaged``, ``unknown_type``, or how the cell failed
    (``timeout``, ``memory``, ``crash``, ``lie``).
    """
    if state == "read" and ocr_pages:
        return State.OCR, ""
    if state in _AS_IS:
        return _AS_IS[state], ""
    failures = [flag.removeprefix("cell_") for flag in flags if flag.startswith("cell_")]
    return State.NOT_READABLE, failures[0] if failures else state


@dataclass(frozen=True)
class Listed:
    """A file that a listing made at intake names: ``where`` is ``received`` or ``container``."""

    path: str
    size: int
    sha256: str
    where: str = "received"


@dataclass(frozen=True)
class Holding:
    """A container: what it says that it holds, and what the rows of its members come to."""

    item: str
    members: int
    bytes: int
    recorded: int
    recorded_bytes: int

    @property
    def whole(self) -> bool:
        """Whether the sum of the children equals the parent."""
        return (self.members, self.bytes) == (self.recorded, self.recorded_bytes)


@dataclass(frozen=True)
class Line:
    """So many items of one state and reason, and their bytes."""

    state: str
    code: str
    items: int
    bytes: int


@dataclass(frozen=True)
class Unexplained:
    """Something that nothing on record explains."""

    item: str
    zh: str
    en: str


@dataclass
class Account:
    """The account of one accession, or of several put together.

    ``received`` and ``stored`` are files and bytes; ``exhibits`` and ``parts`` are lines by
    state. ``parts`` count what containers hold, at every depth, in bytes taken out.
    """

    received: tuple[int, int] = (0, 0)
    stored: tuple[int, int] = (0, 0)
    irregular: int = 0
    members: int = 0
    containers: int = 0
    exhibits: list[Line] = field(default_factory=list)
    parts: list[Line] = field(default_factory=list)
    unexplained: list[Unexplained] = field(default_factory=list)

    @property
    def in_work(self) -> int:
        """Exhibits that were not read yet."""
        return sum(line.items for line in self.exhibits if line.state == State.IN_WORK)

    @property
    def failed(self) -> int:
        """Exhibits and parts that a person should look at."""
        return sum(line.items for line in (*self.exhibits, *self.parts) if line.state in FAILED)

    @property
    def done(self) -> bool:
        """Whether nothing waits and nothing is unexplained; failures are explained."""
        return not self.in_work and not self.unexplained

    def as_json(self) -> dict[str, Any]:
        """Return the account for programs."""
        return {
            "received": {"files": self.received[0], "bytes": self.received[1]},
            "stored": {"files": self.stored[0], "bytes": self.stored[1]},
            "irregular": self.irregular,
            "members": self.members,
            "containers": self.containers,
            "exhibits": [vars(line) for line in self.exhibits],
            "parts": [vars(line) for line in self.parts],
            "in_work": self.in_work,
            "failed": self.failed,
            "unexplained": [vars(each) for each in self.unexplained],
            "done": self.done,
        }


def account(
    *,
    listed: Iterable[Listed],
    kept: frozenset[str],
    exhibits: Iterable[tuple[str, str, int]],
    holdings: Iterable[Holding],
    parts: Iterable[Line],
    promised: int,
    irregular: int = 0,
) -> Account:
    """Return the account of one accession.

    Args:
        listed: the files of the listings made at intake.
        kept: SHA-256 of everything that the accession's events say is stored.
        exhibits: state, reason code and bytes of each exhibit on record.
        holdings: its containers, exhibits and parts.
        parts: its parts by state.
        promised: the number of exhibits that the accession says it has.
        irregular: things that were no files, recorded and not followed.
    """
    made = Account(irregular=irregular)
    for file in listed:
        _file(made, file, kept)
    made.exhibits = _lines(exhibits)
    made.parts = _lines_of_lines(parts)
    _exhibits_missing(made, promised)
    for holding in holdings:
        made.containers += 1
        if not holding.whole:
            made.unexplained.append(_not_whole(holding))
    made.unexplained.extend(_unknown_states(made.parts))
    return made


def together(accounts: Iterable[Account]) -> Account:
    """Return the account of several accessions as one."""
    total = Account()
    exhibits: list[Line] = []
    parts: list[Line] = []
    for each in accounts:
        total.received = _sum(total.received, each.received)
        total.stored = _sum(total.stored, each.stored)
        total.irregular += each.irregular
        total.members += each.members
        total.containers += each.containers
        exhibits.extend(each.exhibits)
        parts.extend(each.parts)
        total.unexplained.extend(each.unexplained)
    total.exhibits, total.parts = _lines_of_lines(exhibits), _lines_of_lines(parts)
    return total


def holdings(
    containers: Iterable[tuple[str, int, int]], recorded: Mapping[str, tuple[int, int]]
) -> Iterator[Holding]:
    """Put containers beside their recorded members: members without a container are one too."""
    left = dict(recorded)
    for item, members, count in containers:
        have = left.pop(item, (0, 0))
        yield Holding(item, members, count, *have)
    for item, have in sorted(left.items()):
        yield Holding(item, 0, 0, *have)


def _file(made: Account, file: Listed, kept: frozenset[str]) -> None:
    if file.where == "received":
        made.received = _sum(made.received, (1, file.size))
    else:
        made.members += 1
    if file.sha256 in kept:
        if file.where == "received":
            made.stored = _sum(made.stored, (1, file.size))
        return
    made.unexplained.append(
        Unexplained(
            file.path, "已接收，但没有入库记录", "received, and nothing on record says it is stored"
        )
    )


def _exhibits_missing(made: Account, promised: int) -> None:
    have = sum(line.items for line in made.exhibits)
    if have != promised:
        made.unexplained.append(
            Unexplained(
                "",
                f"登记 {promised} 件证据，有记录的 {have} 件",
                f"{promised} exhibits were accessioned, {have} are on record",
            )
        )


def _not_whole(each: Holding) -> Unexplained:
    return Unexplained(
        each.item,
        f"容器自述 {each.members} 项 {each.bytes} 字节，"
        f"记录 {each.recorded} 项 {each.recorded_bytes} 字节",
        f"the container says {each.members} members of {each.bytes} bytes, on record are "
        f"{each.recorded} of {each.recorded_bytes}",
    )


def _unknown_states(lines: Iterable[Line]) -> Iterator[Unexplained]:
    known = set(State) - {State.IN_WORK}
    for line in lines:
        if line.state not in known:
            yield Unexplained(
                line.state,
                f"{line.items} 个部分状态不明",
                f"{line.items} parts are in no known state",
            )


def _lines(items: Iterable[tuple[str, str, int]]) -> list[Line]:
    return _lines_of_lines(Line(state, code, 1, size) for state, code, size in items)


def _lines_of_lines(lines: Iterable[Line]) -> list[Line]:
    """Return the lines by state and reason; what varies with each item is left out of the code."""
    items: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for line in lines:
        key = (line.state, line.code.partition(":")[0])
        items[key] += line.items
        sizes[key] += line.bytes
    order = {state.value: number for number, state in enumerate(State)}
    keys = sorted(items, key=lambda key: (order.get(key[0], len(order)), key))
    return [Line(*key, items[key], sizes[key]) for key in keys]


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]

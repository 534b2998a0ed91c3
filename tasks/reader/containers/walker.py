"""What every container format gives: its entries in order, each with a way to its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tasks.reader.answer import Member
from tasks.reader.job import Refused

CHUNK = 1 << 18

# Called now and then while nothing is given out, so that the parent sees progress.
Tick = Callable[[], None]


class Broken(Refused):
    """A container, or what is left of it, cannot be read on; ``code`` is the problem to list."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """One member, and its bytes; they can be taken once, before the next entry is asked for."""

    member: Member
    pieces: Callable[[], Iterator[bytes]]


class Walker(Protocol):
    """One pass over one container.

    ``problems`` concern the container as a whole and are complete when the walk has ended. The
    walk raises ``Refused`` where nothing can be read on; ``pieces`` raises it for one member.
    """

    format: str
    problems: list[str]

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries with ascending index from 0."""
        ...


def nothing() -> Iterator[bytes]:
    """Give the bytes of what has none: a folder, a link, a device."""
    return iter(())

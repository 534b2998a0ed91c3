"""What can be wrong with a log, and which stored entry is which. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from storage.errors import IntegrityError
from storage.event import decode
from storage.merkle import leaf_hash


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with the log; ``index`` names the entry if it concerns one.

    ``kind`` is one of: ``checkpoint_missing``, ``checkpoint_signature``, ``root_mismatch``,
    ``rolled_back``, ``forked``, ``tile_changed``, ``entry_edited``, ``entry_missing``,
    ``entry_moved``, ``entry_inserted``, ``entry_unproven``.
    """

    index: int | None
    kind: str
    message: str


@dataclass
class LogCheck:
    """What a walk found.

    ``entries`` are those that were kept, by index; ``trusted`` says whether the checkpoint's
    signature is good and the stored log leads to its root.
    """

    entries: list[tuple[int, bytes]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    checkpoint_text: str = ""
    trusted: bool = False
    _named: set[int] = field(default_factory=set, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing at all is wrong."""
        return self.trusted and not self.findings

    def proven(self, index: int) -> bool:
        """Whether the signed checkpoint proves an entry of ``entries`` as it is stored."""
        return self.trusted and index not in self._named

    def add(self, kind: str, message: str, index: int | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(index, kind, message))
        if index is not None:
            self._named.add(index)


@dataclass(frozen=True)
class _Stray:
    """A stored entry that does not stand where its hash belongs."""

    position: int
    hash: bytes
    leaf: bytes


class EntryMatcher:
    """Finds, for the entries of damaged bundles, where each belongs by its hash.

    An entry whose hash is in the proven tree is that entry, wherever it was found. What is
    left over was edited (its place lacks an entry) or inserted; a place left over lacks its
    entry; and entries found in another order were moved.
    """

    def __init__(self, check: LogCheck, keep: Callable[[int, bytes], bool]) -> None:
        """Report to ``check``, and keep there the entries that ``keep`` chooses."""
        self._check = check
        self._keep = keep
        self._strays: list[_Stray] = []
        self._places: dict[bytes, list[int]] = {}
        self._found: list[tuple[int, int, bytes]] = []

    def take(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """Keep entries that stand where they belong."""
        self._check.entries.extend(pair for pair in entries if self._keep(*pair))

    def match(self, start: int, leaves: list[bytes], expected: list[bytes]) -> None:
        """Compare a bundle with the proven hashes of its places."""
        for offset, wanted in enumerate(expected):
            if offset >= len(leaves) or leaf_hash(leaves[offset]) != wanted:
                self._places.setdefault(wanted, []).append(start + offset)
        for offset, leaf in enumerate(leaves):
            own = leaf_hash(leaf)
            if offset < len(expected) and own == expected[offset]:
                self._found.append((start + offset, start + offset, leaf))
            else:
                self._strays.append(_Stray(start + offset, own, leaf))

    def finish(self) -> None:
        """Report on all damaged bundles together: an entry may stand in another's."""
        lost = [stray for stray in self._strays if not self._place(stray)]
        empty = {index for places in self._places.values() for index in places}
        self._found.sort(key=lambda found: found[0])
        ordered = all(first[1] < second[1] for first, second in pairwise(self._found))
        for position, index, leaf in self._found:
            if index != position and not ordered:
                self._check.add(
                    "entry_moved",
                    f"{_name(index, leaf)} stands in the place of entry {position}",
                    index,
                )
        for stray in lost:
            self._report(stray, empty)
        for index in sorted(empty):
            self._check.add("entry_missing", f"entry {index} is missing", index)
        self.take((index, leaf) for _, index, leaf in self._found)
        self._check.entries.sort(key=lambda pair: pair[0])

    def _place(self, stray: _Stray) -> bool:
        places = self._places.get(stray.hash)
        if not places:
            return False
        self._found.append((stray.position, places.pop(0), stray.leaf))
        return True

    def _report(self, stray: _Stray, empty: set[int]) -> None:
        name = _name(stray.position, stray.leaf)
        if stray.position in empty:
            empty.remove(stray.position)
            self._check.add(
                "entry_edited", f"{name} was edited after it was signed", stray.position
            )
            self.take([(stray.position, stray.leaf)])
        else:
            self._check.add("entry_inserted", f"{name} was inserted after the log was signed")


def _name(index: int, untrusted_leaf: bytes) -> str:
    try:
        event = decode(untrusted_leaf)
    except IntegrityError:
        return f"entry {index} (no longer an event)"
    return f"entry {index} ({event.action.value}, event {event.event_id[:64]})"

"""The drop folder: which bundles are complete and may be taken.

A bundle is complete when a ``.done`` marker says so, when it was seen under a ``.part`` name and
has been renamed, or when names, sizes and times of all that is in it have not changed for the
settling time, over two scans at least. Scanning everything anew each time is the only way of
finding out: notification does not reach network shares, and nothing that was missed once is
missed for ever. Times are compared with themselves only, so a share's clock may be wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from storage.errors import HostError
from storage.names import display
from tasks.dropped import Look, is_container_name, is_unfinished_name, look_at
from tasks.unit_board import BOARDS

RECEIPTS = "receipts"
REJECTED = "rejected"
_OURS = frozenset({RECEIPTS, REJECTED, *BOARDS})


@dataclass(frozen=True)
class Waiting:
    """A bundle in a drop folder.

    ``why`` says, for an incomplete one, what is waited for; ``waited`` for how long, in seconds.
    """

    unit: str
    path: Path
    complete: bool
    why: str = ""
    waited: float = 0.0


@dataclass(frozen=True)
class _Seen:
    """What was known of a bundle at a scan: since when it is there, and since when unchanged."""

    look: Look
    first: float
    since: float
    scans: int = 1


@dataclass
class DropScanner:
    """Remembers the last scan; ``scan`` says which bundles are complete now.

    ``unreadable`` names the units whose folders the last scan could not read, and why: one
    unit's trouble hides no other's bundle. ``settle`` is in seconds of ``clock``.
    """

    root: Path
    settle: float = 0.0
    clock: Callable[[], float] = time.monotonic
    unreadable: dict[str, str] = field(default_factory=dict)
    _last: dict[Path, _Seen] = field(default_factory=dict)
    _parts: dict[tuple[int, int], Look] = field(default_factory=dict)

    def scan(self) -> list[Waiting]:
        """Look once; bundles come unit by unit, in the order of their names.

        Raises:
            HostError: the drop folder itself cannot be read.
        """
        found: list[Waiting] = []
        last: dict[Path, _Seen] = {}
        parts: dict[tuple[int, int], Look] = {}
        for unit, path in self._candidates():
            look = look_at(path)
            if look is None:
                continue
            last[path] = seen = self._seen(path, look)
            if is_unfinished_name(path.name):
                parts[look.identity] = look
                why = "its name says that it is being uploaded"
            else:
                why = self._waits_for(path, seen)
            found.append(Waiting(unit, path, not why, why, self.clock() - seen.first))
        self._last, self._parts = last, parts
        return found

    def unchanged(self, path: Path) -> bool:
        """Say whether a bundle is still as the last scan saw it; the scan may be long ago."""
        seen, look = self._last.get(path), look_at(path)
        return seen is not None and look is not None and look.digest == seen.look.digest

    def _seen(self, path: Path, look: Look) -> _Seen:
        before, now = self._last.get(path), self.clock()
        if before is None:
            return _Seen(look, now, now)
        if before.look.digest != look.digest:
            return _Seen(look, before.first, now)
        return replace(before, look=look, scans=before.scans + 1)

    def _waits_for(self, path: Path, seen: _Seen) -> str:
        """Return what a bundle lacks, or nothing when it is complete."""
        look = seen.look
        if look.unreadable:
            return look.unreadable
        part = self._parts.get(look.identity)
        if look.marked or (part is not None and look.continues(part)):
            return ""
        if look.unfinished:
            return f"{display(look.unfinished)} in it has the name of an unfinished upload"
        if not look.files or (not look.size and is_container_name(path.name)):
            return "it is empty"
        if seen.scans < 2 or self.clock() - seen.since < self.settle:
            return "it may still be growing"
        return ""

    def _candidates(self) -> Iterator[tuple[str, Path]]:
        self.unreadable = {}
        for unit in self._units():
            try:
                unit.name.encode()
                paths = sorted(unit.iterdir())
            except OSError as error:
                self.unreadable[unit.name] = f"{unit} cannot be read: {error.strerror}"
                continue
            except UnicodeEncodeError:
                self.unreadable[unit.name] = "the name of a unit's folder must be UTF-8"
                continue
            for path in paths:
                if path.name in _OURS or path.name.startswith(".") or path.is_symlink():
                    continue
                yield unit.name, path

    def _units(self) -> list[Path]:
        try:
            return sorted(each for each in self.root.iterdir() if each.is_dir())
        except OSError as error:
            raise HostError(
                f"the drop folder {self.root} cannot be read: {error.strerror}",
                remedy="check that it is mounted and readable",
            ) from error

"""The drop folder: which bundles are complete and may be taken.

A bundle is complete when a ``.done`` marker says so, when it was seen under a ``.part`` name
and has been renamed, or when sizes and times have not changed between two scans. Scanning is
the only way of finding out: notification does not reach network shares.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import HostError
from tasks.bundle import DONE_MARKER

RECEIPTS = "receipts"
REJECTED = "rejected"
_OURS = frozenset({RECEIPTS, REJECTED})
_UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".uploading")

Snapshot = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Waiting:
    """A bundle in a drop folder."""

    unit: str
    path: Path
    complete: bool


@dataclass
class DropScanner:
    """Remembers the last scan; ``scan`` says which bundles are complete now.

    ``unreadable`` names the units whose folders the last scan could not read, and why: one
    unit's trouble hides no other's bundle.
    """

    root: Path
    unreadable: dict[str, str] = field(default_factory=dict)
    _last: dict[Path, Snapshot] = field(default_factory=dict)
    _parts: set[tuple[int, int]] = field(default_factory=set)

    def scan(self) -> list[Waiting]:
        """Look once; bundles come unit by unit, in the order of their names.

        Raises:
            HostError: the drop folder itself cannot be read.
        """
        found: list[Waiting] = []
        seen: dict[Path, Snapshot] = {}
        parts: set[tuple[int, int]] = set()
        for unit, path in self._candidates():
            identity = _identity(path)
            if identity is None:
                continue
            if path.name.lower().endswith(_UNFINISHED):
                parts.add(identity)
                continue
            seen[path] = snapshot(path)
            complete = (
                os.path.isfile(path / DONE_MARKER)  # noqa: PTH113 - False, whatever is wrong
                or identity in self._parts
                or self._last.get(path) == seen[path]
            )
            found.append(Waiting(unit, path, complete))
        self._last, self._parts = seen, parts
        return found

    def _candidates(self) -> Iterator[tuple[str, Path]]:
        self.unreadable = {}
        for unit in self._units():
            try:
                paths = sorted(unit.iterdir())
            except OSError as error:
                self.unreadable[unit.name] = f"{unit} cannot be read: {error.strerror}"
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


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def snapshot(path: Path) -> Snapshot:
    """Return name, size and time of everything below a path; a vanished file has size -1."""
    found: list[tuple[str, int, int]] = []
    pending = [str(path)]
    while pending:
        current = pending.pop()
        try:
            status = os.stat(current, follow_symlinks=False)  # noqa: PTH116 - bytes may be odd
            found.append((current, status.st_size, status.st_mtime_ns))
            if path.is_dir() and Path(current).is_dir() and not Path(current).is_symlink():
                pending.extend(entry.path for entry in os.scandir(current))
        except OSError:
            found.append((current, -1, 0))
    return tuple(sorted(found))

"""The objects of a directory store in a backup: copied once, checked by digest, put back.

Objects never change, so all backups of a folder share them. What was copied is hashed while it is
read; putting it back hashes every byte again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from storage.digest import CHUNK, new
from storage.errors import IntegrityError
from storage.workspace import Workspace, fsync_file, fsync_folder
from tasks.backup_form import OBJECTS, SHARED, Copy, made_backups, measured, read_copies

Advance = Callable[[str, int], None]
ANCHORS = "anchors"
"""Timestamps and cosignatures: small, made nowhere again, and in every backup."""
_DIGITS = frozenset("0123456789abcdef")


def copy_objects(
    workspace: Workspace, target: Path, made: Path, advance: Advance, *, everything: bool
) -> tuple[int, list[str]]:
    """Copy the objects that are not in the backups yet; return how many there are in all.

    Without ``everything`` they are the anchors of the log alone.

    An object whose bytes are not those that its name promises is named and left out: what an
    earlier backup holds of it may be better.
    """
    known = _known(target)
    damaged: list[str] = []
    count = 0
    with (made / OBJECTS).open("w", encoding="utf-8") as listing:
        for path in _objects(workspace.objects, everything):
            key = str(path.relative_to(workspace.objects))
            copy = _copy_object(path, key, target / SHARED / key, known.get(key))
            if copy is None:
                continue
            if _promised(key) not in ("", copy.sha256):
                damaged.append(key)
                continue
            listing.write(copy.line())
            count += 1
            advance("objects", count)
    fsync_file(made / OBJECTS)
    return count, damaged


def _known(target: Path) -> dict[str, Copy]:
    """Return what the longest list of the backups says of its objects."""
    lists = [each / OBJECTS for each in made_backups(target) if (each / OBJECTS).exists()]
    longest = max(lists, key=lambda path: path.stat().st_size, default=None)
    return {each.key: each for each in read_copies(longest)} if longest else {}


def _objects(root: Path, everything: bool) -> Iterator[Path]:
    """Yield files; what is released moves from quarantine to a case, and is not missed so."""
    trees = {path.name for path in root.iterdir() if not path.name.startswith(".")} - {"log"}
    if not everything:
        trees &= {ANCHORS}
    for tree in sorted(trees, key=lambda name: (name != "quarantine", name)):
        yield from (path for path in sorted((root / tree).rglob("*")) if path.is_file())


def _promised(key: str) -> str:
    """Return the digest that an object is named by, empty if it has another name."""
    name = key.rpartition("/")[2]
    return name if len(name) == 64 and _DIGITS.issuperset(name) else ""


def _copy_object(path: Path, key: str, final: Path, known: Copy | None) -> Copy | None:
    """Copy one object unless it is there; None if it moved or was disposed of meanwhile."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    time = int(status.st_mtime)
    there = final.exists() and final.stat().st_size == status.st_size
    if there and known is not None and known.size == status.st_size:
        os.utime(final, (time, time))
        return Copy(key, known.size, known.sha256, time)
    try:
        found, temporary = _copy_file(path, key, final)
    except FileNotFoundError:
        return None
    if _promised(key) in ("", found.sha256):
        temporary.replace(final)
        fsync_folder(final.parent)
    temporary.unlink(missing_ok=True)
    return found


def _copy_file(path: Path, key: str, final: Path) -> tuple[Copy, Path]:
    """Copy a file beside its place and hash it; a time after 1970 is the end of its retention."""
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.name}.{os.getpid()}.tmp")
    state, size = new("sha256"), 0
    with path.open("rb") as source, temporary.open("wb") as file:
        time = int(os.fstat(source.fileno()).st_mtime)
        while piece := source.read(CHUNK):
            state.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.utime(file.fileno(), (time, time))
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    return Copy(key, size, str(state.hexdigest()), time), temporary


def put_back_objects(folder: Path, root: Path, advance: Advance) -> None:
    """Copy the objects that a backup names into a store; what is there already must be equal.

    Raises:
        IntegrityError: objects of the backup, or of the store, are not what was backed up; the
            others are in their place.
    """
    wrong = []
    for count, copy in enumerate(read_copies(folder / OBJECTS), 1):
        final = root / copy.key
        if final.exists():
            equal = measured(final) == (copy.size, copy.sha256)
        else:
            equal = _put_back(folder.parent / SHARED / copy.key, final, copy)
        if not equal:
            wrong.append(copy.key)
        advance("objects", count)
    if wrong:
        raise IntegrityError(
            f"{len(wrong)} objects are missing or changed: {', '.join(wrong[:20])}",
            remedy="look for them in an older backup; then restore again, it goes on",
            keys=wrong,
        )


def _put_back(source: Path, final: Path, copy: Copy) -> bool:
    try:
        found, temporary = _copy_file(source, copy.key, final)
    except FileNotFoundError:
        return False
    equal = (found.size, found.sha256) == (copy.size, copy.sha256)
    if equal:
        os.utime(temporary, (copy.time, copy.time))
        temporary.replace(final)
        fsync_folder(final.parent)
    temporary.unlink(missing_ok=True)
    return equal

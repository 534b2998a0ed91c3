"""The form of a backup: one folder a backup, beside what all of them share.

::

    TARGET/20261129T120000Z/backup.json       what it is; the digest of every file beside it
                           /database.sqlite   or database.pgdump: the database, of one moment
                           /keys/             policy.json, log.pub, opinion-trust.pem
                           /keys.age          private keys, encrypted; only if asked for
                           /home/             calendars/, templates/, quarantine/ of the workspace
                           /objects.jsonl     a line an object: key, size, SHA-256, time
    TARGET/shared/log/tile/                   the published log of a directory store
    TARGET/shared/anchors/                    its timestamps and cosignatures
    TARGET/shared/cases/, quarantine/         its other objects, with --objects

What is shared only grows: tiles and objects never change, and a backup names those it needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storage.digest import digest_stream
from storage.errors import InputError, IntegrityError

SCHEMA = "zhenglian.backup/1"
MANIFEST = "backup.json"
SHARED = "shared"
KEYS = "keys"
SECRETS = "keys.age"
HOME = "home"
OBJECTS = "objects.jsonl"
PUBLIC_KEYS = frozenset({"policy.json", "log.pub", "opinion-trust.pem"})
"""Files of the keys folder that everybody may read; all others but the last head are private."""
HOME_FOLDERS = ("calendars", "templates", "quarantine")
"""Folders of the workspace that are small and that nothing else holds."""


@dataclass(frozen=True)
class Backup:
    """What ``backup.json`` says.

    ``size`` is how many events the database holds, ``published_size`` how many of them
    ``checkpoint`` covers; ``private_keys`` are the names in ``keys.age``; ``objects`` is how many
    objects were copied, or None if none were asked for; ``files`` maps a path to size and SHA-256.
    """

    made_at: str
    version: str
    log: str
    size: int
    published_size: int
    checkpoint: str
    database: str
    revision: str
    store: str
    private_keys: tuple[str, ...]
    objects: int | None
    files: dict[str, tuple[int, str]]

    def text(self) -> str:
        """Return the manifest's text."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True)
class Copy:
    """One object that a backup needs: its key, size in bytes, SHA-256, time of its file."""

    key: str
    size: int
    sha256: str
    time: int

    def line(self) -> str:
        """Return its line of ``objects.jsonl``."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"


def parse_backup(untrusted: bytes) -> Backup:
    """Parse a manifest.

    Raises:
        IntegrityError: it has not that form.
    """
    try:
        value: dict[str, Any] = json.loads(untrusted)
        if value.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        value["private_keys"] = tuple(value["private_keys"])
        value["files"] = {path: (int(a), str(b)) for path, (a, b) in value["files"].items()}
        found = Backup(**value)
        if not all(_is_below(path) for path in found.files):
            raise ValueError("a path leads out of the backup")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{MANIFEST} has not the form of {SCHEMA}: {error}", remedy="take another backup"
        ) from error
    return found


def read_copies(path: Path) -> Iterator[Copy]:
    """Yield the lines of ``objects.jsonl``."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Copy(**json.loads(line))


def find_backup(source: Path) -> Path:
    """Return the folder of one backup: the one named, or the newest of a folder of them.

    Raises:
        InputError: there is none.
    """
    if (source / MANIFEST).is_file():
        return source
    found = made_backups(source)
    if not found:
        raise InputError(
            f"there is no backup in {source}", remedy="name the folder that 'custody backup' filled"
        )
    return found[-1]


def made_backups(target: Path) -> list[Path]:
    """Return the folders of the backups in a folder that are whole, the oldest first."""
    return sorted(path.parent for path in target.glob(f"[0-9]*/{MANIFEST}"))


def measured(path: Path) -> tuple[int, str]:
    """Return a file's size and SHA-256."""
    with path.open("rb") as file:
        return path.stat().st_size, digest_stream(file, "sha256")


def require_whole(folder: Path, backup: Backup) -> None:
    """Compare every file of a backup with its digest.

    Raises:
        IntegrityError: files are missing or changed; all of them are named.
    """
    wrong = []
    for path, expected in sorted(backup.files.items()):
        file = folder / path
        if not file.is_file() or file.is_symlink() or measured(file) != expected:
            wrong.append(path)
    if wrong:
        raise IntegrityError(
            f"{len(wrong)} files of the backup are missing or changed: {', '.join(wrong[:20])}",
            remedy="take another backup; nothing was restored",
            files=wrong,
        )


def _is_below(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\0" not in path

"""The workspace: one folder (``CUSTODY_HOME``) that holds all state of an installation.

::

    drop/<unit>/             bundles come in; receipts/ and rejected/ go back
    claimed/<accession>/     a bundle that was taken from drop/ and is being ingested
    quarantine/<accession>/  reasons of a refused bundle; its bytes are in objects/
    objects/                 the directory store: cases/, quarantine/, log/
    keys/                    the log's private key (0600), its public key, the last signed head
    packages/<commission>/   appraisal packages and letters
    uploads/<upload>/        opinions that agencies are sending, until they are exhibits
    calendars/               copies of the year's notices that were loaded; the record counts
    templates/               a bureau's own words for notices (docs/chasing.md)
    work/                    scratch space, safe to delete when nothing runs
    prefect/                 Prefect's home
    custody.sqlite           catalogue and log inbox (unless CUSTODY_DATABASE names a server)
"""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from storage.errors import HostError

_FOREIGN_SECONDS = 86400.0
"""Age at which the temporary file of another host's process is taken for left behind."""


@dataclass(frozen=True)
class Workspace:
    """Paths under one root; owns no open files."""

    root: Path

    @property
    def drop(self) -> Path:
        """Folder with one subfolder a unit."""
        return self.root / "drop"

    @property
    def claimed(self) -> Path:
        """Bundles taken from the drop folder."""
        return self.root / "claimed"

    @property
    def quarantine(self) -> Path:
        """Reasons of refused bundles."""
        return self.root / "quarantine"

    @property
    def objects(self) -> Path:
        """Root of the directory store."""
        return self.root / "objects"

    @property
    def keys(self) -> Path:
        """Key folder, mode 0700."""
        return self.root / "keys"

    @property
    def packages(self) -> Path:
        """Built packages and letters."""
        return self.root / "packages"

    @property
    def uploads(self) -> Path:
        """Opinions on their way in, mode 0700; made when the first one is announced."""
        return self.root / "uploads"

    @property
    def templates(self) -> Path:
        """The bureau's own templates of notices; made by whoever writes one."""
        return self.root / "templates"

    @property
    def work(self) -> Path:
        """Scratch space."""
        return self.root / "work"

    @property
    def prefect(self) -> Path:
        """Prefect's home."""
        return self.root / "prefect"

    @property
    def database_file(self) -> Path:
        """SQLite file of the embedded catalogue."""
        return self.root / "custody.sqlite"

    @property
    def log_key(self) -> Path:
        """Ed25519 private key of the custody log, mode 0600."""
        return self.keys / "log.key"

    @property
    def log_public_key(self) -> Path:
        """The log's verifier key (signed-note vkey), one line."""
        return self.keys / "log.pub"

    @property
    def next_key(self) -> Path:
        """A new private key that waits for its rotation to be published, mode 0600."""
        return self.keys / "log.key.next"

    @property
    def sm2_key(self) -> Path:
        """An SM2 key that signs checkpoints beside the log's own, if there is one; mode 0600."""
        return self.keys / "sm2.key"

    @property
    def policy(self) -> Path:
        """What an auditor pins: the log's keys, authorities and witnesses."""
        return self.keys / "policy.json"

    @property
    def last_head(self) -> Path:
        """The newest checkpoint this machine signed: the second place that shows a rollback."""
        return self.keys / "last-head"

    def folders(self) -> tuple[Path, ...]:
        """All folders of the workspace."""
        return (
            self.drop,
            self.claimed,
            self.quarantine,
            self.objects,
            self.keys,
            self.packages,
            self.work,
            self.prefect,
        )

    def create(self) -> bool:
        """Make what is missing, overwrite nothing; return whether anything was made."""
        made = False
        try:
            for folder in (self.root, *self.folders()):
                if not folder.is_dir():
                    folder.mkdir(parents=True)
                    made = True
            self.keys.chmod(0o700)
        except OSError as error:
            raise HostError(
                f"the workspace {self.root} cannot be made: {error.strerror}",
                remedy="set CUSTODY_HOME to a folder that this user may write",
            ) from error
        return made

    def require(self) -> None:
        """Raise ``HostError`` unless ``custody init`` or a rebuild has made this workspace."""
        if not self.log_key.is_file() and not self.log_public_key.is_file():
            raise HostError(
                f"there is no workspace at {self.root}",
                remedy="run 'custody init' first, or set CUSTODY_HOME",
            )


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_file(path: Path) -> None:
    """Make a file's content and times durable; a link in its place is not followed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name(path: Path) -> Path:
    """Return where a path is written before it is renamed: no other process has this name.

    A folder may be shared between hosts, on which the same numbers of processes are given out.
    """
    return path.with_name(f".{path.name}.{os.getpid()}-{_host()}.tmp")


def _host() -> str:
    return blake2b(platform.node().encode(), digest_size=4, person=b"host").hexdigest()


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files of earlier writes of a path whose process was killed.

    Whether a process of another host lives cannot be seen: what it left goes after a day.
    """
    start, end = f".{path.name}.", ".tmp"
    for name in os.listdir(path.parent):  # noqa: PTH208 - folders of a log are long
        pid, _, host = name.removeprefix(start).removesuffix(end).partition("-")
        if name != f"{start}{pid}-{host}{end}" or not pid.isdecimal():
            continue
        with contextlib.suppress(FileNotFoundError):
            if _is_left(path.parent / name, int(pid), host):
                (path.parent / name).unlink()


def _is_left(temporary: Path, pid: int, host: str) -> bool:
    if host != _host():
        return time.time() - temporary.stat().st_mtime > _FOREIGN_SECONDS
    return pid == os.getpid() or not Path(f"/proc/{pid}").exists()


def remove_tree(root: Path) -> None:
    """Remove a folder and all below it; nothing is done when it is not there.

    Folders from outside may be nested so deep that neither the stack nor a path reaches their
    end: each one found is first moved up to the root, under its number in the file system.

    Raises:
        OSError: something cannot be removed; the rest may be gone.
    """
    pending = [os.fspath(root)] if root.is_dir() and not root.is_symlink() else []
    emptied: list[str] = []
    while pending:
        folder = pending.pop()
        with contextlib.suppress(PermissionError):
            os.chmod(folder, 0o700)  # noqa: PTH101 - the name may be any bytes
        with os.scandir(folder) as entries:
            found = [
                (each.path, each.inode(), each.is_dir(follow_symlinks=False)) for each in entries
            ]
        for path, number, is_folder in found:
            if not is_folder:
                os.unlink(path)  # noqa: PTH108 - the name may be any bytes
                continue
            top = f"{os.fspath(root)}/{number}"
            if path != top:
                with contextlib.suppress(PermissionError):
                    os.chmod(path, 0o700)  # noqa: PTH101 - a folder moves only if it is writable
                os.rename(path, top)  # noqa: PTH104 - the name may be any bytes
            pending.append(top)
        emptied.append(folder)
    for folder in reversed(emptied):
        os.rmdir(folder)  # noqa: PTH106 - the name may be any bytes


def write_durably(path: Path, data: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Replace a file whole: temporary file, fsync, rename, fsync of the folder.

    After a crash the path holds the old bytes or the new ones, never a part, and the next write
    removes what a killed one left beside it.
    """
    remove_leftovers(path)
    temporary = temporary_name(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines([data] if isinstance(data, bytes) else data)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    fsync_folder(path.parent)

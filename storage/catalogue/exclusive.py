"""Names that one worker at a time may hold, by locks that end with their holder.

On SQLite a name is one byte of the file ``<database>.exclusive``, locked through an open file
description of its own (``F_OFD_SETLK``), so that two threads exclude each other as two processes
do. On PostgreSQL it is an advisory lock of a session. Either is released by the operating system
or by the server when its holder dies, however it dies. Nothing is left that would have to be
cleared away. Two names whose hashes agree exclude each other too, which harms nobody.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Connection, exc, func, select, text

from storage.catalogue.database import Database
from storage.errors import HostError

_FLOCK = "hhqqi0q"
"""``struct flock`` of Linux: type, whence, start, length, process."""


class Held:
    """Whether a name is held: true or false as at the last look."""

    def __init__(self, held: bool, look: Callable[[], bool] = lambda: True) -> None:
        """Begin with what was found; ``look`` asks again."""
        self._held, self._look = held, look

    def __bool__(self) -> bool:
        return self._held

    def still(self) -> bool:
        """Look again. A lock that ended with its connection is taken anew, if nobody has it.

        Raises:
            TransientError: the database server cannot be reached.
        """
        self._held = self._held and self._look()
        return self._held


@contextmanager
def exclusive(database: Database, name: str) -> Iterator[Held]:
    """Try to hold a name until the block ends; yields whether nobody else held it.

    A server that restarts, or a host that is cut off, ends the lock while its holder goes on:
    who works for long looks now and then whether it is ``still()`` held.

    Raises:
        HostError: the lock file cannot be opened.
        TransientError: the database server cannot be reached.
    """
    if not database.embedded:
        with _server_lock(database, _key(name)) as held:
            yield held
        return
    descriptor = _open(database)
    try:
        yield Held(_file_lock(descriptor, _key(name)))
    finally:
        # Closing alone would not do if a child process inherited the descriptor.
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _range(fcntl.F_UNLCK, 0, 0))
        os.close(descriptor)


def is_held(database: Database, name: str) -> bool:
    """Say whether somebody holds a name now, without holding it for a moment oneself.

    Raises:
        HostError: the lock file cannot be opened.
        TransientError: the database server cannot be reached.
    """
    key = _key(name)
    if not database.embedded:
        with database.connected() as connection:
            return bool(connection.scalar(_HELD, {"high": key >> 32, "low": key & 0xFFFF_FFFF}))
    descriptor = _open(database)
    try:
        asked = _range(fcntl.F_WRLCK, key, 1)
        told = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
    finally:
        os.close(descriptor)
    return bool(struct.unpack(_FLOCK, told)[0] != fcntl.F_UNLCK)


_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND classid::bigint = :high AND objid::bigint = :low AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def _key(name: str) -> int:
    """Return 62 bits of a name: a place in a file, and a key of PostgreSQL, both positive."""
    digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8, person=b"exclusive")
    return int.from_bytes(digest.digest()) >> 2


def _open(database: Database) -> int:
    if database.file is None:
        raise HostError(
            "a database in memory cannot be worked on by several processes",
            remedy="set CUSTODY_DATABASE to a file or a server",
        )
    path = Path(f"{database.file}.exclusive")
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(
            f"the lock file {path} cannot be opened: {error.strerror}",
            remedy="check free space and the permissions of the workspace",
        ) from error


def _range(kind: int, start: int, length: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0)


def _file_lock(descriptor: int, key: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _range(fcntl.F_WRLCK, key, 1))
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise HostError(
            f"the workspace's file system cannot lock files: {error.strerror}",
            remedy="put CUSTODY_HOME on a local disk",
        ) from error
    return True


@contextmanager
def _server_lock(database: Database, key: int) -> Iterator[Held]:
    lock = _ServerLock(database, key)
    try:
        yield Held(lock.take(), lock.look)
    finally:
        lock.give_back()


class _ServerLock:
    """An advisory lock and the connection that it lives in."""

    def __init__(self, database: Database, key: int) -> None:
        self._database, self._key = database, key
        self._open = ExitStack()
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Try to lock, in a connection of its own, which is kept if that succeeds."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._database.connected())
            if not connection.scalar(select(func.pg_try_advisory_lock(self._key))):
                return False
            self._connection, self._open = connection, stack.pop_all()
        return True

    def look(self) -> bool:
        """Say whether the lock is there; it is as long as its connection is."""
        try:
            if self._connection is not None:
                self._connection.scalar(select(1))
                return True
        except exc.DBAPIError:
            self._drop()
        return self.take()

    def give_back(self) -> None:
        """Unlock; when that fails the session ends, and the lock with it."""
        if self._connection is None:
            return
        try:
            self._connection.scalar(select(func.pg_advisory_unlock(self._key)))
        except Exception:  # noqa: BLE001 - what was done under the lock is done
            self._drop()
        self._open.close()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None
        self._open.close()

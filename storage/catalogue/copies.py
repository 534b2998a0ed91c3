"""Copies of the whole database, each of one moment, taken while others write.

SQLite's own backup and PostgreSQL's ``pg_dump``: a copy holds every row, also those that no event
holds (password digests, sessions, uploads under way), and so is kept like the database itself.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from storage.catalogue.database import Database
from storage.errors import HostError, IntegrityError, TransientError
from storage.merkle import Frontier
from storage.workspace import fsync_file, fsync_folder

SQLITE = "database.sqlite"
POSTGRESQL = "database.pgdump"
_PROGRAMS = Path("/usr/lib/postgresql")
_HEAD = "SELECT frontier, published_size, published FROM log_head"
_REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True)
class Copied:
    """What a copy holds: its file, the log's size in it, what of that was published, its tables.

    ``revision`` is the version of the tables, by which they are brought forward later.
    """

    file: str
    size: int
    published_size: int
    published: str
    revision: str


def copy_out(database: Database, folder: Path) -> Copied:
    """Copy the database into a folder; nobody who writes is held up.

    Raises:
        HostError: it holds no log, or what copies it is missing or refuses.
        IntegrityError: SQLite finds the copy damaged.
        TransientError: the server does not answer.
    """
    if database.embedded:
        return _copy_sqlite(database, folder / SQLITE)
    return _copy_server(database, folder / POSTGRESQL)


def copy_in(database: Database, file: Path) -> None:
    """Put a copy in the place of an empty database, whole or not at all.

    Raises:
        HostError: it is of the other kind of database, or what reads it is missing or refuses.
    """
    kind = SQLITE if database.embedded else POSTGRESQL
    if file.name != kind:
        raise HostError(
            f"the backup holds {file.name}, and CUSTODY_DATABASE is of another kind",
            remedy="set CUSTODY_DATABASE as it was; or rebuild from the log: 'custody rebuild'",
        )
    if database.file is None:
        _restore_server(database, file)
        return
    target = database.file
    made = target.with_name(f".{target.name}.restoring")
    shutil.copyfile(file, made)
    made.chmod(0o600)
    fsync_file(made)
    target.unlink(missing_ok=True)  # Empty, as ``is_empty`` found it.
    made.replace(target)
    fsync_folder(target.parent)


def is_empty(database: Database) -> bool:
    """Say whether there is nothing in the database that a copy could overwrite."""
    file = database.file
    if database.embedded:
        return file is not None and (not file.exists() or not file.stat().st_size)
    with database.read() as session:
        return not inspect(session.connection()).get_table_names()


def _copy_sqlite(database: Database, target: Path) -> Copied:
    file = database.file
    if file is None or not file.exists():
        raise HostError(f"the database {file} is missing", remedy="run 'custody rebuild'")
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchone()
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise IntegrityError(
                    f"SQLite finds the database damaged: {found}",
                    remedy="run 'custody rebuild --replace' to make it again from the log",
                )
            read = _copied(target, lambda statement: copy.execute(statement).fetchone())
    except sqlite3.Error as error:
        raise HostError(
            f"the database {file} cannot be copied: {error}",
            remedy="check the disk and free space; 'custody rebuild' makes it from the log",
        ) from error
    target.chmod(0o600)
    fsync_file(target)
    return read


def _copied(target: Path, ask: Callable[[str], object]) -> Copied:
    head, revision = ask(_HEAD), ask(_REVISION)
    if not isinstance(head, tuple) or not isinstance(revision, tuple):
        raise HostError("the database holds no log yet", remedy="run 'custody init' first")
    frontier, published_size, published = head
    size = Frontier.from_bytes(bytes(frontier)).size
    return Copied(target.name, size, int(published_size), str(published), str(revision[0]))


def _copy_server(database: Database, target: Path) -> Copied:
    """Dump what one reading session sees: the log's size is of the same moment as the rows."""
    with database.read() as session:

        def ask(statement: str) -> object:
            row = session.execute(text(statement)).first()
            return None if row is None else tuple(row)

        read = _copied(target, ask)
        snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        program = _program("pg_dump", _server_version(session))
        address = _address(session)
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        target.touch(0o600)
        _run([program, *options, f"--file={target}"], address)
    fsync_file(target)
    return read


def _restore_server(database: Database, file: Path) -> None:
    with database.read() as session:
        program = _program("pg_restore", _server_version(session))
        address = _address(session)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run([program, *options, str(file)], address)


def _server_version(session: Session) -> int:
    return int(session.execute(text("SHOW server_version_num")).scalar_one()) // 10000


def _address(session: Session) -> URL:
    bind = session.get_bind()
    return bind.engine.url.set(drivername="postgresql")


def _run(command: list[str], address: URL) -> None:
    """Run a program of PostgreSQL; the password is in its environment, for nobody to see."""
    named = address.set(password=None).render_as_string(hide_password=False)
    env = dict(os.environ)
    if address.password:
        env["PGPASSWORD"] = str(address.password)
    command = [command[0], *command[1:-1], f"--dbname={named}", "--no-password", command[-1]]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[:1000]
        name = Path(command[0]).name
        if "could not connect" in said or "connection to server" in said:
            raise TransientError(f"{name}: {said}", remedy="check CUSTODY_DATABASE")
        raise HostError(f"{name}: {said}", remedy="check the server, its role and free space")


def _program(name: str, server: int) -> str:
    """Return the program of the server's version, or the next newer one that is installed."""
    found = [
        (int(path.parts[-3]), path)
        for path in _PROGRAMS.glob(f"*/bin/{name}")
        if re.fullmatch("[0-9]+", path.parts[-3])
    ]
    for version, path in sorted(found):
        if version >= server:
            return str(path)
    if not found and (elsewhere := shutil.which(name)):
        return elsewhere
    raise HostError(
        f"{name} of PostgreSQL {server} or newer is not installed",
        remedy=f"apt-get install postgresql-client-{server}",
    )

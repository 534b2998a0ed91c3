"""Restoring: a backup becomes an installation again, and says what it proved.

Nothing is overwritten. Every file of the backup is compared with its digest before the first is
written, every object with its own while it is copied; the database comes last, so a restore that
was stopped is run again. Then the installation is opened as always: the database must lead to the
published checkpoint, and the published log is walked up to it.

A backup is older than what was published after it. Where the published log is still there (on an
S3 server, or a folder that survived) the opened log says so, and ``custody rebuild`` makes the
rest. Where it is gone too, the log goes on from the backup's checkpoint: whoever kept a later
checkpoint will see that, and must be told.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyrage

from storage.catalogue import kept
from storage.catalogue.copies import copy_in, is_empty
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.custody import Custody, database_url, open_custody
from storage.directory import DirectoryLogStore
from storage.directory_files import host_errors
from storage.errors import ConflictError, InputError, IntegrityError
from storage.log import RolledBackError
from storage.outgrown import read_tile
from storage.private import write_private
from storage.settings import Settings
from storage.stores import store_address
from storage.tiles import CHECKPOINT_PATH, new_bundles, new_tiles
from storage.workspace import Workspace, write_durably
from tasks.backup_form import (
    HOME,
    KEYS,
    MANIFEST,
    OBJECTS,
    SECRETS,
    SHARED,
    Backup,
    find_backup,
    parse_backup,
    require_whole,
)
from tasks.backup_objects import Advance, put_back_objects

_SAMPLE = 10_000
"""Originals that are looked for, spread over all; ``custody audit`` reads every one."""


@dataclass(frozen=True)
class Restored:
    """What was restored and proved; ``missing`` are originals that the store does not hold."""

    folder: str
    made_at: str
    events: int
    published: int
    revision: str
    can_record: bool
    missing: tuple[str, ...]


def restore(
    chosen: Settings,
    source: Path,
    *,
    identity: Path | None = None,
    advance: Advance = lambda what, count: None,
) -> Restored:
    """Restore a backup into an installation that has no database.

    Args:
        chosen: the settings of the installation that is to be.
        source: one backup, or a folder of them: the newest.
        identity: a file of the age secret key that the private keys were encrypted for.
        advance: is told what is being restored, and how many so far.

    Raises:
        InputError: there is no backup, or the secret key is not the one.
        ConflictError: there is a database already, or another log's keys.
        IntegrityError: the backup, or what came of it, is not what was backed up.
        RolledBackError: all is restored, and the published log has gone on since.
    """
    folder = find_backup(source)
    backup = parse_backup((folder / MANIFEST).read_bytes())
    if backup.log != chosen.log_origin:
        raise InputError(
            f"the backup is of the log {backup.log}, not of {chosen.log_origin}",
            remedy=f"set CUSTODY_LOG_ORIGIN={backup.log}",
        )
    if (backup.store == "directory") != (store_address(chosen) is None):
        raise InputError(
            f"the backup is of an installation with CUSTODY_STORE={backup.store}",
            remedy="set CUSTODY_STORE as it was there",
        )
    workspace = Workspace(chosen.home)
    with closing(Database.open(database_url(chosen, workspace))) as database:
        if not is_empty(database):
            raise ConflictError(
                "there is a database already; it was not touched",
                remedy="restore into an empty CUSTODY_HOME, or an empty CUSTODY_DATABASE",
            )
        require_whole(folder, backup)
        secrets = _secrets(folder, backup, identity)
        with host_errors(workspace.root):
            workspace.create()
            _put_back_keys(workspace, folder, backup, secrets)
            _put_back_home(workspace, folder)
            if store_address(chosen) is None:
                _put_back_log(workspace, folder, backup, advance)
            if (folder / OBJECTS).exists():
                put_back_objects(folder, workspace.objects, advance)
            copy_in(database, folder / backup.database)
        upgrade(database)
    return _prove(chosen, folder, backup)


def _secrets(folder: Path, backup: Backup, identity: Path | None) -> dict[str, str]:
    """Return the private keys of a backup, if there are any and somebody can read them."""
    if identity is None:
        return {}
    if not backup.private_keys:
        raise InputError("this backup holds no private keys", remedy="restore without --identity")
    try:
        lines = identity.read_text().split("\n")
        keys = [pyrage.x25519.Identity.from_str(e) for e in lines if e.startswith("AGE-SECRET-")]
        opened: dict[str, str] = json.loads(pyrage.decrypt((folder / SECRETS).read_bytes(), keys))
    except (OSError, UnicodeDecodeError, pyrage.IdentityError, pyrage.DecryptError) as error:
        raise InputError(
            f"the private keys cannot be decrypted with {identity}: {error}",
            remedy="name the file of the secret key that belongs to the --with-keys of the backup",
        ) from error
    return {name: opened[name] for name in backup.private_keys if "/" not in name}


def _put_back_keys(
    workspace: Workspace, folder: Path, backup: Backup, secrets: dict[str, str]
) -> None:
    """Write keys and last head that are missing.

    Raises:
        ConflictError: another key is there.
    """
    for path in sorted((folder / KEYS).iterdir()):
        target = workspace.keys / path.name
        if not target.exists():
            write_durably(target, path.read_bytes())
        elif (
            path.name == workspace.log_public_key.name and target.read_bytes() != path.read_bytes()
        ):
            raise ConflictError(
                f"the key {target} is another than the backup's",
                remedy="restore into another CUSTODY_HOME, or take a backup of after the rotation",
            )
    for name, text in secrets.items():
        target = workspace.keys / name
        if not target.exists():
            write_private(target, text.encode())
        elif target.read_text() != text:
            raise ConflictError(f"the key {target} is another than the backup's")
    if backup.checkpoint and not workspace.last_head.exists():
        write_durably(workspace.last_head, backup.checkpoint.encode())


def _put_back_home(workspace: Workspace, folder: Path) -> None:
    made = folder / HOME
    for each in sorted(made.iterdir()) if made.is_dir() else ():
        target = workspace.root / each.name
        if not target.exists() or not any(target.iterdir()):
            shutil.copytree(each, target, symlinks=True, dirs_exist_ok=True)


def _put_back_log(workspace: Workspace, folder: Path, backup: Backup, advance: Advance) -> None:
    """Publish the log as it was, unless one is: that one is newer, or somebody must look at it."""
    target = DirectoryLogStore(workspace.objects)
    if not backup.checkpoint or (target.root / CHECKPOINT_PATH).exists():
        return
    source = DirectoryLogStore(folder.parent / SHARED)
    size = backup.published_size
    for count, tile in enumerate(chain(new_bundles(0, size), new_tiles(0, size)), 1):
        target.put_tile(tile.path, read_tile(source, tile))
        advance("log", count)
    target.publish(backup.checkpoint.encode())


def _prove(chosen: Settings, folder: Path, backup: Backup) -> Restored:
    """Open what was restored, walk its log, and look for the originals."""
    try:
        custody = open_custody(chosen)
    except RolledBackError as error:
        raise RolledBackError(
            f"数据库已恢复，但已公布的日志更新 the database of {backup.made_at} is restored, and "
            f"the published log has gone on since: {error.message}",
            remedy="run 'custody rebuild --replace': it makes the database from that log; "
            "then give the accounts new links (docs/runbook.md)",
            **error.facts,
        ) from error
    with closing(custody.database):
        check = custody.log.reader().check(None, keep=lambda index, leaf: False)
        if not check.ok:
            named = "; ".join(finding.message for finding in check.findings[:20])
            raise IntegrityError(
                f"the published log is not whole: {named}",
                remedy="restore another backup of the log's folder or bucket; see 'custody verify'",
            )
        head = custody.log.head()
        return Restored(
            str(folder), backup.made_at, head.size, head.published_size, backup.revision,
            custody.signers.can_sign, tuple(_missing(custody)),
        )  # fmt: skip


def _missing(custody: Custody) -> Sequence[str]:
    """Return originals that the store does not hold; only presence is looked at, of a sample."""
    with custody.read() as session:
        keys = kept.originals(session)
    sample = keys[:: max(1, len(keys) // _SAMPLE)]
    return [key for key in sample if custody.objects.find(key) is None]

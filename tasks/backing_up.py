"""Backing up: what cannot be made again from elsewhere, copied while everything goes on.

The database is copied first, as it is at one moment; then the part of the published log that it
covers, and the objects, which were all there before. So whatever the copied rows name is in the
backup, and the log in it ends where they do. The last head that is restored is the checkpoint in
those rows and not the newer one that this machine may have signed meanwhile.

Private keys leave this machine only when somebody says for whom they are encrypted (``age1...``).
On an S3 server log and objects are kept by the bucket's own versions and replication.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pyrage

from storage.catalogue.copies import Copied, copy_out
from storage.catalogue.database import Database
from storage.clock import stamp
from storage.custody import VERSION, database_url
from storage.directory import DirectoryLogStore
from storage.directory_files import host_errors
from storage.errors import HostError, InputError
from storage.outgrown import read_tile
from storage.settings import Settings
from storage.stores import open_stores, store_address
from storage.tiles import new_bundles, new_tiles
from storage.workspace import Workspace, fsync_folder, remove_tree, write_durably
from tasks.backup_form import (
    HOME,
    HOME_FOLDERS,
    KEYS,
    MANIFEST,
    PUBLIC_KEYS,
    SECRETS,
    SHARED,
    Backup,
    made_backups,
    measured,
)
from tasks.backup_objects import Advance, copy_objects

_DAY = 86_400


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made: its folder, what it says, originals that are not what they were."""

    folder: Path
    backup: Backup
    damaged: tuple[str, ...]
    removed: int


def back_up(
    chosen: Settings,
    target: Path,
    *,
    recipients: Sequence[str] = (),
    objects: bool = False,
    keep: int = 0,
    advance: Advance = lambda what, count: None,
) -> BackedUp:
    """Make one more backup in a folder.

    Args:
        chosen: the installation.
        target: the folder of all its backups, best on another machine's disk.
        recipients: age recipients that the private keys are encrypted to; without one they stay.
        objects: whether to copy the objects of a directory store too.
        keep: how many backups stay; 0: all.
        advance: is told what is being copied, and how many so far.

    Raises:
        HostError: there is no workspace or no database, or the folder cannot be written.
        InputError: a recipient is none, or objects of an S3 server are asked for.
        IntegrityError: the database is damaged, or the folder holds another log.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    on_server = store_address(chosen) is not None
    readers = [_recipient(each) for each in recipients]
    target = target.resolve()
    _require_apart(workspace, target, objects_on_server=objects and on_server)
    moment = datetime.now(UTC)
    name = moment.strftime("%Y%m%dT%H%M%SZ")
    made = target / f".{name}.{os.getpid()}"
    with host_errors(made):
        target.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        made.mkdir(0o700)
        try:
            copied = _copy_database(chosen, workspace, made)
            private = _copy_keys(workspace, made, readers)
            _copy_home(workspace, made)
            if not on_server:
                _copy_log(chosen, workspace, target / SHARED, copied, advance)
            count, damaged = copy_objects(workspace, target, made, advance, everything=objects)
            backup = Backup(
                stamp(moment, chosen.timezone), VERSION, chosen.log_origin, copied.size,
                copied.published_size, copied.published, copied.file, copied.revision,
                chosen.store, private, count if objects else None, _files(made),
            )  # fmt: skip
            write_durably(made / MANIFEST, backup.text().encode(), 0o600)
            final = _put_in_place(made, target / name)
        except BaseException:
            remove_tree(made)
            raise
        return BackedUp(final, backup, tuple(damaged), _prune(target, keep))


def _require_apart(workspace: Workspace, target: Path, *, objects_on_server: bool) -> None:
    """Refuse objects that are not here, and a folder among those that are."""
    if objects_on_server:
        raise InputError(
            "原件在 S3 上，不由此备份 the originals are on an S3 server: they are not copied here",
            remedy="turn on the bucket's own replication (docs/deployment.md)",
        )
    if target.is_relative_to(workspace.objects.resolve()):
        raise InputError("the backup would lie among the objects", remedy="name another folder")


def _remove_leftovers(target: Path) -> None:
    """Remove what backups left that were killed before yesterday; others' may be under way."""
    for each in target.glob(".[0-9]*Z.[0-9]*"):
        if time.time() - each.stat().st_mtime > _DAY:
            remove_tree(each)


def _put_in_place(made: Path, final: Path) -> Path:
    if final.exists():
        raise HostError(f"{final} was made this very second", remedy="run it again")
    made.rename(final)
    fsync_folder(final.parent)
    return final


def _prune(target: Path, keep: int) -> int:
    old = made_backups(target)[:-keep] if keep else []
    for each in old:
        remove_tree(each)
    return len(old)


def _copy_database(chosen: Settings, workspace: Workspace, made: Path) -> Copied:
    with closing(Database.open(database_url(chosen, workspace))) as database:
        return copy_out(database, made)


def _copy_keys(
    workspace: Workspace, made: Path, readers: Sequence[pyrage.x25519.Recipient]
) -> tuple[str, ...]:
    """Copy public keys and policy; encrypt the private ones, if there is somebody to read them."""
    (made / KEYS).mkdir()
    secrets = {}
    for path in sorted(workspace.keys.iterdir()):
        if path.name in PUBLIC_KEYS:
            write_durably(made / KEYS / path.name, path.read_bytes())
        elif path.is_file() and not path.name.startswith(".") and path != workspace.last_head:
            secrets[path.name] = path
    if not readers or not secrets:
        return ()
    text = json.dumps({name: path.read_text() for name, path in secrets.items()})
    write_durably(made / SECRETS, pyrage.encrypt(text.encode(), list(readers)), 0o600)
    return tuple(secrets)


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise InputError(
            "私钥只能加密后备份 private keys are backed up encrypted alone, and "
            f"{text!r} is no age recipient: {error}",
            remedy="make a key pair with 'age-keygen' and give its public half, age1...",
        ) from error


def _copy_home(workspace: Workspace, made: Path) -> None:
    for name in HOME_FOLDERS:
        folder = workspace.root / name
        if folder.is_dir():
            shutil.copytree(folder, made / HOME / name, symlinks=True)


def _copy_log(
    chosen: Settings, workspace: Workspace, shared: Path, copied: Copied, advance: Advance
) -> None:
    """Copy the tiles of the checkpoint in the copied database, and no later ones.

    Later ones would stand in the way of what a restored installation records in their place.
    """
    if not copied.published_size:
        return
    _, source = open_stores(chosen, workspace)
    target = DirectoryLogStore(shared)
    size = copied.published_size
    for count, tile in enumerate(chain(new_bundles(0, size), new_tiles(0, size)), 1):
        target.put_tile(tile.path, read_tile(source, tile))
        advance("log", count)


def _files(made: Path) -> dict[str, tuple[int, str]]:
    found = sorted(path for path in made.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(made)): measured(path) for path in found}

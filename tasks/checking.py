"""Checking a bundle's manifest before it is dropped; nothing is recorded or kept."""

from __future__ import annotations

from pathlib import Path

from storage.digest import fingerprint
from storage.errors import InputError
from storage.listing import ListedFile
from storage.names import display
from storage.nouns import Manifest
from storage.settings import Settings
from tasks.judging import MANIFEST_NAMES
from tasks.listing_drop import list_drop
from tasks.manifest import judge_manifest
from tasks.manifest_mistakes import Mistake
from tasks.reading import open_pool


def check_bundle(chosen: Settings, path: Path, unit: str) -> tuple[tuple[Mistake, ...], int]:
    """Return every mistake in a folder's manifest, and the number of its items.

    Raises:
        InputError: it is no folder, or has not exactly one manifest.
    """
    if not path.is_dir():
        raise InputError(f"{display(str(path))} is not a folder", remedy="name the bundle's folder")
    files = list_drop(path, "").files
    named = [file for file in files if file.path.lower() in MANIFEST_NAMES]
    if len(named) != 1:
        raise InputError(
            f"{display(path.name)} has {len(named)} manifests at its root instead of one",
            remedy="run 'custody manifest new FOLDER'",
        )
    printed = []
    for file in files:
        if file is not named[0]:
            with file.open() as stream:
                printed.append(ListedFile(file.path, fingerprint(stream)))
    with open_pool(chosen) as pool, named[0].open() as stream:
        raw = pool.manifest(stream, named[0].path)
    judged = judge_manifest(raw, printed, unit=unit or None)
    if isinstance(judged, Manifest):
        return (), len(judged.items)
    return judged, 0

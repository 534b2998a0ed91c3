"""Checking a bundle's manifest before it is dropped; nothing is recorded or kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from storage.digest import Fingerprint, fingerprint
from storage.errors import InputError
from storage.listing import ListedFile
from storage.names import display
from storage.nouns import Manifest
from storage.settings import Settings
from tasks.bag_intake import bag_of, judge_payload, manifests_in
from tasks.bundle import File
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
    listed = [ListedFile(each.path, _print(each)) for each in files]
    by_path = {each.path: each for each in files}
    bag = bag_of(chosen, listed, lambda name: by_path[name].open())
    named = manifests_in(list(by_path), bag)
    if len(named) != 1:
        raise InputError(
            f"{display(path.name)} has {len(named)} manifests at its root instead of one",
            remedy="run 'custody manifest new FOLDER'",
        )
    if bag is not None and bag.mistakes:
        return bag.mistakes, 0
    with open_pool(chosen) as pool, by_path[named[0]].open() as stream:
        raw = pool.manifest(stream, named[0])
    judge = partial(judge_manifest, raw, unit=unit or None)
    beside = {named[0], *(bag.tags if bag is not None else ())}
    items = [each for each in listed if each.path not in beside]
    judged = judge(items) if bag is None else judge_payload(judge, named[0], items)
    if isinstance(judged, Manifest):
        return (), len(judged.items)
    return judged, 0


def _print(file: File) -> Fingerprint:
    with file.open() as stream:
        return fingerprint(stream)

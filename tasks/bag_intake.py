"""A dropped bag: judged against what is kept of it, and its manifest understood from either place.

Our manifest is a tag file at the bag's root, or lies in ``data/`` with the evidence. Items are
named from the bag's root (``data/a.txt``) or from ``data/`` (``a.txt``); on record the path is
always the one from the root, as in the listing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import BinaryIO

from storage.digest import chunks, new
from storage.listing import ListedFile
from storage.nouns import Manifest
from storage.settings import Settings
from storage.spelling import spell, unspell
from tasks.bag_lists import PAYLOAD
from tasks.bags import Bag, is_bag, judge_bag
from tasks.manifest_mistakes import Mistake
from tasks.packed import Packed

_LINE_BYTES = 256
"""A bag's lists may be as long as so many bytes for each file that a bundle may hold."""

MANIFEST_NAMES = ("manifest.yaml", "manifest.yml", "manifest.xlsx")
_INSIDE = tuple(f"{PAYLOAD}{name}" for name in MANIFEST_NAMES)

Open = Callable[[str], BinaryIO]
Judged = Manifest | tuple[Mistake, ...]
Judge = Callable[[Sequence[ListedFile]], Judged]


def bag_of(chosen: Settings, files: Sequence[ListedFile], open_: Open) -> Bag | None:
    """Return the bag that files are, judged; None for what is no bag.

    Args:
        chosen: its limits.
        files: everything in the bundle.
        open_: opens a file by its path.
    """
    if not is_bag([each.path for each in files]):
        return None

    def read(path: str) -> bytes:
        with open_(path) as stream:
            return stream.read()

    def digests(path: str, algorithms: Sequence[str]) -> dict[str, str]:
        states = {name: new(name) for name in algorithms}
        with open_(path) as stream:
            for piece in chunks(stream):
                for state in states.values():
                    state.update(piece)
        return {name: str(state.hexdigest()) for name, state in states.items()}

    most = max(chosen.max_manifest_bytes, _LINE_BYTES * chosen.max_entries)
    return judge_bag(files, read, digests, most)


def manifests_in(paths: Sequence[str], bag: Bag | None) -> list[str]:
    """Return the manifests of a bundle; one at a bag's root goes before one in its payload."""
    named = [path for path in paths if path.lower() in MANIFEST_NAMES]
    if bag is not None and not named:
        named = [path for path in paths if path.lower() in _INSIDE]
    return named


def judge_payload(judge: Judge, manifest_path: str, payload: Sequence[ListedFile]) -> Judged:
    """Judge a manifest against a bag's payload, its items named from the root or from ``data/``.

    A manifest in ``data/`` names what lies beside it. One at the root may do either; of two
    failures the one with fewer mistakes is told.
    """
    inside = Packed(replace(each, path=each.path.removeprefix(PAYLOAD)) for each in payload)
    from_data = judge(inside)
    if isinstance(from_data, Manifest):
        from_data = _from_root(from_data)
    if manifest_path.startswith(PAYLOAD):
        return from_data
    from_root = judge(payload)
    if isinstance(from_root, Manifest) or isinstance(from_data, Manifest):
        return from_root if isinstance(from_root, Manifest) else from_data
    return min(from_root, from_data, key=len)


def _from_root(manifest: Manifest) -> Manifest:
    items = (replace(item, path=spell(PAYLOAD + unspell(item.path))) for item in manifest.items)
    return replace(manifest, items=Packed(items))

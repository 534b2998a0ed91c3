"""A dropped bag: judged against what is kept of it, and its manifest understood from either place.

Our manifest is a tag file at the bag's root, or lies in ``data/`` with the evidence. Items are
named from the bag's root (``data/a.txt``) or from ``data/`` (``a.txt``); on record the path is
always the one from the root, as in the listing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from storage.custody import Custody
from storage.digest import chunks, new
from storage.listing import ListedFile
from storage.nouns import Manifest
from storage.spelling import spell, unspell
from tasks.bag_lists import PAYLOAD
from tasks.bags import Bag, is_bag, judge_bag
from tasks.bundle import Taken
from tasks.manifest_mistakes import Mistake

_LINE_BYTES = 256
"""A bag's lists may be as long as so many bytes for each file that a bundle may hold."""

Judged = Manifest | tuple[Mistake, ...]
Judge = Callable[[Sequence[ListedFile]], Judged]


def bag_of(custody: Custody, files: Sequence[Taken]) -> Bag | None:
    """Return the bag that files are, judged; None for what is no bag."""
    by_path = {each.path: each for each in files}
    if not is_bag(list(by_path)):
        return None

    def read(path: str) -> bytes:
        with custody.objects.open(by_path[path].kept.ref) as stream:
            return stream.read()

    def digests(path: str, algorithms: Sequence[str]) -> dict[str, str]:
        states = {name: new(name) for name in algorithms}
        with custody.objects.open(by_path[path].kept.ref) as stream:
            for piece in chunks(stream):
                for state in states.values():
                    state.update(piece)
        return {name: str(state.hexdigest()) for name, state in states.items()}

    listed = [each.listed() for each in files]
    chosen = custody.settings
    most = max(chosen.max_manifest_bytes, _LINE_BYTES * chosen.max_entries)
    return judge_bag(listed, read, digests, most)


def judge_payload(judge: Judge, manifest_path: str, payload: Sequence[ListedFile]) -> Judged:
    """Judge a manifest against a bag's payload, its items named from the root or from ``data/``.

    A manifest in ``data/`` names what lies beside it. One at the root may do either; of two
    failures the one with fewer mistakes is told.
    """
    inside = [replace(each, path=each.path.removeprefix(PAYLOAD)) for each in payload]
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
    items = tuple(
        replace(item, path=spell(PAYLOAD + unspell(item.path))) for item in manifest.items
    )
    return replace(manifest, items=items)

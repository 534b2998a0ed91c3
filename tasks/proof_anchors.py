"""What vouches for the log from outside: stored timestamps and cosignatures on older checkpoints.

A bundle takes along the newest of each kind, and for every original the earliest timestamp that
covers its storing: that one says since when the bytes have been what they are. Before a bundle is
made, the newest checkpoint is anchored where authorities or witnesses are configured, so that the
access that the bundle shows is vouched for too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from appraisal.bag import BagWriter
from storage.checkpoint import Checkpoint
from storage.custody import Custody
from storage.errors import CustodyError, NotFoundError
from storage.snapshot import Snapshot
from tasks.anchoring import (
    Attempt,
    Order,
    obtain,
    plan_anchor,
    record_cosignatures,
    record_stamps,
)

_KEY = re.compile(r"anchors/([0-9]{12})/(.+)")
_KINDS = (".tsr", ".cosignature")
_CHECKPOINT = "checkpoint"


def anchor_now(custody: Custody) -> None:
    """Have the newest checkpoint stamped and cosigned, once; what fails is on record and no more.

    Raises:
        HostError: the configuration cannot be used.
    """
    plan = plan_anchor(custody)
    record_stamps(custody, [(order, _attempt(custody, order)) for order in plan.orders])
    record_cosignatures(custody, plan.checkpoint)


def _attempt(custody: Custody, order: Order) -> Attempt:
    try:
        return obtain(custody, order)
    except CustodyError as error:
        return error


def add_anchors(
    bag: BagWriter, custody: Custody, snapshot: Snapshot, stored_at: Iterable[int]
) -> list[int]:
    """Write the anchored checkpoints that a bundle needs; return their sizes.

    Args:
        bag: the bundle.
        custody: the installation.
        snapshot: the log that the bundle's proofs lead to.
        stored_at: indexes of the events that stored the originals shown.
    """
    sizes = []
    for path, data in anchor_papers(custody, snapshot, stored_at):
        bag.tag(path, data)
        if path.endswith("/checkpoint"):
            sizes.append(int(path.split("/")[1]))
    return sizes


def anchor_papers(
    custody: Custody, snapshot: Snapshot, stored_at: Iterable[int]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the anchored checkpoints that a bundle needs, by path."""
    files = _anchors(custody, snapshot.size)
    for size in _chosen(files, stored_at):
        note = _read(custody, files[size][_CHECKPOINT])
        checkpoint = custody.log.ring().open(note)
        yield from _older_papers(snapshot, checkpoint, note)
        for name, key in sorted(files[size].items()):
            if name.endswith(_KINDS):
                yield f"{_folder(checkpoint)}/{_plain(name)}", _read(custody, key)


def add_older(
    bag: BagWriter, snapshot: Snapshot, older: Checkpoint, note: bytes, mark: str = ""
) -> str:
    """Write an older checkpoint and its consistency proof; return their folder.

    Raises:
        IntegrityError: the log does not extend that checkpoint.
    """
    for path, data in _older_papers(snapshot, older, note, mark):
        bag.tag(path, data)
    return _folder(older, mark)


def _older_papers(
    snapshot: Snapshot, older: Checkpoint, note: bytes, mark: str = ""
) -> Iterator[tuple[str, bytes]]:
    yield f"{_folder(older, mark)}/checkpoint", note
    yield f"{_folder(older, mark)}/consistency", str(snapshot.prove_extends(older)).encode()


def _folder(older: Checkpoint, mark: str = "") -> str:
    return f"older/{older.size:012d}{mark}"


def _anchors(custody: Custody, size: int) -> dict[int, dict[str, str]]:
    """Return the stored files by anchored size: name and key; none beyond ``size``."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for key in custody.objects.keys("anchors/"):
        match = _KEY.fullmatch(key)
        if match and int(match[1]) <= size:
            found[int(match[1])][match[2]] = key
    return {each: files for each, files in found.items() if _CHECKPOINT in files}


def _chosen(files: dict[int, dict[str, str]], stored_at: Iterable[int]) -> list[int]:
    by_kind = {kind: sorted(_having(files, kind)) for kind in _KINDS}
    newest = {sizes[-1] for sizes in by_kind.values() if sizes}
    stamped = by_kind[".tsr"]
    earliest = {next((size for size in stamped if size > index), None) for index in stored_at}
    return sorted(newest | {size for size in earliest if size is not None})


def _having(files: dict[int, dict[str, str]], kind: str) -> Iterator[int]:
    for size, names in files.items():
        if any(name.endswith(kind) for name in names):
            yield size


def _plain(name: str) -> str:
    """Return a name that a bag may hold; what a file is worth never depends on its name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".-") or "_"


def _read(custody: Custody, key: str) -> bytes:
    ref = custody.objects.find(key)
    if ref is None:
        raise NotFoundError(f"the object {key} is gone", key=key)
    with custody.objects.open(ref) as stream:
        return stream.read()

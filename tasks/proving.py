"""Proving: a bundle with which anybody checks an exhibit or a case, offline and without us.

The access to the originals is on record before the first byte leaves (RULES CU-05). Every
original is hashed while it is copied and must equal what was recorded at intake; otherwise there
is no bundle. The layout is in ``docs/proof-bundle.md``.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appraisal.bag import BagWriter
from appraisal.bag_target import FolderTarget, ZipTarget
from storage.checkpoint import Checkpoint
from storage.custody import VERSION, Custody
from storage.digest import Fingerprint
from storage.errors import ConflictError, HostError, InputError, IntegrityError
from storage.event import Action
from storage.note import MAX_NOTE
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.verifier import verifier_bytes
from storage.workspace import fsync_folder
from tasks.policies import present_policy
from tasks.proof_anchors import add_anchors, add_older, anchor_now
from tasks.proof_events import Showing, Target, find_target, show
from tasks.proof_papers import as_bytes, file_name, readme, statement

PURPOSE = "出具证明包 proof bundle"
_PART = 100
"""Exhibits in one event, so that its leaf stays within the log's limit."""


@dataclass(frozen=True)
class Wish:
    """How a bundle is to be made.

    ``since`` is the file of an older checkpoint of this log, ``why`` the purpose on record.
    """

    originals: bool = True
    as_zip: bool = False
    since: Path | None = None
    by: Person | None = None
    why: str = PURPOSE


def prove(custody: Custody, name: str, folder: Path, wish: Wish) -> dict[str, Any]:
    """Make the proof bundle of a case or an exhibit at ``folder``, or at ``folder``.zip.

    When this returns, the bundle is whole; before, nothing is under its name.

    Raises:
        NotFoundError: there is no such case or exhibit.
        InputError: the older checkpoint cannot be read.
        ConflictError: something is there already.
        IntegrityError: an original is not what was recorded, the log does not prove what it
            holds, or it does not extend the older checkpoint. No bundle is left.
        HostError: the folder cannot be written.
    """
    target = find_target(custody, name)
    path = folder.with_name(f"{folder.name}.zip") if wish.as_zip else folder
    if os.path.lexists(path):
        raise ConflictError(f"{path} 已存在 exists already", remedy="name a new folder: -o FOLDER")
    older = _older(custody, wish.since) if wish.since else None
    with _accessed(custody, target, wish, path.name):
        anchor_now(custody)
        showing = show(custody, target)
        said = statement(target, showing, originals=wish.originals, made_at=custody.now())
        with _new_bag(path, target.name, as_zip=wish.as_zip) as bag:
            _fill(bag, custody, target, showing, said)
            if older:
                add_older(bag, showing.snapshot, *older, mark="-kept")
            bag.finish(_bag_info(custody, said))
    return {**said, "path": str(path)}


def _fill(
    bag: BagWriter, custody: Custody, target: Target, showing: Showing, said: dict[str, Any]
) -> None:
    gone = {each["exhibit"] for each in said["exhibits"] if "disposed" in each}
    for row in target.exhibits if said["bytes"] else ():
        if row["exhibit_id"] in gone:
            continue  # Its history proves that it was there, and who had it destroyed.
        with custody.objects.open(ObjectRef.from_json(row["object"])) as source:
            _require_same(row, bag.payload(file_name(row), source))
    bag.tag("README.txt", readme(said))
    bag.tag("statement.json", as_bytes(said))
    bag.tag("verify.py", verifier_bytes())
    bag.tag("policy.json", present_policy(custody.settings).text().encode())
    bag.tag("checkpoint", showing.snapshot.note)
    for each in showing.events:
        leaf, proof = showing.snapshot.prove(each.index)
        bag.tag(f"events/{each.index:012d}.json", leaf)
        bag.tag(f"events/{each.index:012d}.tlog-proof", proof.encode())
    stored = [each.index for each in showing.events if each.action is Action.STORED]
    add_anchors(bag, custody, showing.snapshot, stored)


def _require_same(row: dict[str, Any], copied: Fingerprint) -> None:
    recorded = Fingerprint.from_json(row["fingerprint"])
    if copied != recorded:
        raise IntegrityError(
            f"{row['exhibit_id']} 的原件与入库时不符，未制作证明包 the stored bytes are not those "
            "of intake; no bundle was made",
            remedy="run 'custody verify' on its case",
            expected=recorded.sha256,
            seen=copied.sha256,
        )


def _older(custody: Custody, path: Path) -> tuple[Checkpoint, bytes]:
    try:
        with path.open("rb") as file:
            note = file.read(MAX_NOTE + 1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", remedy="name a file with a checkpoint"
        ) from error
    return custody.log.ring().open(note), note


@contextmanager
def _accessed(custody: Custody, target: Target, wish: Wish, file: str) -> Iterator[None]:
    """Put on record that the originals leave the house, and how it ended."""
    access = secrets.token_hex(6)
    if wish.originals:
        _record(custody, target, wish, access, phase="begun", file=file)
    outcome = "failed"
    try:
        yield
        outcome = "given"
    except IntegrityError:
        outcome = "mismatch"
        raise
    finally:
        if wish.originals:
            _record(custody, target, wish, access, phase="ended", outcome=outcome)


def _record(custody: Custody, target: Target, wish: Wish, access: str, **details: str) -> None:
    ids = [row["exhibit_id"] for row in target.exhibits]
    parts = [ids[start : start + _PART] for start in range(0, len(ids), _PART)]
    custody.record(
        [
            custody.event(
                Action.ACCESSED,
                [access, details["phase"], str(number)],
                actor=wish.by,
                case=target.case_id,
                exhibits=part,
                purpose=wish.why,
                details={"access": f"{access}-{number}", "mode": "proof", **details},
            )
            for number, part in enumerate(parts, 1)
        ]
    )


@contextmanager
def _new_bag(path: Path, name: str, *, as_zip: bool) -> Iterator[BagWriter]:
    """Open a bag that gets its name only if the block ends well."""
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        if as_zip:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as stream:
                with BagWriter(ZipTarget(stream, name)) as bag:
                    yield bag
                stream.flush()
                os.fsync(stream.fileno())
        else:
            with BagWriter(FolderTarget(temporary)) as bag:
                yield bag
        temporary.rename(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise HostError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="free disk space or name another folder",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.unlink(missing_ok=True)


def _bag_info(custody: Custody, said: dict[str, Any]) -> dict[str, str]:
    receiver = custody.receiver()
    return {
        "Source-Organization": receiver.unit,
        "Contact-Name": receiver.name,
        "External-Identifier": said["case"],
        "Internal-Sender-Identifier": said["case_no"],
        "Internal-Sender-Description": f"证明包 proof bundle, {len(said['exhibits'])} exhibit(s), "
        f"{said['events']} event(s)",
        "Bagging-Date": said["made_at"][:10],
        "Bag-Software-Agent": f"zhenglian {VERSION}",
    }

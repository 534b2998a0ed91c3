"""Claiming: a bundle gets its accession number and leaves the drop folder by one rename.

Intent first, then the move: a crash between the two leaves an open claim whose bundle still
lies where it was dropped, and the next claim of that source continues it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from storage.catalogue import intents
from storage.catalogue.intents import Claim
from storage.custody import Custody
from storage.errors import HostError, InputError
from storage.event import Action, event_id
from storage.workspace import fsync_folder


@dataclass(frozen=True)
class ClaimPlace:
    """A claim and where its bundle lies now."""

    claim: Claim
    root: Path


def claim_bundle(custody: Custody, path: Path, unit: str, *, in_place: bool) -> Claim:
    """Claim the bundle at ``path`` (a folder or a .zip file) for ingest.

    With ``in_place`` the bundle is read where it lies and left there.

    Raises:
        InputError: there is nothing at the path, or it is neither folder nor file.
        HostError: the bundle cannot be moved.
    """
    source = path.absolute()
    if source.is_symlink() or not (source.is_dir() or source.is_file()):
        raise InputError(
            f"{path} is not a bundle",
            remedy="name a folder or a .zip file; links are not followed",
        )
    if source.is_file() and source.suffix.lower() != ".zip":
        raise InputError(
            f"{path.name} is a single file, not a bundle",
            remedy="put it in a folder beside a manifest, see 'custody manifest new'",
        )
    with custody.write() as session:
        claim = intents.claim(
            session,
            unit=unit,
            name=source.name,
            source=str(source),
            in_place=in_place,
            now=custody.now(),
        )
    return claim if in_place else _move(custody, claim)


def _move(custody: Custody, claim: Claim) -> Claim:
    folder = custody.workspace.claimed / claim.accession
    target = folder / "bundle" / claim.name
    source = Path(claim.source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            source.rename(target)
        fsync_folder(target.parent)
        fsync_folder(source.parent)
    except OSError as error:
        raise HostError(
            f"{claim.name} cannot be moved out of the drop folder: {error.strerror}",
            remedy="keep drop/ and claimed/ on one file system, writable by this user",
        ) from error
    with custody.write() as session:
        intents.set_state(session, claim.accession, "moved")
    return claim


def place(custody: Custody, accession: str) -> ClaimPlace:
    """Return a claim and where its bundle lies, completing an interrupted move.

    Raises:
        NotFoundError: the number was never given out.
        InputError: the bundle is neither where it was dropped nor where it was moved.
    """
    with custody.read() as session:
        claim = intents.find_claim(session, accession)
    if claim.in_place:
        return ClaimPlace(claim, Path(claim.source))
    target = custody.workspace.claimed / accession / "bundle" / claim.name
    if not target.exists() and Path(claim.source).exists():
        _move(custody, claim)
    if not target.exists():
        raise InputError(
            f"the bundle of {accession} is gone: {claim.name}",
            remedy="somebody removed it while it was being taken in; drop it again",
            accession=accession,
        )
    return ClaimPlace(claim, target)


def answered(custody: Custody, accession: str) -> None:
    """Note that a bundle's unit has its answer, and remove the copy that was moved.

    The bytes are in the store, so no space is taken twice while the documents are read. The
    claim of an opinion stays as it is: what follows for its commission is not done yet.
    """
    with custody.write() as session:
        if intents.find_claim(session, accession).state in ("open", "moved"):
            intents.set_state(session, accession, "answered")
    _remove_copy(custody, accession)


def finish(custody: Custody, accession: str) -> None:
    """Close a claim whose bundle is stored, answered and read."""
    with custody.write() as session:
        intents.set_state(session, accession, "done")
    _remove_copy(custody, accession)


def _remove_copy(custody: Custody, accession: str) -> None:
    folder = custody.workspace.claimed / accession
    if folder.exists():
        shutil.rmtree(folder)
    work = custody.workspace.work / accession
    if work.exists():
        shutil.rmtree(work)


def unfinished(custody: Custody) -> list[Claim]:
    """Return the claims that an earlier process left open, oldest first."""
    with custody.read() as session:
        return intents.open_claims(session)


def give_up_if_gone(custody: Custody, accession: str) -> bool:
    """Close the claim of a bundle that is in neither place, so that it is not tried for ever.

    Returns whether the claim was closed.
    """
    with custody.read() as session:
        claim = intents.find_claim(session, accession)
    moved = custody.workspace.claimed / accession / "bundle" / claim.name
    received = custody.log.index_of(event_id(Action.RECEIVED, accession)) is not None
    if received or moved.exists() or Path(claim.source).exists():
        return False
    with custody.write() as session:
        intents.set_state(session, accession, "gone")
    return True


def sweep(custody: Custody) -> int:
    """Remove claimed copies whose claim is closed (a crash came between); return their number."""
    with custody.read() as session:
        still = {claim.accession for claim in intents.open_claims(session)}
    removed = 0
    for parent in (custody.workspace.claimed, custody.workspace.work):
        for folder in parent.iterdir():
            if folder.is_dir() and folder.name.startswith("A") and folder.name not in still:
                shutil.rmtree(folder)
                removed += 1
    return removed


def claim_file(custody: Custody, path: Path, unit: str) -> Claim:
    """Give a single file of ours (an opinion) its accession number; it stays where it is."""
    with custody.write() as session:
        return intents.claim(
            session,
            unit=unit,
            name=path.name,
            source=str(path.absolute()),
            in_place=True,
            now=custody.now(),
            state="collecting",
        )

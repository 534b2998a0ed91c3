"""Claiming: a bundle gets its accession number and leaves the drop folder by one rename.

Intent first, then the move: a crash between the two leaves an open claim whose bundle still
lies where it was dropped, and the next claim of that source continues it. One process at a time
claims what lies at a path, and one works on a claim; either right ends with its holder, so that
a claim whose worker died is open to the next. Who works on a claim may enter it again.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from storage.catalogue import intents
from storage.catalogue.exclusive import Held, exclusive, is_held
from storage.catalogue.intents import Claim
from storage.custody import Custody
from storage.directory_files import make_folders
from storage.errors import BusyError, HostError, InputError, NotFoundError, StateError
from storage.event import Action, event_id
from storage.names import display
from storage.workspace import fsync_folder, remove_tree
from tasks.dropped import is_container_name, is_part_of_set

_MINE: ContextVar[Mapping[str, Held]] = ContextVar("names_held_here", default={})  # noqa: B039
"""What the present course of calls holds already; replaced whole, never changed."""


@dataclass(frozen=True)
class ClaimPlace:
    """A claim and where its bundle lies now."""

    claim: Claim
    root: Path


@contextmanager
def working(custody: Custody, accession: str) -> Iterator[None]:
    """Be the only one to work on a claim until the block ends.

    Raises:
        BusyError: another process works on it.
    """
    with _alone(custody, f"claim {accession}", accession):
        yield


def is_worked_on(custody: Custody, accession: str) -> bool:
    """Say whether any process works on a claim now."""
    return is_held(custody.database, f"claim {accession}")


def require_mine(custody: Custody, accession: str) -> None:
    """See that the right to work on a claim is still ours, before the next step of it is done.

    A host that was cut off comes back and goes on; meanwhile another may have taken its claim up,
    or ended it. Nothing is looked at where the claim was never ours.

    Raises:
        BusyError: another process works on it by now.
        StateError: another has ended it.
        TransientError: the database server cannot be reached.
    """
    held = _MINE.get().get(_own(custody, f"claim {accession}"))
    if held is None:
        return
    if not held.still():
        raise _busy(accession)
    with custody.read() as session:
        claim = intents.find_claim(session, accession)
    if claim.state in ("done", "gone"):
        raise StateError(
            f"another worker has ended the claim {accession}", remedy="nothing is left to do"
        )


def _own(custody: Custody, name: str) -> str:
    return f"{custody.workspace.root} {name}"


def _busy(what: str) -> BusyError:
    return BusyError(
        f"another process works on {display(what)}",
        remedy="wait until it has ended; if it dies, the watcher takes its claim up",
    )


@contextmanager
def _alone(custody: Custody, name: str, what: str) -> Iterator[None]:
    own = _own(custody, name)
    if own in _MINE.get():
        yield
        return
    with exclusive(custody.database, name) as held:
        if not held:
            raise _busy(what)
        _MINE.set({**_MINE.get(), own: held})
        try:
            yield
        finally:
            # Names are not given back in the order in which they were taken.
            _MINE.set({each: lock for each, lock in _MINE.get().items() if each != own})


@contextmanager
def taking(custody: Custody, path: Path, unit: str, *, in_place: bool) -> Iterator[Claim]:
    """Claim a bundle (a folder or an archive in one file) and work on the claim in the block.

    With ``in_place`` the bundle is read where it lies and left there.

    Raises:
        InputError: there is nothing at the path, or it is no bundle.
        NotFoundError: it was renamed or removed in the same moment; the claim is closed.
        HostError: the bundle cannot be moved.
        BusyError: another process is claiming it, or works on its claim.
    """
    source = source_of(path)
    with ExitStack() as work:
        with _alone(custody, f"source {source}", path.name):
            _require_bundle(source)
            claim = _numbered(custody, source, unit, in_place, work)
            if not in_place:
                _move(custody, claim)
        yield claim


def claim_bundle(custody: Custody, path: Path, unit: str, *, in_place: bool) -> Claim:
    """Claim a bundle and leave the work to whoever begins it first; see ``taking``."""
    with taking(custody, path, unit, in_place=in_place) as claim:
        return claim


def source_of(path: Path) -> Path:
    """Return the one path by which processes know a bundle; a link in its place stays one."""
    whole = path.absolute()
    return Path(os.path.realpath(whole.parent)) / whole.name


def _require_bundle(source: Path) -> None:
    kind = _kind(source)
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise InputError(
            f"{display(source.name)} is not a bundle",
            remedy="name a folder or an archive; links are not followed",
        )
    if stat.S_ISDIR(kind):
        return
    if is_part_of_set(source):
        raise InputError(
            f"{display(source.name)} is one part of an archive in several",
            remedy="put all parts into one folder beside a manifest, or make one archive of them",
        )
    if not is_container_name(source.name):
        raise InputError(
            f"{display(source.name)} is a single file, not a bundle",
            remedy="put it in a folder beside a manifest, see 'custody manifest new'",
        )


def _kind(path: Path) -> int:
    """Return the kind of what lies at a path, no link followed; 0 for nothing."""
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except OSError:
        return 0


def _numbered(custody: Custody, source: Path, unit: str, in_place: bool, work: ExitStack) -> Claim:
    """Give out the number; the work on it is ours before another process can see it."""
    with custody.write() as session:
        claim = intents.claim(
            session,
            unit=unit,
            name=source.name,
            source=str(source),
            in_place=in_place,
            now=custody.now(),
        )
        work.enter_context(working(custody, claim.accession))
    return claim


def _target(custody: Custody, claim: Claim) -> Path:
    return custody.workspace.claimed / claim.accession / "bundle" / claim.name


def _move(custody: Custody, claim: Claim) -> None:
    source, target = Path(claim.source), _target(custody, claim)
    try:
        # The way to the bundle must be durable before the bundle is there and nowhere else.
        make_folders(custody.workspace.claimed, target.parent, {custody.workspace.claimed})
        if not _kind(target):
            source.rename(target)
        fsync_folder(target.parent)
        fsync_folder(source.parent)
    except OSError as error:
        if not _kind(source) and not _kind(target):
            _close_as_gone(custody, claim.accession)
            raise NotFoundError(
                f"{display(claim.name)} was renamed or removed as it was to be taken",
                remedy="nothing of it was taken; it is taken under its new name, if it has one",
                accession=claim.accession,
            ) from error
        raise _immovable(claim, error) from error
    with custody.write() as session:
        intents.set_state(session, claim.accession, "moved")


def _immovable(claim: Claim, error: OSError) -> HostError:
    if error.errno == errno.EXDEV:
        return HostError(
            f"{display(claim.name)} lies on another file system than the folder claimed/",
            remedy="keep drop/ and claimed/ on one file system: CUSTODY_HOME as a whole",
        )
    return HostError(
        f"{display(claim.name)} cannot be moved out of the drop folder: {error.strerror}",
        remedy="let this user write to drop/ and claimed/, and see that the disk is not full",
    )


def place(custody: Custody, accession: str) -> ClaimPlace:
    """Return a claim and where its bundle lies, completing an interrupted move.

    Raises:
        NotFoundError: the number was never given out.
        StateError: the claim is closed.
        InputError: the bundle is neither where it was dropped nor where it was moved.
        HostError: it cannot be moved.
    """
    with custody.read() as session:
        claim = intents.find_claim(session, accession)
    if claim.state in ("done", "gone"):
        raise StateError(
            f"the claim {accession} is closed", remedy="drop the bundle again to take it in again"
        )
    root = Path(claim.source) if claim.in_place else _target(custody, claim)
    if not claim.in_place and not _kind(root) and _kind(Path(claim.source)):
        _move(custody, claim)
    if not _lies_at(root):
        raise InputError(
            f"the bundle of {accession} is gone: {display(claim.name)}",
            remedy="somebody removed it while it was being taken in; drop it again",
            accession=accession,
        )
    return ClaimPlace(claim, root)


def _lies_at(path: Path) -> bool:
    """Say whether a bundle lies there; a link that took its place is none."""
    kind = _kind(path)
    return stat.S_ISDIR(kind) or stat.S_ISREG(kind)


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
    """Remove what a claim left behind.

    Raises:
        HostError: something in it cannot be removed.
    """
    for parent in (custody.workspace.claimed, custody.workspace.work):
        try:
            remove_tree(parent / accession)
        except OSError as error:
            raise HostError(
                f"{parent.name}/{accession} cannot be removed: {error.strerror}",
                remedy="its bytes are in the store; remove the folder by hand",
                accession=accession,
            ) from error


def unfinished(custody: Custody) -> list[Claim]:
    """Return the claims that are open, worked on or not, oldest first."""
    with custody.read() as session:
        return intents.open_claims(session)


def is_open(custody: Custody, accession: str) -> bool:
    """Say whether something of a claim is still to be done."""
    return any(claim.accession == accession for claim in unfinished(custody))


def give_up_if_gone(custody: Custody, accession: str) -> bool:
    """Close the claim of a bundle that is in neither place, so that it is not tried for ever.

    Returns whether the claim was closed. One whose bytes are in custody never is: neither after
    its arrival is on record, nor when it takes up a refused bundle again.
    """
    with custody.read() as session:
        claim = intents.find_claim(session, accession)
    received = custody.log.index_of(event_id(Action.RECEIVED, accession)) is not None
    if not Path(claim.source).is_absolute():
        return False  # The bytes come from an earlier accession, not from a place.
    if received or _lies_at(_target(custody, claim)) or _lies_at(Path(claim.source)):
        return False
    return _close_as_gone(custody, accession)


def _close_as_gone(custody: Custody, accession: str) -> bool:
    with custody.write() as session:
        if intents.find_claim(session, accession).state not in ("open", "moved"):
            return False
        intents.set_state(session, accession, "gone")
    return True


def sweep(custody: Custody) -> list[HostError]:
    """Remove claimed copies whose claim is closed (a crash came between).

    Returns what could not be removed. The folders are listed before the claims are asked for: a
    folder appears after its claim, so none of a new claim can be taken for one of a closed.
    """
    places = (custody.workspace.claimed, custody.workspace.work)
    names = {each.name for place in places for each in place.iterdir() if each.is_dir()}
    still = {claim.accession for claim in unfinished(custody)}
    failed = []
    for name in sorted(names - still):
        if not name.startswith("A") or is_worked_on(custody, name):
            continue
        try:
            _remove_copy(custody, name)
        except HostError as error:
            failed.append(error)
    return failed


def claim_file(custody: Custody, path: Path, unit: str, source: str) -> Claim:
    """Give a single file of ours (an opinion) its accession number; it stays where it is.

    ``source`` names what is taken in, bytes and purpose: only the very same is continued.
    """
    with custody.write() as session:
        return intents.claim(
            session,
            unit=unit,
            name=path.name,
            source=source,
            in_place=True,
            now=custody.now(),
            state="collecting",
        )

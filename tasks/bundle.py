"""What passes between the steps of an ingest: small values, never document bytes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, TypeVar

from storage.digest import Fingerprint
from storage.errors import InputError, TransientError
from storage.listing import ListedFile
from storage.names import display
from storage.nouns import Manifest, case_id
from storage.objects import Kept, ObjectRef
from tasks.manifest_mistakes import Mistake
from tasks.packed import Packed, PackedMap, joined

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class File:
    """One regular file of a drop: path in the bundle (``/``, surrogateescape), place on disk."""

    path: str
    location: str
    size: int

    def open(self) -> BinaryIO:
        """Open for reading; never follows a link, never waits on a pipe.

        Raises:
            InputError: it is gone, or no longer a regular file.
            TransientError: it cannot be read at this moment.
        """
        shown = display(self.path)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self.location, flags)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                raise InputError(f"{shown} is gone or is no file", path=self.path) from error
            raise TransientError(
                f"{shown} cannot be read now: {error.strerror}",
                remedy="it is tried again; check its rights if this lasts",
                path=self.path,
            ) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise InputError(f"{shown} is not a regular file", path=self.path)
        return os.fdopen(descriptor, "rb")


_NOT_A_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EISDIR})

IrregularKind = Literal["symlink", "fifo", "socket", "device", "gone", "changing"]


@dataclass(frozen=True)
class Irregular:
    """What lay in a bundle and was not taken, and why; it is never followed or opened.

    ``gone`` is a file that vanished while the bundle was taken, ``changing`` one that somebody
    still wrote to. ``target`` is where a symbolic link points, as it is written there.
    """

    path: str
    kind: IrregularKind
    target: str = ""


@dataclass(frozen=True)
class Taken:
    """One file in custody: its path in the bundle, and what the store keeps of it."""

    path: str
    kept: Kept

    @property
    def fingerprint(self) -> Fingerprint:
        """Size and digests of the bytes that are kept."""
        return self.kept.fingerprint

    def listed(self) -> ListedFile:
        """Return the line of the listing."""
        return ListedFile(self.path, self.kept.fingerprint)


@dataclass(frozen=True)
class Arrival:
    """What lies in a claimed bundle: its regular files, and everything else by name and kind.

    ``on_record`` says that the bundle was received by an earlier attempt: its bytes are in the
    store, and what lies where it was dropped is not looked at again. A refused bundle that a
    person releases was dropped long ago: its files are ``taken`` already, ``received_at`` is
    when that was, and ``released`` is what its event says of the release.
    """

    accession: str
    kind: str
    root: str
    files: Sequence[File]
    irregular: tuple[Irregular, ...]
    on_record: bool = False
    taken: Sequence[Taken] = ()
    received_at: str = ""
    released: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """What came of taking some files of a bundle into custody."""

    taken: Sequence[Taken]
    irregular: tuple[Irregular, ...] = ()

    def packed(self) -> Batch:
        """Return the same, held small."""
        return Batch(Packed(self.taken), self.irregular)


@dataclass(frozen=True)
class Bundle:
    """A bundle on record: the received event covers the digest of every byte.

    ``kind`` is ``folder``, ``container`` (one archive) or ``opinion``. ``given`` are the paths
    of manifests that a person added when a refused bundle was released; the last one counts.
    """

    accession: str
    kind: str
    unit: str
    name: str
    files: Sequence[Taken]
    irregular: tuple[Irregular, ...]
    received_at: str
    received_digest: str
    given: tuple[str, ...] = ()

    @property
    def container(self) -> Taken:
        """The one archive that was dropped, of a bundle of that kind."""
        return next(each for each in self.files if each.path not in self.given)


@dataclass(frozen=True)
class Verdict:
    """The judgement on a bundle: accepted with its plan, refused with mistakes, or known.

    ``files`` are the content (members of a container, files of a folder). A refused or known
    bundle keeps ``mistakes`` or ``duplicate_of``; an accepted one has a manifest and its
    exhibits' numbers start at ``first_exhibit``. ``answered`` is the answer that an earlier
    attempt has given already. ``beside`` are files that are neither manifest nor item, by role:
    ``bag`` (tag files of a BagIt bag) and ``superseded`` (manifests that another one replaced).
    """

    bundle: Bundle
    files: Sequence[Taken] = ()
    bundle_digest: str = ""
    manifest: Manifest | None = None
    manifest_path: str = ""
    first_exhibit: int = 0
    mistakes: tuple[Mistake, ...] = ()
    duplicate_of: str = ""
    answered: Answer | None = None
    beside: Mapping[str, tuple[Taken, ...]] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the bundle becomes exhibits."""
        return self.manifest is not None and not self.mistakes and not self.duplicate_of

    @property
    def case(self) -> str:
        """The case identifier, or empty."""
        return case_id(self.manifest.case_no) if self.manifest else ""

    @property
    def shelf(self) -> Shelf:
        """Where the bytes of an accepted bundle belong."""
        bundle = self.bundle
        return Shelf(originals_of(self.case), bundle.received_at, bundle.accession)

    @property
    def to_store(self) -> Sequence[Taken]:
        """Every object that moves to the case: the content, and the container it came in.

        Nothing of a bundle that was refused, is known or was answered: it stays where it is.
        """
        if self.answered or not self.accepted:
            return ()
        if self.bundle.kind == "container":
            return joined([self.bundle.files, self.files])
        return self.files


@dataclass(frozen=True)
class Shelf:
    """Where the originals of an accession belong: a key prefix, and when retention begins."""

    prefix: str
    received_at: str
    accession: str = ""


@dataclass(frozen=True)
class Stored:
    """Where the bytes of each file lie, by SHA-256, for all files of a verdict."""

    refs: PackedMap[ObjectRef] = field(default_factory=PackedMap)


@dataclass(frozen=True)
class Answer:
    """How an ingest ended, and what is left to read."""

    accession: str
    state: str
    case: str
    folder: str
    exhibits: tuple[str, ...]

    def as_json(self) -> dict[str, str]:
        """Return the outcome for people and programs."""
        return {
            "accession": self.accession,
            "state": self.state,
            "case": self.case,
            "folder": self.folder,
        }


def batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of at most ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def originals_of(case: str) -> str:
    """Return the key prefix of a case's originals."""
    return f"cases/{case}/originals"


def received_prefix(accession: str) -> str:
    """Return the key prefix of the bytes of a bundle as they were received."""
    return f"quarantine/{accession}/originals"


def members_prefix(accession: str) -> str:
    """Return the key prefix of a container's members until the bundle is judged."""
    return f"quarantine/{accession}/members"


DONE_MARKER = ".done"
"""An empty file by which a unit says that a bundle is complete; it is not evidence."""

"""What passes between the steps of an ingest: small values, never document bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from storage.digest import Fingerprint
from storage.errors import InputError
from storage.listing import ListedFile
from storage.nouns import Manifest, case_id
from storage.objects import ObjectRef
from tasks.manifest_mistakes import Mistake

T = TypeVar("T")


@dataclass(frozen=True)
class File:
    """One regular file: its path in the bundle (``/``, surrogateescape) and where it lies."""

    path: str
    location: str
    size: int

    def open(self) -> BinaryIO:
        """Open for reading; never follows a link, never waits on a pipe.

        Raises:
            InputError: it is gone, or no longer a regular file.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self.location, flags)
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read: {error.strerror}", path=self.path
            ) from error
        if not os.path.isfile(f"/proc/self/fd/{descriptor}"):  # noqa: PTH113 - a descriptor
            os.close(descriptor)
            raise InputError(f"{self.path} is not a regular file", path=self.path)
        return os.fdopen(descriptor, "rb")


@dataclass(frozen=True)
class Printed:
    """A file and its fingerprint."""

    file: File
    fingerprint: Fingerprint

    def listed(self) -> ListedFile:
        """Return the line of the listing."""
        return ListedFile(self.file.path, self.fingerprint)


@dataclass(frozen=True)
class Arrival:
    """What lies in a claimed bundle: its regular files and the names of everything else."""

    accession: str
    kind: str
    root: str
    files: tuple[File, ...]
    irregular: tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """A bundle on record: the received event covers the digest of every byte."""

    accession: str
    kind: str
    unit: str
    name: str
    files: tuple[Printed, ...]
    irregular: tuple[str, ...]
    received_at: str
    received_digest: str


@dataclass(frozen=True)
class Shelf:
    """Where the bytes of a bundle belong: a key prefix, and the start of their retention.

    ``received_at`` is empty for quarantined bytes, which are kept without a lock.
    """

    prefix: str
    received_at: str


@dataclass(frozen=True)
class Verdict:
    """The judgement on a bundle: accepted with its plan, refused with mistakes, or known.

    ``files`` are the content (members of a zip bundle, files of a folder). A refused or known
    bundle keeps ``mistakes`` or ``duplicate_of``; an accepted one has a manifest and its
    exhibits' numbers start at ``first_exhibit``.
    """

    bundle: Bundle
    files: tuple[Printed, ...] = ()
    bundle_digest: str = ""
    manifest: Manifest | None = None
    manifest_path: str = ""
    first_exhibit: int = 0
    mistakes: tuple[Mistake, ...] = ()
    duplicate_of: str = ""

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
        """Where the bytes belong: the case's originals, or the accession's quarantine."""
        if self.accepted:
            return Shelf(f"cases/{self.case}/originals", self.bundle.received_at)
        return Shelf(f"quarantine/{self.bundle.accession}/originals", "")

    @property
    def to_store(self) -> tuple[Printed, ...]:
        """Every file whose bytes must be stored: content, and the container it came in.

        Nothing for a duplicate: equal bytes are already kept under the first accession.
        """
        if self.duplicate_of:
            return ()
        if self.bundle.kind == "zip":
            return (*self.bundle.files, *(self.files if self.accepted else ()))
        return self.bundle.files


@dataclass(frozen=True)
class Stored:
    """Where the bytes of each file lie, by digest, for all files of a verdict."""

    refs: dict[str, ObjectRef] = field(default_factory=dict)


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


def scan(root: Path, accession: str) -> Arrival:
    """List what lies in a claimed bundle without opening anything.

    Symbolic links, devices, pipes and sockets are named and never followed.
    """
    if root.is_file() and not root.is_symlink():
        size = root.stat().st_size
        file = File(root.name, str(root), size)
        return Arrival(accession, "zip", str(root), (file,), ())
    files: list[File] = []
    irregular: list[str] = []
    pending = [(str(root), "")]
    while pending:
        folder, prefix = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, path + "/"))
                elif entry.is_file(follow_symlinks=False):
                    if path != DONE_MARKER:
                        files.append(File(path, entry.path, entry.stat().st_size))
                else:
                    irregular.append(path)
    files.sort(key=lambda file: os.fsencode(file.path))
    return Arrival(accession, "folder", str(root), tuple(files), tuple(sorted(irregular)))


DONE_MARKER = ".done"
"""An empty file by which a unit says that a bundle is complete; it is not evidence."""

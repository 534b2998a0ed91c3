"""A BagIt 1.0 bag written straight into a zip or a folder: streamed, memory flat.

Layout, below one folder named like the bag (RFC 8493)::

    bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
    data/...                   the payload
    checks/sha256sums.txt      the same files for sha256sum -c
    checks/b3sums.txt          for b3sum -c
    checks/sm3sums.txt         for cksum -a sm3 --check
    ...                        other tag files

Files are written in the order in which they are added (see ``appraisal.bag_target``). The three
lists under ``checks/`` cover every file but themselves and the two manifests; no bag tool takes
them for manifests. Names are plain ASCII: bag tools disagree about everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import BinaryIO

from appraisal.bag_target import BagTarget
from storage.digest import CHUNK, Fingerprint, Hasher, fingerprint_bytes, new
from storage.errors import InputError
from storage.names import visible

BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
LISTS = ("sha256", "blake3", "sm3")
_LIST_NAMES = {
    "sha256": "checks/sha256sums.txt",
    "blake3": "checks/b3sums.txt",
    "sm3": "checks/sm3sums.txt",
}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*", re.ASCII)


class BagWriter:
    """Writes one bag: ``payload`` and ``tag`` in any fixed order, then ``finish`` once.

    A context manager: leaving it closes the target, whole or not.
    """

    def __init__(self, target: BagTarget) -> None:
        """Begin a bag in a target that holds nothing yet."""
        self._target = target
        self._files: dict[str, Fingerprint] = {}
        self.tag("bagit.txt", BAGIT.encode())

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._target.close()

    def payload(
        self, path: str, source: BinaryIO, recorded: Fingerprint | None = None
    ) -> Fingerprint:
        """Copy a stream to ``data/<path>`` and return what was copied.

        If its fingerprint is on record, SHA-256 and BLAKE3 are computed and, where both are as
        recorded, SM3 is taken from there: equal bytes have equal digests, and SM3 costs three
        times as much as the others together.
        """
        return self._copy(f"data/{path}", source, recorded)

    def tag(self, path: str, data: bytes) -> None:
        """Add a tag file."""
        self._write(path, data)
        self._files[path] = fingerprint_bytes(data)

    def finish(self, info: Mapping[str, str]) -> None:
        """Write bag-info, the lists and the manifests.

        Args:
            info: fields of ``bag-info.txt``; Payload-Oxum is added.
        """
        payload = {k: v for k, v in self._files.items() if k.startswith("data/")}
        if not payload:
            self._target.folder("data")
        octets = sum(each.size for each in payload.values())
        fields = {**info, "Payload-Oxum": f"{octets}.{len(payload)}"}
        self.tag("bag-info.txt", _tag_lines(fields).encode())
        listed = sorted(self._files.items())
        for algorithm in LISTS:
            self.tag(_LIST_NAMES[algorithm], check_list(algorithm, listed).encode())
        self.tag("manifest-sha256.txt", check_list("sha256", sorted(payload.items())).encode())
        tags = [(k, v) for k, v in sorted(self._files.items()) if k not in payload]
        self._write("tagmanifest-sha256.txt", check_list("sha256", tags).encode())

    def _copy(self, path: str, source: BinaryIO, recorded: Fingerprint | None) -> Fingerprint:
        hasher = Hasher() if recorded is None else Comparer(recorded)
        try:
            with self._open(path) as target:
                while piece := source.read(CHUNK):
                    hasher.update(piece)
                    target.write(piece)
        finally:
            self._files[path] = hasher.finish()
        return self._files[path]

    def _write(self, path: str, data: bytes) -> None:
        with self._open(path) as target:
            target.write(data)

    def _open(self, path: str) -> BinaryIO:
        if path in self._files:
            raise InputError(f"{path} would stand in the package twice", path=path)
        return self._target.open(plain_name(path))


class Comparer:
    """A hasher of a stream whose fingerprint is on record; like ``storage.digest.Hasher``."""

    def __init__(self, recorded: Fingerprint) -> None:
        """Start with the empty string."""
        self._recorded = recorded
        self._sha256, self._blake3, self._size = new("sha256"), new("blake3"), 0

    def update(self, piece: bytes) -> None:
        """Add the next piece."""
        self._size += len(piece)
        self._sha256.update(piece)
        self._blake3.update(piece)

    def finish(self) -> Fingerprint:
        """Return the fingerprint on record if the bytes are those, else one without SM3."""
        seen = Fingerprint(self._size, self._sha256.hexdigest(), "", self._blake3.hexdigest())
        same = replace(self._recorded, sm3="") == seen
        return self._recorded if same else seen


def check_list(algorithm: str, files: Iterable[tuple[str, Fingerprint]]) -> str:
    """Return a list of digests as coreutils, b3sum and bag tools read it.

    SM3 lines are tagged (``SM3 (path) = hex``), because cksum guesses nothing else.
    """
    lines = []
    for path, print_ in files:
        value = print_.digests[algorithm]
        lines.append(f"SM3 ({path}) = {value}\n" if algorithm == "sm3" else f"{value}  {path}\n")
    return "".join(lines)


def _tag_lines(fields: Mapping[str, str]) -> str:
    return "".join(f"{label}: {visible(value)}\n" for label, value in fields.items() if value)


def plain_name(path: str) -> str:
    """Return a path that every bag tool reads the same.

    Raises:
        InputError: it is not plain ASCII.
    """
    if not _NAME.fullmatch(path):
        raise InputError(
            f"{visible(path)!r} is no plain ASCII name for a package",
            remedy="payload names come from exhibit numbers",
        )
    return path

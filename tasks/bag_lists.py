"""The tag files of a BagIt bag as text: declaration, manifests, Payload-Oxum. Pure.

Read strictly, line by line; nothing here has another effect than a list of strings. The literal
text (RFC 8493, 2.1 and 2.2; the 0.97 draft is alike)::

    BagIt-Version: 1.0
    Tag-File-Character-Encoding: UTF-8

    <hex digest><blanks><path below the bag, with %0A %0D %25 for line feed, return, per cent>
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from storage.errors import InputError

DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
FETCH = "fetch.txt"
PAYLOAD = "data/"
VERSIONS = ("0.97", "1.0")

_DECLARED = re.compile(
    r"BagIt-Version: ?([0-9]+\.[0-9]+)[ \t]*\r?\n"
    r"Tag-File-Character-Encoding: ?([A-Za-z0-9_.:-]+)[ \t]*(?:\r?\n)?",
    re.ASCII,
)
_LIST = re.compile(r"(tag)?manifest-([A-Za-z0-9_-]+)\.txt", re.ASCII | re.IGNORECASE)
_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+\*?(.+)", re.DOTALL)
_OXUM = re.compile(r"(0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,18})", re.ASCII)
_ESCAPED = re.compile(r"%(0[AaDd]|25)", re.ASCII)
_BREAKS = re.compile(r"\r\n|\n|\r")


def _algorithms() -> dict[str, str]:
    """Return every digest that can be computed here, by its name in a manifest's file name."""
    fixed = {name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")}
    return {re.sub("[-_]", "", name): name for name in sorted(fixed | {"sm3", "blake3"})}


ALGORITHMS = _algorithms()


@dataclass(frozen=True)
class Declaration:
    """What ``bagit.txt`` says."""

    version: str
    encoding: str


@dataclass(frozen=True)
class Line:
    """One line of a manifest: the digest in lower case, the path as it is written."""

    number: int
    digest: str
    written: str


def declaration(untrusted: bytes) -> Declaration:
    """Parse ``bagit.txt``.

    Raises:
        InputError: it has not the two lines, or another version or encoding than can be read.
    """
    try:
        match = _DECLARED.fullmatch(untrusted.decode("utf-8"))
    except UnicodeDecodeError:
        match = None
    if match is None:
        raise InputError("it has not the two lines BagIt-Version and Tag-File-Character-Encoding")
    version, encoding = match.group(1), match.group(2).upper()
    if version not in VERSIONS:
        raise InputError(f"version {version} is none of {', '.join(VERSIONS)}")
    if encoding not in ("UTF-8", "UTF8"):
        raise InputError(f"tag files in {encoding} cannot be read, only UTF-8")
    return Declaration(version, "utf-8")


def is_list(name: str) -> bool:
    """Say whether a tag file at the root is a manifest or a tag manifest."""
    return _LIST.fullmatch(name) is not None


def list_of(name: str) -> tuple[bool, str, str]:
    """Return whether a manifest is one of tag files, its algorithm as written, and as known.

    The last is empty for an algorithm that cannot be computed here.
    """
    match = _LIST.fullmatch(name)
    if match is None:
        raise ValueError(name)
    written = match.group(2).lower()
    return match.group(1) is not None, written, ALGORITHMS.get(re.sub("[-_]", "", written), "")


def lines(untrusted: bytes) -> Iterator[Line | int]:
    """Yield the lines of a manifest; the number alone of one that has not their form.

    Bytes that are no UTF-8 are kept (``surrogateescape``): so are the names of files.
    """
    text = untrusted.decode("utf-8", "surrogateescape")
    for number, line in enumerate(_BREAKS.split(text), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        yield number if match is None else Line(number, match.group(1).lower(), match.group(2))


def decoded(written: str) -> str:
    """Return a path with ``%0A``, ``%0D`` and ``%25`` decoded and nothing else."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), written)


def is_safe(path: str) -> bool:
    """Say whether a path stays below the bag and has one spelling."""
    return all(part not in ("", ".", "..") for part in path.split("/")) and "\0" not in path


def oxums(untrusted: bytes) -> list[tuple[int, int] | None]:
    """Return every Payload-Oxum of ``bag-info.txt``: bytes and files, None for a wrong one."""
    found: list[tuple[int, int] | None] = []
    for line in _BREAKS.split(untrusted.decode("utf-8", "surrogateescape")):
        label, colon, value = line.partition(":")
        if colon and label.strip().lower() == "payload-oxum":
            match = _OXUM.fullmatch(value.strip())
            found.append((int(match.group(1)), int(match.group(2))) if match else None)
    return found

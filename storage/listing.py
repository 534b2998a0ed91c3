"""The canonical listing of a bundle and its digest (RULES FP-05).

The listing is UTF-8 text, one line a file, sorted by bytes (``LC_ALL=C sort``), each line::

    <sha256>  <sm3>  <blake3>  <size in bytes>  <path, percent-encoded>

with two spaces between fields and a line feed after every line. In the path all bytes but
``A-Z a-z 0-9 _ . - ~ /`` are written ``%XX`` with upper-case digits (RFC 3986). The bundle's
digest is the SHA-256 of that text over all its files, the manifest included, so anybody can
make it again without this software::

    cd BUNDLE
    find . -type f ! -path ./.done -printf '%P\\0' | while IFS= read -r -d '' f; do
      printf '%s  %s  %s  %s  %s\\n' \\
        "$(sha256sum < "$f" | cut -c1-64)" \\
        "$(openssl dgst -sm3 -r < "$f" | cut -c1-64)" \\
        "$(b3sum --no-names < "$f")" \\
        "$(stat -c %s -- "$f")" \\
        "$(printf %s "$f" | perl -0777 -pe 's|([^A-Za-z0-9_.~/-])|sprintf("%%%02X", ord $1)|ge')"
    done | LC_ALL=C sort | sha256sum

Pure: no I/O. The parser accepts one spelling only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from storage.digest import Fingerprint
from storage.errors import InputError
from storage.names import display, utf8

_LINE = re.compile(
    r"([0-9a-f]{64})  ([0-9a-f]{64})  ([0-9a-f]{64})  (0|[1-9][0-9]{0,18})  ([!-~]+)", re.ASCII
)


@dataclass(frozen=True)
class ListedFile:
    """One file: path relative to the bundle's root (``/``, surrogateescape) and fingerprint."""

    path: str
    fingerprint: Fingerprint


def encode_path(path: str) -> str:
    """Return a path percent-encoded; bytes that are no UTF-8 survive."""
    return quote(utf8(path), safe="/")


def decode_path(encoded: str) -> str:
    """Return the path of ``encode_path``."""
    return unquote_to_bytes(encoded).decode("utf-8", "surrogateescape")


def listing_text(files: Iterable[ListedFile]) -> str:
    """Return the canonical listing.

    Raises:
        InputError: a path is empty or stands there twice.
    """
    return "".join(listing_lines(files))


def listing_lines(files: Iterable[ListedFile]) -> list[str]:
    """Return the lines of the canonical listing, which take a tenth of the files as objects.

    Raises:
        InputError: a path is empty or stands there twice.
    """
    return sorted(map(_line, _without_twins(files)))


def parse_listing(text: str) -> tuple[ListedFile, ...]:
    """Parse a canonical listing.

    Raises:
        InputError: it is not exactly what ``listing_text`` writes.
    """
    files = tuple(map(_parse_line, text.split("\n")[:-1]))
    if listing_text(files) != text:
        raise InputError("the listing is not in canonical form (sorted, one line feed a line)")
    return files


def bundle_digest(listing: Iterable[ListedFile]) -> str:
    """Return the SHA-256, in hex, of the canonical listing: the fingerprint of a bundle."""
    digest = hashlib.sha256()
    for line in listing_lines(listing):
        digest.update(line.encode())
    return digest.hexdigest()


def _line(file: ListedFile) -> str:
    print_ = file.fingerprint
    fields = (print_.sha256, print_.sm3, print_.blake3, str(print_.size), encode_path(file.path))
    return "  ".join(fields) + "\n"


def _parse_line(line: str) -> ListedFile:
    match = _LINE.fullmatch(line)
    if match is None:
        raise InputError(f"not a line of a listing: {display(line[:80])}", line=line[:200])
    sha256, sm3, blake3, size, path = match.groups()
    return ListedFile(decode_path(path), Fingerprint(int(size), sha256, sm3, blake3))


def _without_twins(files: Iterable[ListedFile]) -> Iterator[ListedFile]:
    seen: set[str] = set()
    for file in files:
        if not file.path or file.path in seen:
            raise InputError(
                f"a listing names {display(file.path) or 'an empty path'} twice or not at all",
                path=file.path,
            )
        seen.add(file.path)
        yield file

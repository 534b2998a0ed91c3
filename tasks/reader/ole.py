"""OLE files ([MS-CFB]) as named streams, with every fault of the file turned into none."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import olefile

from tasks.reader.reading import Reading
from tasks.reader.source import Source

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_STREAM_BYTES = 256 << 20
FAULTS = (
    OSError,
    ValueError,
    IndexError,
    KeyError,
    struct.error,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What olefile raises on broken files: a folder that holds itself ends in recursion, and a
stream of more bytes than there can be in an overflow."""

_NOTED = (
    "title",
    "subject",
    "author",
    "last_saved_by",
    "revision_number",
    "create_time",
    "last_saved_time",
    "last_printed",
    "total_edit_time",
    "num_pages",
    "creating_application",
    "company",
    "manager",
    "comments",
    "keywords",
)


class Streams:
    """The streams of one open OLE file."""

    def __init__(self, file: olefile.OleFileIO[Any]) -> None:
        self._file = file
        self.names = frozenset(path[0] for path in file.listdir(streams=True, storages=True))
        """What stands in the root, streams and storages."""

    def read(self, name: str, most: int = MAX_STREAM_BYTES) -> bytes:
        """Return the start of a stream, empty if it is not there or cannot be read."""
        try:
            return bytes(self._file.openstream(name).read(most))
        except FAULTS:
            return b""

    def note(self, reading: Reading) -> None:
        """Keep authors, times and revisions of the summary ([MS-OLEPS]) as metadata."""
        try:
            said = self._file.get_metadata()
        except FAULTS:
            return
        for name in _NOTED:
            value = getattr(said, name, None)
            if isinstance(value, bytes):
                value = _text(value, getattr(said, "codepage", None))
            if value not in (None, "", 0):
                reading.note(name, value)


@contextmanager
def opened(source: Source) -> Iterator[Streams | None]:
    """Yield the streams of an OLE file, None where it cannot be opened."""
    try:
        file = olefile.OleFileIO(source.file())
        streams = Streams(file)
    except FAULTS:
        yield None
        return
    try:
        yield streams
    finally:
        file.close()


def _text(value: bytes, code_page: int | None) -> str:
    """Return a string of the summary; 936 is what Chinese programs write, 65001 is UTF-8."""
    encoding = {936: "gb18030", 950: "cp950", 932: "cp932", 65001: "utf-8"}.get(code_page or 0)
    if code_page == 1200:
        return value.decode("utf-16-le", "replace").rstrip("\0")
    return value.decode(encoding or "gb18030", "replace").rstrip("\0")

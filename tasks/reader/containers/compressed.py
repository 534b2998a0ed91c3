"""One file that was compressed alone: a container of one member, whose size it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tasks.reader.answer import Member
from tasks.reader.containers import names, stream
from tasks.reader.containers.walker import Entry
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source
from tasks.reader.strict import clean

_SUFFIXES = {"gz": ".gz", "bz2": ".bz2", "xz": ".xz", "zst": ".zst"}


class Compressed:
    """A walk over a gzip, bzip2, xz or zstd file that holds no tar archive."""

    def __init__(self, source: Source, kind: str, limits: Limits) -> None:
        self.format = kind
        self.problems: list[str] = []
        self._source = source
        self._limits = limits

    def __iter__(self) -> Iterator[Entry]:
        """Yield the one entry, named as gzip says or as the file without its suffix."""
        raw, modified = _gzip_header(self._source) if self.format == "gz" else (b"", "")
        name, encoding = names.decode(raw) if raw else (self._own_name(), "")
        unsafe = names.unsafe_path(name)
        member = Member(
            index=0,
            name=clean(name),
            raw_name=raw.hex(),
            encoding=encoding,
            kind="file",
            packed=self._source.size,
            modified=modified,
            unsafe=tuple(unsafe),
        )
        yield Entry(member, self._pieces)

    def _own_name(self) -> str:
        base = self._source.name.rsplit("/", 1)[-1]
        suffix = _SUFFIXES[self.format]
        return (
            base[: -len(suffix)] if base.lower().endswith(suffix) and base != suffix else "content"
        )

    def _pieces(self) -> Iterator[bytes]:
        return stream.expanded(self._source, self.format, self._limits, self.problems)


def _gzip_header(source: Source) -> tuple[bytes, str]:
    """Return name and time of RFC 1952, 2.3, each empty if it is not there.

    Raises:
        Refused: the header is cut off.
    """
    head = source.head(1 << 13)
    if len(head) < 10:
        raise Refused("gzip 文件头不完整。 The gzip header is cut off.")
    flags, seconds = head[3], int.from_bytes(head[4:8], "little")
    modified = (
        datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
    )
    at = 10
    if flags & 4:
        at += 2 + int.from_bytes(head[10:12], "little")
    if not flags & 8 or (end := head.find(b"\0", at)) < 0:
        return b"", modified
    return head[at:end], modified

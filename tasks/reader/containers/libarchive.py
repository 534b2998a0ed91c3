"""libarchive, as far as 7z and rar need it: entries and their bytes, one after the other.

Called through ctypes, so that it needs no compiler and no wheel; the library is Debian's. It
reads by our callbacks, so the document's descriptor keeps its position and nothing is written.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tasks.reader.containers.walker import CHUNK, Broken
from tasks.reader.source import Source

_OK, _EOF, _WARN, _FAILED, _FATAL = 0, 1, -20, -25, -30
_LIBRARY = "libarchive.so.13"

_READ = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
)
_SKIP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_SEEK = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
)

_POINTER, _INT, _INT64, _TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_char_p
_CALLS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "archive_version_string": (_TEXT, ()),
    "archive_read_new": (_POINTER, ()),
    "archive_read_free": (_INT, (_POINTER,)),
    "archive_read_support_format_7zip": (_INT, (_POINTER,)),
    "archive_read_support_format_rar": (_INT, (_POINTER,)),
    "archive_read_support_format_rar5": (_INT, (_POINTER,)),
    "archive_read_set_read_callback": (_INT, (_POINTER, _READ)),
    "archive_read_set_skip_callback": (_INT, (_POINTER, _SKIP)),
    "archive_read_set_seek_callback": (_INT, (_POINTER, _SEEK)),
    "archive_read_set_callback_data": (_INT, (_POINTER, _POINTER)),
    "archive_read_open1": (_INT, (_POINTER,)),
    "archive_read_next_header": (_INT, (_POINTER, ctypes.POINTER(_POINTER))),
    "archive_read_data": (ctypes.c_ssize_t, (_POINTER, _POINTER, ctypes.c_size_t)),
    "archive_read_has_encrypted_entries": (_INT, (_POINTER,)),
    "archive_error_string": (_TEXT, (_POINTER,)),
    "archive_entry_pathname": (_TEXT, (_POINTER,)),
    "archive_entry_pathname_w": (_POINTER, (_POINTER,)),
    "archive_entry_symlink_utf8": (_TEXT, (_POINTER,)),
    "archive_entry_hardlink_utf8": (_TEXT, (_POINTER,)),
    "archive_entry_filetype": (ctypes.c_uint, (_POINTER,)),
    "archive_entry_size": (_INT64, (_POINTER,)),
    "archive_entry_size_is_set": (_INT, (_POINTER,)),
    "archive_entry_mtime": (_INT64, (_POINTER,)),
    "archive_entry_mtime_is_set": (_INT, (_POINTER,)),
    "archive_entry_is_data_encrypted": (_INT, (_POINTER,)),
    "archive_entry_is_metadata_encrypted": (_INT, (_POINTER,)),
}


@cache
def library() -> ctypes.CDLL:
    """Return the loaded library, or raise ``OSError`` where it is not installed."""
    loaded = ctypes.CDLL(_LIBRARY)
    for name, (result, arguments) in _CALLS.items():
        call = getattr(loaded, name)
        call.restype, call.argtypes = result, arguments
    return loaded


def version() -> str:
    """Return the library's own name and version."""
    return str(library().archive_version_string().decode())


class Header:
    """One entry as libarchive describes it; valid until the next is asked for."""

    def __init__(self, archive: Archive, entry: int) -> None:
        self._archive = archive
        self._entry = entry

    def text(self, name: str) -> bytes:
        """Return a string of the entry, empty if it has none or it cannot be told."""
        return getattr(library(), f"archive_entry_{name}")(self._entry) or b""

    def number(self, name: str) -> int:
        """Return a number of the entry."""
        return int(getattr(library(), f"archive_entry_{name}")(self._entry))

    def wide_name(self) -> str:
        """Return the name from its wide characters, empty if the entry has none."""
        address = library().archive_entry_pathname_w(self._entry)
        points: list[int] = []
        if address:
            wide = ctypes.cast(address, ctypes.POINTER(ctypes.c_uint32))
            while (point := wide[len(points)]) and len(points) < 1 << 16:
                points.append(point)
        return "".join(chr(p) if p < 0x110000 else "\ufffd" for p in points)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes; raise ``Broken`` for damage, encryption and what is not supported."""
        return self._archive.data()


class Archive:
    """One pass over an archive of the given formats; close it, or use it as a context."""

    def __init__(
        self, source: Source, formats: tuple[str, ...], read_on: Callable[[], None]
    ) -> None:
        """Open ``source``; ``read_on`` is called whenever the library reads more of it.

        Raises:
            Broken: libarchive does not know it as one of the formats.
        """
        self._source = source
        self._read_on = read_on
        self._position = 0
        self._held = b""
        self._callbacks = (_READ(self._read), _SKIP(self._skip), _SEEK(self._seek))
        self._archive = library().archive_read_new()
        if not self._archive:
            raise MemoryError
        for name in formats:
            getattr(library(), f"archive_read_support_format_{name}")(self._archive)
        for name, callback in zip(("read", "skip", "seek"), self._callbacks, strict=True):
            getattr(library(), f"archive_read_set_{name}_callback")(self._archive, callback)
        # Makes the one data set that seeking needs; the data itself is not used.
        library().archive_read_set_callback_data(self._archive, None)
        if library().archive_read_open1(self._archive) < _WARN:
            raise self._error("damaged")

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the library holds."""
        if self._archive:
            library().archive_read_free(self._archive)
            self._archive = None

    @property
    def encrypted(self) -> bool:
        """Whether any entry read so far, or the list of them, is encrypted."""
        return int(library().archive_read_has_encrypted_entries(self._archive)) > 0

    def headers(self) -> Iterator[Header]:
        """Yield the entries; raise ``Broken`` where the list cannot be read on."""
        entry = ctypes.c_void_p()
        while True:
            result = library().archive_read_next_header(self._archive, ctypes.byref(entry))
            if result == _EOF:
                return
            if result < _WARN or not entry.value:
                raise self._error("damaged")
            yield Header(self, entry.value)

    def data(self) -> Iterator[bytes]:
        """Yield the bytes of the entry whose header came last."""
        buffer = ctypes.create_string_buffer(CHUNK)
        while True:
            length = library().archive_read_data(self._archive, buffer, CHUNK)
            if length < 0:
                raise self._error("damaged")
            if length == 0:
                return
            yield buffer.raw[:length]

    def _error(self, code: str) -> Broken:
        said = (library().archive_error_string(self._archive) or b"").decode(errors="replace")
        if "ncrypt" in said or "assword" in said:
            return Broken("encrypted", f"已加密，无法读取。 Encrypted: it cannot be read. ({said})")
        if "ultivolume" in said or "ulti-volume" in said:
            return Broken("multi_disk", f"分卷压缩包。 One volume of several. ({said})")
        if "runcated" in said:
            return Broken("truncated", f"压缩包不完整。 The archive is cut off. ({said})")
        return Broken(code, f"压缩包已损坏或不受支持。 Damaged or not supported. ({said})")

    def _read(self, _: int, __: int, buffer: Any) -> int:
        self._read_on()
        # The library reads from this buffer until it asks again.
        self._held = self._source.at(self._position, CHUNK)
        self._position += len(self._held)
        buffer[0] = ctypes.cast(ctypes.c_char_p(self._held), ctypes.c_void_p)
        return len(self._held)

    def _skip(self, _: int, __: int, length: int) -> int:
        step = max(0, min(length, self._source.size - self._position))
        self._position += step
        return step

    def _seek(self, _: int, __: int, offset: int, whence: int) -> int:
        base = {0: 0, 1: self._position, 2: self._source.size}.get(whence, 0)
        self._position = max(0, min(base + offset, self._source.size))
        return self._position

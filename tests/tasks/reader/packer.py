"""Archives whose formats Python cannot write: 7z by libarchive, rar byte by byte, stored."""

from __future__ import annotations

import ctypes
import struct
import zlib
from collections.abc import Mapping


def seven_zip(content: Mapping[str, bytes | None], compression: str = "lzma2") -> bytes:
    """Return a 7z archive; None stands for a folder."""
    library = ctypes.CDLL("libarchive.so.13")
    for name in ("archive_write_new", "archive_entry_new"):
        getattr(library, name).restype = ctypes.c_void_p
    archive = ctypes.c_void_p(library.archive_write_new())
    buffer = ctypes.create_string_buffer(sum(len(d or b"") for d in content.values()) + (1 << 16))
    used = ctypes.c_size_t()
    assert library.archive_write_set_format_7zip(archive) == 0
    options = f"7zip:compression={compression}".encode()
    assert library.archive_write_set_options(archive, options) == 0
    size = ctypes.c_size_t(len(buffer))
    assert library.archive_write_open_memory(archive, buffer, size, ctypes.byref(used)) == 0
    for name, data in content.items():
        entry = ctypes.c_void_p(library.archive_entry_new())
        library.archive_entry_set_pathname_utf8(entry, name.encode())
        library.archive_entry_set_filetype(entry, 0o040000 if data is None else 0o100000)
        library.archive_entry_set_perm(entry, 0o755)
        library.archive_entry_set_mtime(entry, ctypes.c_int64(1_700_000_000), ctypes.c_long(0))
        library.archive_entry_set_size(entry, ctypes.c_int64(len(data or b"")))
        assert library.archive_write_header(archive, entry) == 0
        if data:
            assert library.archive_write_data(archive, data, ctypes.c_size_t(len(data))) >= 0
        library.archive_entry_free(entry)
    assert library.archive_write_close(archive) == 0
    library.archive_write_free(archive)
    return buffer.raw[: used.value]


def rar5(content: Mapping[str, bytes], *, volume: bool = False, encrypted: bool = False) -> bytes:
    """Return a RAR 5.0 archive of stored files (the format's technical note, 2013)."""
    archive_flags = _vint(1 if volume else 0)
    out = b"Rar!\x1a\x07\x01\x00" + _block(1, archive_flags)
    for name, data in content.items():
        raw = name.encode()
        head = _vint(4) + _vint(len(data)) + _vint(0o100644)
        head += struct.pack("<I", zlib.crc32(data)) + _vint(0) + _vint(1) + _vint(len(raw)) + raw
        extra = b""
        if encrypted:
            record = _vint(1) + _vint(0) + _vint(0) + b"\x0f" + bytes(32)
            extra = _vint(len(record)) + record
        out += _block(2, head, extra, len(data)) + data
    return out + _block(5, _vint(0))


def _block(kind: int, body: bytes, extra: bytes = b"", data_size: int | None = None) -> bytes:
    flags = (1 if extra else 0) | (2 if data_size is not None else 0)
    head = _vint(kind) + _vint(flags)
    head += _vint(len(extra)) if extra else b""
    head += _vint(data_size) if data_size is not None else b""
    head += body + extra
    sized = _vint(len(head)) + head
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _vint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def rar4(content: Mapping[str, bytes], *, volume: bool = False, encrypted: bool = False) -> bytes:
    """Return a RAR 3 archive of stored files."""
    out = b"Rar!\x1a\x07\x00" + _old_block(0x73, int(volume), bytes(6))
    for name, data in content.items():
        raw = name.encode()
        body = struct.pack(
            "<IIBIIBBHI",
            len(data),
            len(data),
            3,
            zlib.crc32(data),
            0x5A21,
            20,
            0x30,
            len(raw),
            0o100644,
        )
        out += _old_block(0x74, 0x8000 | (4 if encrypted else 0), body + raw) + data
    return out + _old_block(0x7B, 0x4000, b"")


def _old_block(kind: int, flags: int, body: bytes) -> bytes:
    head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head

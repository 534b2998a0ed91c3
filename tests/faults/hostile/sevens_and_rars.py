"""7z and rar archives: whole, locked, in parts, damaged, and with lies in their headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.faults.hostile import shared
from tests.faults.hostile.case import (
    TEXT,
    Case,
    Entry,
    Expected,
    accept,
    bundle_entries,
    flags,
    of_exhibit,
    of_file,
    quarantine,
)
from tests.faults.hostile.rar_bytes import (
    MARK4,
    MARK5,
    block4,
    block5,
    file4,
    file5,
    locked5,
    rar4_of,
    rar5_of,
    vint,
)
from tests.faults.hostile.sevenzip_bytes import AES, SIGNATURE, number, sevenzip_of, wrapped

_SOME = frozenset({
    "good", "parent", "absolute", "symlink", "hardlink", "duplicate", "nfc-nfd-same",
    "bidi-name", "long-name", "folders", "entries-limit", "single-limit", "fifo", "empty-file",
})  # fmt: skip
_LIES_INSIDE = frozenset({
    "7z-locked", "7z-data-garbage", "7z-header-huge", "7z-crc-wrong", "rar5-locked-headers",
    "rar5-locked-file", "rar4-locked-file", "rar5-volume", "rar5-crc-wrong", "rar5-size-huge",
    "rar5-packed-garbage",
})  # fmt: skip
_INSIDE = frozenset({"good", "symlink", "hardlink", "duplicate", "entries-limit"})
_BAD = "^(unreadable|unsafe_archive|limit|no_container)"
_DOUBT = "^(part|expanded|flag|read) .*" + shared.DAMAGED


def cases() -> Iterator[Case]:
    """Yield every case of 7z and of both rar formats."""
    yield from shared.both_roles(
        shared.SEVEN, ".7z", sevenzip_of, _SOME | {"control-name"}, _INSIDE
    )
    yield from shared.both_roles(shared.RAR5, ".rar", rar5_of, _SOME, _INSIDE)
    yield from shared.both_roles(
        shared.RAR4,
        ".rar",
        rar4_of,
        frozenset({"good", "parent", "duplicate", "folders"}),
        frozenset({"good"}),
    )
    spoilt = {"cut-half": shared.cut(0.5), "byte": shared.flipped(0.6)}
    yield from shared.damaged("7z", ".7z", sevenzip_of, spoilt | {"head": shared.flipped(0.9999)})
    yield from shared.damaged("rar5", ".rar", rar5_of, spoilt)
    yield from shared.damaged("rar4", ".rar", rar4_of, spoilt)
    yield from _sevens()
    yield from _rars()


def _both(
    name: str, ending: str, build: Callable[[str], bytes], dropped: str, inside: str = _DOUBT
) -> Iterator[Case]:
    yield of_file(name, ending, lambda: build(name), quarantine(dropped))
    if name in _LIES_INSIDE:
        yield of_exhibit(f"{name}-in", f"exhibit{ending}", lambda: build(name), flags(inside))


def _whole(name: str, ending: str, build: Callable[[str], bytes], expected: Expected) -> Case:
    return of_file(name, ending, lambda: build(name), expected)


def _extra(name: str) -> list[Entry]:
    return bundle_entries(name, [Entry(b"b.txt", TEXT * 3)])


def _sevens() -> Iterator[Case]:
    yield _whole("7z-stored", ".7z", lambda name: sevenzip_of(_extra(name), pack=False), accept())
    yield _whole(
        "7z-empty", ".7z", lambda _: wrapped(b"", b""), quarantine("^(manifest_missing|unr)")
    )
    yield from _both(
        "7z-locked", ".7z",
        lambda name: sevenzip_of(_extra(name), pack=False, coder=AES, spoil=bytes(256)),
        "^(encrypted|unreadable|unsafe)", "encrypted|" + shared.DAMAGED,
    )  # fmt: skip
    yield from _both(
        "7z-method-unknown", ".7z",
        lambda name: sevenzip_of(_extra(name), pack=False, coder=b"\x03\x7f\x7f\x7f"), _BAD,
    )  # fmt: skip
    yield from _both(
        "7z-data-garbage", ".7z", lambda name: sevenzip_of(_extra(name), spoil=b"\xee" * 200), _BAD
    )
    yield from _both("7z-header-only", ".7z", lambda _: SIGNATURE + bytes(4), _BAD)
    yield from _both(
        "7z-header-huge", ".7z", lambda _: wrapped(b"", b"\x01\x00", size=1 << 50), _BAD
    )
    yield from _both(
        "7z-million-files", ".7z",
        lambda _: wrapped(b"", b"\x01\x05" + number(1 << 30) + b"\x0e\x01\x80\x00\x00"), _BAD,
    )  # fmt: skip
    yield from _both(
        "7z-crc-wrong", ".7z",
        lambda name: _other_crc(sevenzip_of(_extra(name), pack=False)), _BAD,
    )  # fmt: skip


def _other_crc(data: bytes) -> bytes:
    """Return a stored archive with a byte of its last file turned."""
    at = data.rfind(TEXT)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _rars() -> Iterator[Case]:
    secret = Entry(b"b.txt", bytes(64))
    yield from _both("rar5-locked-headers", ".rar", lambda _: locked5(),
                     "^(encrypted|unreadable|unsafe)", "encrypted|" + shared.DAMAGED)  # fmt: skip
    yield from _both(
        "rar5-locked-file", ".rar",
        lambda name: _rar5(name, file5(secret, encrypted=True)),
        "^(encrypted|unreadable|unsafe)", "encrypted",
    )  # fmt: skip
    yield from _both(
        "rar4-locked-file", ".rar", lambda name: _rar4(name, file4(secret, flags=0x04)),
        "^(encrypted|unreadable|unsafe)", "encrypted",
    )  # fmt: skip
    yield from _both(
        "rar4-locked-headers", ".rar",
        lambda _: MARK4 + block4(0x73, 0x80, bytes(6)) + bytes(range(200)),
        "^(encrypted|unreadable|unsafe)", "encrypted|" + shared.DAMAGED,
    )  # fmt: skip
    yield from _both(
        "rar5-volume", ".rar", lambda name: rar5_of(_extra(name), main=3, end=1),
        "multi_disk|multi disk|volume|unreadable", "multi_disk|volume|" + shared.DAMAGED,
    )  # fmt: skip
    yield from _both(
        "rar4-volume", ".rar", lambda name: rar4_of(_extra(name), main=1),
        "multi_disk|multi disk|volume|unreadable", "multi_disk|volume|" + shared.DAMAGED,
    )  # fmt: skip
    text, garbage = Entry(b"b.txt", TEXT), Entry(b"b.txt", b"\xaa" * 50)
    yield from _both("rar5-crc-wrong", ".rar", lambda name: _rar5(name, file5(text, crc=1)), _BAD)
    yield from _both("rar4-crc-wrong", ".rar", lambda name: _rar4(name, file4(text, crc=1)), _BAD)
    yield from _both("rar5-size-huge", ".rar",
                     lambda name: _rar5(name, file5(Entry(b"b.txt", TEXT), size=1 << 45)), _BAD,
                     "^(part|expanded|flag|read) .*")  # fmt: skip
    yield from _both("rar5-packed-garbage", ".rar",
                     lambda name: _rar5(name, file5(garbage, method=3)), _BAD)  # fmt: skip
    endless = MARK5 + block5(1, vint(0)) + bytes(4) + b"\xff" * 64
    yield from _both("rar5-header-endless", ".rar", lambda _: endless, _BAD)
    yield from _both(
        "rar5-mark-only", ".rar", lambda _: MARK5, "^(unreadable|manifest_missing|uns)", "."
    )


def _rar5(name: str, more: bytes) -> bytes:
    good = b"".join(map(file5, _extra(name)[:-1]))
    return MARK5 + block5(1, vint(0)) + good + more + block5(5, vint(0))


def _rar4(name: str, more: bytes) -> bytes:
    good = b"".join(map(file4, _extra(name)[:-1]))
    return MARK4 + block4(0x73, 0, bytes(6)) + good + more + block4(0x7B, 0x4000, b"")

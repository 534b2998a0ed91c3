"""Zip archives that lie, hide, break off or come from other countries' programs."""

from __future__ import annotations

import struct
import zlib
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
    manifest,
    of_exhibit,
    of_file,
    quarantine,
)
from tests.faults.hostile.zip_bytes import MODES, Zip, packed, unicode_path, wide_sizes, zip_of

Build = Callable[[Zip], bytes]
_INSIDE = frozenset({
    "good", "parent", "absolute", "symlink", "fifo", "duplicate", "nfc-nfd-pair", "bidi-name",
    "path-limit", "entries-limit", "single-limit", "total-limit",
})  # fmt: skip
_LIES_INSIDE = frozenset({
    "zip-crc-wrong", "zip-size-too-large", "zip-ratio-hidden-by-size", "zip-overlap",
    "zip-overlap-bomb", "zip-method-unknown", "zip-deflate-garbage", "zip-before", "zip-outside",
    "zip-name-nul",
})  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield every zip case."""
    yield from shared.both_roles(shared.ZIP, ".zip", zip_of, inside=_INSIDE)
    yield from shared.damaged(
        "zip",
        ".zip",
        zip_of,
        {
            "cut-half": shared.cut(0.5),
            "cut-end": lambda data: data[:-10],
            "head-gone": lambda data: data[64:],
            "byte-in-data": shared.flipped(0.5),
        },
    )
    for method, label in ((0, "stored"), (12, "bzip2"), (14, "lzma")):
        yield _dropped(f"zip-{label}", _good(method), accept())
    yield from _names()
    yield from _lies()
    yield from _hidden()
    yield from _locked()


def _dropped(name: str, build: Callable[[str], bytes], expected: Expected) -> Case:
    return of_file(name, ".zip", lambda: build(name), expected)


def _good(method: int) -> Callable[[str], bytes]:
    return lambda name: zip_of(bundle_entries(name), method)


def _begun(name: str, *names: str) -> Zip:
    """Return an archive with a manifest that names these files beside the good one."""
    text = manifest(name, ["good.txt", *names])
    return Zip().add(b"manifest.yaml", text, method=8).add(b"good.txt", TEXT)


def _both(name: str, mark: str, build: Build, code: str = "unsafe_archive") -> Iterator[Case]:
    """Yield one lying archive in its two roles."""

    def whole(label: str) -> bytes:
        return build(_begun(label, "b.txt"))

    yield _dropped(name, whole, quarantine(f"^{code}.*({mark})"))
    inside = flags(f"^(part|expanded|flag|read) .*({mark})")
    if name in _LIES_INSIDE:
        yield of_exhibit(f"{name}-in", "exhibit.zip", lambda: whole(name), inside)


def _names() -> Iterator[Case]:
    for label, encoding in (("gbk", "gb18030"), ("sjis-as-gbk", "gb18030")):
        text = "客户名单.txt" if label == "gbk" else "鷆鷇.txt"
        yield _dropped(
            f"zip-name-{label}",
            lambda name, text=text, encoding=encoding: (  # type: ignore[misc]
                _begun(name, text).add(text.encode(encoding), TEXT, flags=0).bytes()
            ),
            accept(),
        )
    yield _dropped(
        "zip-name-unicode-path",
        lambda name: (
            _begun(name, "合同.txt")
            .add(b"raw.txt", TEXT, flags=0, extra=unicode_path(b"raw.txt", "合同.txt"))
            .bytes()
        ),
        accept(),
    )
    yield _dropped(
        "zip-name-unicode-path-stale",
        lambda name: (
            _begun(name, "raw.txt")
            .add(b"raw.txt", TEXT, flags=0, extra=unicode_path(b"old.txt", "合同.txt"))
            .bytes()
        ),
        accept(),
    )
    yield from _both("zip-name-nul", "nul", lambda made: made.add(b"b.txt\0.exe", TEXT).bytes())
    yield from _both(
        "zip-name-empty", "empty_name|empty name", lambda made: made.add(b"", b"x").bytes()
    )
    yield from _both(
        "zip-name-dot", "empty_name|empty name", lambda made: made.add(b"a/./b.txt", b"x").bytes()
    )
    yield from _both(
        "zip-name-unc",
        "absolute|backslash",
        lambda made: made.add(b"\\\\host\\b.txt", b"x").bytes(),
    )
    yield from _both(
        "zip-socket", "special", lambda made: made.add(b"s", mode=MODES["socket"]).bytes()
    )


def _lies() -> Iterator[Case]:
    zeros = zlib.compress(bytes(2 << 20), 9)[2:-4]
    yield from _both(
        "zip-crc-wrong", "unreadable|checksum|damaged|fault|CRC|校验|不符",
        lambda made: made.add(b"b.txt", TEXT, crc=1).bytes(), code="(unreadable|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-size-too-small", ".",
        lambda made: made.add(b"b.txt", TEXT * 9, method=8, size=5).bytes(),
        code="(unreadable|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-size-too-large", ".",
        lambda made: made.add(b"b.txt", TEXT, method=8, size=900).bytes(),
        code="(unreadable|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-size-huge", "ratio|total|single|size|limit",
        lambda made: made.add(b"b.txt", TEXT, method=8, size=0xFFFFFFF0).bytes(),
        code="(limit|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-local-name-differs", "header_mismatch|header mismatch",
        lambda made: made.add(b"b.txt", TEXT, local_name=b"c.txt").bytes(),
    )  # fmt: skip
    yield from _both(
        "zip-ratio", "ratio",
        lambda made: made.add(b"b.txt", bytes(2 << 20), method=8).bytes(),
        code="(limit|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-ratio-hidden-by-size", ".",
        lambda made: made.add(b"b.txt", b"x", stored=zeros, method=8, size=900).bytes(),
        code="(unreadable|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-overlap", "overlap", _overlap,
    )  # fmt: skip
    yield from _both("zip-overlap-bomb", "overlap|entries|header|total", _overlap_bomb)
    yield from _both(
        "zip-method-unknown", "method", lambda made: made.add(b"b.txt", TEXT, method=77).bytes()
    )
    yield from _both(
        "zip-deflate-garbage", ".",
        lambda made: made.add(b"b.txt", TEXT, method=8, stored=b"\xff" * 40).bytes(),
        code="(unreadable|unsafe_archive)",
    )  # fmt: skip
    yield from _both(
        "zip-count-wrong", "truncated|directory",
        lambda made: made.add(b"b.txt", TEXT).bytes(count=9),
    )  # fmt: skip
    yield from _both(
        "zip-outside", "outside|header", lambda made: made.add(b"b.txt", TEXT, at=1 << 20).bytes()
    )
    yield from _both(
        "zip-multi-disk",
        "multi_disk|multi disk",
        lambda made: made.add(b"b.txt", TEXT).bytes(disk=3),
    )


def _overlap(made: Zip) -> bytes:
    """An entry whose header and data lie within the data of another."""
    inner = bytes(Zip().add(b"c.txt", TEXT).local)
    at = len(made.local) + 30 + len(b"b.txt")
    return made.add(b"b.txt", inner).add(b"c.txt", TEXT, at=at).bytes()


def _overlap_bomb(made: Zip) -> bytes:
    """Thirty entries that all unpack the same bytes."""
    body = packed(bytes(1 << 20), 8)
    made.add(b"b.txt", bytes(1 << 20), method=8)
    for at in range(30):
        made.add(b"b%d.txt" % at, bytes(1 << 20), method=8, stored=body, at=0)
    return made.bytes()


def _hidden() -> Iterator[Case]:
    inner = zip_of([Entry(b"evil.txt", b"hidden")])
    yield from _both(
        "zip-before", "hidden", lambda made: made.add(b"b.txt", TEXT).bytes(before=inner)
    )
    yield from _both(
        "zip-after", "hidden", lambda made: made.add(b"b.txt", TEXT).bytes(after=inner)
    )
    yield _dropped(
        "zip-comment",
        lambda name: _begun(name, "b.txt").add(b"b.txt", TEXT).bytes(comment=b"PK\x05\x06 no end"),
        accept(),
    )
    yield _dropped(
        "zip-wide-end",
        lambda name: _begun(name, "b.txt").add(b"b.txt", TEXT).bytes(wide=True),
        accept(),
    )
    yield _dropped("zip-wide-sizes", _wide, accept())
    yield _dropped("zip-empty", lambda _: Zip().bytes(), quarantine("^manifest_missing"))
    yield _dropped("zip-zero-bytes", lambda _: b"", quarantine("^no_container"))
    yield _dropped("zip-is-text", lambda _: TEXT * 9, quarantine("^no_container"))
    yield _dropped(
        "zip-without-manifest",
        lambda _: zip_of([Entry(b"good.txt", TEXT)]),
        quarantine("^manifest_missing"),
    )
    yield _dropped("zip-one-folder", _in_one_folder, accept())


def _wide(name: str) -> bytes:
    made = _begun(name, "b.txt")
    extra = wide_sizes(len(TEXT), len(TEXT))
    made.add(b"b.txt", TEXT, extra=extra)
    data = made.bytes()
    plain = struct.pack("<II", len(TEXT), len(TEXT)) + struct.pack("<HH", 5, len(extra))
    return data.replace(plain, b"\xff" * 8 + plain[8:])


def _in_one_folder(name: str) -> bytes:
    return zip_of([Entry(b"top/" + each.name, each.data) for each in bundle_entries(name)])


def _locked() -> Iterator[Case]:
    for label, method, flag in (("zipcrypto", 8, 1), ("aes", 99, 1), ("strong", 8, 0x41)):

        def build(name: str, method: int = method, flag: int = flag) -> bytes:
            made = _begun(name, "b.txt")
            secret = bytes(range(12)) + b"\x99" * 40
            made.add(b"b.txt", TEXT, method=method, flags=flag, stored=secret)
            return made.bytes()

        name = f"zip-locked-{label}"
        yield _dropped(name, build, quarantine("^encrypted"))
        yield of_exhibit(
            f"{name}-in", "locked.zip", lambda build=build: build("locked"),  # type: ignore[misc]
            flags("encrypted"),
        )  # fmt: skip

"""Tar archives that lie or break off, plain and behind each filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

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
from tests.faults.hostile.tar_bytes import END, FILTERS, GNU, entry, header, padded, pax, tar_of

_FILTERED = frozenset({"good", "char-device", "single-limit"})
_LIES_INSIDE = frozenset({
    "tar-claims-terabyte", "tar-negative-size", "tar-checksum-wrong", "tar-sparse-pax",
    "tar-pax-huge", "tar-pax-broken", "tar-name-empty",
})  # fmt: skip
_INSIDE = frozenset({
    "good", "parent", "symlink", "hardlink", "fifo", "char-device", "duplicate", "bidi-name",
    "entries-limit", "folders",
})  # fmt: skip
_BAD = "(unreadable|unsafe_archive|limit)"


def cases() -> Iterator[Case]:
    """Yield every tar case."""
    yield from shared.both_roles(shared.TAR, ".tar", tar_of, inside=_INSIDE)
    yield from shared.damaged(
        "tar",
        ".tar",
        tar_of,
        {"cut-half": shared.cut(0.5), "cut-in-header": lambda data: data[: 512 * 3 + 100]},
    )
    for filter_ in FILTERS:
        yield from _filtered(filter_)
    yield from _spellings()
    yield from _lies()


def _filtered(filter_: str) -> Iterator[Case]:
    pack = FILTERS[filter_]

    def write(entries: Sequence[Entry]) -> bytes:
        return pack(tar_of(entries))

    label, ending = f"tar-{filter_}", f".tar.{filter_}"
    only = _FILTERED if filter_ == "gz" else frozenset({"good"})
    yield from shared.both_roles(shared.TAR, ending, write, only, only, label)
    yield from shared.damaged(
        label,
        ending,
        write,
        {"cut-half": shared.cut(0.5), "byte": shared.flipped(0.5)},
        only=frozenset({"cut-half"}),
    )


def _dropped(name: str, parts: Callable[[str], bytes], expected: Expected) -> Case:
    return of_file(name, ".tar", lambda: parts(name), expected)


def _with(name: str, more: bytes, *names: bytes) -> bytes:
    """Return a bundle whose manifest names these files, which stand in bytes of their own."""
    named = [Entry(each, TEXT) for each in names]
    good = bundle_entries(name, named)[: -len(named) or None]
    return b"".join(map(entry, good)) + more + END


def _body(name: bytes, data: bytes = TEXT, **changes: object) -> bytes:
    return header(name, len(data), **changes) + padded(data)  # type: ignore[arg-type]


def _spellings() -> Iterator[Case]:
    long = b"d" * 90 + b"/" + b"f" * 90
    yield _dropped(
        "tar-dot-slash",
        lambda name: tar_of(
            [
                Entry(b"./", kind="folder"),
                *(Entry(b"./" + e.name, e.data) for e in bundle_entries(name)),
            ]
        ),
        accept(),
    )
    yield _dropped(
        "tar-ustar-prefix",
        lambda name: _with(name, _body(b"f" * 90, prefix=b"d" * 90), long),
        accept(),
    )
    yield _dropped(
        "tar-pax-path",
        lambda name: _with(name, pax({b"path": long}) + _body(b"short"), long),
        accept(),
    )
    yield _dropped(
        "tar-pax-size",
        lambda name: _with(
            name, pax({b"size": b"%d" % len(TEXT)}) + header(b"b.txt", 0) + padded(TEXT), b"b.txt"
        ),
        accept(),
    )
    yield _dropped(
        "tar-not-utf8",
        lambda name: _with(name, _body("客户".encode("gbk")), "客户".encode()),
        accept(),
    )
    yield _dropped(
        "tar-no-end",
        lambda name: tar_of(bundle_entries(name))[: -len(END)],
        quarantine("^unsafe_archive.*truncated"),
    )
    yield _dropped(
        "tar-base256-size",
        lambda name: _with(
            name,
            _body(b"b.txt", size_field=b"\x80" + len(TEXT).to_bytes(11, "big"), magic=GNU),
            b"b.txt",
        ),
        accept(),
    )


def _both(name: str, more: bytes, mark: str, code: str = "unsafe_archive") -> Iterator[Case]:
    yield _dropped(name, lambda _: _with(name, more, b"b.txt"), quarantine(f"^{code}.*({mark})"))
    if name in _LIES_INSIDE:
        yield of_exhibit(
            f"{name}-in",
            "exhibit.tar",
            lambda: entry(Entry(b"a.txt", TEXT)) + more + END,
            flags(f"^(part|expanded|flag|read) .*({mark})"),
        )


def _lies() -> Iterator[Case]:
    sparse = {b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0", b"GNU.sparse.name": b"b.txt",
              b"GNU.sparse.realsize": b"99999999999"}  # fmt: skip
    yield from _both("tar-claims-terabyte", header(b"b.txt", 1 << 40), ".", _BAD)
    yield from _both("tar-claims-2-70", header(b"b.txt", 1 << 70), ".", _BAD)
    yield from _both(
        "tar-negative-size", header(b"b.txt", size_field=b"\xff" * 12, magic=GNU), ".", _BAD
    )
    yield from _both("tar-size-no-digits", header(b"b.txt", size_field=b"zzzzzzzzzzz\0"), ".", _BAD)
    yield from _both("tar-checksum-wrong", _body(b"b.txt", sum_field=b"000001\0 "), ".", _BAD)
    yield from _both("tar-sparse-pax", pax(sparse) + _body(b"s"), "sparse")
    yield from _both("tar-sparse-gnu", _body(b"b.txt", kind=b"S", magic=GNU), "sparse")
    yield from _both("tar-pax-huge", header(b"p", 1 << 33, kind=b"x"), ".", _BAD)
    yield from _both("tar-pax-broken", header(b"p", 9, kind=b"x") + padded(b"99 path=a"), ".", _BAD)
    yield from _both(
        "tar-longname-huge", header(b"././@LongLink", 1 << 33, kind=b"L", magic=GNU), ".", _BAD
    )
    yield from _both(
        "tar-pax-parent", pax({b"path": b"../../outside/new.txt"}) + _body(b"b.txt"), "parent"
    )
    yield from _both(
        "tar-pax-global-path", pax({b"path": b"../outside/new.txt"}, b"g") + _body(b"b.txt"),
        ".", "(unsafe_archive|unreadable|listed_missing|unlisted)",
    )  # fmt: skip
    yield from _both("tar-type-unknown", _body(b"b.txt", kind=b"Q"), "special|kind|type", _BAD)
    yield from _both("tar-name-empty", _body(b""), "empty_name|empty name")
    yield _dropped("tar-zero-blocks", lambda _: END * 10, quarantine("^no_container"))
    yield _dropped("tar-zero-bytes", lambda _: b"", quarantine("^no_container"))
    yield _dropped(
        "tar-second-after-end",
        lambda name: tar_of(bundle_entries(name)) + tar_of([Entry(b"evil.txt", b"hidden")]),
        quarantine("hidden|unreadable"),
    )
    yield of_exhibit(
        "tar-trailing-noise-in", "exhibit.tar",
        lambda: tar_of([Entry(b"a.txt", TEXT)]) + shared.NOISE, flags("hidden|trailing|problem"),
    )  # fmt: skip

"""Containers in containers: to the set depth, beyond it, with loops, and of mixed formats."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from tests.faults.hostile.case import (
    TEXT,
    Case,
    Entry,
    accept,
    bundle_entries,
    flags,
    of_exhibit,
    of_file,
)
from tests.faults.hostile.mails import mixed, part
from tests.faults.hostile.ole_bytes import compound, message, tnef
from tests.faults.hostile.rar_bytes import rar5_of
from tests.faults.hostile.sevenzip_bytes import sevenzip_of
from tests.faults.hostile.tar_bytes import FILTERS, gzipped, tar_of
from tests.faults.hostile.zip_bytes import Zip, zip_of

DEEP = "too_deep|depth"


def in_zips(depth: int, data: bytes = TEXT) -> bytes:
    """Return a text in so many zips."""
    for at in range(depth):
        data = zip_of([Entry(b"inner.zip" if at else b"inner.txt", data)])
    return data


def cases() -> Iterator[Case]:
    """Yield every nesting."""
    yield of_exhibit("nest-2-zips", "a.zip", lambda: in_zips(2), accept("^expanded"))
    yield of_exhibit("nest-3-zips", "a.zip", lambda: in_zips(3), accept("^expanded"))
    yield of_exhibit("nest-8-zips", "a.zip", lambda: in_zips(8), flags(DEEP))
    yield of_exhibit("nest-60-zips", "a.zip", lambda: in_zips(60), flags(DEEP))
    yield of_exhibit("nest-quine", "a.zip", _itself, flags(".+"))
    yield of_exhibit("nest-fan-out", "a.zip", _fan_out, flags("limit|entries|total|too_deep"))
    yield of_exhibit("nest-gz-chain", "a.gz", _gz_chain, flags(DEEP))
    yield of_exhibit(
        "nest-gz-bomb",
        "a.gz",
        lambda: gzipped(bytes(24 << 20)),
        flags("^part .*(ratio|size|total|[Ll]arger)"),
    )
    yield of_exhibit(
        "nest-gz-gz-bomb",
        "a.gz",
        lambda: gzipped(gzipped(bytes(64 << 20))),
        flags("^part .*(ratio|size|total|[Ll]arger)"),
    )
    yield of_exhibit(
        "nest-gz-two-members", "a.gz", lambda: gzipped(TEXT) + gzipped(TEXT), accept("^expanded")
    )
    for label, pack in FILTERS.items():
        yield of_exhibit(
            f"nest-single-{label}", f"a.txt.{label}", _packed(pack), accept("^expanded")
        )
        yield of_exhibit(
            f"nest-single-{label}-cut",
            f"a.txt.{label}",
            _cut(pack),
            flags("^(part|read|flag|expanded) .*"),
        )
    yield of_exhibit("nest-mixed", "a.eml", _mixed, accept("^expanded"))
    yield of_exhibit(
        "nest-mail-in-msg",
        "a.msg",
        lambda: compound(message(attachments=[("a.eml", mixed(part(b"b.txt", TEXT)))])),
        accept(),
    )
    yield of_exhibit(
        "nest-zip-in-tnef", "winmail.dat", lambda: tnef([(b"a.zip", in_zips(1))]), accept()
    )
    yield of_exhibit(
        "nest-wrong-ending", "photo.jpg", lambda: in_zips(1), flags("mismatch|part|expanded")
    )
    yield of_exhibit("nest-one-bad-of-three", "a.zip", _one_bad, flags("^part .*"))
    yield of_file(
        "nest-dropped-zip-in-zip",
        ".zip",
        lambda: zip_of(bundle_entries("nest-dropped-zip-in-zip", [Entry(b"a.zip", in_zips(1))])),
        accept(),
    )
    yield of_file(
        "nest-dropped-bad-in-zip",
        ".zip",
        lambda: zip_of(
            bundle_entries(
                "nest-dropped-bad-in-zip", [Entry(b"a.zip", b"PK\x03\x04" + b"\xff" * 60)]
            )
        ),
        flags("^(read|part|flag) .*"),
    )
    yield of_file(
        "nest-dropped-deep",
        ".zip",
        lambda: zip_of(bundle_entries("nest-dropped-deep", [Entry(b"a.zip", in_zips(9))])),
        flags(DEEP),
    )


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: pack(TEXT * 20)


def _cut(pack: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    noise = bytes((at * 167 + at // 7 * 31) % 251 for at in range(9000))
    return lambda: pack(noise)[:3000]


def _itself() -> bytes:
    """Return a zip whose one member begins with the zip's own first bytes, as a quine would."""
    made = in_zips(1)
    return Zip().add(b"r/r.zip", made + made).add(b"a.txt", TEXT).bytes()


def _fan_out() -> bytes:
    """Return ten zips of ten zips of ten texts: few bytes, many parts."""
    data = zip_of([Entry(b"%d.txt" % at, b"%d" % at) for at in range(10)])
    for _ in range(2):
        data = zip_of([Entry(b"%d.zip" % at, data) for at in range(10)])
    return data


def _gz_chain() -> bytes:
    data = TEXT
    for _ in range(12):
        data = gzipped(data)
    return data


def _mixed() -> bytes:
    inner = rar5_of([Entry(b"b.txt", TEXT)])
    return mixed(
        part(b"a.7z", sevenzip_of([Entry(b"c.rar", inner)])),
        part(b"a.tar", tar_of([Entry(b"d.txt", TEXT)])),
    )


def _one_bad() -> bytes:
    """Return a zip of which the second member is damaged; the others must be read."""
    spoiled = b"\xff" * 20 + zlib.compress(TEXT)
    made = Zip().add(b"1.txt", TEXT)
    return made.add(b"2.txt", TEXT, method=8, stored=spoiled).add(b"3.txt", TEXT).bytes()

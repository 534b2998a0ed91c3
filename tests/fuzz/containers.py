"""Listers of containers and documents, called as the cell calls them but without its walls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tasks.reader import zipdir
from tasks.reader.containers import kinds, serve
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.mediatype import media_type
from tasks.reader.source import Source
from tests.faults.hostile import mails, ole_bytes
from tests.faults.hostile.case import Entry
from tests.faults.hostile.rar_bytes import locked5, rar4_of, rar5_of
from tests.faults.hostile.sevenzip_bytes import sevenzip_of
from tests.faults.hostile.tar_bytes import FILTERS, pax, tar_of
from tests.faults.hostile.zip_bytes import Zip, packed, zip_of
from tests.fuzz.targets import Target

LIMITS = Limits(200, 4 << 20, 200, 1 << 20, 4096)
_GOOD = [
    Entry(b"a.txt", b"text"), Entry("目录/b.txt".encode(), b"b" * 600), Entry(b"d", kind="folder"),
    Entry(b"s", kind="symlink", target=b"../x"),
]  # fmt: skip


def targets() -> Iterator[Target]:
    """Yield the targets of containers; each starts from archives of its own format."""
    yield Target("zip-directory", _directory, (Refused,), _zips)
    yield Target("container-zip", walk, (Refused,), _zips)
    yield Target("container-tar", walk, (Refused,), _tars)
    yield Target("container-packed", walk, (Refused,), _packed)
    yield Target("container-mail", walk, (Refused,), _mails)
    yield Target("container-outlook", walk, (Refused,), _outlook)
    yield Target("media-type", lambda data: media_type(Source(data)), (Refused,), _all)


def _directory(data: bytes) -> None:
    zipdir.list_zip(Source(data), LIMITS)


def walk(data: bytes) -> None:
    """List a container and take every member out, as the two jobs of the cell do.

    What a member's own bytes provoke is caught in the cell and harms that member alone, so it
    is no finding here either; what the listing provokes would lose the whole container.
    """
    source = Source(data)
    serve.contents(source, LIMITS, _nothing)
    walker = kinds.walker(source, LIMITS, _nothing)
    for entry in walker or ():
        try:
            for _ in serve.checked(entry, LIMITS):
                pass
        except Exception:  # noqa: BLE001 - as tasks/reader/containers/serve.py does
            continue


def _nothing() -> None:
    """Tick for nobody."""


def _zips() -> Iterable[bytes]:
    for method in (0, 8, 12, 14):
        yield zip_of(_GOOD, method)
    yield Zip().add(b"a", b"x").bytes(wide=True)
    yield Zip().add("客户".encode("gbk"), b"x", flags=0).bytes(comment=b"c", before=b"PK\x03\x04")
    yield Zip().add(b"b", b"x", flags=1, stored=packed(b"x", 8), method=99).bytes()
    yield Zip().add(b"META-INF/MANIFEST.MF", b"x").bytes()


def _tars() -> Iterable[bytes]:
    plain = tar_of(_GOOD)
    yield plain
    yield pax({b"path": b"long", b"size": b"3"}) + plain
    yield tar_of([Entry(b"n" * 200, b"x")])
    for pack in FILTERS.values():
        yield pack(plain)
        yield pack(b"single")


def _packed() -> Iterable[bytes]:
    yield sevenzip_of(_GOOD)
    yield sevenzip_of(_GOOD, pack=False)
    yield rar5_of(_GOOD)
    yield rar4_of(_GOOD)
    yield locked5()


def _mails() -> Iterable[bytes]:
    for _, data, _ in (*mails._eml(), *mails._odd_eml(), *mails._mbox()):
        if len(data) < 5000:
            yield data


def _outlook() -> Iterable[bytes]:
    small = [("a.txt", b"attachment")]
    yield ole_bytes.compound(ole_bytes.message(attachments=small))
    yield ole_bytes.compound(ole_bytes.message(inner=ole_bytes.as_inner(ole_bytes.message())))
    yield ole_bytes.tnef([(b"a.txt", b"attachment"), (b"b.txt", b"b")])
    yield ole_bytes.tnef([(b"a.txt", b"attachment")], spoil=True)


def _all() -> Iterable[bytes]:
    seeds: tuple[Callable[[], Iterable[bytes]], ...] = (_zips, _tars, _packed, _mails, _outlook)
    for each in seeds:
        yield from each()

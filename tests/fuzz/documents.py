"""Parsers of our own inside documents, called as the cell calls them but without its walls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tasks.reader import password, pdf_revisions, pdf_xmp, plausible, zipcrypt, zipdir
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.searchable import over_image
from tasks.reader.source import Source
from tests.fuzz.targets import Target, Unfaithful, same
from tests.tasks.reader import locked_made, pdf_made

_WORD = "pass"


def targets() -> Iterator[Target]:
    """Yield the targets of documents; where a parser refuses, it says so and nothing else."""
    yield Target("pdf-revisions", _revisions, (), _pdfs)
    yield Target("pdf-signed", _signed, (Refused,), _signed_pdfs)
    yield Target("pdf-metadata", _metadata, (), _packets)
    yield Target("pdf-date", lambda data: pdf_xmp.pdf_time(data.decode("latin-1")), (), _dates)
    yield Target(
        "plausible", lambda d: plausible.implausible(d.decode("utf-8", "replace")), (), _texts
    )
    yield Target("zip-locked", _locked, (Refused,), _zips)
    yield Target("png-samples", lambda data: over_image.png_object(data, b""), (), _pngs)


def _revisions(data: bytes) -> None:
    """Find the revisions; their ranges must be those of the file, one after the other."""
    found = pdf_revisions.find(Source(data))
    starts = [0, *(each.end for each in found.all)][:-1]
    if found.all[-1].end != len(data) or [each.start for each in found.all] != starts:
        raise Unfaithful(f"{found} of {len(data)}")


def _signed(data: bytes) -> None:
    """Verify signatures; one that nothing follows is intact only over the whole of the file."""
    from tasks.reader.pdf_signed import asking, examine
    from tasks.reader.pdf_signed_answer import Signed
    from tasks.reader.strict import as_json, loads, parse

    found = examine(Source(data), asking("2026-03-17T10:00:00+08:00", ()))
    same(parse(Signed, loads(json.dumps(as_json(found)).encode())), found)
    for each in found.signatures:
        if each.state == "intact" and each.changes == "none" and each.coverage == "part":
            raise Unfaithful(str(each))


def _plausible(data: bytes) -> None:
    plausible.implausible(data.decode("utf-8", "replace"))


def _metadata(data: bytes) -> None:
    found = pdf_xmp.read_xmp(data)
    pdf_xmp.compare({"CreationDate": "D:2026", "Title": "x"}, found)


def _locked(data: bytes) -> None:
    """Open every locked entry as the cell does with a password; what is damaged refuses."""
    from tasks.reader import members

    password.give(_WORD)
    try:
        source = Source(data)
        for member in zipdir.list_zip(source, Limits(50, 4 << 20, 200, 1 << 20, 4096)).members:
            if member.encrypted and zipcrypt.opens(source, member):
                for _ in members.unpack(source, member, 1 << 20):
                    pass
    finally:
        password.give("")


def _pdfs() -> Iterable[bytes]:
    yield pdf_made.with_history("one", "two", "three")
    yield pdf_made.linearised()
    yield b"junk" + pdf_made.with_history("one", "two") + b"PK\x03\x04"


def _signed_pdfs() -> Iterable[bytes]:
    from tests.tasks.reader.signed_made import HOSTILE, Signers, annotated, drawn

    signed = Signers().all(drawn())
    yield from (signed, annotated(signed), *HOSTILE.values())


def _packets() -> Iterable[bytes]:
    yield (
        b'<x xmlns:r="r" xmlns:m="m"><r:Description m:Producer="p"><m:History><r:Seq>'
        b'<r:li m:when="2026" m:action="saved"/></r:Seq></m:History></r:Description></x>'
    )


def _dates() -> Iterable[bytes]:
    yield b"D:20260105100000+08'00'"
    yield b"D:2026"


def _texts() -> Iterable[bytes]:
    yield "甲方应当按照本合同约定的时间交付货物".encode() * 3
    yield b"(cid:12)(cid:13)(cid:14)" * 5


def _zips() -> Iterable[bytes]:
    for kind in ("old", "aes128", "aes256"):
        yield locked_made.zip_of({"a.txt": b"text " * 40}, _WORD, kind)


def _pngs() -> Iterable[bytes]:
    from PIL import Image

    from tests.tasks.reader.samples import image_bytes

    for mode in ("L", "RGB", "P", "1"):
        yield image_bytes(Image.new(mode, (3, 2)))

"""The words over a PDF: the original byte for byte, and an incremental save behind it.

So the copy begins with the evidence, whole, and taking the layer off is cutting the file. Each
page that gets words is written again with its old content between ``q`` and ``Q``; no other
object changes. A file that cannot be continued so (its cross-references are damaged, or it is
encrypted) is rewritten by pypdf with the same pages; its bytes are then not those of the original.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    TextStringObject,
)

from tasks.reader.job import Refused
from tasks.reader.pdf_revisions import is_table
from tasks.reader.pdf_structure import opened, resolved
from tasks.reader.searchable import font
from tasks.reader.searchable.layer import FONT_KEY, LayerPage, Quad, content
from tasks.reader.source import Source

MARK = "/ZhenglianDerivative"


def build(source: Source, pages: Mapping[int, LayerPage], said: str) -> Iterator[bytes]:
    """Yield the copy in pieces; ``said`` is what its metadata say of it."""
    plain = _continuable(source)
    whole = source if plain else Source(_rewritten(source), source.name)
    with opened(whole) as reader:
        added = _Added(whole, reader, said)
        for number, page in enumerate(reader.pages, 1):
            if number in pages and pages[number].words:
                added.page(page, pages[number])
        update = added.whole()
    for at in range(0, whole.size, 1 << 18):
        yield whole.at(at, 1 << 18)
    yield update


def _continuable(source: Source) -> bool:
    """Return whether a file is whole: not encrypted, and its last offset leads to its table."""
    with suppress(Exception), opened(source) as reader:
        return not reader.is_encrypted and is_table(source, _last_table(source))
    return False


def _rewritten(source: Source) -> bytes:
    out = io.BytesIO()
    try:
        with opened(source) as reader:
            pypdf.PdfWriter(clone_from=reader).write(out)
    except Exception as error:
        raise Refused("此 PDF 无法加上文字层。 No layer can be put over this PDF.") from error
    return out.getvalue()


def _last_table(source: Source) -> int:
    tail = source.tail(2048)
    return int(tail[tail.rindex(b"startxref") + 9 :].split()[0])


class _Added:
    """The objects of an incremental save, and the table that leads to them."""

    def __init__(self, source: Source, reader: pypdf.PdfReader, said: str) -> None:
        self._base = source.size
        self._previous = _last_table(source)
        self._reader = reader
        self._by_stream = source.at(self._previous, 5).strip()[:4] != b"xref"
        size: Any = reader.trailer["/Size"]
        self._next: int = max(int(size), _highest(reader) + 1)
        self._out = bytearray(b"\n")
        self._places: dict[tuple[int, int], int] = {}
        self._font = self._next
        for body in font.objects(self._font):
            self._add(body)
        self._begin = self._add(font.stream(b"q"))
        self._end = self._add(font.stream(b"Q"))
        self._about = self._add(_serial(_info(reader, said)))

    def page(self, page: Any, words: LayerPage) -> None:
        """Write a page again, with words over what it has."""
        body = zlib.compress(content(words, _shown(page), int(page.rotation or 0)), 6)
        layer = self._add(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(body) + body + b"\nendstream"
        )
        new = DictionaryObject()
        for key in page:
            new[NameObject(key)] = page.raw_get(key)
        new[NameObject("/Contents")] = ArrayObject(
            [self._ref(self._begin), *_contents(page), self._ref(self._end), self._ref(layer)]
        )
        new[NameObject("/Resources")] = self._resources(page)
        held = page.indirect_reference
        self._write(held.idnum, held.generation, _serial(new))

    def whole(self) -> bytes:
        """Return the whole save, its table and trailer at the end."""
        place = self._base + len(self._out)
        root = self._reader.trailer.raw_get("/Root")
        about = b"/Root %d %d R /Info %d 0 R /Prev %d" % (
            root.idnum, root.generation, self._about, self._previous,
        )  # fmt: skip
        if "/ID" in self._reader.trailer:
            about += b" /ID " + _serial(resolved(self._reader.trailer["/ID"]))
        self._out += self._table_stream(place, about) if self._by_stream else self._table(about)
        return bytes(self._out) + b"startxref\n%d\n%%%%EOF\n" % place

    def _table(self, about: bytes) -> bytes:
        lines = b"".join(
            b"%d 1\n%010d %05d n \n" % (number, place, generation)
            for (number, generation), place in sorted(self._places.items())
        )
        return b"xref\n" + lines + b"trailer\n<< /Size %d %s >>\n" % (self._next, about)

    def _table_stream(self, place: int, about: bytes) -> bytes:
        self._places[self._next, 0] = place
        number, self._next = self._next, self._next + 1
        rows = sorted(self._places.items())
        index = b" ".join(b"%d 1" % key[0] for key, _ in rows)
        data = b"".join(
            b"\x01" + at.to_bytes(8, "big") + key[1].to_bytes(2, "big") for key, at in rows
        )
        body = font.stream(
            data,
            b"/Type /XRef /W [1 8 2] /Index [%s] /Size %d %s" % (index, self._next, about),
        )
        return b"%d 0 obj\n" % number + body + b"\nendobj\n"

    def _resources(self, page: Any) -> DictionaryObject:
        """Return a page's resources, its own or those above it, with our font among the fonts."""
        holder: Any = page
        for _ in range(64):
            if holder is None or "/Resources" in holder:
                break
            holder = resolved(holder.get("/Parent"))
        old = resolved(holder.get("/Resources")) if holder is not None else None
        new = _copied(old)
        fonts = _copied(resolved(old.get("/Font")) if isinstance(old, DictionaryObject) else None)
        fonts[NameObject(FONT_KEY.decode())] = self._ref(self._font)
        new[NameObject("/Font")] = fonts
        return new

    def _ref(self, number: int) -> IndirectObject:
        return IndirectObject(number, 0, self._reader)

    def _add(self, body: bytes) -> int:
        number, self._next = self._next, self._next + 1
        self._write(number, 0, body)
        return number

    def _write(self, number: int, generation: int, body: bytes) -> None:
        self._places[number, generation] = self._base + len(self._out)
        self._out += b"%d %d obj\n" % (number, generation) + body + b"\nendobj\n"


def _shown(page: Any) -> Quad:
    """Return what a viewer shows of a page: the crop box, as far as it lies on the medium."""
    crop, media = page.cropbox, page.mediabox
    return (
        max(float(crop.left), float(media.left)),
        max(float(crop.bottom), float(media.bottom)),
        min(float(crop.right), float(media.right)),
        min(float(crop.top), float(media.top)),
    )


def _highest(reader: pypdf.PdfReader) -> int:
    tables = [number for places in reader.xref.values() for number in places]
    return max([*tables, *reader.xref_objStm], default=0)


def _contents(page: Any) -> list[Any]:
    """Return the references to what a page has so far."""
    held = page.raw_get("/Contents") if "/Contents" in page else None
    if held is None:
        return []
    found = resolved(held)
    return list(found) if isinstance(found, ArrayObject) else [held]


def _copied(old: Any) -> DictionaryObject:
    new = DictionaryObject()
    for key in old if isinstance(old, DictionaryObject) else ():
        new[NameObject(key)] = old.raw_get(key)
    return new


def _info(reader: pypdf.PdfReader, said: str) -> DictionaryObject:
    """Return the file's own metadata with one line more; nothing of the original is changed."""
    held = reader.trailer.raw_get("/Info") if "/Info" in reader.trailer else None
    new = _copied(resolved(held))
    new[NameObject(MARK)] = TextStringObject(said)
    return new


def _serial(value: Any) -> bytes:
    out = io.BytesIO()
    value.write_to_stream(out)
    return out.getvalue()

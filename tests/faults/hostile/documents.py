"""Documents as evidence: PDF, images and Office files that are broken, locked, or bombs."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.faults.hostile.case import TEXT, Case, Entry, Expected, accept, flags, of_exhibit
from tests.faults.hostile.shared import cut, flipped
from tests.faults.hostile.zip_bytes import Zip, zip_of
from tests.tasks.reader import samples

_DOUBT = "^(part|flag|read) (?!read$)"
_NOT_READ = "^read (damaged|unreadable|partly_read|unknown_type|empty)"
Build = Callable[[], bytes]


def cases() -> Iterator[Case]:
    """Yield every document."""
    for group, ending in ((_pdfs, "pdf"), (_images, "png"), (_sheets, "xlsx"), (_words, "docx")):
        for name, build, expected in group():
            label = {"png": "image"}.get(ending, ending)
            yield of_exhibit(f"{label}-{name}", f"file.{ending}", build, expected)
    for name, build, expected in _mixed():
        yield of_exhibit(f"doc-{name}", "file.doc", build, expected)


def _pdf() -> bytes:
    return samples.pdf(["合同文本 one", "two"], invariant=1)


def _small_pdf(objects: list[bytes], trailer: bytes = b"<</Root 1 0 R/Size 9>>") -> bytes:
    out = b"%PDF-1.7\n"
    for number, body in enumerate(objects, 1):
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    return out + b"trailer\n" + trailer + b"\nstartxref\n0\n%%EOF"


def _stream(data: bytes, more: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n" % (len(data), more) + data + b"\nendstream"


def _pdfs() -> Iterator[tuple[str, Build, Expected]]:
    bomb = zlib.compress(zlib.compress(bytes(64 << 20), 9), 9)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
    root, kids = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    yield "good", _pdf, accept()
    yield "cut-half", lambda: cut(0.5)(_pdf()), flags(_NOT_READ)
    yield "cut-tail", lambda: _pdf()[:-30], flags(_DOUBT + "|read read")
    yield "header-only", lambda: b"%PDF-1.7\n", flags(_NOT_READ)
    yield "xref-wrong", lambda: _pdf().replace(b"startxref\n", b"startxref\n9"), flags("^read ")
    yield "byte-in-stream", lambda: flipped(0.6)(_pdf()), flags("^read ")
    yield "locked", lambda: samples.locked_pdf("secret", "owner"), flags("encrypted")
    yield "owner-locked", lambda: samples.locked_pdf("", "owner"), flags("^read read|^flag")
    yield (
        "kids-loop",
        lambda: _small_pdf([root, b"<</Type/Pages/Kids[2 0 R]/Count 9>>"]),
        flags(_NOT_READ),
    )
    yield (
        "count-huge",
        lambda: _small_pdf([root, b"<</Type/Pages/Kids[3 0 R]/Count 2147483647>>", page]),
        flags("^read "),
    )
    yield (
        "stream-bomb",
        lambda: _small_pdf([root, kids, page, _stream(bomb, b"/Filter[/FlateDecode/FlateDecode]")]),
        flags("^read "),
    )
    yield (
        "length-wrong",
        lambda: _small_pdf([root, kids, page, b"<</Length 999999999>>stream\nBT ET\nendstream"]),
        flags("^read "),
    )
    yield (
        "page-enormous",
        lambda: _small_pdf([root, kids, page.replace(b"9 9", b"9e9 9e9"), _stream(b"0 0 m")]),
        flags("^read "),
    )
    yield "arrays-nested", lambda: _small_pdf([root + b"[" * 20_000, kids, page]), flags("^read ")
    yield (
        "attachment-evil",
        lambda: samples.pdf_with_attachment("../../new.txt", TEXT),
        flags("^read "),
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes, *more: bytes) -> bytes:
    """Return a grey PNG that claims a size."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    )


def _picture(form: str) -> bytes:
    return samples.image_bytes(Image.new("L", (60, 40), "white"), form)


def _images() -> Iterator[tuple[str, Build, Expected]]:
    text_bomb = _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(64 << 20), 9))
    small = zlib.compress(bytes(41 * 61))
    yield "blank", lambda: _picture("PNG"), flags("empty|ocr")
    yield (
        "png-bomb",
        lambda: png(60_000, 60_000, zlib.compress(bytes(60_001 * 90), 9)),
        flags(_DOUBT),
    )
    yield "png-size-zero", lambda: png(0, 0, small), flags(_NOT_READ)
    yield "png-size-max", lambda: png(0x7FFFFFFF, 0x7FFFFFFF, small), flags(_NOT_READ)
    yield "png-text-bomb", lambda: png(60, 40, small, text_bomb), flags(_DOUBT)
    yield "png-cut", lambda: _picture("PNG")[:-20], flags(_DOUBT)
    yield "png-crc", lambda: flipped(0.5)(_picture("PNG")), flags(_DOUBT)
    yield "jpeg-cut", lambda: _picture("JPEG")[:200], flags(_DOUBT)
    yield "jpeg-head", lambda: b"\xff\xd8\xff\xe0", flags(_NOT_READ)
    yield "gif-frames", _many_frames, flags(_DOUBT)
    yield "tiff-loop", _tiff_loop, flags(_DOUBT)
    yield (
        "tiff-bomb",
        lambda: _tiff({256: 500_000, 257: 500_000, 258: 8, 259: 1, 262: 1, 273: 8, 279: 99}),
        flags(_DOUBT),
    )
    yield "tiff-cut", lambda: _picture("TIFF")[:60], flags(_NOT_READ)
    yield (
        "bmp-negative",
        lambda: (
            b"BM"
            + struct.pack(
                "<IHHIIiiHHIIIIII", 99, 0, 0, 54, 40, -9, -(1 << 31), 1, 24, 0, 0, 0, 0, 0, 0
            )
        ),
        flags(_NOT_READ),
    )
    yield "webp-head", lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 ", flags(_NOT_READ)


def _many_frames() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("L", (4, 4), at % 256) for at in range(300)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _tiff(tags: dict[int, int], after: int = 0) -> bytes:
    made = struct.pack("<H", len(tags))
    made += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8) + made + struct.pack("<I", after)


def _tiff_loop() -> bytes:
    """Return a picture whose first page is followed by itself."""
    return _tiff({256: 4, 257: 4, 258: 8, 259: 1, 262: 1, 273: 8, 278: 4, 279: 16}, after=8)


_OPEN = b"http://schemas.openxmlformats.org/"
_TYPES = (
    b'<?xml version="1.0"?><Types xmlns="' + _OPEN + b'package/2006/content-types">'
    b'<Default Extension="xml" ContentType="application/xml"/>'
    b'<Default Extension="rels" ContentType='
    b'"application/vnd.openxmlformats-package.relationships+xml"/>'
    b'<Override PartName="/word/document.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELS = (
    b'<?xml version="1.0"?><Relationships xmlns="' + _OPEN + b'package/2006/relationships">'
    b'<Relationship Id="r1" Type="' + _OPEN + b'officeDocument/2006/relationships/officeDocument"'
    b' Target="word/document.xml"/></Relationships>'
)
_W = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
_END = b"</w:body></w:document>"


def word(document: bytes, *more: Entry) -> bytes:
    """Return a docx whose text part is these bytes."""
    return zip_of([
        Entry(b"[Content_Types].xml", _TYPES), Entry(b"_rels/.rels", _RELS),
        Entry(b"word/document.xml", document), *more,
    ])  # fmt: skip


def _words() -> Iterator[tuple[str, Build, Expected]]:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10) for at in range(1, 10))
    dtd = b'<!DOCTYPE w [<!ENTITY l0 "lol">' + laughs + b"]>"
    outside = b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    run = b"<w:p><w:r><w:t>%s</w:t></w:r></w:p>"
    yield "good", lambda: word(_W + run % "合同".encode() + _END), accept()
    yield "entity-bomb", lambda: word(dtd + _W + run % b"&l9;" + _END), flags(_DOUBT)
    yield "entity-outside", lambda: word(outside + _W + run % b"&x;" + _END), flags(_DOUBT)
    yield "xml-nested", lambda: word(_W + b"<w:p>" * 30_000), flags(_DOUBT)
    yield "xml-cut", lambda: word(_W + run % b"text"), flags(_DOUBT)
    yield (
        "xml-missing",
        lambda: zip_of([Entry(b"[Content_Types].xml", _TYPES), Entry(b"_rels/.rels", _RELS)]),
        flags("."),
    )
    yield (
        "part-bomb",
        lambda: word(_W + _END, Entry(b"word/media/a.xml", bytes(8 << 20))),
        flags("."),
    )
    yield (
        "part-parent",
        lambda: word(_W + run % b"text" + _END, Entry(b"../outside/new.txt", TEXT)),
        flags("."),
    )
    yield "cut", lambda: samples.word()[:4000], flags(_DOUBT)


def _sheets() -> Iterator[tuple[str, Build, Expected]]:
    huge = b'<worksheet xmlns="' + _OPEN + b'spreadsheetml/2006/main">'
    huge += b'<dimension ref="A1:XFD1048576"/><sheetData/></worksheet>'
    yield "good", samples.sheet, flags("^read read|^flag")
    yield (
        "dimension-huge",
        lambda: _replaced(samples.sheet(), b"xl/worksheets/sheet1.xml", huge),
        flags("^read "),
    )
    yield (
        "xml-garbage",
        lambda: _replaced(samples.sheet(), b"xl/workbook.xml", b"<<<"),
        flags(_DOUBT),
    )
    yield (
        "sheet-missing",
        lambda: _replaced(samples.sheet(), b"xl/worksheets/sheet1.xml", None),
        flags(_DOUBT),
    )
    yield "byte", lambda: flipped(0.5)(samples.sheet()), flags("^read ")


def _replaced(data: bytes, name: bytes, body: bytes | None) -> bytes:
    import zipfile

    made = Zip()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for each in archive.namelist():
            part = archive.read(each) if each.encode() != name else body
            if part is not None:
                made.add(each.encode(), part, method=8)
    return made.bytes()


def _mixed() -> Iterator[tuple[str, Build, Expected]]:
    yield "zip-and-pdf", lambda: _pdf() + zip_of([Entry(b"b.txt", TEXT)]), flags("^read ")
    yield "ole-garbage", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 3000, flags(_DOUBT)
    yield "rtf-nested", lambda: b"{\\rtf1 " + b"{" * 50_000, flags("^read ")
    yield "html-nested", lambda: b"<html>" + b"<div>" * 50_000 + "文字".encode(), flags("^read ")
    yield "noise", lambda: bytes(range(256)) * 40, flags(_NOT_READ)
    yield "zeros", lambda: bytes(1 << 20), flags(_NOT_READ)
    yield "utf16-lone-surrogate", lambda: b"\xff\xfe" + b"\x00\xd8" * 50 + b"a\0", flags("^read ")
    yield "json-nested", lambda: b"[" * 100_000, flags("^read ")

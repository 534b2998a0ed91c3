"""Windows metafiles: their words are read, and that nothing was drawn is said."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reader import inspection
from tasks.reader.metafile import read_metafile
from tasks.reader.reading import Context
from tasks.reader.source import Source
from tests.tasks.reader import samples


def record(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 8) + body


def wide(y: int, text: str) -> bytes:
    coded = text.encode("utf-16-le")
    head = bytes(28) + struct.pack("<iiIIIIIIII", 0, y, len(text), 76, 0, 0, 0, 0, 0, 0)
    return record(84, head + coded)


def small(y: int, text: str) -> bytes:
    head = struct.pack("<iiIIIff", 0, y, len(text), 0x300, 1, 1.0, 1.0)
    return record(108, head + text.encode("latin-1"))


def emf(*records: bytes) -> bytes:
    header = record(1, bytes(32) + b" EMF" + bytes(64))
    return header + b"".join(records) + record(14, bytes(12))


def wmf_record(kind: int, body: bytes) -> bytes:
    body += bytes(len(body) % 2)
    return struct.pack("<IH", (len(body) + 6) // 2, kind) + body


def wmf(*records: bytes, placeable: bool = True) -> bytes:
    head = b"\xd7\xcd\xc6\x9a" + bytes(18) if placeable else b""
    header = struct.pack("<HHHIHIH", 1, 9, 0x300, 0, 1, 0, 0)
    return head + header + b"".join(records) + wmf_record(0, b"")


GB = wmf_record(0x02FB, bytes(13) + b"\x86" + bytes(6))
TEXT = "客户名单".encode("gb18030")
LONG_TEXT = wmf_record(0x0A32, struct.pack("<hhHH", 5, 0, len(TEXT), 0) + TEXT)
CLIPPED = wmf_record(0x0A32, struct.pack("<hhHH4h", 9, 0, 3, 4, 0, 0, 9, 9) + b"abc")
SHORT = wmf_record(0x0521, struct.pack("<H", 3) + b"xyz\0" + struct.pack("<hh", 30, 1))


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (
            emf(wide(10, "客户"), wide(10, "名单"), small(40, "price 9")),
            "image/emf",
            "客户名单\nprice 9",
        ),
        (wmf(GB, LONG_TEXT, CLIPPED, SHORT), "image/wmf", "客户名单\nabc\nxyz"),
        (wmf(GB, LONG_TEXT, placeable=False), "image/wmf", "客户名单"),
    ],
)
def test_words_are_read(data: bytes, kind: str, text: str) -> None:
    seen = inspection.inspect(Source(data))
    assert (seen.media_type, seen.text, seen.state) == (kind, text, "partly_read")
    assert "drawing_not_read" in seen.flags


def test_without_words_it_cannot_be_read() -> None:
    seen = inspection.inspect(Source(emf()))
    assert (seen.media_type, seen.state, seen.pages) == ("image/emf", "unknown_type", ())


WHOLE = [emf(wide(1, "a"), small(2, "b")), wmf(LONG_TEXT, SHORT)]


@given(st.sampled_from(WHOLE), st.integers(0, 400), st.binary(min_size=1, max_size=6))
def test_changed_anywhere_it_is_read_or_not(whole: bytes, place: int, rubbish: bytes) -> None:
    at = place % len(whole)
    data = whole[:at] + rubbish + whole[at + len(rubbish) :]
    for each in (data, data[:at]):
        read_metafile(Source(each), Context(inspection.open_part))


def test_a_metafile_in_a_document_is_read() -> None:
    body = (
        b'<w:document xmlns:w="http://w"><w:body><w:p><w:r><w:t>own words</w:t></w:r></w:p>'
        b"</w:body></w:document>"
    )
    parts = {"[Content_Types].xml": b"<Types/>", "word/document.xml": body,
             "word/media/image1.emf": emf(wide(1, "图中文字"))}  # fmt: skip
    seen = inspection.inspect(Source(samples.archive(parts)))
    assert [page.text for page in seen.pages] == ["own words", "图中文字"]

"""The two jobs: build a searchable copy, and read the words back from one."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pypdfium2.raw as raw

from tasks.reader import mediatype
from tasks.reader.answering import write_all
from tasks.reader.job import Job, Refused
from tasks.reader.pdf_open import document
from tasks.reader.searchable import font, over_image, over_pdf
from tasks.reader.searchable.made import Layer, ReadBack
from tasks.reader.source import Source
from tasks.reader.strict import loads, parse


def build(job: Job, source: Source, descriptors: list[int]) -> dict[str, int]:
    """Write the copy to the output; the words come on a descriptor of their own."""
    beside = Source(descriptors[3])
    layer = parse(Layer, loads(beside.whole()))
    pages = {page.frame: page for page in layer.pages}
    kind = mediatype.media_type(source)
    if kind == "application/pdf":
        pieces = over_pdf.build(source, pages, layer.said)
    elif kind.startswith("image/"):
        pieces = over_image.build(source, pages, layer.said)
    else:
        raise Refused("只有 PDF 和图片有页面图像。 Only PDF and pictures have page images.")
    size = 0
    for piece in pieces:
        size += len(piece)
        write_all(descriptors[2], piece)
    return {"bytes": size}


def read_back(job: Job, source: Source, descriptors: list[int]) -> ReadBack:
    """Return the words that stand in our font, page by page."""
    with document(source) as opened:
        return ReadBack(tuple(_words(opened, index) for index in range(len(opened))))


def _words(opened: Any, index: int) -> str:
    with closing(opened[index]) as page, closing(page.get_textpage()) as text:
        found = (chr(raw.FPDFText_GetUnicode(text, at)) for at in _ours(text))
        # PDFium has marks of its own for a hyphen at the end of a line.
        joined = "".join("".join(found).replace("\x02", "-").replace("\ufffe", "-").split())
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _ours(text: Any) -> Iterator[int]:
    """Yield the places of the characters in our font."""
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    for at in range(text.count_chars()):
        length = raw.FPDFText_GetFontInfo(text, at, name, len(name), flags)
        if 0 < length <= len(name) and name.value.endswith(font.NAME.encode()):
            yield at

"""Opening a PDF by PDFium, with the password of this job if the file asks for one.

Permissions are recorded and not obeyed: they bind those who use a document, not those who
examine it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pypdfium2 as pdfium

from tasks.reader import password
from tasks.reader.pdf_repair import with_end
from tasks.reader.source import Source

MAX_PIXELS = 40_000_000
"""Pixels of a page's image."""
_PASSWORD = 4


@contextmanager
def document(source: Source) -> Iterator[Any]:
    """Yield the open PDF, one without an end with a new one; raises ``PdfiumError``."""
    pdf = _opened(source)
    try:
        yield pdf
    finally:
        pdf.close()


def is_locked(error: Exception) -> bool:
    """Return whether a PDF cannot be opened for want of a password."""
    return getattr(error, "err_code", 0) == _PASSWORD or "assword" in str(error)


def drawn_size(page: Any, dpi: int) -> tuple[int, int, int]:
    """Return width and height of a page's image in pixels, and the dpi that keep it possible."""
    width, height = page.get_size()
    pixels = width * height * (dpi / 72) ** 2
    if pixels > MAX_PIXELS:
        dpi = max(1, int(dpi * (MAX_PIXELS / pixels) ** 0.5))
    return max(1, math.ceil(width * dpi / 72)), max(1, math.ceil(height * dpi / 72)), dpi


def _opened(source: Source) -> Any:
    try:
        return pdfium.PdfDocument(source.file(), autoclose=True)
    except pdfium.PdfiumError as error:
        if not is_locked(error):
            ended = with_end(source)
            if ended is None:
                raise
            return pdfium.PdfDocument(ended.file(), autoclose=True)
        for spelling in password.spellings():
            with suppress(pdfium.PdfiumError):
                typed = _Typed(spelling)
                found = pdfium.PdfDocument(source.file(), password=typed, autoclose=True)
                password.use()
                return found
        raise


class _Typed:
    """A password as bytes, where pypdfium2 takes a string, ends it with a NUL and encodes it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __add__(self, end: str) -> _Typed:
        return self

    def encode(self, encoding: str) -> bytes:
        """Return the bytes, whatever the encoding."""
        return self._data + b"\0"

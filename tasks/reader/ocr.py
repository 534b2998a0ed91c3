"""Text out of pixels: the port of an OCR engine, and Tesseract behind it."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import pytesseract
from PIL import Image

from tasks.reader.answer import Word
from tasks.reader.strict import clean

MAX_WORDS = 20_000
# Tesseract's layouts: find the blocks of a page, or take it as one block.
_PAGE, _BLOCK = 3, 6
_LEAST_SECONDS = 0.1


@dataclass(frozen=True)
class Recognition:
    """What an engine saw on one image: lines of words; boxes in pixels of that image."""

    lines: tuple[tuple[Word, ...], ...]
    engine: str
    version: str


class OcrEngine(Protocol):
    """Reads one upright image.

    It ends within ``seconds`` or raises ``TimeoutError``; an image on which it sees nothing
    gives no words and no confidence. It writes nowhere but in the current folder.
    """

    def recognise(self, image: Image.Image, dpi: int, seconds: float) -> Recognition:
        """Return the words in reading order."""


class EngineFault(Exception):
    """The engine ended badly or printed what nobody can read."""


class Tesseract:
    """Debian's Tesseract as a program; one thread, because its threads fight for the cores."""

    def __init__(self, languages: str) -> None:
        self._languages = languages

    def recognise(self, image: Image.Image, dpi: int, seconds: float) -> Recognition:
        """Return the words that Tesseract finds; its exit code is not believed."""
        # An uncompressed file: packing a page as PNG takes as long as reading a line of it.
        path = Path("page.ppm" if image.mode == "RGB" else "page.pgm")
        (image if image.mode in ("RGB", "L") else image.convert("L")).save(path, format="PPM")
        until = time.monotonic() + seconds
        try:
            lines = parse_table(self._table(path, dpi, _PAGE, seconds))
            if not lines:
                # A line alone on a page is often taken for a picture; as a block it is read.
                left = max(_LEAST_SECONDS, until - time.monotonic())
                lines = parse_table(self._table(path, dpi, _BLOCK, left))
        finally:
            path.unlink(missing_ok=True)
        return Recognition(
            lines=tuple(map(tuple, lines)),
            engine="tesseract",
            version=f"{tesseract_version()} {self._languages}",
        )

    def _table(self, path: Path, dpi: int, layout: int, seconds: float) -> str:
        try:
            return str(
                pytesseract.image_to_data(
                    str(path),
                    lang=self._languages,
                    config=f"--oem 1 --psm {layout} --dpi {dpi}",
                    timeout=seconds,
                )
            )
        except RuntimeError as error:
            if "timeout" in str(error).lower():
                raise TimeoutError from error
            raise EngineFault(str(error)[:200]) from error


@cache
def tesseract_version() -> str:
    """Return Tesseract's version; asked once, so that children inherit the answer."""
    return str(pytesseract.get_tesseract_version())


@cache
def tesseract_languages() -> tuple[str, ...]:
    """Return the languages that are installed."""
    done = subprocess.run(["tesseract", "--list-langs"], capture_output=True, check=False)
    listed = done.stdout.decode(errors="replace").splitlines()[1:]
    return tuple(sorted(line.strip() for line in listed if line.strip()))


def parse_table(table: str) -> list[list[Word]]:
    """Return the words of Tesseract's tab-separated table by line; rows it garbled are dropped."""
    lines: dict[tuple[str, ...], list[Word]] = {}
    for row in table.splitlines()[1 : MAX_WORDS * 3]:
        cells = row.split("\t")
        if len(cells) != 12 or cells[0] != "5" or not cells[11].strip():
            continue
        try:
            x, y, width, height = map(int, cells[6:10])
            confidence = round(min(max(float(cells[10]), 0.0), 100.0) / 100, 3)
        except ValueError:
            continue
        text = clean(cells[11].strip())
        lines.setdefault(tuple(cells[1:5]), []).append(Word(x, y, width, height, confidence, text))
    return list(lines.values())

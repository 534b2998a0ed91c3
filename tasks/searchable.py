"""A searchable copy of an exhibit: its untouched pages with what OCR read over them, invisible.

The copy is a derivative for reading and never evidence; it says so in its metadata, with the
digest of the original. It is built in the cell, read back by another process of the cell, and
kept only if the words of every page are those of the transcript.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import ConflictError, IntegrityError, StateError
from storage.normal import normal_form
from tasks.reader.answer import Page, Transcript
from tasks.reader.cell import CellPool
from tasks.reader.failures import unreadable_error
from tasks.reader.process import CellFailure
from tasks.reader.searchable.layer import LayerPage, LayerWord
from tasks.reader.searchable.made import Layer, ReadBack
from tasks.reader.strict import as_json
from tasks.reading import text_of
from tasks.taking_out import document_of

_MARGIN = 64 << 20


@dataclass(frozen=True)
class Copy:
    """What was made: where it lies, and how many of its pages have words."""

    path: Path
    pages: int
    characters: int


def write_copy(custody: Custody, pool: CellPool, name: str, out: Path, part: str = "") -> Copy:
    """Write the searchable copy of an exhibit, or a part of one, to a new file.

    Raises:
        StateError: nothing was read of it whose place on a page is known.
        ConflictError: the file is there already.
        UnreadableError: no layer can be put over it.
        IntegrityError: what was built does not say what was read.
    """
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
    _, _, transcript = text_of(custody, name, part)
    pages = layer_pages(transcript)
    if not pages:
        raise _nothing(name, transcript)
    if out.exists():
        raise ConflictError(f"文件已存在 {out} is there already", remedy="name another with -o")
    said = f"识读副本，非证据 derivative, not evidence; {exhibit['exhibit_id']} {part}".strip()
    layer = Layer(f"{said}; SHA-256 of the exhibit {exhibit['sha256']}", pages)
    with (
        document_of(custody, pool, exhibit, part) as file,
        tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as made,
    ):
        try:
            _build(pool, file, layer, made)
            _compare(pool, made, pages)
            os.link(made.name, out)
        except FileExistsError as error:
            raise ConflictError(f"文件已存在 {out} is there already", remedy="use -o") from error
        finally:
            Path(made.name).unlink()
    return Copy(out, len(pages), sum(len(page.text) for page in pages))


def layer_pages(transcript: Transcript) -> tuple[LayerPage, ...]:
    """Return the pages of the document itself whose words have places, in order."""
    return tuple(_layer_page(page) for page in transcript.pages if page.words and not page.inside)


def _layer_page(page: Page) -> LayerPage:
    words = tuple(LayerWord(w.x, w.y, w.width, w.height, w.text) for w in page.words)
    quarters = round(page.angle / 90) % 4
    return LayerPage(page.frame, page.width, page.height, page.dpi or 300, quarters, words)


def _nothing(name: str, transcript: Transcript) -> StateError:
    if any(page.origin == "text_layer" for page in transcript.pages):
        return StateError(
            f"{name} 自带文字，无需另加 has text of its own and needs no layer",
            remedy="give out the original: custody export",
        )
    return StateError(
        f"{name} 没有带位置的识读文字 no words with places were read of it",
        remedy="only scans and pictures that OCR has read have them",
    )


def _build(pool: CellPool, file: BinaryIO, layer: Layer, made: Any) -> None:
    """Have the copy built in the cell, and take it down as it comes."""
    beside = os.memfd_create("layer")
    try:
        with os.fdopen(os.dup(beside), "wb") as writer:
            writer.write(json.dumps(as_json(layer), separators=(",", ":")).encode())
        pixels = sum(page.width * page.height for page in layer.pages)
        limit = 2 * os.fstat(file.fileno()).st_size + 4 * pixels + _MARGIN
        for chunk in pool.stream("searchable", file, "", limit, beside=beside):
            made.write(chunk)
        made.flush()
        os.fsync(made.fileno())
    except CellFailure as failure:
        raise unreadable_error(failure) from failure
    finally:
        os.close(beside)


def _compare(pool: CellPool, made: Any, pages: Sequence[LayerPage]) -> None:
    """Have the copy read back; every page must say what was read, and no other page anything."""
    try:
        found = pool.ask(ReadBack, Path(made.name), "layer").pages
    except CellFailure as failure:
        raise unreadable_error(failure) from failure
    wanted = {page.frame: page.text for page in pages}
    numbers = sorted({*wanted, *range(1, len(found) + 1)})
    wrong = [n for n in numbers if not _same(wanted.get(n, ""), found[n - 1 : n])]
    if wrong:
        shown = ", ".join(map(str, wrong[:20]))
        raise IntegrityError(
            f"副本第 {shown} 页与识读文本不符，未保存 "
            f"page {shown} of the copy does not say what was read; it was not kept",
            remedy="report it as a defect; the exhibit and its text are unharmed",
        )


def _same(wanted: str, found: Sequence[str]) -> bool:
    """Whether texts agree but for ligatures, full and half width, which a PDF reader unfolds."""
    plain = [normal_form("NFKC", text) for text in (wanted, *found)]
    return len(plain) == 2 and "".join(plain[0].split()) == "".join(plain[1].split())

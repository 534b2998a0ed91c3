"""A PDF's attachments and earlier revisions are parts with digests of their own."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdf
import pytest

from tasks.expanding import Expander, PoolOpener
from tasks.partlist import Part
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents
from tasks.transcribing import look
from tests.tasks.reader import pdf_made as made
from tests.tasks.reader import samples


@pytest.fixture
def cells() -> CellPool:
    with CellPool(1, document_seconds=60.0) as pool:
        yield pool


def parts_of(pool: CellPool, path: Path, data: bytes) -> tuple[object, list[Part]]:
    file = path / "a.pdf"
    file.write_bytes(data)
    with file.open("rb") as stream, ThreadPoolExecutor(2) as threads:
        seen = look(pool, stream, "a.pdf")
        if seen.contents is None:
            return seen.transcript, []
        expander = Expander(PoolOpener(pool), threads, path)
        return seen.transcript, list(expander.members(stream, "a.pdf", seen.contents))


def attached(name: str, data: bytes, to: bytes) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(to))
    writer.add_attachment(name, data)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_parts_of_pdf_files(cells: CellPool, tmp_path: Path) -> None:
    plain, none = parts_of(cells, tmp_path, made.with_history("only"))
    assert (plain.text, none) == ("only", [])

    first = made.with_history("price 100")
    transcript, parts = parts_of(cells, tmp_path, made.with_history("price 100", "price 200"))
    assert [page.text for page in transcript.pages] == ["price 200"]
    assert "may_hold" not in transcript.flags
    assert [(each.name, each.flags) for each in parts] == [("revision-0001.pdf", ("superseded",))]
    assert parts[0].fingerprint.sha256 == hashlib.sha256(first).hexdigest()
    assert parts[0].transcript.text == "price 100"

    inner = attached("名单.zip", samples.archive({"b.txt": "客户".encode()}), made.text_page())
    outer = made.incremental(attached("里.pdf", inner, made.text_page()), "later")
    _, parts = parts_of(cells, tmp_path, outer)
    named = [(each.part, each.name, each.state) for each in parts]
    assert named == [
        ("0", "里.pdf", "expanded"),
        ("0/0", "名单.zip", "expanded"),
        ("0/0/0", "b.txt", "read"),
        ("1", "revision-0001.pdf", "expanded"),
        ("1/0", "里.pdf", "expanded"),
        ("1/0/0", "名单.zip", "expanded"),
        ("1/0/0/0", "b.txt", "read"),
    ]


def test_every_revision_is_listed_once(cells: CellPool, tmp_path: Path) -> None:
    data = made.with_history(*(f"text {number}" for number in range(6)))
    _, parts = parts_of(cells, tmp_path, data)
    assert [each.transcript.text for each in parts] == [f"text {n}" for n in range(5)]
    assert {each.members for each in parts} == {-1}


def test_a_scan_that_holds_a_file_is_still_to_be_read(cells: CellPool, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(attached("a.txt", b"x", made.one_page(b"0 g 10 10 50 50 re f")))
    seen = cells.inspect(path, "a.pdf", parts=False)
    assert seen.state == "partly_read"
    assert [each.name for each in contents(cells, path, "a.pdf").members] == ["a.txt"]

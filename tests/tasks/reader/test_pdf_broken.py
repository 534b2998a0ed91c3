"""PDF files that are broken, huge or empty: what can be read is, and the rest is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.reader import inspection, pages, pdf, pdf_open
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made

TEXT = "all that is written here"
WHOLE = made.one_page(made.say(TEXT))


def look(data: bytes) -> Transcript:
    return inspection.inspect(Source(data, "a.pdf"))


def of_pages(count: int) -> bytes:
    """Return a file of so many pages that share what is on them."""
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + count))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R"
        b" /Resources << /Font << /F 3 0 R >> >> >>"
    )
    return made.raw_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            made.stream(made.say("again")),
            *[page] * count,
        ]
    )


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        (WHOLE[: WHOLE.rindex(b"xref\n0")], {"cut_off", "repaired"}),
        (WHOLE[: WHOLE.rindex(b"startxref")], {"cut_off", "repaired"}),
        (WHOLE.replace(b"startxref\n", b"startxref\n9"), {"repaired"}),
        (WHOLE.replace(b"xref\n0 6", b"xrff\n0 6"), {"repaired"}),
        (WHOLE.replace(b"/Length ", b"/Length 9"), set()),
        (WHOLE.replace(b"/Length ", b"/Lenght "), set()),
        (b"junk\n" + WHOLE, {"data_before_start"}),
        (WHOLE + b"\0" * 5000 + b"more", {"data_after_end"}),
    ],
)
def test_a_broken_file_gives_what_it_has(data: bytes, flags: set[str]) -> None:
    seen = look(data)
    assert TEXT in seen.text
    assert flags <= set(seen.flags)
    assert seen.state == ("partly_read" if "cut_off" in flags else "read")


@pytest.mark.parametrize("share", [3, 5, 7, 9])
def test_of_a_file_that_was_cut_off_the_pages_before_the_cut_are_read(share: int) -> None:
    data = of_pages(20)
    seen = look(data[: len(data) * share // 10])
    assert seen.state == "partly_read"
    assert "cut_off" in seen.flags
    assert [page.text for page in seen.pages].count("again") >= 2 * share - 6


def test_a_file_cut_off_before_its_catalogue_gets_a_new_one() -> None:
    objects = WHOLE.replace(b"/Type /Catalog", b"/Type /Other").replace(
        b"/Kids [3 0 R]", b"/Kids []"
    )
    seen = look(objects[: objects.index(b"trailer")])
    assert TEXT in seen.text


def test_a_whole_file_has_no_such_flag() -> None:
    assert look(WHOLE).flags == ()


def test_one_damaged_page_harms_no_other() -> None:
    data = of_pages(3)
    place = data.index(b"6 0 obj")
    broken = data[:place] + data[place:].replace(b"/Type /Page ", b"/Type /Pagf ", 1)
    texts = [page.text for page in look(broken).pages if page.text]
    assert texts.count("again") >= 2


@pytest.mark.parametrize("data", [b"%PDF-1.7\n%%EOF\n", b"%PDF-1.7\n" + b"x" * 3000, WHOLE[:40]])
def test_what_holds_nothing_is_damaged(data: bytes) -> None:
    assert look(data).state == "damaged"


def test_an_empty_page_and_a_file_without_pages() -> None:
    seen = look(made.one_page(b""))
    assert (seen.state, seen.pages[0].flags) == ("empty", ("blank",))
    assert look(of_pages(0)).state in ("empty", "damaged")


def test_what_is_wrong_with_one_line_or_one_file_harms_no_other() -> None:
    holed = made.one_page(
        made.say(TEXT),
        b"",
        b"<< /Type /Filespec /F (b.txt) /EF << /F 7 0 R >> >>",
        b"<< /Type /EmbeddedFile >>",
        b"<< /Title (\xfe\xff\xd8\x00\x00A) >>",
        catalogue=b"/AF [6 0 R]",
    ).replace(b"/Root 1 0 R", b"/Root 1 0 R /Info 8 0 R")
    seen = look(holed)
    assert TEXT in seen.text
    assert seen.metadata["Title"].endswith("A")
    assert "part_not_read" in seen.flags
    assert seen.pages[1].flags == ("damaged",)


def test_more_pages_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGES", 7)
    seen = look(of_pages(12))
    assert len(seen.pages) == 7
    assert "truncated" in seen.flags
    assert seen.metadata["pages"] == "12"
    assert seen.state == "partly_read"


def test_a_page_of_twenty_square_metres_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_open, "MAX_PIXELS", 250_000)
    data = WHOLE.replace(b"[0 0 200 200]", b"[0 0 12677 12677]")
    picture = pages.render(Source(data), 1, 300, raw=True)
    assert "reduced" in picture.flags
    assert picture.width * picture.height <= 260_000
    # Boxes are turned back into places on the page by the resolution that is told.
    assert picture.width / picture.dpi * 72 == pytest.approx(12677, rel=0.3)


def test_a_file_larger_than_is_held_at_once(tmp_path: Path, pool: CellPool) -> None:
    """Eighty megabytes of an image that are not on the disk: a hole between two ends."""
    size = 80 << 20
    head, tail = made.one_page(made.say(TEXT), b"", made.stream(b"HOLE")).split(b"HOLE")
    table = tail.index(b"xref")
    moved = tail[table:].replace(
        b"startxref\n%d" % (len(head) + 4 + table), b"startxref\n%d" % (len(head) + size + table)
    )
    path = tmp_path / "a.pdf"
    with path.open("wb") as file:
        file.write(head.replace(b"/Length 4", b"/Length %d" % size)[: len(head) + 7])
        file.seek(len(head) + size)
        file.write(tail[:table] + moved)
    seen = pool.inspect(path, "a.pdf")
    assert TEXT in seen.text
    assert seen.state == "read"

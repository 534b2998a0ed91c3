"""Pages of a PDF by themselves: what they show is there, and nothing of the others."""

import hashlib
import io
from pathlib import Path

import pypdf
import pypdfium2
import pytest
from pypdf.annotations import Link
from pypdf.generic import (
    DictionaryObject,
    Fit,
    NameObject,
    NumberObject,
    StreamObject,
)

from tasks.reader.cell import CellPool
from tasks.reader.containers import wanted
from tasks.reader.process import CellFailure
from tests.tasks.reader.pdf_made import raw_pdf

PAGES = 6


def image(shade: int) -> StreamObject:
    """Return a grey image whose pixels tell which page it is of."""
    made = StreamObject()
    made.set_data(bytes([shade]) * 64)
    for key, value in (("Width", 8), ("Height", 8), ("BitsPerComponent", 8)):
        made[NameObject(f"/{key}")] = NumberObject(value)
    made[NameObject("/Type")] = NameObject("/XObject")
    made[NameObject("/Subtype")] = NameObject("/Image")
    made[NameObject("/ColorSpace")] = NameObject("/DeviceGray")
    return made


def document(*, compressed: bool = False) -> bytes:
    """Return a PDF whose pages share one table of resources, link to each other and are named."""
    writer = pypdf.PdfWriter()
    font = writer._add_object(
        DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
    )
    images = DictionaryObject()
    for number in range(1, PAGES + 1):
        images[NameObject(f"/Im{number}")] = writer._add_object(image(number * 20))
    shared = writer._add_object(
        DictionaryObject(
            {
                NameObject("/Font"): DictionaryObject({NameObject("/F1"): font}),
                NameObject("/XObject"): images,
            }
        )
    )
    for number in range(1, PAGES + 1):
        page = writer.add_blank_page(300, 400)
        page[NameObject("/Resources")] = shared
        content = StreamObject()
        content.set_data(
            f"BT /F1 24 Tf 40 300 Td (secret of page {number}) Tj ET "
            f"q 100 0 0 100 40 40 cm /Im{number} Do Q".encode()
        )
        page[NameObject("/Contents")] = writer._add_object(content)
    for number in range(PAGES):
        link = Link(rect=(0, 0, 9, 9), target_page_index=(number + 1) % PAGES, fit=Fit("/Fit"))
        writer.add_annotation(number, link)
        writer.add_outline_item(title=f"outline of page {number + 1}", page_number=number)
    writer.add_attachment("hidden.txt", b"attached secret")
    writer.add_metadata({"/Title": "title secret"})
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()


def excerpt(pool: CellPool, data: bytes, *numbers: int, name: Path) -> bytes:
    name.write_bytes(data)
    with name.open("rb") as file:
        given = pool.stream("excerpt", file, "", 1 << 26, wanted=wanted.encode(numbers))
        return b"".join(given)


def everything(data: bytes) -> bytes:
    """Return all streams of a PDF in the clear, and the file itself."""
    reader = pypdf.PdfReader(io.BytesIO(data))
    parts = [data]
    for number in range(1, int(str(reader.trailer["/Size"]))):
        item = reader.get_object(number)
        parts.append(repr(item).encode())
        if isinstance(item, StreamObject):
            parts.append(item.get_data())
    return b"\n".join(parts)


def test_an_excerpt_shows_its_pages_and_holds_nothing_of_the_others(
    pool: CellPool, tmp_path: Path
) -> None:
    whole = document()
    made = excerpt(pool, whole, 2, 4, 5, name=tmp_path / "a.pdf")
    texts = [page.extract_text().strip() for page in pypdf.PdfReader(io.BytesIO(made)).pages]
    assert texts == [f"secret of page {number}" for number in (2, 4, 5)]
    inside = everything(made)
    for number in range(1, PAGES + 1):
        shown = number in (2, 4, 5)
        assert (f"secret of page {number}".encode() in inside) is shown, number
        assert (bytes([number * 20]) * 64 in inside) is shown, number
        assert f"outline of page {number}".encode() not in inside
    for word in (b"attached secret", b"hidden.txt", b"title secret"):
        assert word in everything(whole)
        assert word not in inside


def test_an_excerpt_looks_like_its_pages(pool: CellPool, tmp_path: Path) -> None:
    whole = document()
    made = excerpt(pool, whole, 3, name=tmp_path / "a.pdf")
    before = pypdfium2.PdfDocument(whole)[2].render(scale=1).to_numpy()
    after = pypdfium2.PdfDocument(made)[0].render(scale=1).to_numpy()
    assert before.shape == after.shape
    assert (before == after).all()


def test_the_same_input_gives_the_same_bytes(pool: CellPool, tmp_path: Path) -> None:
    made = [
        hashlib.sha256(excerpt(pool, document(), 1, 6, name=tmp_path / "a.pdf")).hexdigest()
        for _ in range(2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("data", "numbers", "words"),
    [
        (document(), (6, 7), "6 pages"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), (1,), "PDF alone"),
        (b"II*\0" + bytes(99), (1,), "PDF alone"),
        (b"%PDF-1.7\nbroken", (1,), "cannot be excerpted"),
        (b"", (1,), "PDF alone"),
    ],
    ids=["too many", "png", "tiff", "broken", "empty"],
)
def test_what_cannot_be_excerpted_is_refused_in_one_line(
    pool: CellPool, tmp_path: Path, data: bytes, numbers: tuple[int, ...], words: str
) -> None:
    with pytest.raises(CellFailure) as caught:
        excerpt(pool, data, *numbers, name=tmp_path / "a.pdf")
    assert words in caught.value.detail
    assert "\n" not in caught.value.detail


def test_content_in_several_parts_forms_and_inherited_boxes(pool: CellPool, tmp_path: Path) -> None:
    """A page whose box is its parent's, whose content has two parts, one of them drawing a form."""
    form_data = b"BT /F1 12 Tf 10 10 Td (in the form) Tj ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 /MediaBox [0 0 200 100] /Rotate 90 "
        b"/Resources << /Font << /F1 4 0 R >> /XObject << /Fm 5 0 R /Im 8 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /Contents [6 0 R 7 0 R] >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 200 100] /Resources << /Font << /F1 4 0 R >> "
        b"/XObject << /Im 8 0 R >> >> /Length %d >>\nstream\n%s\nendstream"
        % (len(form_data), form_data),
        b"<< /Length 22 >>\nstream\nq 1 0 0 1 0 0 cm /Fm D\nendstream",
        b"<< /Length 36 >>\nstream\n\nQ BT /F1 12 Tf (direct) Tj ET      \nendstream",
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace "
        b"/DeviceGray /Length 10 >>\nstream\nnot shown!\nendstream",
        b"<< /Type /Page /Parent 2 0 R >>",
    ]
    parts[5] = b"<< /Length 23 >>\nstream\nq 1 0 0 1 0 0 cm /Fm Do\nendstream"
    found = excerpt(pool, raw_pdf(parts), 1, name=tmp_path / "a.pdf")
    (page,) = pypdf.PdfReader(io.BytesIO(found)).pages
    assert "direct" in page.extract_text()
    assert b"in the form" in everything(found)
    assert b"not shown!" not in everything(found)
    assert page.rotation == 90
    assert [float(each) for each in page.mediabox] == [0, 0, 200, 100]

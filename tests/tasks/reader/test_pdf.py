"""PDF through the real cell: layers, scans, rubbish, locks, attachments, cuts."""

from __future__ import annotations

import io

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Read


def test_a_text_layer_is_read_without_ocr(read: Read) -> None:
    seen = read("a.pdf", samples.pdf([samples.TEXT, "second page"]))
    assert seen.state == "read"
    assert [(p.number, p.origin, p.text) for p in seen.pages] == [
        (1, "text_layer", samples.TEXT),
        (2, "text_layer", "second page"),
    ]
    assert seen.metadata["Title"] == "合同 contract"
    assert seen.metadata["pages"] == "2"


def test_a_scan_is_left_to_ocr_and_then_read(inspect: Read, read: Read) -> None:
    data = samples.scanned_pdf([samples.page_image(samples.CONTRACT, height=2339)])
    before = inspect("scan.pdf", data)
    assert before.state == "partly_read"
    assert before.pages[0].needs_ocr
    after = read("scan.pdf", data)
    assert after.state == "read"
    assert after.pages[0].origin == "ocr"
    assert "商业秘密" in after.text


def test_one_page_of_many_needs_ocr(read: Read) -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.drawString(72, 700, "an ordinary page of text")
    canvas.showPage()
    image = ImageReader(samples.page_image(samples.CONTRACT, height=2339))
    canvas.drawImage(image, 0, 0, *A4)
    canvas.drawString(72, 30, "stamp 2026")
    canvas.showPage()
    canvas.showPage()
    canvas.save()
    seen = read("a.pdf", out.getvalue())
    assert [page.origin for page in seen.pages] == ["text_layer", "ocr", "none"]
    assert seen.pages[1].layer_text.strip() == "stamp 2026"
    assert seen.pages[2].flags == ("blank",)


def test_invisible_text_over_a_scan_is_distrusted_and_kept(inspect: Read) -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.drawImage(ImageReader(samples.page_image(samples.CONTRACT, height=2339)), 0, 0, *A4)
    text = canvas.beginText(72, 700)
    text.setTextRenderMode(3)
    for number in range(20):
        text.textLine(f"hidden words of an earlier reading, line {number}")
    canvas.drawText(text)
    canvas.save()
    page = inspect("a.pdf", out.getvalue()).pages[0]
    assert page.flags == ("hidden_layer",)
    assert page.needs_ocr
    assert "hidden words" in page.text


def test_encryption_is_a_state(inspect: Read) -> None:
    locked = inspect("a.pdf", samples.locked_pdf("secret", "owner"))
    assert (locked.state, locked.pages) == ("encrypted", ())
    assert "加密" in locked.reason
    opened = inspect("a.pdf", samples.locked_pdf("", "owner"))
    assert (opened.state, opened.text) == ("read", samples.TEXT)
    assert "owner_encrypted" in opened.flags


def test_attachments_are_parts(inspect: Read) -> None:
    seen = inspect("a.pdf", samples.pdf_with_attachment("名单.txt", "附件里的客户".encode()))
    assert [(p.inside, p.text) for p in seen.pages] == [
        ((), samples.TEXT),
        ((0,), "附件里的客户"),
    ]
    assert "名单.txt" in seen.pages[1].label


def test_a_cut_or_broken_file(inspect: Read) -> None:
    whole = samples.pdf(["page one", "page two"])
    cut = inspect("a.pdf", whole[: len(whole) * 7 // 10])
    assert cut.state in ("partly_read", "damaged")
    assert cut.reason
    assert inspect("a.pdf", b"%PDF-1.4\n" + b"rubbish " * 100).state == "damaged"

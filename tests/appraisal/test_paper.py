"""Printed documents: every character visible, every page numbered, equal bytes for equal text."""

import io
import itertools
import subprocess
import sys
from pathlib import Path

import pypdf
import pypdfium2
import pytest

from appraisal import paper, typeface
from appraisal.paper import Document, Mono, Signature, Strong
from storage.errors import HostError, InputError

TITLE = ("鉴定委托书", "Commission")


def text_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage().get_text_bounded() for page in document]
    return [page.replace("\r\n", "\n") for page in pages]


def sample(rows: int = 3) -> Document:
    table = [[f"E{n:04d}", [Strong("合同"), "a/b.pdf"], Mono("0" * 64, "SM3")] for n in range(rows)]
    return (
        Document(TITLE, "W-2026-0001", issuer="证据保管中心")
        .section("一、事项", "Matters")
        .paragraph("请鉴定非公知性。", "Please appraise.")
        .keyvalues([(("案号", "Case"), "沪市监案〔2026〕0123号")])
        .qr("zhenglian " + "a" * 64, [(("校验值", "Digest"), Mono("a" * 64))])
        .table([("编号", "No."), ("材料", "Material"), ("校验值", "Digest")], table, (1, 3, 5))
        .signatures(Signature(("委托方", "Client")), Signature(("鉴定机构", "Agency")))
    )


def test_what_is_written_can_be_read_back():
    (text,) = text_of(sample().render())
    for part in (
        "鉴定委托书",
        "W-2026-0001",
        "〔2026〕",
        "非公知性",
        "a/b.pdf",
        "Agency",
        "0" * 64,
    ):
        assert part in text


def test_equal_content_gives_equal_bytes_in_another_process_too():
    code = (
        "import sys; from tests.appraisal.test_paper import sample;"
        "sys.stdout.buffer.write(sample().render())"
    )
    root = Path(paper.__file__).parents[1]
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=root)
    assert sample().render() == sample().render() == other.stdout


def test_every_page_has_its_number_and_the_headings_of_the_table():
    pages = text_of(sample(120).render())
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"第 {number} 页 共 {len(pages)} 页" in page
    assert all("Material" in page for page in pages[:-1])


def test_all_fonts_are_embedded():
    reader = pypdf.PdfReader(io.BytesIO(sample().render()))
    fonts = [font for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert len(fonts) >= 2
    for font in fonts:
        assert "/FontFile2" in font.get_object()["/FontDescriptor"]


def test_a_character_without_a_glyph_is_printed_as_its_code():
    (text,) = text_of(Document(TITLE).paragraph("甲🔒乙𠮷丙").render())
    assert "甲\\U0001f512乙\\U00020bb7丙" in text


def test_text_from_outside_is_neither_markup_nor_trick():
    hostile = "<b>x</b> &amp; <a href='http:x'>y</a>\u202e\x1b\n第二行"
    data = Document(TITLE, hostile).paragraph(hostile).keyvalues([(("甲", ""), hostile)]).render()
    (text,) = text_of(data)
    assert text.count("<b>x</b> &amp; <a href='http:x'>y</a>\\u202e\\x1b\\x0a第二行") >= 2
    assert b"/URI" not in data


@pytest.mark.parametrize("cell", ["长" * 5000, "x" * 9000, ["一行"] * 200])
def test_a_cell_longer_than_a_page_is_continued(cell):
    document = Document(TITLE).table([("甲", "a"), ("乙", "b")], [["1", cell], ["2", "末"]], (1, 4))
    pages = text_of(document.render())
    assert len(pages) >= 2
    assert "末" in pages[-1]
    whole = "".join(pages)
    letter = "长" if "长" in cell else "x" if "x" in cell else "一"
    assert whole.count(letter) >= (len(cell) if isinstance(cell, str) else 200)


def test_a_value_longer_than_a_page_is_continued():
    facts = [(("甲", ""), "长" * 6000)]
    for document in (Document(TITLE).keyvalues(facts), Document(TITLE).qr("x", facts)):
        assert "".join(text_of(document.render())).count("长") == 6000


def test_a_row_that_fits_on_a_page_is_not_cut():
    rows = [[f"第{n}行", ["甲" * 9] * 12] for n in range(40)]
    pages = text_of(Document(TITLE).table([("a", ""), ("b", "")], rows, (1, 2)).render())
    assert all(page.count("甲" * 9) % 12 == 0 for page in pages)


def test_no_page_is_empty_but_for_its_foot():
    counts = []
    for lines, english in itertools.product((28, 29), range(4)):
        document = Document(("单", "Sheet"), "1")
        for number in range(lines):
            document.paragraph("一行", "a line" if number < english else "")
        document.signatures(Signature(("签收人", "Receiver")))
        pages = text_of(document.render())
        assert all("一行" in text or "签收人" in text for text in pages), (lines, english)
        counts.append(len(pages))
    assert set(counts) == {1, 2}


def test_rows_must_have_as_many_cells_as_headings():
    with pytest.raises(InputError):
        Document(TITLE).table([("甲", "")], [["1", "2"]], (1,))


def test_a_missing_font_is_told_with_the_package_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(typeface.FONTS, typeface.SONG, (tmp_path / "no.ttc", "fonts-arphic-uming"))
    typeface._register_once.cache_clear()
    with pytest.raises(HostError) as caught:
        Document(TITLE)
    assert "fonts-arphic-uming" in caught.value.remedy
    (tmp_path / "no.ttc").write_bytes(b"not a font")
    with pytest.raises(HostError):
        Document(TITLE)


@pytest.fixture(autouse=True)
def _fresh_fonts():
    yield
    typeface._register_once.cache_clear()


def test_a_digest_stands_in_one_row_or_is_broken_where_it_must() -> None:
    typeface.register()
    style = paper._STYLES["mono"]
    row = paper.labelled("SHA-256", "0f" * 32, style)
    assert row.wrap(300, 800) == (300, style.leading)
    assert row.split(300, style.leading) == [row]
    assert row.split(300, style.leading - 1) == []
    narrow = row.wrap(120, 800)[1]
    assert narrow > style.leading
    assert row.wrap(300, 800)[1] == style.leading, "whoever asks again gets the same answer"
    long = paper.labelled("SHA-256", "0f" * 200, style)
    assert long.wrap(300, 800)[1] > style.leading
    assert (
        sum(part.wrap(300, 800)[1] for part in long.split(300, 2.5 * style.leading))
        == (long.wrap(300, 800)[1])
    )

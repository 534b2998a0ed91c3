"""Word, Excel and PowerPoint files: what a printed page shows, and what it does not."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import openpyxl
import pptx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment

from tasks.reader.answer import Transcript
from tasks.reader.descent import descend
from tasks.reader.inspection import inspect
from tasks.reader.ooxml import Package
from tasks.reader.source import Source
from tasks.reader.workbook import Book, column_name
from tests.tasks.reader import office_made as made
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Read


def read_here(name: str, data: bytes) -> Transcript:
    return inspect(Source(data, name))


def labelled(seen: Transcript) -> dict[str, str]:
    return {page.label: page.text for page in seen.pages}


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def replaced(data: bytes, parts: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        held = {name: zipped.read(name) for name in zipped.namelist()}
    return samples.archive(held | parts)


def test_changes_are_told_with_author_and_time() -> None:
    seen = read_here("a.docx", made.word_xml(
        "<w:p><w:r><w:t>单价</w:t></w:r>"
        '<w:del w:author="王五" w:date="2026-01-05T10:00:00Z"><w:r><w:delText>旧</w:delText></w:r>'
        '<w:r><w:delText>价</w:delText></w:r></w:del>'
        '<w:ins w:author="李四"><w:r><w:t>新价</w:t></w:r></w:ins>'
        "<w:moveFrom><w:r><w:t>移走</w:t></w:r></w:moveFrom></w:p>"
    ))  # fmt: skip
    assert [page.text for page in seen.pages] == [
        "单价新价", "旧价 [王五 2026-01-05T10:00:00Z]\n移走", "新价 [李四]",
    ]  # fmt: skip
    assert [page.flags for page in seen.pages] == [(), ("deleted_text",), ("inserted_text",)]
    assert "tracked_changes" in seen.flags


def test_hidden_words_are_kept_apart_also_by_style() -> None:
    style = (
        f'<w:styles {made.W}><w:style w:type="character" w:styleId="S"><w:rPr><w:vanish/></w:rPr>'
        "</w:style></w:styles>"
    )
    seen = read_here("a.docx", made.word_xml(
        "<w:p><w:pPr><w:tabs><w:tab w:pos='720'/></w:tabs></w:pPr><w:r><w:t>可见</w:t></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>暗</w:t></w:r>"
        "<w:r><w:rPr><w:rStyle w:val='S'/></w:rPr><w:t>藏</w:t></w:r>"
        "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>明</w:t></w:r></w:p>",
        styles=style,
    ))  # fmt: skip
    assert [page.text for page in seen.pages] == ["可见明", "暗藏"]
    assert "hidden_text" in seen.flags


def test_comments_links_text_boxes_and_custom_properties() -> None:
    box = (
        "<w:r><mc:AlternateContent xmlns:mc='http://schemas.openxmlformats.org/"
        "markup-compatibility/2006'><mc:Choice><w:txbxContent><w:p><w:r><w:t>框内</w:t></w:r></w:p>"
        "</w:txbxContent></mc:Choice><mc:Fallback><w:p><w:r><w:t>框内</w:t></w:r></w:p>"
        "</mc:Fallback></mc:AlternateContent></w:r>"
    )
    data = made.word_xml(
        f"<w:p>{box}</w:p>",
        comments=f"<w:comments {made.W}><w:comment w:author='王五' w:date='2026-01-05'><w:p><w:r>"
        "<w:t>核对</w:t></w:r></w:p></w:comment></w:comments>",
    )
    seen = read_here("a.docx", replaced(data, {
        "word/_rels/document.xml.rels": made.relations(
            ("r1", "hyperlink", "http://example.com/x", "External")
        ),
        "docProps/custom.xml": b"<P><property name='KSO'><v>2052-11.1</v></property></P>",
        "docProps/core.xml": b"<c><creator>A</creator><revision>7</revision></c>",
        "word/vbaProject.bin": b"x",
    }))  # fmt: skip
    assert seen.pages[0].text == "框内"
    assert labelled(seen)["批注 comments"] == "[王五 2026-01-05] 核对"
    assert labelled(seen)["外部链接 external links"] == "hyperlink: http://example.com/x"
    assert (seen.metadata["revision"], seen.metadata["custom_KSO"]) == ("7", "2052-11.1")
    assert "macros" in seen.flags


def test_slides_stand_in_the_order_of_the_show_and_hidden_ones_are_marked() -> None:
    show = pptx.Presentation(io.BytesIO(samples.slides()))
    order = show.slides._sldIdLst
    order.append(order[0])
    show.slides[0]._element.set("show", "0")
    out = io.BytesIO()
    show.save(out)
    data = replaced(out.getvalue(), {
        "ppt/comments/comment1.xml": '<p:cmLst xmlns:p="p"><p:cm authorId="0" dt="2026-01-05">'
        "<p:text>改</p:text></p:cm></p:cmLst>".encode(),
        "ppt/commentAuthors.xml": '<l><cmAuthor id="0" name="王五"/></l>'.encode(),
    })  # fmt: skip
    seen = read_here("a.pptx", data)
    assert [(p.label, p.text.split("\n")[0]) for p in seen.pages[:4]] == [
        ("幻灯片 slide 1", "配方"), ("幻灯片 slide 2", "工艺流程"),
        ("备注 notes 1", "讲稿二"), ("备注 notes 2", "讲稿一"),
    ]  # fmt: skip
    assert seen.pages[0].flags == ("hidden_slide",)
    assert labelled(seen)["批注 comments 1"] == "[王五 2026-01-05] 改"


def test_a_sheet_tells_formulas_hidden_cells_and_comments() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "价格"
    sheet.append(["品名", "成本"])
    sheet.append(["甲", 12.5, datetime(2026, 1, 5, 10, 30), True])
    sheet["C3"] = "=B2*2"
    sheet["A4"] = "暗行"
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["D"].hidden = True
    sheet["A2"].comment = Comment("查一下", "王五")
    sheet.oddHeader.center.text = "机密"
    book.create_sheet("底").sheet_state = "veryHidden"
    book.defined_names["秘价"] = openpyxl.workbook.defined_name.DefinedName("秘价", attr_text="A1")
    seen = read_here("a.xlsx", saved(book))
    assert seen.pages[0].text == (
        "品名\t成本\n甲\t12.5\t2026-01-05 10:30:00\tTRUE\n\t\t=B2*2\n暗行"
    )
    assert seen.pages[0].flags == ("hidden_rows", "hidden_columns")
    assert seen.pages[1].flags == ("hidden_sheet",)
    shown = labelled(seen)
    assert shown["价格: 公式 formulas"] == "C3\t=B2*2"
    assert shown["价格: 隐藏的行和列 hidden rows and columns"] == "列 columns D:D\n4: 暗行"
    assert shown["价格: 批注 comments"] == "A2 [王五] 查一下"
    assert shown["名称 defined names"] == "秘价 = A1"
    assert "机密" in shown["价格: 页眉页脚 headers and footers"]


def sheet_xml(rows: str) -> bytes:
    plain = saved(openpyxl.Workbook())
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    part = f'{head}<dimension ref="A1"/><sheetData>{rows}</sheetData></worksheet>'
    return replaced(plain, {"xl/worksheets/sheet1.xml": part.encode()})


def test_values_beside_formulas_shared_ones_spelt_out() -> None:
    seen = read_here("a.xlsx", sheet_xml(
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">B1+1</f><v>3</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/><v>4</v></c></row>'
        '<row r="9"><c r="C9" t="inlineStr"><is><r><t>富</t></r><r><t>文</t></r>'
        '<rPh><t>x</t></rPh></is></c></row>'
    ))  # fmt: skip
    assert seen.pages[0].text == "3\n4\n\t\t富文"
    assert seen.pages[1].text == "A1\t=B1+1\t3\nA2\t=B2+1\t4"


@pytest.mark.parametrize(
    ("rows", "text", "flag"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row><row><c r="ZZZ1"><v>9</v></c></row>',
         "1", "truncated"),
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c', "1", "part_not_read"),
        ('<row r="x"><c r="?" t="s"><v>99</v></c><c t="z"><v>nan</v></c></row>', "\tnan", ""),
        ('<row r="1"><c s="999"><v>1e999</v></c><c t="b"/><c/></row>', "inf", ""),
    ],
)  # fmt: skip
def test_hostile_sheets_give_what_they_hold(rows: str, text: str, flag: str) -> None:
    seen = read_here("a.xlsx", sheet_xml(rows))
    assert seen.pages[0].text == text
    assert not flag or flag in seen.flags


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5),
                st.integers(-(10**9), 10**9),
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_another_writer_wrote_is_read(rows: list[list[str | int | bool]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    read = Book(Package(Source(saved(book))))
    said = [[cell.value for cell in row.cells] for row in read.rows(read.sheets[0])]
    assert said == [[str(v).upper() if isinstance(v, bool) else str(v) for v in r] for r in rows]


def test_column_names() -> None:
    assert [column_name(n) for n in (1, 26, 27, 702, 703)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_opendocument_text() -> None:
    body = (
        "<office:text><text:tracked-changes><text:changed-region text:id='c1'><text:insertion>"
        "<office:change-info><dc:creator>李四</dc:creator><dc:date>2026</dc:date>"
        "</office:change-info></text:insertion></text:changed-region>"
        "<text:changed-region text:id='c2'><text:deletion><office:change-info><dc:creator>王五"
        "</dc:creator></office:change-info><text:p>旧价</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
        "<text:p>甲<text:s text:c='2'/>乙<text:tab/>丙<office:annotation><dc:creator>赵六"
        "</dc:creator><text:p>核对</text:p></office:annotation>丁<text:note><text:note-body>"
        "<text:p>脚注</text:p></text:note-body></text:note>"
        "<text:change-start text:change-id='c1'/>新增<text:change-end text:change-id='c1'/>"
        "<text:span text:style-name='H'>暗</text:span></text:p><table:table><table:table-row>"
        "<table:table-cell><text:p>姓名</text:p></table:table-cell><table:table-cell>"
        "<text:p>电话</text:p></table:table-cell></table:table-row></table:table></office:text>"
    )
    style = "<style:style style:name='H'><style:text-properties text:display='none'/></style:style>"
    meta = (
        f"<office:document-meta {made.ODF_NAMES}><office:meta><dc:creator>张三</dc:creator>"
        "<meta:editing-cycles>4</meta:editing-cycles></office:meta></office:document-meta>"
    )
    data = made.odf("text", body, styles=style, meta=meta)
    seen = read_here("a.odt", data)
    assert (seen.media_type, seen.state) == ("application/vnd.oasis.opendocument.text", "read")
    assert labelled(seen) == {
        "正文 body": "甲  乙\t丙丁新增\n姓名\t电话",
        "正文 body: 批注 comments": "[赵六] 核对",
        "正文 body: 脚注和尾注 notes": "脚注",
        "正文 body: 已删除 deleted": "旧价 [王五]",
        "正文 body: 已插入 inserted": "新增 [李四 2026]",
        "正文 body: 隐藏文字 hidden text": "暗",
    }
    assert (seen.metadata["creator"], seen.metadata["editing-cycles"]) == ("张三", "4")
    assert seen.metadata["pronom"] == "fmt/1756"


def test_opendocument_sheets_and_slides() -> None:
    hidden = (
        "<style:style style:name='T'><style:table-properties table:display='false'/></style:style>"
        "<style:style style:name='P'><style:drawing-page-properties "
        "presentation:visibility='hidden'/></style:style>"
    )
    cell = "<table:table-cell{}><text:p>{}</text:p></table:table-cell>"
    sheets = (
        "<office:spreadsheet><table:table table:name='价'><table:table-row>"
        + cell.format("", "甲")
        + "<table:table-cell table:number-columns-repeated='2'/>"
        + cell.format(" table:formula='of:=1+1' office:value='2'", "2")
        + "<table:table-cell table:number-columns-repeated='16000'/></table:table-row>"
        "<table:table-row table:visibility='collapse'>" + cell.format("", "暗") +
        "</table:table-row><table:table-row table:number-rows-repeated='1048000'>"
        "<table:table-cell/></table:table-row></table:table>"
        "<table:table table:name='底' table:style-name='T'/></office:spreadsheet>"
    )  # fmt: skip
    seen = read_here("a.ods", made.odf("spreadsheet", sheets, styles=hidden))
    assert seen.pages[0].text == "甲\t\t\t2\n暗"
    assert seen.pages[0].flags == ("hidden_rows",)
    assert labelled(seen)["价: 公式 formulas"] == "行 row 1 列 column 4\tof:=1+1\t2"
    assert seen.pages[-1].flags == ("hidden_sheet",)
    slides = (
        "<office:presentation><draw:page draw:style-name='P'><draw:frame><text:p>一</text:p>"
        "</draw:frame><presentation:notes><text:p>讲</text:p></presentation:notes></draw:page>"
        "</office:presentation>"
    )
    seen = read_here("a.odp", made.odf("presentation", slides, styles=hidden))
    assert [(p.text, p.flags) for p in seen.pages] == [("一", ("hidden_slide",)), ("讲", ())]


def test_an_encrypted_opendocument_file_is_a_state() -> None:
    data = replaced(made.odf("text", ""), {"META-INF/manifest.xml": b"<m><encryption-data/></m>"})
    assert read_here("a.odt", data).state == "encrypted"


@pytest.mark.parametrize("narrow", [False, True])
def test_word_of_before_2007(inspect: Read, narrow: bool) -> None:
    words = "Price old new hid" if narrow else "单价旧价新价暗藏"
    cut = (6, 9, 10, 13, 14, 17) if narrow else (2, 4, 4, 6, 6, 8)
    marks = ((*cut[:2], "deleted"), (*cut[2:4], "inserted"), (*cut[4:], "hidden"))
    body = words + '\rA\x07B\x07\x07\x13 HYPERLINK "http://a.cn" \x14link\x15\r'
    data = made.doc({0: body, 1: "note\r", 4: "comment\r"}, marks, narrow=narrow)
    seen = inspect("a.doc", data)
    assert (seen.media_type, seen.metadata["pronom"]) == ("application/msword", "fmt/40")
    shown = labelled(seen)
    first = "Price  new" if narrow else "单价新价"
    assert shown[""] == f"{first}\nA\tB\nlink"
    assert shown["脚注 footnotes"] == "note"
    assert shown["批注 comments"] == "comment"
    assert shown["外部链接 external links"] == "http://a.cn"
    wanted = ("old", "new", "hid") if narrow else ("旧价", "新价", "暗藏")
    said = ("已删除 deleted", "已插入 inserted", "隐藏文字 hidden text")
    assert tuple(shown[label] for label in said) == wanted


def test_word_that_is_encrypted_old_or_broken() -> None:
    assert read_here("a.doc", made.doc({0: "x"}, flags=0x0100)).state == "encrypted"
    old = read_here("a.doc", made.doc({0: "客户名单和合同的价格\r"}, version=104))
    assert (old.state, old.pages[0].origin) == ("damaged", "strings")
    assert {"legacy_not_read", "strings_only"} <= set(old.flags)
    assert "客户名单和合同的价格" in old.text
    assert old.metadata["pronom"] == "fmt/39"


def test_excel_of_before_2007(inspect: Read) -> None:
    data = made.xls({"客户": (0, [["姓名", 1200.0], ["李四", 2.5]]), "底": (1, [["秘密"]])})
    seen = inspect("a.xls", data)
    assert seen.metadata["pronom"] == "fmt/61"
    assert [(p.label, p.text, p.flags) for p in seen.pages] == [
        ("客户", "姓名\t1200\n李四\t2.5", ()), ("底", "秘密", ("hidden_sheet",)),
    ]  # fmt: skip
    assert "formulas_not_read" in seen.flags


def test_powerpoint_of_before_2007(inspect: Read) -> None:
    seen = inspect("a.ppt", made.ppt())
    assert [(p.label, p.text, p.flags) for p in seen.pages] == [
        ("幻灯片 slide 1", "第一页\n文本框", ()),
        ("幻灯片 slide 1: 批注 comments", "[王五] 请核对", ()),
        ("幻灯片 slide 2", "第二页\n隐藏页", ("hidden_slide",)),
        ("备注 notes 1", "讲稿", ()),
        ("先前保存的版本 earlier versions", "旧版本", ("earlier_version",)),
    ]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["doc", "xls", "ppt"]), st.integers(0, 1 << 16), st.binary(max_size=6))
def test_no_damage_escapes_the_readers(kind: str, at: int, noise: bytes) -> None:
    data = {
        "doc": made.doc({0: "客户名单\r"}, ((0, 2, "deleted"),)),
        "xls": made.xls({"a": (0, [["b"]])}),
        "ppt": made.ppt(),
    }[kind]
    at %= len(data)
    read_here(f"a.{kind}", data[:at] + noise + data[at + len(noise) :])


def test_wps_names_are_no_mismatch_whichever_format_is_inside() -> None:
    assert not read_here("a.wps", made.doc({0: "甲\r"})).mismatch
    assert not read_here("a.wps", samples.word()).mismatch
    assert read_here("a.wps", samples.sheet()).mismatch


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.wpt", made.doc({0: "客户名单\r"}), "客户名单"),
        ("a.et", made.xls({"表": (0, [["客户", 1.5]])}), "客户\t1.5"),
        ("a.ett", made.xls({"表": (0, [["客户", 1.5]])}), "客户\t1.5"),
        ("a.et", samples.sheet(), "姓名\t金额\t日期"),
        ("a.dps", made.ppt(), "第一页"),
        ("a.dpt", made.ppt(), "第一页"),
        ("a.dps", samples.slides(), "工艺流程"),
    ],
)
def test_wps_documents_and_templates_are_read_by_their_content(
    name: str, data: bytes, words: str
) -> None:
    seen = read_here(name, data)
    assert (seen.state, seen.mismatch) == ("read", False)
    assert seen.pages[0].text.startswith(words)
    assert read_here(name, b"%PDF-1.4 no sheet").mismatch


def test_a_picture_of_an_rtf_file_is_found_again() -> None:
    picture = samples.image_bytes(samples.page_image(["字"], height=200))
    data = b"{\\rtf1 text{\\pict\\pngblip " + picture.hex().encode() + b"}}"
    seen = read_here("a.rtf", data)
    assert [page.needs_ocr for page in seen.pages] == [False, True]
    assert descend(Source(data), seen.pages[1].inside).whole() == picture


def test_an_ole_folder_that_holds_itself_is_told_and_not_followed() -> None:
    data = bytearray(made.ppt())
    root = data.index("Root Entry".encode("utf-16-le"))
    # [MS-CFB] 2.6.1: the kind of an entry stands at 66, its child at 76.
    data[root + 66] = 1
    data[root + 76 : root + 80] = bytes(4)
    seen = read_here("a.ppt", bytes(data))
    assert (seen.state, seen.flags) == ("damaged", ("legacy_not_read", "strings_only"))

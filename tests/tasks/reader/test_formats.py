"""Each type of document, through the real cell, is known by content and read right."""

from __future__ import annotations

import pytest

from tasks.reader.answer import Transcript
from tasks.reader.claims import OOXML
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Read

LONG = "".join(samples.CONTRACT)
BIG5 = "客戶名單屬於營業秘密，雙方對在履行合同過程中知悉的技術資料負有保密義務。"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", LONG),
        ("utf-8-sig", LONG),
        ("utf-16", LONG),
        ("utf-16-le", "plain ASCII words in two bytes each, with 客户 between"),
        ("gb18030", LONG),
        ("gb18030", "朱镕基，㐀㐁"),
        ("big5", BIG5),
    ],
)
def test_text_in_every_encoding(inspect: Read, encoding: str, text: str) -> None:
    seen = inspect("a.txt", text.encode(encoding))
    assert (seen.state, seen.media_type) == ("read", "text/plain")
    assert seen.text == text
    assert not seen.mismatch


def test_csv_and_html(inspect: Read) -> None:
    assert "李四" in inspect("a.csv", "姓名,电话\n李四,138\n".encode("gb18030")).text
    page = "<html><head><meta charset=gb2312><script>x()</script></head><body><p>客户</p>名单"
    seen = inspect("a.html", page.encode("gb18030"))
    assert (seen.media_type, seen.text) == ("text/html", "客户\n名单")


def test_word(read: Read) -> None:
    seen = read("a.docx", samples.word())
    assert seen.media_type == f"{OOXML}.wordprocessingml.document"
    for words in (samples.TEXT, "姓名\t电话", "李四\t13800000000", "机密 confidential", "第一页"):
        assert words in seen.text
    assert "此处需核对" in seen.text
    assert seen.metadata["creator"] == "张三"
    assert "交付货物" in seen.pages[-1].text
    assert seen.pages[-1].origin == "ocr"
    assert seen.state == "read"


def test_deleted_words_are_kept_apart(inspect: Read) -> None:
    body = (
        b'<w:document xmlns:w="http://w"><w:body><w:p><w:r><w:t>kept</w:t></w:r>'
        b"<w:del><w:r><w:delText>removed</w:delText></w:r></w:del></w:p></w:body></w:document>"
    )
    data = samples.archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": body})
    seen = inspect("a.docx", data)
    assert [page.text for page in seen.pages] == ["kept", "removed"]
    assert "deleted" in seen.pages[1].label
    assert "tracked_changes" in seen.flags


def test_sheet(inspect: Read) -> None:
    seen = inspect("a.xlsx", samples.sheet())
    assert seen.state == "read"
    assert seen.pages[0].label == "客户"
    assert seen.pages[0].text == "姓名\t金额\t日期\n赵六\t1200\t2026-01-05\n合计\t=SUM(B2:B2)"
    assert seen.pages[1].flags == ("hidden_sheet",)
    assert seen.pages[1].text == "秘密价格"


def test_slides(inspect: Read) -> None:
    seen = inspect("a.pptx", samples.slides())
    assert [(p.label, p.text.split("\n")[0]) for p in seen.pages[:3]] == [
        ("幻灯片 slide 1", "工艺流程"),
        ("幻灯片 slide 2", "配方"),
        ("备注 notes 1", "讲稿一"),
    ]


def test_the_content_decides_and_a_false_name_is_flagged(inspect: Read) -> None:
    seen = inspect("report.pdf", samples.word())
    assert seen.claimed_type == "application/pdf"
    assert seen.mismatch
    assert samples.TEXT in seen.text
    assert not inspect("名单", LONG.encode()).mismatch


@pytest.mark.parametrize(
    ("name", "data", "state"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\n ", "empty"),
        ("a.bin", b"\x01\x02\x03\xfe\xff\x00" * 50, "unknown_type"),
        ("a.docx", samples.word()[:3000], "damaged"),
        ("a.xlsx", samples.archive({"xl/workbook.xml": b"<x"}), "damaged"),
        ("a.docx", samples.archive({"word/document.xml": b"<x"}), "damaged"),
        ("a.png", samples.image_bytes(samples.page_image(["x"]))[:20], "damaged"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1016
         + "EncryptedPackage".encode("utf-16-le") + b"\0" * 480, "encrypted"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_state_with_a_reason(
    inspect: Read, name: str, data: bytes, state: str
) -> None:
    seen = inspect(name, data)
    assert seen.state == state
    assert seen.reason
    assert not seen.text.strip()


def test_a_transcript_survives_its_own_spelling(inspect: Read) -> None:
    seen = inspect("a.xlsx", samples.sheet())
    assert Transcript.from_json(seen.as_json()) == seen
    assert seen.as_json()["evidence"] is False
    assert (
        seen.as_bytes() == inspect("a.xlsx", samples.sheet()).as_bytes()
        or "modified" in seen.metadata
    )


def test_entities_do_not_grow(inspect: Read) -> None:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<!DOCTYPE d [<!ENTITY e0 "lol">{levels}]><d>&e9;</d>'.encode()
    seen = inspect("a.docx", samples.archive({"word/document.xml": bomb}))
    assert seen.state == "damaged"
    assert not seen.text

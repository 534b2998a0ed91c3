"""Text, web pages, RTF, encodings told by content, and strings as the last resort."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader import charset, pronom, strings
from tasks.reader.answer import Transcript
from tasks.reader.inspection import inspect as read_source
from tasks.reader.source import Source
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Read

LONG = "".join(samples.CONTRACT)
BIG5 = "客戶名單屬於營業秘密，雙方對在履行合同過程中知悉的技術資料負有保密義務。"
JAPANESE = "お客様の名簿は営業秘密です。これを第三者に開示してはなりません。カタログを送ります。"


def read_here(name: str, data: bytes) -> Transcript:
    return read_source(Source(data, name))


@pytest.mark.parametrize(
    ("encoding", "text", "said", "least"),
    [
        ("utf-8", LONG, "utf-8", 1.0),
        ("gb18030", LONG, "gb18030", 0.9),
        ("big5", BIG5, "cp950", 0.3),
        ("shift_jis", JAPANESE, "cp932", 0.5),
        ("utf-16", LONG, "utf-16", 1.0),
        ("utf-16-le", LONG, "utf-16-le", 0.9),
        ("utf-16-be", LONG, "utf-16-be", 0.9),
        ("utf-16-le", "ASCII words in two bytes each", "utf-16-le", 0.9),
    ],
    ids=["utf8", "gb", "big5", "jis", "utf16", "utf16le", "utf16be", "ascii-wide"],
)
def test_encodings_by_content_with_their_confidence(
    inspect: Read, encoding: str, text: str, said: str, least: float
) -> None:
    seen = inspect("a.txt", text.encode(encoding))
    assert seen.text == text
    assert seen.metadata["encoding"] == said
    assert float(seen.metadata["encoding_confidence"]) >= least


def test_other_bytes_are_not_taken_for_two_byte_text() -> None:
    for text, encoding in ((LONG, "gb18030"), (BIG5, "big5"), (JAPANESE, "shift_jis")):
        assert charset.without_mark(text.encode(encoding)) == ""
    assert charset.without_mark(bytes(range(256)) * 8) == ""


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_decode_to_something(data: bytes) -> None:
    assert 0.0 <= charset.decode(data).confidence <= 1.0


def test_a_web_page_as_it_is_seen_and_what_it_hides() -> None:
    seen = read_here("a.html", (
        "<!DOCTYPE html><html><head><meta charset=utf-8><meta name=author content=张三>"
        "<title>报价单</title><script>var x='不读'</script></head><body>"
        "<p>甲<p style='DISPLAY: none'>暗"
        "<p>乙<div hidden>藏<b>又藏</b></div><table><tr><td>姓名<td>电话</tr>"
        "<tr><td></td><td>138</td></tr></table><img alt=x><br>丙&amp;丁</body></html>"
    ).encode())  # fmt: skip
    assert [page.text for page in seen.pages] == [
        "报价单\n甲\n乙\n姓名\t电话\n\t138\n丙&丁", "暗\n藏又藏",
    ]  # fmt: skip
    assert seen.pages[1].flags == ("hidden_text",)
    assert "hidden_text" in seen.flags
    assert (seen.metadata["title"], seen.metadata["author"]) == ("报价单", "张三")


def escaped(text: str, encoding: str = "gb18030") -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(encoding))


def test_rich_text(inspect: Read) -> None:
    head = (
        r"{\rtf1\ansi\ansicpg936\deff0{\fonttbl{\f0\fnil Times;}{\f1\fcharset134 " + escaped("宋体")
        + r";}{\f2\fcharset128 M;}}{\info{\title " + escaped("合同")
        + r"}{\creatim\yr2026\mo1\dy5\hr10\min3}\version3}{\*\revtbl {Unknown;}{" + escaped("王五")
        + r";}}{\header " + escaped("机密") + r"\par}"
    )  # fmt: skip
    body = (
        r"\f1 " + escaped("客户") + r"\u21517 ?\uc2\u21333\'3f\'3f\uc1\par\intbl A\cell B\cell\row "
        r"\pard{\v hid}{\deleted\revauthdel1 " + escaped("旧价") + r"}{\revised\revauth1 new}"
        r"\f2 " + escaped("日", "cp932") + r"{\*\unknown zzz}{\field{\*\fldinst HYPERLINK "
        r'"http://a.cn/x"}{\fldrslt link}}{\footnote note}{\*\annotation said}\par'
        r"\u-10179 ?\u-8704 ?\bin3 }{}x}"
    )
    seen = inspect("a.rtf", (head + body).encode("latin-1"))
    assert {page.label: page.text for page in seen.pages} == {
        "": "客户名单\nA\tB\nnew日link\n😀x",
        "页眉 header": "机密",
        "脚注 footnotes": "note",
        "批注 comments": "said",
        "已删除 deleted [王五]": "旧价",
        "已插入 inserted [王五]": "new",
        "隐藏文字 hidden text": "hid",
        "外部链接 external links": "http://a.cn/x",
    }
    assert (seen.state, seen.metadata["title"], seen.metadata["revision"]) == ("read", "合同", "3")
    assert seen.metadata["creatim"] == "2026-01-05 10:03"


@pytest.mark.parametrize(
    ("data", "text", "flag"),
    [
        (rb"{\rtf1 cut {off", "cut off", "cut_off"),
        (rb"{\rtf1 }}}} more", " more", ""),
        (rb"{\rtf1 \u99999999 ?a\'zzb\bin99999999 ", "", ""),
        (rb"{\rtf1 {\*\objdata 0102}{\nonshppict{\pict\pngblip 00}}w}", "w", ""),
        (rb"{\rtf1\ansicpg936 \'b0", "\ufffd", "undecodable_bytes"),
    ],
    ids=["open", "closed", "numbers", "skipped", "half"],
)
def test_rich_text_that_is_broken(data: bytes, text: str, flag: str) -> None:
    seen = read_here("a.rtf", data)
    assert not text or seen.pages[0].text == text
    assert not flag or flag in seen.flags


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(
    ["{", "}", "\\par ", "\\pict ", "\\pngblip ", "\\*", "\\u8364 ", "\\'b0", "\\fonttbl ",
     "\\f1 ", "\\fcharset134 ", "\\info ", "\\creatim ", "\\yr1 ", "\\v ", "\\bin2 ", "ab", "\\"]
), max_size=30))  # fmt: skip
def test_no_rich_text_raises(words: list[str]) -> None:
    read_here("a.rtf", ("{\\rtf1 " + "".join(words)).encode())


def test_strings_are_kept_of_what_nothing_reads_and_marked_so() -> None:
    noise = bytes(range(0x80, 0xA0)) + b"\0\1\2"
    data = (
        b"\x7fXYZ\0\1\2" + noise + b"contract number 12" + noise + LONG.encode() + noise
        + "客户名单的合同".encode("gb18030") + noise + "公司的证据日期".encode("utf-16-le") + noise
    )  # fmt: skip
    seen = read_here("a.bin", data)
    assert (seen.state, seen.pages[0].origin) == ("unknown_type", "strings")
    assert seen.pages[0].flags == ("last_resort",)
    assert "strings_only" in seen.flags
    for words in ("contract number 12", LONG, "客户名单的合同", "公司的证据日期"):
        assert words in seen.text


def test_noise_and_pictures_give_no_strings() -> None:
    assert strings.found_in(bytes(range(128, 256)) * 30) == []
    assert not read_here("a.png", samples.image_bytes(samples.page_image(["x"]))[:20]).pages


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_strings_of_anything_are_short_and_printable(data: bytes) -> None:
    assert sum(map(len, strings.found_in(data))) <= len(data)


def test_plain_text_of_a_type_that_is_not_known_is_read() -> None:
    seen = read_here("a.ndjson", '{"客户":"甲"}\n{"客户":"乙"}\n'.encode())
    assert seen.state == "read"
    assert "乙" in seen.text


@pytest.mark.parametrize(
    ("data", "puid"),
    [
        (b"%PDF-1.4\n", "fmt/18"),
        (b"GIF89a" + bytes(20), "fmt/4"),
        (b"a,b\n1,2\n3,4\n", "x-fmt/"),
        (samples.word(), "fmt/412"),
        (samples.sheet(), "fmt/214"),
        (samples.slides(), "fmt/215"),
        (samples.archive({"a.txt": b"a"}), "x-fmt/263"),
        (b"\x01\x02\x03\xfe\xff\x00" * 50, ""),
    ],
    ids=["pdf", "gif", "csv", "docx", "xlsx", "pptx", "zip", "noise"],
)
def test_pronom_identifiers_where_they_are_known(data: bytes, puid: str) -> None:
    assert read_here("a", data).metadata.get("pronom", "").startswith(puid)
    assert puid or "pronom" not in read_here("a", data).metadata


def test_the_table_of_formats_names_each_version_once() -> None:
    assert len(pronom.TABLE) > 60
    assert all(puid.startswith(("fmt/", "x-fmt/")) for puid in pronom.TABLE.values())


@pytest.mark.parametrize(
    ("main", "kind"),
    [
        ("application/vnd.ms-word.document.macroEnabled.main+xml",
         "application/vnd.ms-word.document.macroEnabled.12"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.template"),
        ("application/evil.main+xml",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
    ids=["macros", "template", "strange"],
)  # fmt: skip
def test_kinds_of_office_files_by_their_main_part(main: str, kind: str) -> None:
    types = f'<Types><Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    body = b'<w:document xmlns:w="w"><w:p><w:t>x</w:t></w:p></w:document>'
    data = samples.archive({"[Content_Types].xml": types.encode(), "word/document.xml": body})
    seen = read_here("a.docx", data)
    assert (seen.media_type, seen.text) == (kind, "x")
    assert seen.mismatch == (not kind.endswith("wordprocessingml.document"))

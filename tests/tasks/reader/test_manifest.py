"""Manifests as written, through the real cell: cells with their places, problems in words."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader.answer import RawCell, RawManifest
from tasks.reader.cell import CellPool
from tasks.reader.failures import UnreadableError
from tasks.reader.manifest_xlsx import read_sheet
from tasks.reader.manifest_yaml import read_yaml
from tasks.reader.source import Source
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep

YAML = """\
bundle_no: B-2026-001   # 批号
case_no: 沪市监案〔2026〕17号
submitted_at: 2026-01-05T10:00:00+08:00
note: ~
officers:
  - {name: 张三, id: "0123"}
  - name: 李四
    id: 0456
items:
  - path: 合同.pdf
    copy: no
    digest: 0x1F
  - path: "~"
"""


def book(rows: list[list[object]], title: str = "清单 manifest") -> bytes:
    made = openpyxl.Workbook()
    assert made.active
    made.active.title = title
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_yaml_is_not_interpreted(pool: CellPool, keep: Keep) -> None:
    seen = pool.manifest(keep("manifest.yaml", YAML.encode()), "manifest.yaml")
    assert seen == RawManifest(
        "yaml",
        header=(
            RawCell("bundle_no", "B-2026-001", "line 1"),
            RawCell("case_no", "沪市监案〔2026〕17号", "line 2"),
            RawCell("submitted_at", "2026-01-05T10:00:00+08:00", "line 3"),
            RawCell("note", "", "line 4"),
        ),
        officers=(
            (RawCell("name", "张三", "line 6"), RawCell("id", "0123", "line 6")),
            (RawCell("name", "李四", "line 7"), RawCell("id", "0456", "line 8")),
        ),
        items=(
            (
                RawCell("path", "合同.pdf", "line 10"),
                RawCell("copy", "no", "line 11"),
                RawCell("digest", "0x1F", "line 12"),
            ),
            (RawCell("path", "~", "line 13"),),
        ),
    )


def test_yaml_saved_by_notepad() -> None:
    assert read_yaml(YAML.encode("gb18030")) == read_yaml(YAML.encode())
    assert read_yaml(YAML.encode("utf-8-sig")).header == read_yaml(YAML.encode()).header


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", "line 1", "空"),
        ("just text", "line 1", "键"),
        ("a: 1\na: 2", "line 2", "重复"),
        ("a: &x 1\nb: *x", "line 1", "锚点"),
        ("a: [1, 2]", "line 1", "一个值"),
        ("items: text", "line 1", "列表"),
        ("items:\n  - text", "line 2", "每一项"),
        ("a: 1\n b: {", "line 2", "格式有误"),
        ("a: 1\n\tb: 2", "line 2", "格式有误"),
        ("a: 1\nb: \x07", "line 2", "不允许的字符"),
        ("a: " + "[" * 40 + "]" * 40, "line 1", "过深"),
        ("a: 1\n---\nb: 2", "line 2", "多个文档"),
        ("? [a]\n: 1", "line 1", "一个词"),
    ],
)
def test_faults_of_form_are_told_with_their_line(text: str, where: str, words: str) -> None:
    problems = read_yaml(text.encode()).problems
    assert problems[0].where == where
    assert words in problems[0].text_zh
    assert problems[0].text_en.isascii()


@settings(max_examples=200)
@given(st.text(alphabet="ab:-[]{}&*!|>'\"#% \n\t?,~\x00\x07\ud800客"))
def test_any_text_gives_an_answer(text: str) -> None:
    read_yaml(text.encode("utf-8", "surrogatepass"))


def test_a_sheet_with_chinese_headings(pool: CellPool, keep: Keep) -> None:
    data = book(
        [
            ["证据清单", None, None],
            ["案号", "沪市监案〔2026〕17号", None],
            ["移交时间", date(2026, 1, 5)],
            ["执法人员", "张三", "0123"],
            ["执法人员", "李四", 456],
            [],
            ["序号", "路径 path *", "名称", "页数"],
            [1, "合同.pdf", "供货合同", 3.0],
            [None, None, None, None],
            [2, "名单.xlsx", None, True, "多余"],
        ]
    )
    seen = pool.manifest(keep("manifest.xlsx", data), "manifest.xlsx")
    assert seen.format == "xlsx"
    assert seen.header == (
        RawCell("证据清单", "", "B1"),
        RawCell("案号", "沪市监案〔2026〕17号", "B2"),
        RawCell("移交时间", "2026-01-05", "B3"),
    )
    assert seen.officers == (
        (RawCell("name", "张三", "B4"), RawCell("id", "0123", "C4")),
        (RawCell("name", "李四", "B5"), RawCell("id", "456", "C5")),
    )
    assert seen.items == (
        (
            RawCell("序号", "1", "A8"),
            RawCell("路径 path *", "合同.pdf", "B8"),
            RawCell("名称", "供货合同", "C8"),
            RawCell("页数", "3", "D8"),
        ),
        (
            RawCell("序号", "2", "A10"),
            RawCell("路径 path *", "名单.xlsx", "B10"),
            RawCell("页数", "TRUE", "D10"),
        ),
    )
    assert [(p.where, "没有表头" in p.text_zh) for p in seen.problems] == [("E10", True)]


def test_sheets_with_faults(pool: CellPool, keep: Keep) -> None:
    no_table = pool.manifest(keep("a.xlsx", book([["案号", "1"]], "other")), "a.xlsx")
    assert "路径" in no_table.problems[0].text_zh
    rows: list[list[object]] = [["seq", "path", "name", "path"], [1, "=A1", "b", "c"]]
    faulty = pool.manifest(keep("b.xlsx", book(rows)), "b.xlsx")
    assert [p.where for p in faulty.problems] == ["B2", "D1"]
    with pytest.raises(UnreadableError, match="无法打开"):
        pool.manifest(keep("c.xlsx", samples.archive({"xl/workbook.xml": b"<x"})), "c.xlsx")
    with pytest.raises(UnreadableError, match="YAML"):
        pool.manifest(keep("d.yaml", samples.pdf(["x"])), "d.yaml")


def test_rows_beyond_what_a_sheet_says_of_itself_are_read() -> None:
    """Tools that write a wrong extent, or one that lies, hide no item."""
    rows: list[list[object]] = [
        ["路径", "名称", "种类"],
        ["a.pdf", "甲", "书证"],
        ["b.pdf", "乙", "书证"],
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(rows))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                assert b'<dimension ref="A1:C3"' in data
                data = data.replace(b'<dimension ref="A1:C3"', b'<dimension ref="A1:C2"')
            new.writestr(name, data)
    found = read_sheet(Source(out.getvalue()))
    assert [item[0].value for item in found.items] == ["a.pdf", "b.pdf"]

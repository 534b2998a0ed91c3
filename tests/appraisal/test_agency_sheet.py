"""AP-06: agencies as rows: what is written is read as equal agencies; mistakes have places."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal import agency_rows, agency_sheet
from appraisal.agency import Agency
from appraisal.agency_rows import Sheet, split
from appraisal.agency_sheet import sheets, table
from storage.cells import harmless
from storage.errors import InputError
from tests.appraisal import made
from tests.appraisal.agencies_made import directories

Rows = Sequence[Sequence[str]]


def sheet(title: str, rows: Rows) -> Sheet:
    return Sheet(title, tuple((number, tuple(row)) for number, row in enumerate(rows, 1)))


def book(agencies: Sequence[Agency]) -> dict[str, list[list[str]]]:
    return {title: [list(row) for row in rows] for title, rows in sheets(agencies)}


def read(found: Sequence[Sheet]) -> list[Agency]:
    return agency_rows.read(found, lambda each: Agency.read(each, ("national", "zhejiang")))


def problems(found: Sequence[Sheet]) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(found)
    assert "未作任何更改" in str(caught.value)
    return list(caught.value.facts["problems"])


@settings(max_examples=60, deadline=None)
@given(directories())
def test_ap_06_a_directory_reads_back_from_its_sheets(agencies) -> None:
    assert read([sheet(title, rows) for title, rows in sheets(agencies)]) == agencies


@settings(max_examples=60, deadline=None)
@given(directories())
def test_ap_06_a_directory_reads_back_from_csv(agencies) -> None:
    rows = [[harmless(cell) for cell in row] for row in table(agencies)]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert read([sheet("", rows)]) == agencies


@given(st.lists(st.text(st.sampled_from("ab|\\ "), max_size=6).map(str.strip), min_size=1))
def test_the_parts_of_an_entry_come_back(parts) -> None:
    escaped = "|".join(each.replace("\\", "\\\\").replace("|", "\\|") for each in parts)
    assert split(escaped) == parts


Edit = Callable[[dict[str, list[list[str]]]], object]
MAIN, REGISTERS = agency_sheet.MAIN.title, "名册登记 registers"


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (
            lambda b: b[REGISTERS][1].__setitem__(3, "昨天"),
            "名册登记 registers!D2: registers[1].from",
        ),
        (
            lambda b: b[REGISTERS][1].__setitem__(1, "月亮"),
            "名册登记 registers!B2: registers[1].type",
        ),
        (lambda b: b[REGISTERS][1].__setitem__(0, "XX"), "名册登记 registers!A2: 机构表里没有“XX”"),
        (lambda b: b[REGISTERS][1].__setitem__(0, ""), "合并的单元格只有首格有值"),
        (lambda b: b[MAIN][1].__setitem__(2, "1"), "机构 agencies!C2: credit_code"),
        (lambda b: b[MAIN][1].__setitem__(1, ""), "机构 agencies!B2: name 机构名称缺少"),
        (lambda b: b[MAIN][1].__setitem__(9, "age1x"), "机构 agencies!J2: encryption_key"),
        (lambda b: b[MAIN][1].__setitem__(0, ""), "机构 agencies!A2: 缺少机构编号"),
        (lambda b: b[MAIN].append(b[MAIN][1]), "机构 agencies!A3: 机构编号“SJ”重复"),
        (lambda b: b[MAIN][0].__setitem__(1, "名字"), "机构 agencies!B1: “名字”不认识的栏目"),
        (lambda b: b[MAIN][0].__setitem__(1, "名字"), "机构 agencies!1: 缺少栏目：机构名称 name"),
        (lambda b: b[MAIN][0].append("name"), "重复 stands there twice"),
        (lambda b: b[MAIN][1].append("x"), "此列没有表头"),
        (lambda b: b["业务范围 scope"][1].__setitem__(1, "占卜"), "业务范围 scope!B2: “占卜”"),
        (
            lambda b: b["联系人 contacts"][1].__setitem__(2, ""),
            "联系人 contacts!C2: contacts[1].phone",
        ),
        (lambda b: b.pop("利益冲突 conflicts"), "利益冲突 conflicts: 缺少此表"),
        (lambda b: b.update({"备注": [["x"]]}), "备注: 不认识的表"),
        (lambda b: b[REGISTERS].pop(1), "机构 agencies!A2: registers 名册登记缺少"),
        (lambda b: b["鉴定人 appraisers"][1].__setitem__(1, "陈\u202e工"), "鉴定人 appraisers!B2"),
    ],
)
def test_each_mistake_is_listed_with_sheet_row_and_column(edit: Edit, named: str) -> None:
    content = book([made.agency()])
    edit(content)
    found = problems([sheet(title, rows) for title, rows in content.items()])
    assert any(named in each for each in found), found


def test_all_mistakes_are_listed_at_once() -> None:
    content = book([made.agency(), made.agency(agency_id="B")])
    content[MAIN][1][2] = "1"
    content[MAIN][2][2] = "2"
    content[REGISTERS][2][3] = "?"
    found = problems([sheet(title, rows) for title, rows in content.items()])
    assert [each.split(":")[0] for each in found] == [
        "机构 agencies!C2",
        "机构 agencies!C3",
        "名册登记 registers!D3",
    ]


def test_a_mistake_in_a_csv_entry_names_the_entry() -> None:
    rows = table([made.agency()])
    column = next(n for n, each in enumerate(rows[0]) if each.endswith("registers"))
    rows[1][column] = "法院名册|7|2025-01-01|\n法院名册|8|morgen||x"
    place = f"{agency_rows.letter(column)}2 第2条 entry 2"
    assert problems([sheet("", rows)]) == [
        f"{place}: 超过4项 has more than 4 parts",
        f"{place}: registers[2].from 有效期自不是日期（如2026-01-30） "
        "is not a date such as 2026-01-30",
    ]


def test_an_empty_directory_is_a_form_to_fill_in() -> None:
    content = book([])
    assert all(len(rows) == 1 for rows in content.values())
    found = problems([sheet(title, rows) for title, rows in content.items()])
    assert found == ["没有任何机构 there is no agency in it"]

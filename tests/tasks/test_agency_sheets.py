"""AP-06: the directory as a file: written for spreadsheets, read back in the cell."""

import csv
import hashlib
import io
import re
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings

from appraisal.agency import Agency
from appraisal.rules import RuleBook
from storage.errors import ConflictError, CustodyError, InputError, NotFoundError
from tasks.agency_sheets import agencies_bytes, export_agencies, read_agencies
from tasks.reader.cell import CellPool
from tasks.sheet_bytes import sheet_bytes
from tests.appraisal import made
from tests.appraisal.agencies_made import KEY, directories

BOOK = RuleBook.load()
Read = Callable[[bytes], list[Agency]]


@pytest.fixture
def read(pool: CellPool, tmp_path: Path) -> Read:
    def call(data: bytes) -> list[Agency]:
        path = tmp_path / "agencies"
        path.write_bytes(data)
        return read_agencies(pool, path, BOOK)

    return call


def full() -> list[Agency]:
    return [
        made.agency(
            accreditation={"CNAS": "L0001", "CNAS_to": "2027-06-30"},
            secrecy_agreement={"date": "2026-01-08", "no": "=1+1", "to": "2028-01-07"},
            scope_fields={"非公知性": ["化工", "软件"]},
            conflicts=["某公司|分公司", "-乙公司\\"],
            encryption_key=KEY,
            capacity=12,
        ),
        made.agency(agency_id="HJ", name="@衡鉴", status="suspended", status_reason="'年审"),
    ]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_ap_06_a_directory_comes_back_from_its_file(read: Read, form: str) -> None:
    assert read(agencies_bytes(full(), form)) == full()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(directories())
def test_ap_06_any_directory_comes_back_from_both_files(read: Read, agencies) -> None:
    for form in ("xlsx", "csv"):
        assert read(agencies_bytes(agencies, form)) == agencies


def test_no_cell_is_taken_for_a_formula() -> None:
    book = openpyxl.load_workbook(io.BytesIO(agencies_bytes(full(), "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(c.quotePrefix for c in cells if str(c.value).startswith(("=", "+", "-", "@")))
    text = agencies_bytes(full(), "csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_same_directory_gives_the_same_bytes_at_any_time(form: str, monkeypatch) -> None:
    before = hashlib.sha256(agencies_bytes(full(), form)).hexdigest()
    real = time.localtime
    monkeypatch.setattr(time, "localtime", lambda *_: real(4_000_000_000))
    assert hashlib.sha256(agencies_bytes(full(), form)).hexdigest() == before


def test_dates_and_numbers_that_a_spreadsheet_made_are_read(read: Read) -> None:
    book = openpyxl.load_workbook(io.BytesIO(agencies_bytes([made.agency()], "xlsx")))
    sheet = book["名册登记 registers"]
    sheet["C2"], sheet["D2"] = 310012, date(2024, 1, 1)
    buffer = io.BytesIO()
    book.save(buffer)
    (agency,) = read(buffer.getvalue())
    assert agency.registers == made.agency().registers


def test_csv_of_another_encoding_and_separator_is_read(read: Read) -> None:
    text = agencies_bytes([made.agency()], "csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=";").writerows(rows)
    assert read(buffer.getvalue().encode("gb18030")) == [made.agency()]


def test_a_formula_without_a_result_is_a_mistake_with_its_place(read: Read) -> None:
    book = openpyxl.load_workbook(io.BytesIO(agencies_bytes([made.agency()], "xlsx")))
    book["机构 agencies"]["D2"] = "=A1"
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(InputError, match="机构 agencies!D2: 此格是未计算的公式"):
        read(buffer.getvalue())


def test_a_hidden_sheet_is_not_read(read: Read) -> None:
    book = openpyxl.load_workbook(io.BytesIO(agencies_bytes([made.agency()], "xlsx")))
    book["利益冲突 conflicts"].sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(InputError, match="利益冲突 conflicts: 缺少此表"):
        read(buffer.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        b"PK\x03\x04 broken",
        b"%PDF-1.7\n%%EOF\n",
        b'a,"b\n' * 10,
        "编号\n".encode() * 30_000,
        b"=cmd|' /C calc'!A0\n",
    ],
)
def test_a_file_that_is_no_directory_is_refused(read: Read, data: bytes) -> None:
    with pytest.raises(CustodyError) as caught:
        read(data)
    assert caught.value.remedy


def test_a_spreadsheet_that_unfolds_without_end_harms_nobody(read: Read) -> None:
    with pytest.raises(InputError, match="超过 20000 行"):
        read(rewritten(sheet_bytes([("机构 agencies", [["x"]])]), long_sheet))


def test_rows_beyond_what_the_file_says_of_itself_are_read(read: Read) -> None:
    def understated(data: bytes) -> bytes:
        changed = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:D2"', data)
        assert changed != data
        return changed

    assert read(rewritten(agencies_bytes(full(), "xlsx"), understated)) == full()


def long_sheet(data: bytes) -> bytes:
    row = b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>x</t></is></c></row>'
    rows = b"".join(row % (n, n) for n in range(1, 60_000))
    head = data[: data.index(b"<sheetData>")]
    return head + b"<sheetData>" + rows + b"</sheetData></worksheet>"


def rewritten(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a spreadsheet with the first sheet changed."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith("sheet1.xml") else content)
    return buffer.getvalue()


def test_export_names_the_form_and_overwrites_nothing(pool: CellPool, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    export_agencies(full(), path)
    with pytest.raises(ConflictError, match="未改动"):
        export_agencies([], path)
    assert read_agencies(pool, path, BOOK) == full()
    with pytest.raises(InputError, match=r"\.xlsx"):
        export_agencies(full(), tmp_path / "a.ods")
    with pytest.raises(NotFoundError, match="没有文件"):
        read_agencies(pool, tmp_path / "b.csv", BOOK)

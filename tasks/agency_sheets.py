"""The directory of agencies as a file: written for people, read back in the cell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from appraisal import agency_rows, agency_sheet
from appraisal.agency import Agency
from appraisal.fields import Fields
from appraisal.rules import RuleBook
from storage.cells import as_csv
from storage.errors import ConflictError, HostError, InputError, NotFoundError
from storage.names import display
from storage.workspace import fsync_folder
from tasks.bundle import File
from tasks.reader.cell import CellPool
from tasks.reader.failures import unreadable_error
from tasks.reader.grid import Grid
from tasks.reader.process import CellFailure
from tasks.sheet_bytes import sheet_bytes

_MARK = "\ufeff"
"""Spreadsheets read a CSV file as UTF-8 only with this before it."""


def agencies_bytes(agencies: Iterable[Agency], form: str) -> bytes:
    """Return the directory as ``xlsx`` or ``csv``; the same agencies give the same bytes.

    Raises:
        InputError: another form is asked for.
    """
    if form == "xlsx":
        return sheet_bytes(agency_sheet.sheets(agencies))
    if form == "csv":
        return (_MARK + as_csv(agency_sheet.table(agencies))).encode()
    raise InputError(
        f"文件名应以 .xlsx 或 .csv 结尾 the file's name ends in .xlsx or .csv, not {form!r}",
        remedy="choose another name",
    )


def export_agencies(agencies: Iterable[Agency], path: Path) -> None:
    """Write the directory to a new file; its ending decides the form."""
    write_new(path, agencies_bytes(agencies, path.suffix.lower().removeprefix(".")))


def read_agencies(pool: CellPool, path: Path, book: RuleBook) -> list[Agency]:
    """Return the agencies of a file, which is opened in the cell.

    Raises:
        NotFoundError: there is no such file.
        InputError: every mistake is listed with sheet, row and column.
    """
    if not path.is_file():
        raise NotFoundError(f"没有文件 there is no file {display(str(path))}", remedy="check it")
    try:
        with File(path.name, str(path), path.stat().st_size).open() as stream:
            grid = pool.ask(Grid, stream, "grid", name=path.name)
    except CellFailure as failure:
        raise unreadable_error(failure) from failure
    sheets = [agency_rows.Sheet(each.name, each.rows) for each in grid.sheets]
    problems = [f"{each.where}: {each.text_zh} {each.text_en}" for each in grid.problems]

    def parse(untrusted: object) -> tuple[Agency, Fields]:
        return Agency.read(untrusted, book.names(), book.for_province)

    return agency_rows.read(sheets, parse, problems)


def write_new(path: Path, data: bytes) -> None:
    """Write a new file; nothing is overwritten.

    Raises:
        ConflictError: it is there already.
        HostError: it cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(data)
        fsync_folder(path.parent)
    except FileExistsError as error:
        raise ConflictError(
            f"文件已存在，未改动 the file is there already: {display(str(path))}",
            remedy="choose another name",
        ) from error
    except OSError as error:
        raise HostError(
            f"无法写入 it cannot be written: {display(str(path))}: {error.strerror}",
            remedy="check the permissions of the folder and the free space",
        ) from error

"""Parsers of the directory of agencies: its sheets as the cell reads them, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appraisal import agency_rows
from appraisal.agency import Agency
from appraisal.rules import RuleBook
from storage.errors import CustodyError
from tasks.agency_sheets import agencies_bytes
from tasks.reader.grid import Grid, read_grid
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reader.strict import as_json, parse
from tests.appraisal import made
from tests.appraisal.agencies_made import KEY
from tests.fuzz.targets import Target, same

_BOOK = RuleBook.load()


def targets() -> Iterator[Target]:
    """Yield the targets of the directory."""
    yield Target("agency-sheet", _sheet, (Refused, CustodyError), _seeds)


def _sheet(data: bytes) -> None:
    """Read a file as agencies; what was read is written and read as the same agencies."""
    found = _agencies(data)
    for form in ("csv", "xlsx"):
        same(_agencies(agencies_bytes(found, form)), found)


def _agencies(data: bytes) -> list[Agency]:
    grid = read_grid(Source(data))
    same(parse(Grid, as_json(grid)), grid)
    return agency_rows.read(
        [agency_rows.Sheet(each.name, each.rows) for each in grid.sheets],
        lambda each: Agency.read(each, _BOOK.names(), _BOOK.for_province),
        [each.where for each in grid.problems],
    )


def _seeds() -> Iterable[bytes]:
    agencies = [
        made.agency(
            encryption_key=KEY, conflicts=["=甲|乙\\"], scope_fields={"identity": ["化工"]}
        ),
        made.agency(agency_id="B", name="'乙", accreditation={"CNAS": "1", "to": "2027-01-01"}),
    ]
    yield agencies_bytes(agencies, "csv")
    yield agencies_bytes(agencies, "xlsx")
    yield agencies_bytes([], "csv")

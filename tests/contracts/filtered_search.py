"""Pages of two cases that filters tell apart, and what passes each filter."""

from typing import Any

from sqlalchemy import insert

from storage.catalogue import search, tables
from storage.catalogue.asking import Filters
from storage.catalogue.database import Session


def insert_row(session: Session, table: Any, **values: Any) -> None:
    """Put one row into a table."""
    session.execute(insert(table), [values])


def insert_exhibits(session: Session, *rows: tuple[str, int, str, str, str, str]) -> None:
    """Put in exhibits of one page: case, number, unit, day, kind and type."""
    for case in dict.fromkeys(row[0] for row in rows):
        insert_row(session, tables.Case, case_id=case, case_no=case, cause="", unit="", secrecy="",
                opened_at="")  # fmt: skip
    for case, number, unit, day, kind, media_type in rows:
        exhibit = f"{case}/E{number:04}"
        insert_row(session, tables.Accession, accession=f"A{exhibit}", case_id=case, unit=unit,
                bundle_name="", bundle_no="", bundle_digest="", state="accepted", files=1,
                bytes=1, received_at=f"{day}T23:30:00+08:00", details={})  # fmt: skip
        insert_row(session, tables.Exhibit, exhibit_id=exhibit, case_id=case, number=number,
                accession=f"A{exhibit}", event_index=number, name="", kind=kind, size=1,
                sha256="", item={}, fingerprint={}, object={})  # fmt: skip
        insert_row(session, tables.Reading, exhibit_id=exhibit, case_id=case, event_index=number,
                state="read", media_type=media_type, pages=1, details={})  # fmt: skip
        search.index_pages(session, case, exhibit, [search.PageInput(1, "ocr", "筛选用的文本")])


def fill(session: Session) -> None:
    """Put them into a database."""
    insert_exhibits(
        session,
        ("f1", 1, "浦东", "2026-11-01", "documentary", "application/pdf"),
        ("f1", 2, "闵行", "2026-11-02", "electronic_data", "image/png"),
        ("f2", 1, "浦东", "2026-11-03", "documentary", "application/zip"),
    )
    insert_row(session, tables.Part, exhibit_id="f2/E0001", part="0", parent="", case_id="f2",
            name="a.pdf", size=1, claimed=1, sha256="", media_type="application/pdf",
            state="read", code="", pages=1, members=-1, member_bytes=0, details={})  # fmt: skip
    part = search.PageInput(1, "text_layer", "筛选用的文本", "0 a.pdf", "0")
    search.add_pages(session, search.page_rows("f2", "f2/E0001", [part]))


FILTERS = {
    "none": (Filters(), ["f1/E0001", "f1/E0002", "f2/E0001", "f2/E0001/0"]),
    "kind": (Filters(kind="electronic_data"), ["f1/E0002"]),
    "unit": (Filters(unit="浦东"), ["f1/E0001", "f2/E0001", "f2/E0001/0"]),
    "from": (Filters(since="2026-11-02"), ["f1/E0002", "f2/E0001", "f2/E0001/0"]),
    "to": (Filters(until="2026-11-02"), ["f1/E0001", "f1/E0002"]),
    "type": (Filters(media_type="application/pdf"), ["f1/E0001", "f2/E0001/0"]),
    "beginning": (Filters(media_type="image/"), ["f1/E0002"]),
    "two": (Filters(unit="浦东", media_type="application/zip"), ["f2/E0001"]),
    "nothing": (Filters(unit="浦东' OR '1'='1"), []),
}

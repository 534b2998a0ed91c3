"""Values of likeness, and which texts of a case may be alike; rows are projections of the log.

A text's signature is cut into bands; two texts that share a band are candidates (locality-
sensitive hashing, Indyk and Motwani 1998). A band is kept as one number together with its case,
so that a look-up touches the candidates of one case alone, however many documents there are.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalogue.database import Base

BANDS = 32
Method = Literal["text", "image", "file"]


class Alike(Base):
    """One value of an exhibit or a part: a text's signature, a frame's PDQ, a file's TLSH.

    ``number`` is the frame of an image, else 0. ``weight`` is how many shingles a text has, or
    the quality of an image's hash. Values of parts are made from their listing.
    """

    __tablename__ = "alike"
    __table_args__ = (Index("ix_alike_case_method", "case_id", "method"),)

    exhibit_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    part: Mapped[str] = mapped_column(String(255), primary_key=True)
    method: Mapped[str] = mapped_column(String(8), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(Text)
    weight: Mapped[int]


class AlikeBand(Base):
    """One band of a text's signature, as a number of 63 bits that its case is part of."""

    __tablename__ = "alike_band"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - as the mapper wants it

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    exhibit_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    part: Mapped[str] = mapped_column(String(255), primary_key=True)


_ALIKE = cast(Table, Alike.__table__)
_BAND = cast(Table, AlikeBand.__table__)


@dataclass(frozen=True)
class Value:
    """One value as the catalogue holds it (see ``Alike``)."""

    exhibit_id: str
    method: Method
    value: str
    weight: int = 0
    number: int = 0
    part: str = ""


def bands(case: str, signature: bytes) -> list[int]:
    """Return the bands of a signature in a case: 32 numbers, each of four values in a row."""
    width = len(signature) // BANDS
    pieces = (signature[at : at + width] for at in range(0, BANDS * width, width))
    seeds = (f"{case}\n{number}\n".encode() + piece for number, piece in enumerate(pieces))
    return [int.from_bytes(hashlib.sha256(seed).digest()[:8], "big") >> 1 for seed in seeds]


def recorded(exhibit: str, details: Mapping[str, Any] | None, part: str = "") -> list[Value]:
    """Return the values that a reading's record holds; none for readings before there were any."""
    if not details:
        return []
    text, image, file = (details.get(method, {}) for method in ("text", "image", "file"))
    found = [
        Value(exhibit, "image", each["pdq"], each["quality"], each["frame"], part)
        for each in image.get("frames", ())
    ]
    if "signature" in text:
        found.append(Value(exhibit, "text", text["signature"], text["shingles"], 0, part))
    if "value" in file:
        found.append(Value(exhibit, "file", file["value"], 0, 0, part))
    return found


def replace_own(session: Session, case: str, exhibit: str, values: Sequence[Value]) -> None:
    """Put values in the place of those of an exhibit itself; those of its parts stay."""
    replace_many(session, {exhibit: (case, values)})


def replace_many(session: Session, made: Mapping[str, tuple[str, Sequence[Value]]]) -> None:
    """Do the same for many exhibits, each with its case and its values."""
    _remove(session, and_(Alike.exhibit_id.in_(list(made)), Alike.part == ""))
    _add(session, [{**vars(each), "case_id": case} for case, of in made.values() for each in of])


def add(session: Session, case: str, values: Iterable[Value]) -> None:
    """Add values of exhibits or parts that have none yet."""
    _add(session, [{**vars(each), "case_id": case} for each in values])


def _add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    session.execute(insert(_ALIKE), rows)
    found = [
        {"band": band, "exhibit_id": row["exhibit_id"], "part": row["part"]}
        for row in rows
        if row["method"] == "text"
        for band in set(bands(row["case_id"], base64.b64decode(row["value"])))
    ]
    # In the order of the key, a page of the index is written once for all its rows.
    found.sort(key=lambda each: each["band"])
    if found:
        session.execute(insert(_BAND), found)


def drop_parts(session: Session, exhibit: str, roots: Sequence[str] = ()) -> None:
    """Remove the values of an exhibit's parts: all, or those at and below some paths."""
    of_exhibit = Alike.exhibit_id == exhibit
    if not roots:
        _remove(session, and_(of_exhibit, Alike.part != ""))
    for root in roots:
        below = Alike.part.startswith(f"{root}/", autoescape=True)
        _remove(session, and_(of_exhibit, (Alike.part == root) | below))


def drop_case(session: Session, case: str) -> None:
    """Remove every value of a case."""
    _remove(session, Alike.case_id == case)


def _remove(session: Session, which: ColumnElement[bool]) -> None:
    session.flush()
    columns = (Alike.case_id, Alike.exhibit_id, Alike.part, Alike.value)
    for case, exhibit, part, value in session.execute(
        select(*columns).where(which, Alike.method == "text")
    ).all():
        numbers = bands(case, base64.b64decode(value))
        of_row = (AlikeBand.exhibit_id == exhibit) & (AlikeBand.part == part)
        session.execute(delete(AlikeBand).where(AlikeBand.band.in_(numbers), of_row))
    session.execute(delete(Alike).where(which))


def of_item(session: Session, exhibit: str, part: str = "") -> list[Value]:
    """Return the values of an exhibit itself or of one part, in the order of methods and frames."""
    statement = select(Alike).where(Alike.exhibit_id == exhibit, Alike.part == part)
    return [_value(row) for row in session.scalars(statement.order_by(*_ORDER))]


def of_exhibit(session: Session, exhibit: str) -> list[Value]:
    """Return the values of an exhibit and all its parts."""
    statement = select(Alike).where(Alike.exhibit_id == exhibit)
    return [_value(row) for row in session.scalars(statement.order_by(Alike.part, *_ORDER))]


def of_case(session: Session, case: str, method: Method) -> Iterator[Value]:
    """Yield every value of a method in a case; images and files are compared one by one."""
    columns = (Alike.exhibit_id, Alike.method, Alike.value, Alike.weight, Alike.number, Alike.part)
    statement = select(*columns).where(Alike.case_id == case, Alike.method == method)
    for exhibit, _, value, weight, number, part in session.execute(statement).yield_per(1000):
        yield Value(exhibit, method, value, weight, number, part)


def candidates(session: Session, case: str, signature: bytes) -> list[Value]:
    """Return the texts of a case that share a band with a signature, itself included."""
    numbers = bands(case, signature)
    shared = select(AlikeBand.exhibit_id, AlikeBand.part).where(AlikeBand.band.in_(numbers))
    found = shared.distinct().subquery()
    of_item_ = and_(Alike.exhibit_id == found.c.exhibit_id, Alike.part == found.c.part)
    statement = select(Alike).join(found, of_item_).where(Alike.method == "text")
    return [_value(row) for row in session.scalars(statement)]


_ORDER = (Alike.method, Alike.number)


def _value(row: Alike) -> Value:
    method: Any = row.method
    return Value(row.exhibit_id, method, row.value, row.weight, row.number, row.part)

"""Tables of the catalogue: working data, every row a projection of events in the custody log.

Only ``AccessionIntent``, ``ExhibitReservation`` and ``BundleReservation`` are written before
their events exist: they hand out numbers, so that a step repeated after a crash gets the same
ones. They too are recreated from the log by a rebuild.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.database import Base


class AccessionIntent(Base):
    """A claim: the number given to a bundle before anything is done with it."""

    __tablename__ = "accession_intent"

    accession: Mapped[str] = mapped_column(String(32), primary_key=True)
    unit: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    in_place: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16), index=True)
    claimed_at: Mapped[str] = mapped_column(String(40))


class ExhibitReservation(Base):
    """The exhibit numbers set aside for one accession: ``first`` to ``first + count - 1``."""

    __tablename__ = "exhibit_reservation"

    accession: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    first: Mapped[int]
    count: Mapped[int]


class BundleReservation(Base):
    """A bundle number of a case and the accession that holds it."""

    __tablename__ = "bundle_reservation"
    __table_args__ = (UniqueConstraint("case_id", "bundle_no"),)

    accession: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(64))
    bundle_no: Mapped[str] = mapped_column(String(255))
    bundle_digest: Mapped[str] = mapped_column(String(64))


class Case(Base):
    """A case, as its first accession described it; the highest mark of secrecy stands."""

    __tablename__ = "case"

    case_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_no: Mapped[str] = mapped_column(String(255))
    cause: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(String(255))
    secrecy: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[str] = mapped_column(String(40))


class Accession(Base):
    """The act of taking one bundle in: received, storing, accepted, quarantined or duplicate."""

    __tablename__ = "accession"

    accession: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case.case_id"), index=True)
    unit: Mapped[str] = mapped_column(String(255))
    bundle_name: Mapped[str] = mapped_column(Text)
    bundle_no: Mapped[str] = mapped_column(String(255))
    bundle_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    files: Mapped[int]
    bytes: Mapped[int]
    received_at: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Exhibit(Base):
    """One item of evidence, numbered in its case."""

    __tablename__ = "exhibit"
    __table_args__ = (UniqueConstraint("case_id", "number"),)

    exhibit_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.case_id"))
    number: Mapped[int]
    accession: Mapped[str] = mapped_column(String(32), index=True)
    event_index: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    item: Mapped[dict[str, Any]] = mapped_column(JSON)
    fingerprint: Mapped[dict[str, Any]] = mapped_column(JSON)
    object: Mapped[dict[str, Any]] = mapped_column(JSON)


class Reading(Base):
    """The newest reading of an exhibit: its transcript as a derivative, marked not evidence."""

    __tablename__ = "reading"

    exhibit_id: Mapped[str] = mapped_column(ForeignKey("exhibit.exhibit_id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    event_index: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    media_type: Mapped[str] = mapped_column(String(128))
    pages: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Expansion(Base):
    """A listing of parts in force: the newest ``whole`` one of an exhibit and all ``some`` since.

    ``members`` and ``member_bytes`` are what the exhibit itself says that it holds (0 for a
    ``some`` listing), ``parts`` the lines of the listing, whose object ``details`` names.
    """

    __tablename__ = "expansion"

    event_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    exhibit_id: Mapped[str] = mapped_column(String(80), index=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    scope: Mapped[str] = mapped_column(String(8))
    format: Mapped[str] = mapped_column(String(32))
    members: Mapped[int]
    member_bytes: Mapped[int]
    parts: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Part(Base):
    """One member of a container, at any depth: ``part`` is its path of indices (``2/0``).

    Recreated from the listings that ``Expansion`` names, in the order of the log. ``size`` is
    what was measured, -1 where nothing was taken out; ``claimed`` what the container says, -1
    where it says nothing. ``members`` is -1 for what is no container.
    """

    __tablename__ = "part"
    __table_args__ = (Index("ix_part_case_state", "case_id", "state"),)

    exhibit_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    part: Mapped[str] = mapped_column(String(255), primary_key=True)
    parent: Mapped[str] = mapped_column(String(255))
    case_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    claimed: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64))
    pages: Mapped[int]
    members: Mapped[int]
    member_bytes: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class Doing(Base):
    """An ingest under way and how far it is; no event holds it, and losing it harms nothing."""

    __tablename__ = "doing"

    accession: Mapped[str] = mapped_column(String(32), primary_key=True)
    unit: Mapped[str] = mapped_column(String(255), index=True)
    state: Mapped[dict[str, Any]] = mapped_column(JSON)


class StagePace(Base):
    """How long a stage of an ingest has taken here, as faded sums; no event holds it."""

    __tablename__ = "stage_pace"

    stage: Mapped[str] = mapped_column(String(16), primary_key=True)
    sums: Mapped[dict[str, Any]] = mapped_column(JSON)


class EventRef(Base):
    """Where an event stands in the log and what it is about."""

    __tablename__ = "event_ref"

    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(16))
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    accession: Mapped[str] = mapped_column(String(32), index=True)
    occurred_at: Mapped[str] = mapped_column(String(40))


class EventExhibit(Base):
    """Which exhibits an event is about."""

    __tablename__ = "event_exhibit"

    exhibit_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class Agency(Base):
    """An appraisal agency, as its newest event describes it."""

    __tablename__ = "agency"

    agency_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class Commission(Base):
    """Where a commission stands; its history is in ``CommissionStep``.

    ``due`` is the day of the clock that is going (``clock``), 9999-12-31 without one, empty if its
    newest event does not say; while ``paused`` it moves on with every day. ``words`` is what a
    search looks in. ``last_index`` is the entry of its newest step.
    """

    __tablename__ = "commission"
    __table_args__ = (
        Index("ix_commission_agency_due", "agency_id", "open", "due", "commission_no"),
        Index("ix_commission_agency_last", "agency_id", "last_index"),
        Index("ix_commission_due", "open", "due", "commission_no"),
        Index("ix_commission_last", "last_index"),
    )

    commission_no: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(32))
    steps: Mapped[int]
    open: Mapped[bool]
    due: Mapped[str] = mapped_column(String(10))
    clock: Mapped[str] = mapped_column(String(16))
    paused: Mapped[bool]
    extended: Mapped[bool]
    corrected: Mapped[bool]
    sent_at: Mapped[str] = mapped_column(String(40))
    last_at: Mapped[str] = mapped_column(String(40))
    last_index: Mapped[int]
    words: Mapped[str] = mapped_column(Text)


class CommissionStep(Base):
    """One transition of a commission, in the order of the log."""

    __tablename__ = "commission_step"

    commission_no: Mapped[str] = mapped_column(String(64), primary_key=True)
    step: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    event_index: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class PageText(Base):
    """The text of one page, for search; recreated from the transcript.

    ``tokens`` are its units with English words by their stem, ``words`` the units as they stand
    where that is another string, ``grams`` what PostgreSQL's index holds (nothing in SQLite). What
    has no page of its own, a name or a piece of metadata, is page 0.
    """

    __tablename__ = "page_text"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    exhibit_id: Mapped[str] = mapped_column(String(80), index=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    part: Mapped[str] = mapped_column(String(255), server_default="")
    page: Mapped[int]
    label: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    tokens: Mapped[str] = mapped_column(Text)
    words: Mapped[str | None] = mapped_column(Text)
    grams: Mapped[list[int] | str] = mapped_column(
        ARRAY(Integer).with_variant(Text, "sqlite"), server_default="{}"
    )


class SearchIndex(Base):
    """One row: the version of what made the index of pages; a rebuild does not empty it."""

    __tablename__ = "search_index"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String(255))


class Fixity(Base):
    """One kept object, when its bytes were last read back, and what was found then.

    ``last_at`` is when they were read, whatever was found; empty: not since they were stored.
    ``result`` is the newest answer, empty before the first. ``event_index`` is the entry that
    names the object's fingerprint, ``checked_index`` that of the newest answer. (RULES AU-03.)
    """

    __tablename__ = "fixity"
    __table_args__ = (Index("ix_fixity_due", "disposed", "last_at"),)

    object_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    label: Mapped[str] = mapped_column(String(96))
    role: Mapped[str] = mapped_column(String(16))
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    accession: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    event_index: Mapped[int]
    last_at: Mapped[str] = mapped_column(String(40))
    result: Mapped[str] = mapped_column(String(16))
    checked_index: Mapped[int | None]
    disposed: Mapped[bool]


class Alert(Base):
    """Something that a person must look into; open until ``closed_at``."""

    __tablename__ = "alert"

    alert_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(255), index=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    message: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[str] = mapped_column(String(40))
    event_index: Mapped[int]
    closed_at: Mapped[str] = mapped_column(String(40))
    closed_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


class LegalHold(Base):
    """A legal hold of a case; while one is open nothing of the case is disposed of (ST-09)."""

    __tablename__ = "legal_hold"

    hold_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[str] = mapped_column(String(40))
    released_at: Mapped[str] = mapped_column(String(40))
    released_by: Mapped[str] = mapped_column(Text)
    released_with: Mapped[str] = mapped_column(Text)


class Handover(Base):
    """A hand-over of originals, or a package of working copies sent; open until received.

    ``number`` is the hand-over's, or the commission's for a package (``kind``). ``giver``,
    ``addressee`` and ``receiver`` are people as events hold them. (RULES CU-03.)
    """

    __tablename__ = "handover"

    number: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    case_id: Mapped[str] = mapped_column(String(64), index=True)
    exhibits: Mapped[list[str]] = mapped_column(JSON)
    giver: Mapped[dict[str, Any]] = mapped_column(JSON)
    addressee: Mapped[dict[str, Any]] = mapped_column(JSON)
    receiver: Mapped[dict[str, Any]] = mapped_column(JSON)
    purpose: Mapped[str] = mapped_column(Text)
    released_at: Mapped[str] = mapped_column(String(40))
    released_index: Mapped[int]
    closed_at: Mapped[str] = mapped_column(String(40), index=True)
    closed_index: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(16))


class Anchor(Base):
    """What somebody else signed about a published checkpoint: a timestamp or a cosignature.

    ``by`` is the authority's or the witness's name, ``gen_time`` the time that it states (RFC
    3339). (RULES CU-07.)
    """

    __tablename__ = "anchor"

    event_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(index=True)
    root: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(255))
    algorithm: Mapped[str] = mapped_column(String(16))
    gen_time: Mapped[str] = mapped_column(String(40))
    object: Mapped[dict[str, Any]] = mapped_column(JSON)

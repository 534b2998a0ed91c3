"""Tables of the log's journal: inbox, entries, tree nodes, chains, keys and head."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Integer, LargeBinary, Sequence, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.database import Base

HEAD = 1
"""Key of the only row of ``log_head``."""


class LogInbox(Base):
    """An event that waits for its place; ``refused`` holds why it will not get one."""

    __tablename__ = "log_inbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    refused: Mapped[str] = mapped_column(Text)


class LogEntry(Base):
    """An event in its place."""

    __tablename__ = "log_entry"

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogNode(Base):
    """The root of a full tile: a hash of a tile level from 1 upwards."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogHead(Base):
    """The one row that says how far the log is: its frontier, and what is published of it."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    published_size: Mapped[int]
    published: Mapped[str] = mapped_column(Text)
    last_at: Mapped[str] = mapped_column(String(40), server_default="")


class LogTail(Base):
    """The newest event of each subject (exhibit, case, accession): the end of its chain."""

    __tablename__ = "log_tail"

    subject: Mapped[str] = mapped_column(String(96), primary_key=True)
    count: Mapped[int]
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogKey(Base):
    """A rotation of the log's key: the event's index and its statement signed by both keys."""

    __tablename__ = "log_key"

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    statement: Mapped[str] = mapped_column(Text)


EPOCH = Sequence("log_epoch", metadata=Base.metadata)
"""Fencing epochs of leaders; a sequence of PostgreSQL, nothing in SQLite."""
INBOX = cast(Table, LogInbox.__table__)
ENTRY = cast(Table, LogEntry.__table__)
NODE = cast(Table, LogNode.__table__)
TAIL = cast(Table, LogTail.__table__)

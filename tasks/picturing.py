"""Picturing: the images of pages on which something was found, drawn from the originals."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import Any, BinaryIO

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import CustodyError
from storage.objects import ObjectRef
from tasks.kept_files import opened
from tasks.reader.cell import CellPool
from tasks.reader.process import CellFailure
from tasks.searching import Shown
from tasks.taking_out import part_pieces

MAX_PICTURE_BYTES = 8 << 20


def pictures(
    custody: Custody, pool: CellPool, shown: Sequence[Shown]
) -> Iterator[tuple[Shown, bytes]]:
    """Yield each hit with its page as JPEG; empty where it has no boxes or cannot be drawn.

    Hits of one document that follow each other share its source.
    """
    for (exhibit, part), hits in groupby(shown, lambda each: (each.hit.exhibit_id, each.hit.part)):
        some = list(hits)
        if not any(each.boxes for each in some):
            yield from ((each, b"") for each in some)
            continue
        try:
            with _source(custody, pool, exhibit, part) as file:
                for each in some:
                    yield each, _picture(pool, file, each) if each.boxes else b""
        except CustodyError:
            yield from ((each, b"") for each in some)


@contextmanager
def _source(custody: Custody, pool: CellPool, exhibit: str, part: str) -> Iterator[BinaryIO]:
    """Yield an exhibit's original or a part of it as an open file."""
    with custody.read() as session:
        row = queries.find_exhibit(session, exhibit)
    with ExitStack() as stack:
        if not part:
            yield stack.enter_context(opened(custody, ObjectRef.from_json(row["object"])))
            return
        spool = stack.enter_context(tempfile.TemporaryFile(dir=custody.workspace.work))
        for piece in stack.enter_context(part_pieces(custody, pool, row, part)):
            spool.write(piece)
        spool.flush()
        spool.seek(0)
        yield spool


def _picture(pool: CellPool, file: BinaryIO, shown: Shown) -> bytes:
    page: dict[str, Any] = {"number": shown.frame, "inside": shown.inside, "drawn": shown.drawn}
    given = pool.stream("picture", file, "", MAX_PICTURE_BYTES, **page)
    try:
        return b"".join(given)
    except (CellFailure, CustodyError):
        return b""

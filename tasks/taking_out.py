"""Taking a part out: its bytes stay in the container, and come through the cell when asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, BinaryIO

from storage.catalogue import parts
from storage.custody import Custody
from storage.errors import IntegrityError, StateError
from storage.names import display
from storage.objects import ObjectRef
from tasks.account import STATE_NAMES
from tasks.kept_files import opened
from tasks.reader.cell import CellPool
from tasks.reader.contained import unpack


def find_part(custody: Custody, exhibit: dict[str, Any], part: str) -> dict[str, Any]:
    """Return a part as something to give out: the exhibit's row with the part's own digests.

    Raises:
        NotFoundError: the exhibit has no such part.
        StateError: nothing of it was ever taken out, so there is no digest to hold it against.
    """
    with custody.read() as session:
        row = parts.find(session, exhibit["exhibit_id"], part)
    print_ = row["details"]["fingerprint"]
    if print_ is None:
        raise StateError(
            f"部分 {part} 未取出 nothing was taken out of part {part} "
            f"({display(row['name'])}): {STATE_NAMES.get(row['state'], row['state'])}",
            remedy="see 'custody case show CASE --failed'; the container itself can be exported",
        )
    return {
        **exhibit,
        "part": part,
        "size": row["size"],
        "sha256": row["sha256"],
        "fingerprint": print_,
    }


@contextmanager
def part_pieces(
    custody: Custody, pool: CellPool, exhibit: dict[str, Any], part: str
) -> Iterator[Iterator[bytes]]:
    """Yield the bytes of a part, through every container that it lies in.

    Only the containers on the way lie in scratch space, and only for as long as this lasts.

    Raises:
        UnreadableError: a container on the way, or the part, cannot be taken out now.
        IntegrityError: a container on the way does not hold the next one any more.
    """
    *way, last = parts.place(part)
    with ExitStack() as stack:
        file = stack.enter_context(opened(custody, ObjectRef.from_json(exhibit["object"])))
        for index in way:
            spool = stack.enter_context(tempfile.TemporaryFile(dir=custody.workspace.work))
            with _member(pool, file, index) as pieces:
                for piece in pieces:
                    spool.write(piece)
            spool.flush()
            spool.seek(0)
            file = spool
        yield stack.enter_context(_member(pool, file, last))


@contextmanager
def document_of(
    custody: Custody, pool: CellPool, exhibit: dict[str, Any], part: str
) -> Iterator[BinaryIO]:
    """Yield an exhibit's original, or a part of it that lies in scratch space for so long."""
    if not part:
        with opened(custody, ObjectRef.from_json(exhibit["object"])) as file:
            yield file
        return
    find_part(custody, exhibit, part)
    with tempfile.TemporaryFile(dir=custody.workspace.work) as spool:
        with part_pieces(custody, pool, exhibit, part) as pieces:
            for piece in pieces:
                spool.write(piece)
        spool.flush()
        yield spool


@contextmanager
def _member(pool: CellPool, file: BinaryIO, index: int) -> Iterator[Iterator[bytes]]:
    with closing(unpack(pool, file, "", [index])) as members:
        member = next(members, None)
        if member is None or member.index != index:
            raise IntegrityError(
                f"容器中没有第 {index} 项 the container has no member {index}",
                remedy="run 'custody verify' on its case",
            )
        yield member.pieces()

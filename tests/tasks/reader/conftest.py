"""One pool of real cells for all tests of the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool, read_document
from tasks.reader.engines import Engines

Keep = Callable[[str, bytes], Path]
Read = Callable[..., Transcript]


@pytest.fixture(scope="session")
def pool() -> Iterator[CellPool]:
    with CellPool(2, document_seconds=60.0, page_seconds=60.0) as cells:
        yield cells


@pytest.fixture(scope="session")
def rapid() -> Iterator[CellPool]:
    """A pool whose pages are read by the large engine, loaded once for all tests."""
    with CellPool(2, engines=Engines("rapid", threads=2)) as cells:
        yield cells


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def inspect(pool: CellPool, keep: Keep) -> Read:
    return lambda name, data: pool.inspect(keep(name, data), name)


@pytest.fixture
def read(pool: CellPool, keep: Keep) -> Read:
    return lambda name, data: read_document(pool, keep(name, data), name)

"""A manifest's lines as they come out of the cell: what is written is read, and no lie is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reader import manifest_rows
from tasks.reader.answer import RawCell, RawManifest, RawProblem
from tasks.reader.manifest_lines import write_rows
from tasks.reader.manifest_rows import read_rows
from tasks.reader.process import CellFailure

ROWS = st.lists(
    st.lists(st.builds(RawCell, *[st.text(max_size=4).filter(str.isalnum)] * 3), max_size=3).map(
        tuple
    ),
    max_size=5,
).map(tuple)
HEAD = b'{"format":"yaml","header":[],"officers":[],"items":[],"problems":[]}\n'
ROW = b'[{"key":"path","value":"a.txt","where":"line 1"}]\n'


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def written(found: RawManifest, path: Path) -> bytes:
    with path.open("wb") as file:
        write_rows(found, file.fileno())
    return path.read_bytes()


@given(ROWS, st.integers(1, 400))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[tuple[RawCell, ...], ...], size: int
) -> None:
    found = RawManifest(
        "xlsx", rows[0] if rows else (), rows, rows, (RawProblem("B2", "错", "no"),)
    )
    path = tmp_path_factory.getbasetemp() / f"rows-{os.getpid()}"
    assert read_rows(pieces(written(found, path), size)) == found


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        HEAD[:-1],
        ROW,
        HEAD.replace(b'"items":[]', b'"items":[' + ROW.strip() + b"]"),
        HEAD + HEAD,
        HEAD + ROW[:-1],
        HEAD + ROW + b"\n",
        HEAD + b"[1]\n",
        HEAD + b'[{"key":"path","value":"\\u0000","where":"line 1"}]\n',
        HEAD + b'[{"key":"path","value":"a.txt"}]\n',
        HEAD + b"NaN\n",
    ],
    ids=str,
)
def test_anything_else_is_a_lie(lines: bytes) -> None:
    with pytest.raises(CellFailure) as caught:
        read_rows(pieces(lines, 50))
    assert caught.value.code == "lie"


def test_rows_may_hold_as_many_values_as_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_rows, "MAX_ANSWER_MARKS", 40)
    assert len(read_rows(pieces(HEAD + ROW, 50)).items) == 1
    with pytest.raises(CellFailure, match="too many values"):
        read_rows(pieces(HEAD + 20 * ROW, 50))

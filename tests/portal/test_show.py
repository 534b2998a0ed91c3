"""What is printed of very many rows: JSON made while it is printed, tables in pieces."""

import json
from typing import Any

import pytest

from portal import show
from portal.show import Rows, as_json, table


@pytest.mark.parametrize("rows", [[], [1], [{"a": "客户名单"}, {"b": [1, 2]}]])
def test_rows_that_are_made_while_they_are_printed_are_the_json_of_a_list(
    rows: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    as_json({"rows": Rows(iter(rows)), "more": 1})
    assert json.loads(capsys.readouterr().out) == {"rows": rows, "more": 1}


@pytest.mark.parametrize(("rows", "pieces"), [(0, 1), (1, 1), (500, 1), (501, 2), (1_000, 2)])
def test_a_long_table_is_printed_in_pieces_and_whole(
    rows: int, pieces: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show._AT_ONCE == 500
    table("证据", ("编号 No.",), ([f"E{each:05}"] for each in range(rows)))
    out = capsys.readouterr().out
    assert out.count("证据") == 1
    assert out.count("编号") == pieces
    assert [line for line in out.splitlines() if "E0" in line] != [] or rows == 0
    assert sum(f"E{each:05}" in out for each in range(rows)) == rows

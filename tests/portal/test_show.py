"""What is printed: JSON whose rows are made while they are printed is JSON all the same."""

import json
from typing import Any

import pytest

from portal.show import Rows, as_json


@pytest.mark.parametrize("rows", [[], [1], [{"a": "客户名单"}, {"b": [1, 2]}]])
def test_rows_that_are_made_while_they_are_printed_are_the_json_of_a_list(
    rows: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    as_json({"rows": Rows(iter(rows)), "more": 1})
    assert json.loads(capsys.readouterr().out) == {"rows": rows, "more": 1}

"""Values of a manifest are judged outside of the cell: none may take the square of its length."""

import pytest

from storage.errors import InputError
from tasks.manifest import judge_manifest
from tasks.manifest_values import parse_digests, parse_moment
from tests.tasks.manifest_made import PAPER, listed, raw


def test_a_long_run_of_blanks_costs_no_more_than_its_length() -> None:
    # The square of this length would take minutes, and the suite ends a test before that.
    with pytest.raises(InputError):
        parse_digests(" \n" * 200_000)
    assert parse_moment("2026-11-20 " + " " * 200_000 + "x") is None


def test_blanks_around_the_colon_do_not_count() -> None:
    (only,) = parse_digests("SHA-256 \n = \t" + "0" * 64)
    assert (only.algorithm, only.value) == ("sha256", "0" * 64)


@pytest.mark.parametrize("written", [",", ";", "、", " , ; "])
def test_what_only_parts_check_values_is_none(written: str) -> None:
    made = judge_manifest(raw(items=[{**PAPER, "digest": written}]), [listed(PAPER["path"])])
    assert isinstance(made, tuple)
    assert [mistake.code for mistake in made] == ["bad_value"]

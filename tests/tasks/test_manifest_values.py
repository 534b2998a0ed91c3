"""Values of a manifest are judged outside of the cell: none may take the square of its length."""

from tasks.manifest_values import parse_digests, parse_moment


def test_a_long_run_of_blanks_costs_no_more_than_its_length() -> None:
    # The square of this length would take minutes, and the suite ends a test before that.
    assert parse_digests(" \n" * 200_000) == ()
    assert parse_moment("2026-11-20 " + " " * 200_000 + "x") is None


def test_blanks_around_the_colon_do_not_count() -> None:
    (only,) = parse_digests("SHA-256 \n = \t" + "0" * 64)
    assert (only.algorithm, only.value) == ("sha256", "0" * 64)

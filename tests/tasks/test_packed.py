"""Values held small are the values that were packed, in their order."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.packed import Packed, PackedMap, joined, merged

VALUES = st.lists(st.tuples(st.integers(), st.text(max_size=5)), max_size=5)
LONG = st.integers(0, 650).map(lambda count: [(number, "x") for number in range(count)])
"""Several blocks, the last of any length."""


@given(st.one_of(VALUES, LONG), st.integers(-700, 700), st.integers(-700, 700))
def test_it_is_the_sequence_that_was_packed(
    values: list[tuple[int, str]], start: int, end: int
) -> None:
    packed = Packed(iter(values))
    assert list(packed) == values
    assert len(packed) == len(values)
    assert packed == tuple(values)
    assert tuple(values) == packed
    assert packed[start:end] == tuple(values[start:end])
    assert packed[start:end:3] == tuple(values[start:end:3])
    assert bool(packed) == bool(values)
    for place in (start, end):
        try:
            expected = values[place]
        except IndexError:
            expected = None
        try:
            assert packed[place] == expected
        except IndexError:
            assert expected is None


@given(st.lists(st.one_of(VALUES, LONG, VALUES.map(Packed)), max_size=4))
def test_joined_they_follow_each_other(parts: list[list[tuple[int, str]]]) -> None:
    whole = joined(parts)
    assert list(whole) == [each for part in parts for each in part]
    assert [whole[place] for place in range(len(whole))] == list(whole)
    assert whole != (*whole, 1)


def test_other_values_are_not_equal() -> None:
    assert Packed([1, 2]) != (1, 3)
    assert Packed([1, 2]) != Packed([1])
    assert Packed([1]) != [1]


@given(st.lists(st.lists(st.tuples(st.sampled_from(["aa", "0b", "c0ff"]), st.integers()))))
def test_a_mapping_has_the_last_of_equal_keys(parts: list[list[tuple[str, int]]]) -> None:
    expected = {key: value for part in parts for key, value in part}
    assert dict(merged(map(PackedMap, parts))) == expected
    assert dict(PackedMap([pair for part in parts for pair in part])) == expected

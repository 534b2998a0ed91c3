"""Canonical JSON: one spelling, the reference library's, and no fractions."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from storage.jcs import MAX_INTEGER, NotCanonicalError, canonical, parse_canonical

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1,}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"9" * 5000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u001F"',
        b'"\x1f"',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"[" * 100_000,
        '{"\U00010000":1,"￿":2}'.encode().replace(b":1", b":1")[::-1],
    ],
)
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonicalError):
        parse_canonical(data)


@pytest.mark.parametrize(
    "value", [0.5, 1.0, MAX_INTEGER + 1, {1: 2}, b"x", {1}, "\ud800", object()]
)
def test_values_that_differ_between_languages_are_refused(value: object) -> None:
    for each in (value, [value], {"a": value}):
        with pytest.raises(NotCanonicalError):
            canonical(each)


@given(values)
def test_the_form_is_the_reference_librarys(value: object) -> None:
    data = canonical(value)
    assert data == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert parse_canonical(data) == value


def test_keys_beyond_the_basic_plane_are_ordered_as_utf16() -> None:
    value = {"\U00010000": 1, "\uffff": 2}
    assert canonical(value) == '{"\U00010000":1,"\uffff":2}'.encode()
    assert parse_canonical(canonical(value)) == value
    with pytest.raises(NotCanonicalError):
        parse_canonical('{"\uffff":2,"\U00010000":1}'.encode())


@given(values)
def test_only_one_spelling_of_a_value_is_read(value: object) -> None:
    own = canonical(value)
    for spelling in (json.dumps(value), json.dumps(value, indent=1), json.dumps(value) + " "):
        if spelling.encode() != own:
            with pytest.raises(NotCanonicalError):
                parse_canonical(spelling.encode())

"""Normalisation: Unicode's own for whatever people write, and soon done for whatever they send."""

import sys
import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from storage.normal import _MARKED, normal_form

_LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(_LETTERS)
def test_what_people_write_is_normalised_as_unicode_says(text: str) -> None:
    assert normal_form("NFC", text) == unicodedata.normalize("NFC", text)
    assert normal_form("NFKC", text) == unicodedata.normalize("NFKC", text)


def test_a_megabyte_of_marks_is_soon_done_and_two_such_texts_still_differ() -> None:
    began = time.process_time()
    one, other = (normal_form("NFKC", "a" + "\u0316\u0301" * 250_000 + end) for end in "xy")
    assert time.process_time() - began < 5
    assert one != other
    assert normal_form("NFC", one) == one


def test_every_combining_mark_is_looked_for() -> None:
    marks = {each for each in range(sys.maxunicode + 1) if unicodedata.combining(chr(each))}
    assert marks
    assert marks <= set(_MARKED)

"""Pages of an exhibit: one spelling, read from several, and what is no list of pages is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.fields import Fields
from appraisal.material import CHOICE_FIELDS, Material, read_choice
from appraisal.page_ranges import count_of, pages_text, parse_pages
from storage.errors import InputError
from tests.appraisal import made


@given(st.sets(st.integers(1, 99_999), min_size=1, max_size=30))
def test_every_set_of_pages_has_one_spelling(pages: set[int]) -> None:
    ranges = parse_pages(",".join(map(str, sorted(pages, reverse=True))))
    assert {n for first, last in ranges for n in range(first, last + 1)} == pages
    assert count_of(ranges) == len(pages)
    assert parse_pages(pages_text(ranges)) == ranges
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(ranges))


def test_what_people_type_is_read() -> None:
    assert pages_text(parse_pages(" ３ — ５，9、　10 ")) == "3-5,9-10"


@pytest.mark.parametrize(
    "text", ["", "0", "5-3", "3,3", "1-4,2", "a", "1,", "-3", "123456", "1-2-3", "1 2", "1-1 2"]
)
def test_what_is_no_list_of_pages_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_pages(text)
    assert caught.value.remedy


def test_a_choice_of_pages_is_a_column_of_the_list_and_older_lines_have_none() -> None:
    fields = Fields(
        {"materials": [{"exhibit": "E1", "pages": "9,3-5"}, {"exhibit": "E2", "pages": 7}]},
        {"materials": "鉴定材料"},
    )
    first, second = (read_choice(each) for each in fields.tables("materials", CHOICE_FIELDS))
    assert (first["pages"], second["pages"]) == ("3-5,9", "7")
    assert "派生" in first["properties"]
    whole = made.material()
    assert "pages" not in whole.as_json()
    assert Material.from_json(whole.as_json()) == whole
    part = made.material(pages="3-5,9")
    assert part.payload_name == "E0001.p3-5_9.pdf"
    assert Material.from_json(part.as_json()) == part


def test_a_wrong_list_of_pages_is_named_with_its_line() -> None:
    fields = Fields({"materials": [{"exhibit": "E1", "pages": "x"}]}, {"materials": "鉴定材料"})
    (line,) = fields.tables("materials", CHOICE_FIELDS)
    read_choice(line)
    with pytest.raises(InputError, match="pages"):
        fields.finish(("委托书", "the commission"), "correct the listed fields")

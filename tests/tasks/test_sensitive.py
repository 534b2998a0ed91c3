"""Sensitive hits: numbers with their check digits, counted and never repeated."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import sensitive
from tasks.reader.answer import Page, Transcript

# Made by the rules; none is anybody's.
IDENTITY = "11010519491231002X"


def _identity(region: str, born: str, order: int) -> str:
    body = f"{region}{born}{order:03d}"
    weighed = sum(int(d) * w for d, w in zip(body, sensitive._WEIGHTS, strict=True))
    return body + "10X98765432"[weighed % 11]


def _with_luhn(body: str) -> str:
    return next(body + str(d) for d in range(10) if sensitive._luhn(body + str(d)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"身份证号{IDENTITY}，住址", {"identity_card": 1}),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", {"identity_card": 1}),
        ("110105 19491231 002x", {"identity_card": 1}),
        ("110105194912310021", {}),
        ("11010519491331002X", {}),
        ("99010519491231002X", {}),
        (f"A{IDENTITY} {IDENTITY}7", {}),
        ("电话13800138000。", {"mobile_phone": 1}),
        ("+86 138-0013-8000 或 １３９００１３９０００", {"mobile_phone": 2}),
        ("12800138000 1380013800 138001380001 0.13800138000", {}),
        ("zhang.san@example.com.cn；ＬＩ＠ｅｘａｍｐｌｅ．ｃｏｍ", {"email_address": 2}),
        ("a@b @example.com a@.com", {}),
        ("", {}),
    ],
)
def test_what_counts(text: str, expected: dict[str, int]) -> None:
    assert sensitive.count(text) == expected


def test_bank_cards_by_their_check_digit_and_issuer() -> None:
    long, short = _with_luhn("622202123456789012"), _with_luhn("621700123456789")
    assert sensitive.count(f"卡号{long}") == {"bank_card": 1}
    parted = " ".join(short[at : at + 4] for at in range(0, 16, 4))
    assert sensitive.count(f"{parted} {long}") == {"bank_card": 2}
    assert sensitive.count(f"{long[:-1]}{(int(long[-1]) + 1) % 10}") == {}
    assert sensitive.count(_with_luhn("122202123456789012")) == {}


def test_an_identity_card_of_gansu_is_no_bank_card() -> None:
    for order in range(200):
        assert sensitive.count(_identity("620102", "19900307", order)) == {"identity_card": 1}


@given(st.dates(min_value=date(1900, 1, 1)), st.integers(0, 999))
def test_every_right_number_is_found_and_no_single_wrong_digit(born: date, order: int) -> None:
    number = _identity("440305", f"{born:%Y%m%d}", order)
    if number[6:8] in ("19", "20"):
        assert sensitive.count(f"号：{number}。")["identity_card"] == 1
        wrong = number[:16] + str((int(number[16]) + 1) % 10) + number[17:]
        assert sensitive.count(wrong)["identity_card"] == 0


@given(st.text(max_size=300))
def test_any_text_gives_counts_of_known_kinds(text: str) -> None:
    assert sensitive.count(text).keys() <= sensitive.KINDS.keys()


def test_details_hold_counts_and_no_value() -> None:
    pages = tuple(
        Page(n, "document", f"{IDENTITY} 13800138000 a@example.com" if n > 1 else "无")
        for n in range(1, 60)
    )
    said = sensitive.details(Transcript("text/plain", "", "read", pages=pages))
    assert said["total"] == {"identity_card": 58, "mobile_phone": 58, "email_address": 58}
    assert said["pages"][0] == {
        "page": 2, "identity_card": 1, "mobile_phone": 1, "email_address": 1
    }  # fmt: skip
    assert (len(said["pages"]), said["more_pages"]) == (50, 8)
    spelt = json.dumps(said)
    assert not any(value in spelt for value in (IDENTITY, "13800138000", "example"))
    assert "身份证号码 identity cards 58" in sensitive.shown({"sensitive": said})
    assert sensitive.shown({}) == ""

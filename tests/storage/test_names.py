"""Names from outside are shown without tricks, and different names look different."""

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.names import display, visible

NAMES = st.text(st.characters(exclude_categories=()), max_size=30)


@settings(deadline=None)
@given(NAMES)
@example("a\u202egpj.exe")
@example("a\x1b[2Jb")
@example("\udcff\u2028\ufeff\u3164\ufe0f")
def test_nothing_shown_hides_moves_or_turns(name):
    for each in display(name):
        assert unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@settings(deadline=None)
@given(NAMES, NAMES)
@example("\\x1b", "\x1b")
@example("\\\\x1b", "\\\x1b")
def test_different_names_are_shown_differently(left, right):
    assert (display(left) == display(right)) == (left == right)


@settings(deadline=None)
@given(NAMES)
def test_what_is_visible_stays_as_it_is(name):
    assert visible(visible(name)) == visible(name)


def test_chinese_names_are_left_alone():
    assert display("合同/供货合同（2026年）—终稿　v2.pdf") == "合同/供货合同（2026年）—终稿　v2.pdf"


def test_bytes_that_are_no_text_are_shown_as_bytes():
    assert display(b"\xba\xff.pdf".decode("utf-8", "surrogateescape")) == "\\xba\\xff.pdf"

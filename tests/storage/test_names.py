"""Names from outside are shown without tricks, and different names look different."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.names import display, shown, visible
from tests.names_made import LABELS, NAMES

TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
ANY = st.one_of(TEXTS, st.text(" \u3000\\x20a", max_size=8), st.sampled_from(NAMES))
SHOWING = pytest.mark.parametrize("show", [display, shown], ids=["display", "shown"])


@SHOWING
@settings(deadline=None)
@given(name=ANY)
@example(name="a\u202egpj.exe")
@example(name="a\x1b[2Jb")
@example(name="\udcff\u2028\ufeff\u3164\ufe0f")
def test_nothing_shown_hides_moves_or_turns(show, name):
    for each in show(name):
        assert unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    show(name).encode()


@SHOWING
@settings(deadline=None)
@given(left=ANY, right=ANY)
@example(left="\\x1b", right="\x1b")
@example(left="\\\\x1b", right="\\\x1b")
@example(left="a\\x20", right="a ")
def test_different_names_are_shown_differently(show, left, right):
    assert (show(left) == show(right)) == (left == right)


@settings(deadline=None)
@given(ANY, ANY)
@example("a  b", "a b")
@example(" ", "")
def test_a_name_stays_apart_where_blanks_are_dropped(left, right):
    """Web pages, Markdown and paper trim a line and make one blank of several."""

    def trimmed(text):
        return re.sub("[ \u3000]+", lambda run: run.group()[0], text.strip())

    assert trimmed(shown(left)) == shown(left)
    assert (trimmed(shown(left)) == trimmed(shown(right))) == (left == right)


@settings(deadline=None)
@given(ANY)
def test_what_is_visible_stays_as_it_is(name):
    assert visible(visible(name)) == visible(name)
    assert visible(display(name)) == display(name)
    assert visible(shown(name)) == shown(name)


def test_chinese_names_are_left_alone():
    name = "合同/供货合同（2026年）—终稿　v2.pdf"
    assert display(name) == shown(name) == name


def test_bytes_that_are_no_text_are_shown_as_bytes():
    assert display(b"\xba\xff.pdf".decode("utf-8", "surrogateescape")) == "\\xba\\xff.pdf"


def test_every_hostile_name_is_shown_on_one_line_and_by_itself():
    assert len({shown(name) for name in NAMES}) == len(NAMES) == len(LABELS)
    assert all(shown(name).splitlines() == [shown(name)] for name in NAMES)

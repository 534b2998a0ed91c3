"""Any bytes that a file system allows survive being written as text, and stay apart."""

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage import jcs
from storage.errors import InputError
from storage.spelling import from_percent, percent, spell, unspell
from tests.names_made import HOSTILE, LABELS, NAMES

RAW = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(str.encode),
    st.sampled_from(list(HOSTILE.values())),
    st.builds(bytes.__add__, st.just(b"bytes://"), st.binary(max_size=9)),
)
PATHS = RAW.map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(PATHS)
def test_every_path_is_found_again_from_its_spelling(path):
    spelled = spell(path)
    spelled.encode()
    assert unspell(spelled) == path
    assert from_percent(percent(path)) == path
    assert percent(path).isascii()


@given(PATHS, PATHS)
@example("e\u0301", "é")
@example("bytes://%ff", "\udcff")
def test_two_paths_never_have_one_spelling(left, right):
    assert (spell(left) == spell(right)) == (left == right)


@given(st.text(max_size=30).filter(lambda text: not text.startswith("bytes://")))
def test_a_name_that_is_text_is_left_alone(text):
    assert spell(text) == text


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=12),
        st.text("bytes:/%0Ffa.é\udc80", max_size=12),
        st.text("%0123456789ABCDEFabcdefé/.~ ", max_size=12).map("bytes://".__add__),
    )
)
def test_only_the_one_spelling_is_taken(text):
    try:
        path = unspell(text)
    except InputError as error:
        str(error).encode()
        return
    assert spell(path) == text


@pytest.mark.parametrize(
    "text",
    [
        "bytes://a.txt",
        "bytes://",
        "bytes://%ff",
        "bytes://%FF%61",
        "bytes://%FFé",
        "bytes://%F",
        "bytes://%FF ",
        "bytes://%E5%90%88",
        "\udcff",
    ],
    ids=range(9),
)
def test_near_misses_are_refused(text):
    with pytest.raises(InputError):
        unspell(text)


def test_half_a_character_is_no_name():
    for refuses in (spell, percent):
        with pytest.raises(InputError):
            refuses("a\ud800")


def test_bytes_that_spell_themselves_out_as_escapes_are_one_path():
    """A str that Python would never hand over means the bytes that it encodes to."""
    assert spell("\udce5\udc90\udc88") == "合"


@pytest.mark.parametrize("name", NAMES, ids=LABELS)
def test_each_hostile_name_goes_through_every_store(name: str, tmp_path: Path):
    (tmp_path / name).touch()
    (listed,) = (each.name for each in tmp_path.iterdir())
    assert listed == name
    spelled = spell(listed)
    assert json.loads(json.dumps(spelled)) == spelled
    assert jcs.parse_canonical(jcs.canonical({"path": spelled})) == {"path": spelled}
    with sqlite3.connect(":memory:") as database:
        assert database.execute("select ?", (spelled,)).fetchone() == (spelled,)
    assert unspell(spelled) == name


def test_the_hostile_names_are_what_a_folder_can_hold(tmp_path: Path):
    assert len(NAMES) == len(set(NAMES)) >= 30
    assert any(len(raw) == 255 for raw in HOSTILE.values())
    for name in NAMES:
        (tmp_path / name).touch()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(NAMES)

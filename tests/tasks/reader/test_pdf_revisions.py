"""What is a revision of a PDF, and what only looks like one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.reader.pdf_revisions import Prefix, Revision, Revisions, find
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made


def ends(data: bytes) -> list[int]:
    return [each.end for each in find(Source(data)).all]


def test_a_file_that_was_saved_once_has_one() -> None:
    data = made.with_history("one")
    assert find(Source(data)) == Revisions((Revision(1, 0, len(data)),), led=True)
    assert ends(data) == [len(data)]


def test_every_incremental_save_is_one_and_its_bytes_are_a_prefix() -> None:
    first, second = made.with_history("one"), made.with_history("one", "two")
    third = made.with_history("one", "two", "three")
    assert ends(third) == [len(first), len(second), len(third)]
    found = find(Source(third))
    assert [(each.number, each.start) for each in found.earlier] == [(1, 0), (2, len(first))]
    assert Prefix(Source(third), found.all[1].end).whole() == second


def test_cross_reference_streams_and_bytes_before_the_header() -> None:
    data = made.text_page()
    assert len(ends(made.incremental(data, "x"))) == 2
    moved = b"junk before\n" + made.with_history("one", "two")
    assert len(ends(moved)) == 2
    assert find(Source(moved)).before == 12


def test_an_attached_pdf_is_none() -> None:
    inner = made.with_history("inner", "inner two")
    outer = made.one_page(made.say("outer"), b"", made.stream(inner))
    found = find(Source(outer))
    assert [each.end for each in found.all] == [len(outer)]
    assert found.unchained == 2


def test_a_linearised_file_is_one_until_it_is_updated() -> None:
    data = made.linearised()
    assert ends(data) == [len(data)]
    assert ends(made.updated(data, {9: b"null"}, made.startxref(data))) == [
        len(data),
        len(made.updated(data, {9: b"null"}, made.startxref(data))),
    ]


def test_what_follows_the_end_is_told() -> None:
    data = made.with_history("one") + b"PK\x03\x04 something"
    assert find(Source(data)).after == 14
    assert find(Source(made.with_history("one") + b"\r\n")).after == 0


_PIECES = st.lists(
    st.sampled_from(
        [
            b"%PDF-1.7\n", b"startxref\n", b"0", b"9", b"\n%%EOF", b"\n", b"xref\n", b"trailer",
            b"<< /Prev ", b" >>", b"1 0 obj", b"stream", b"/Linearized 1 /L 50 ", b"\r\n", b"%%EO",
        ]
    )
    | st.binary(max_size=6),
    max_size=60,
)  # fmt: skip


@given(_PIECES)
def test_whatever_it_is_given_the_ranges_are_those_of_the_file(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    found = find(Source(data))
    assert [each.start for each in found.all] == [0, *[each.end for each in found.all]][:-1]
    assert all(each.start <= each.end for each in found.all)
    assert found.all[-1].end == len(data)
    assert 0 <= found.after <= len(data)


@given(st.integers(0, 900), st.binary(max_size=8))
def test_a_damaged_file_never_stops_it(at: int, junk: bytes) -> None:
    data = made.with_history("one", "two", "three")
    found = find(Source(data[:at] + junk + data[at + len(junk) :]))
    assert found.all[-1].end >= len(data) - len(junk)
    assert 1 <= len(found.all) <= 3

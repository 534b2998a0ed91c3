"""The border: every record survives its own spelling, and nothing else gets through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reader.answer import (
    Block,
    Cell,
    Contents,
    Line,
    Page,
    RawManifest,
    Table,
    Transcript,
    Word,
)
from tasks.reader.strict import as_json, clean, loads, parse

KINDS = (Page, RawManifest, Transcript, Contents)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
TEXT = st.text().map(clean)
WORDS = st.builds(Word, *[st.integers(0, 9999)] * 4, st.floats(0, 1), TEXT)
PIXEL = st.integers(0, 9999)
BLOCKS = st.builds(
    Block, PIXEL, PIXEL, PIXEL, PIXEL, st.sampled_from(["text", "table", "vertical", "stray"])
)
CELLS = st.builds(Cell, st.integers(0, 2), st.integers(0, 2), *[st.just(1)] * 2, *[PIXEL] * 4, TEXT)
TABLES = st.builds(
    Table, *[PIXEL] * 4, st.just(3), st.just(3), st.lists(CELLS, max_size=3).map(tuple)
)
LINES = st.builds(Line, *[PIXEL] * 4, st.floats(0, 1), st.just(0), st.just(1), st.just(0), TEXT)
PAGES = st.builds(
    Page,
    number=st.integers(1, 10_000),
    origin=st.sampled_from(["text_layer", "document", "ocr", "none"]),
    text=TEXT,
    confidence=st.none() | st.floats(0, 1),
    words=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    lines=st.lists(LINES, max_size=2).map(tuple),
    blocks=st.lists(BLOCKS, min_size=1, max_size=2).map(tuple),
    tables=st.lists(TABLES, max_size=2).map(tuple),
    angle=st.floats(-180, 180),
    language=st.sampled_from(["", "zh", "en", "und-Latn"]),
    settings=st.dictionaries(TEXT, TEXT, max_size=2),
    inside=st.lists(st.integers(0, 9), max_size=3).map(tuple),
)


@given(PAGES)
def test_a_page_comes_back_as_it_went(page: Page) -> None:
    assert parse(Page, loads(json.dumps(as_json(page)).encode())) == page


@given(st.lists(PAGES, max_size=3), st.dictionaries(TEXT, TEXT, max_size=3))
def test_a_transcript_comes_back_as_it_went(pages: list[Page], metadata: dict[str, str]) -> None:
    made = Transcript("text/plain", "", "read", pages=tuple(pages), metadata=metadata)
    assert Transcript.from_json(json.loads(made.as_bytes())) == made


@pytest.mark.parametrize("kind", KINDS)
@given(JSON)
def test_anything_else_is_a_value_error(kind: type[Any], value: Any) -> None:
    with pytest.raises(ValueError):
        parse(kind, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", True),
        ("number", 1 << 60),
        ("number", 1.0),
        ("text", "a\0b"),
        ("text", "\ud800"),
        ("text", 5),
        ("origin", "guess"),
        ("origin", []),
        ("confidence", float("inf")),
        ("confidence", "1"),
        ("needs_ocr", 1),
        ("words", [[1, 2, 3, 4, 0.5]]),
        ("words", {}),
        ("lines", [[1, 2, 3, 4, 0.5, 0, 1, 0, "a line of no word"]]),
        ("lines", [[1, 2, 3, 4, 0.5, 1, 0, 0, "backwards"]]),
        ("lines", [[1, 2, 3, 4, 0.5, 0, 0, 0, "in no block"]]),
        ("blocks", [[1, 2, 3, 4, "poem"]]),
        ("tables", [[1, 2, 3, 4, 1, 1, [[1, 0, 1, 1, 1, 2, 3, 4, "below"]]]]),
        ("tables", [[1, 2, 3, 4, 1, 1, [[0, 0, 1, 2, 1, 2, 3, 4, "too wide"]]]]),
        ("tables", [[1, 2, 3, 4, 1, 1, [[0, 0, 0, 1, 1, 2, 3, 4, "of no row"]]]]),
        ("settings", {"threads": 2}),
        ("extra", 1),
    ],
)
def test_one_wrong_field_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError):
        parse(Page, as_json(Page(1, "none", "")) | {field: value})


@pytest.mark.parametrize(
    "data", [b"", b"{", b"NaN", b"[" * 100_000, b"\xff", b"1" * 10_000, b'{"a":-Infinity}']
)
def test_bad_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        loads(data)


@given(st.text())
def test_clean_text_can_be_kept_everywhere(text: str) -> None:
    kept = clean(text)
    assert "\0" not in kept
    assert kept.encode().decode() == kept
    assert clean(kept) == kept


def test_another_schema_is_refused() -> None:
    good = Transcript("a", "", "read").as_json()
    for change in ({"schema": "zhenglian.transcript/3"}, {"evidence": True}):
        with pytest.raises(ValueError):
            Transcript.from_json(good | change)


def as_first_schema(body: dict[str, Any]) -> dict[str, Any]:
    """Return a transcript as it was kept before pages had a layout."""
    later = ("lines", "blocks", "tables", "angle", "language", "settings")
    pages = [{k: v for k, v in page.items() if k not in later} for page in body["pages"]]
    return body | {"schema": "zhenglian.transcript/1", "pages": pages}


@given(st.lists(PAGES, max_size=3))
def test_what_was_kept_before_pages_had_a_layout_is_still_read(pages: list[Page]) -> None:
    made = Transcript("text/plain", "", "read", pages=tuple(pages))
    seen = Transcript.from_json(as_first_schema(made.as_json()))
    assert [p.words for p in seen.pages] == [p.words for p in made.pages]
    assert not any(p.lines or p.tables or p.language for p in seen.pages)
    assert Transcript.from_json(json.loads(seen.as_bytes())) == seen


def test_a_page_is_of_one_schema_or_the_other() -> None:
    new = Transcript("a", "", "read", pages=(Page(1, "none", ""),)).as_json()
    old = as_first_schema(new)
    mixed = (
        new | {"schema": old["schema"]},
        old | {"schema": new["schema"]},
        old | {"pages": {}},
        old | {"pages": [1]},
    )
    for body in mixed:
        with pytest.raises(ValueError):
            Transcript.from_json(body)

"""Stages of a reading: what is repeated and what is kept; what makes a container one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.reader.answer import MAY_HOLD, Contents, Member, Page, Transcript
from tasks.reader.failures import UnreadableError
from tasks.transcribing import Stage, look

SCAN = Page(1, "none", "", needs_ocr=True, width=10)
OCRED = Page(1, "ocr", "旧", confidence=0.5, flags=("turned", "ocr_slow"))


class FakePool:
    """Answers as the pool does, and notes what it was asked."""

    processes = 1

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.asked: list[str] = []

    def inspect(self, file: Any, name: str, *, parts: bool = True) -> Transcript:
        self.asked.append("inspect" if parts else "shallow")
        return self.transcript

    def ocr_page(self, file: Any, number: int, inside: tuple[int, ...] = ()) -> Page:
        self.asked.append(f"ocr {number}")
        return Page(number, "ocr", "新", confidence=0.9, inside=inside, frame=number)


def of(*pages: Page, **more: Any) -> Transcript:
    return Transcript("image/png", "", "read", pages=pages, **more)


def stage(pool: FakePool, which: Stage, before: Transcript | None = None) -> Transcript:
    return look(pool, Path("x"), "x", stage=which, before=before).transcript  # type: ignore[arg-type]


def test_everything_is_read_by_default() -> None:
    pool = FakePool(of(SCAN))
    assert [page.text for page in stage(pool, Stage.ALL).pages] == ["新"]
    assert pool.asked == ["shallow", "ocr 1"]


def test_ocr_alone_is_repeated_on_the_text_as_it_was_read() -> None:
    pool = FakePool(of(SCAN))
    layer = Page(2, "text_layer", "文字层", frame=2)
    found = stage(pool, Stage.OCR, of(OCRED, layer))
    assert [page.text for page in found.pages] == ["新", "文字层"]
    assert found.pages[0].flags == ("turned",)
    assert pool.asked == ["ocr 1"]


def test_the_text_is_read_anew_and_what_ocr_had_read_is_kept() -> None:
    pool = FakePool(of(SCAN))
    found = stage(pool, Stage.TEXT, of(OCRED))
    assert [(page.text, page.origin) for page in found.pages] == [("旧", "ocr")]
    assert pool.asked == ["shallow"]


def test_a_page_that_ocr_had_not_read_is_read_with_the_text() -> None:
    pool = FakePool(of(SCAN, replace(SCAN, number=2, frame=2)))
    found = stage(pool, Stage.TEXT, of(OCRED))
    assert [page.text for page in found.pages] == ["旧", "新"]
    assert pool.asked == ["shallow", "ocr 2"]


MEMBER = Member(0, "a", "", "", "file", size=1)


@pytest.mark.parametrize(
    ("held", "state", "flags"),
    [
        (Contents("zip", (MEMBER,), 1), "read", ()),
        (Contents("zip"), "empty", ()),
        (Contents("zip", (MEMBER,), 1, ("hidden",)), "read", ("container_hidden",)),
    ],
    ids=["members", "none", "hidden"],
)
def test_a_container_says_what_it_holds(
    held: Contents, state: str, flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.transcribing.contents", lambda *asked: held)
    seen = look(FakePool(of(flags=(MAY_HOLD,))), Path("x"), "x")  # type: ignore[arg-type]
    assert (seen.contents, seen.transcript.state, seen.transcript.flags) == (held, state, flags)


def test_what_only_begins_like_a_container_is_read_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.transcribing.contents", lambda *asked: Contents())
    pool = FakePool(of(Page(1, "document", "words"), flags=(MAY_HOLD,)))
    assert look(pool, Path("x"), "x").contents is None  # type: ignore[arg-type]
    assert pool.asked == ["shallow", "inspect"]


def test_a_container_that_cannot_be_listed_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*asked: object) -> Contents:
        raise UnreadableError("坏 bad", code="refused")

    monkeypatch.setattr("tasks.transcribing.contents", refuse)
    broken = replace(of(flags=(MAY_HOLD,)), state="unknown_type")
    seen = look(FakePool(broken), Path("x"), "x")  # type: ignore[arg-type]
    assert (seen.contents, seen.transcript.state, seen.transcript.reason) == (
        None, "damaged", "坏 bad",
    )  # fmt: skip

"""Readings side by side: what each was made with, what they differ in, and tables as CSV."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cli import main
from storage.custody import Custody
from storage.errors import InputError, IntegrityError
from storage.settings import relocate
from tasks import reading, readings
from tasks.reader.answer import Block, Cell, Line, Page, Table, Transcript, Word
from tasks.reader.cell import CellPool
from tasks.reader.strict import clean
from tasks.transcribing import Look
from tests.house import forget, make_bundle
from tests.tasks.life import CASE, open_house, take

EXHIBIT = f"{CASE}/E0001"


def scanned(text: str, engine: str, version: str) -> Transcript:
    """Return a transcript of one page by an engine, with one table on it."""
    cells = (Cell(0, 0, 1, 1, 5, 5, 90, 30, "单价"), Cell(0, 1, 1, 1, 99, 5, 90, 30, "=1+1"))
    page = Page(
        1,
        "ocr",
        text,
        0.97,
        words=(Word(5, 5, 90, 30, 0.97, text),),
        lines=(Line(5, 5, 90, 30, 0.97, 0, 1, 0, text),),
        blocks=(Block(5, 5, 90, 30, "table"),),
        tables=(Table(5, 5, 184, 30, 1, 2, cells),),
        engine=engine,
        version=version,
        settings={"side": "960"},
    )
    return Transcript("image/png", "image/png", "read", pages=(page,), tools={"pillow": "1"})


OLD = scanned("甲方应当保守客户名单及技术秘蜜，期限五年", "tesseract", "5.3 chi_sim+eng")
NEW = scanned("甲方应当保守客户名单及技术秘密，期限五年", "rapidocr", "3.10")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Iterator[Custody]:
    folder = tmp_path_factory.mktemp("readings")
    with open_house(folder / "home") as custody, pytest.MonkeyPatch.context() as patch:
        for number, said in enumerate((OLD, NEW)):
            patch.setattr(reading, "look", lambda *_, said=said, **__: Look(said))
            if number == 0:
                take(custody, pool, make_bundle(folder / "B1", files={"a.png": b"picture"}))
            else:
                reading.read_exhibits(custody, pool, [EXHIBIT], again=True)
        yield custody


Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(house: Custody, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*arguments: str) -> tuple[int, str, str]:
        relocate(house.settings.home)
        forget()
        try:
            return main(["read", EXHIBIT, *arguments]), *capsys.readouterr()
        finally:
            forget()
            os.environ.pop("CUSTODY_HOME", None)

    return run


def test_every_reading_is_on_record_with_what_made_it(house: Custody) -> None:
    """FP-06."""
    found = readings.readings(house, EXHIBIT)
    assert [each.number for each in found] == [1, 2]
    assert [each.engines for each in found] == [("tesseract 5.3 chi_sim+eng",), ("rapidocr 3.10",)]
    assert [readings.transcript_of_reading(house, each) for each in found] == [OLD, NEW]
    with pytest.raises(InputError):
        readings.chosen(found, 3)


def test_a_transcript_that_is_not_what_was_recorded_is_refused(house: Custody) -> None:
    old, new = readings.readings(house, EXHIBIT)
    with pytest.raises(IntegrityError):
        readings.transcript_of_reading(house, replace(old, place=new.place))


def test_the_pages_that_differ_are_told_with_what_differs() -> None:
    (change,) = readings.changes(OLD, NEW)
    different = [run for run in change.runs if not run.same]
    one, other = change.texts
    assert [(one[r.start : r.end], other[r.other_start : r.other_end]) for r in different] == [
        ("蜜", "密")
    ]
    assert change.permille == 950


def test_a_page_that_only_one_reading_has_is_a_change() -> None:
    longer = Transcript("a", "a", "read", pages=(*OLD.pages, Page(2, "ocr", "二", frame=2)))
    (gone,) = readings.changes(longer, OLD)
    (come,) = readings.changes(OLD, longer)
    assert (gone.number, gone.new, come.number, come.old) == (2, None, 2, None)
    assert list(readings.changes(longer, longer)) == []


TEXTS = st.lists(st.text(alphabet="甲乙丙\n ab", max_size=30).map(clean), max_size=3)


def paged(texts: list[str]) -> Transcript:
    pages = tuple(Page(at, "ocr", text, frame=at) for at, text in enumerate(texts, 1))
    return Transcript("a", "a", "read", pages=pages)


@given(TEXTS, TEXTS)
def test_changes_lead_from_the_one_to_the_other(old: list[str], new: list[str]) -> None:
    pages: dict[int, str] = dict(enumerate(old, 1))
    for change in readings.changes(paged(old), paged(new)):
        one, other = change.texts
        made = "".join(
            one[run.start : run.end] if run.same else other[run.other_start : run.other_end]
            for run in change.runs
        )
        assert made == other
        pages[change.number] = made
        if change.new is None:
            del pages[change.number]
    assert pages == dict(enumerate(new, 1))


def test_the_commands(ask: Ask) -> None:
    code, shown, _ = ask("--readings", "--json")
    told: list[dict[str, Any]] = json.loads(shown)
    assert code == 0
    assert [each["sha256"] for each in told] == [each["place"]["key"][-64:] for each in told]
    assert "rapidocr" in ask("--readings")[1]
    code, shown, _ = ask("--diff", "1", "2")
    assert code == 0
    assert "⟦蜜⟧" in shown
    assert "⟦密⟧" in shown
    (change,) = json.loads(ask("--diff", "1", "2", "--json")[1])
    assert (change["old"]["engine"], change["new"]["engine"]) == ("tesseract", "rapidocr")
    assert "逐页相同" in ask("--diff", "2", "2")[1]
    code, shown, _ = ask("--csv")
    assert shown.splitlines() == [
        '\ufeff"页 page","表 table","行 row","1","2"',
        '"1","1","1","单价","\'=1+1"',
    ]
    for wrong in (["--diff", "1", "9"], ["--csv", "--readings"], ["--readings", "--part", "1"]):
        code, shown, message = ask(*wrong)
        assert (code, shown) == (2, "")
        assert len(message.splitlines()) == 2

"""The hostile names at every door: each is inert, and none looks like another."""

import html
import io
import json
import re
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from appraisal import typeface
from appraisal.calendar import WorkCalendar
from appraisal.letter import commission_letter
from appraisal.paper import Document
from appraisal.rules import RuleBook
from portal import show, witness_page
from storage import names
from storage.custody import Custody
from storage.errors import InputError
from storage.names import display, shown
from storage.spelling import percent, spell, unspell
from tasks.manifest_draft import Draft
from tasks.manifest_mistakes import digest_differs, listed_twice, unlisted
from tasks.manifest_sheet import SHEET, sheet_bytes
from tasks.manifest_template import yaml_text
from tasks.manifest_values import Paths
from tasks.reader.manifest import read_manifest
from tasks.reader.source import Source
from tasks.receipt import receipt_bytes
from tasks.receipt_paper import render_receipt_pdf
from tasks.settling import refuse_loose_file
from tests.appraisal import made
from tests.names_made import LABELS, NAMES
from tests.tasks.manifest_made import PAPER, listed
from tests.tasks.test_receipt import CHECKPOINT
from tests.tasks.test_receipt import made as made_receipt
from tests.tasks.test_refusal import made as made_refusal

EACH = pytest.mark.parametrize("name", NAMES, ids=LABELS)
ITEMS = [PAPER | {"path": percent(name)} for name in NAMES]
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def inert(text: str) -> bool:
    """Say whether nothing in a text of many lines moves, hides or turns it."""
    return all(each == "\n" or unicodedata.category(each) not in _HIDDEN for each in text)


def drawn(text: str) -> str:
    """Return a text as paper has it, without blanks: they are where a line is broken."""
    typeface.register()
    glyphs = typeface._glyphs()
    have = glyphs[typeface.SONG] | glyphs[typeface.HEI]
    seen = "".join(each if ord(each) in have else names.escape(each) for each in text)
    return re.sub(r"\s", "", seen)


def text_layer(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    # pdfium writes the break of a line after a hyphen as this character.
    return re.sub(r"\s", "", text.replace("\ufffe", "-"))


def test_the_terminal_shows_each_name_as_it_is_and_no_markup(monkeypatch):
    for name in NAMES:
        printed = io.StringIO()
        console = Console(file=printed, width=4000, highlight=False, emoji=show.console._emoji)
        monkeypatch.setattr(show, "console", console)
        show.line(f"[bold]x[/] {show.cell(name)} y")
        show.line(show.told(f"{display(name)} is gone"))
        show.table("t", ("name",), [(name,)])
        first, second, *table = printed.getvalue().splitlines()
        assert first == f"x {display(name)} y"
        assert second == f"{display(name)} is gone"
        assert any(f"│ {display(name)} " in row for row in table)
        assert inert(printed.getvalue())


def test_json_gives_the_exact_name_back_and_moves_nothing(capsys):
    spelled = [spell(name) for name in NAMES]
    show.as_json(spelled)
    out = capsys.readouterr().out
    assert [unspell(each) for each in json.loads(out)] == NAMES
    assert inert(out)


@EACH
def test_an_error_is_one_line_in_a_log(name: str, tmp_path: Path):
    from tasks.bundle import File

    with pytest.raises(InputError) as caught:
        File(name, str(tmp_path / "none"), 0).open()
    said = str(caught.value)
    assert said.startswith(display(name))
    assert said.splitlines() == [said]
    assert inert(said.replace("\n", "\x00"))
    said.encode()


def test_a_web_page_shows_each_name_as_text():
    for name in NAMES:
        marked = witness_page._text(name)
        assert html.unescape(marked) == display(name)
        assert not {"<", ">", '"', "'"} & set(marked)
        assert inert(marked)


def test_the_answer_to_a_refused_bundle_names_every_file_as_it_is():
    mistakes = [each for name in NAMES for each in _mistakes(name)]
    text = made_refusal(files=[listed(name) for name in NAMES], mistakes=mistakes)
    assert inert(text)
    page = MarkdownIt("js-default").render(text)
    plain = made_refusal(files=[listed("a.txt")] * len(NAMES), mistakes=mistakes[:0])
    allowed = set(re.findall(r"<[a-z0-9]+", MarkdownIt("js-default").render(plain)))
    assert set(re.findall(r"<[a-z0-9]+", page)) <= allowed
    # What a browser makes of it: tags away, entities resolved, runs of blanks as one.
    seen = re.sub(r"[ \n]+", " ", html.unescape(re.sub(r"<[^>]*>", "", page)))
    codes = [html.unescape(each) for each in re.findall(r"<code>(.*?)</code>", page)]
    for name in NAMES:
        assert shown(name) in codes
        assert f"文件“{shown(name)}”在证据包内" in seen
        assert f"the file '{shown(name)}' is listed twice" in seen


def _mistakes(name: str):
    yield unlisted(name)
    yield listed_twice(name, "line 3", "line 2")
    yield digest_differs(name, "line 3", "sm3", "0" * 64, "1" * 64)


@EACH
def test_the_bundle_itself_may_have_any_name(name: str):
    page = MarkdownIt("js-default").render(made_refusal(bundle=name))
    headings = [html.unescape(each) for each in re.findall(r"<h1>(.*?)</h1>", page)]
    assert headings == [f"证据包未被接收：{shown(name)}", f"Bundle not accepted: {shown(name)}"]


def test_every_loose_file_gets_a_note_of_its_own(house: Custody):
    """The note's name is a hint and a digest: no name from outside, and none in common."""
    (house.workspace.drop / "u").mkdir()
    error = InputError("it is no bundle", remedy="put it into a folder")
    for name in NAMES:
        path = house.workspace.drop / "u" / name
        assert refuse_loose_file(house, "u", path, error)
        assert not refuse_loose_file(house, "u", path, error)
    notes = list((house.workspace.drop / "u" / "rejected").iterdir())
    assert len(notes) == len(NAMES)
    pattern = re.compile(r"(\w[\w-]*-)?[0-9a-f]{12}\.REJECTED\.md")
    for note in notes:
        assert pattern.fullmatch(note.name), note.name
        assert not any(map(names.hides, note.name))
        assert inert(note.read_text())


def test_the_receipt_names_every_file_for_programs_and_on_paper():
    covering = CHECKPOINT.replace("\n27\n", "\n270\n")
    receipt = made_receipt(ITEMS, [listed(name) for name in NAMES], checkpoint=covering)
    items = json.loads(receipt_bytes(receipt))["items"]
    assert [unspell(item["path"]) for item in items] == NAMES
    text = text_layer(render_receipt_pdf(receipt_bytes(receipt)))
    for name in NAMES:
        assert drawn(shown(spell(name))) in text, shown(name)
    assert inert(text)


def test_the_letter_shows_each_name_of_an_exhibit():
    """An exhibit's name is what a person wrote, perhaps the name of its file."""
    spelled = [spell(name) for name in NAMES]
    materials = tuple(made.material(n, name=each) for n, each in enumerate(spelled, 1))
    calendar, book = WorkCalendar.load(), RuleBook.load()
    pdf = commission_letter(
        replace(made.dispatched(), materials=materials),
        made.agency(),
        made.PACKAGE,
        date(2026, 1, 28),
        book.get("national", date(2026, 1, 28)),
        calendar,
    )
    text = text_layer(pdf)
    for each in spelled:
        assert drawn(names.visible(each)) in text, each
    assert inert(text)


def test_paper_has_an_escape_for_what_no_typeface_draws():
    text = text_layer(Document(("甲", ""), "𓀀🔒").paragraph(display(NAMES[0])).render())
    assert text.count("\\U00013000\\U0001f512") >= 2
    assert "\\xba\\xcf" in text


def test_both_manifests_name_every_file_and_hold_no_formula():
    items = [Draft(name, "名称", "", None, "2026-11-18 10:00", False) for name in NAMES]
    book = openpyxl.load_workbook(io.BytesIO(sheet_bytes(items)))
    cells = [cell for row in book[SHEET].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    risky = [cell for cell in cells if str(cell.value).startswith(("=", "+", "-", "@"))]
    assert len(risky) >= 6
    assert all(cell.quotePrefix and cell.number_format == "@" for cell in risky)
    assert all(inert(str(cell.value)) for cell in cells)
    for data in (yaml_text(items).encode(), sheet_bytes(items)):
        raw = read_manifest(Source(data, "manifest"))
        written = [
            next(cell.value for cell in row if "path" in cell.key or "路径" in cell.key)
            for row in raw.items
        ]
        assert [Paths(NAMES).find(each.strip()) for each in written] == NAMES
    assert inert(yaml_text(items))

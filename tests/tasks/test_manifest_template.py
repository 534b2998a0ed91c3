"""Manifests pre-filled from files: once the blanks are filled in, they are accepted."""

import io
import os
import re
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.digest import fingerprint_bytes
from storage.errors import ConflictError, InputError, NotFoundError
from storage.listing import ListedFile
from storage.nouns import EvidenceKind, Manifest
from storage.spelling import unspell
from tasks.listing_drop import list_drop
from tasks.manifest import judge_manifest
from tasks.manifest_columns import HEADER, ITEM, OFFICER, Need
from tasks.manifest_draft import Draft, kind_hint
from tasks.manifest_sheet import SHEET, sheet_bytes
from tasks.manifest_template import new_manifest, yaml_text
from tasks.manifest_words import ITEM_WORDS
from tasks.reader.manifest import read_manifest
from tasks.reader.source import Source
from tests.names_made import HOSTILE
from tests.names_made import NAMES as NAMES_MADE

NAMES = [
    "合同/供货合同（2026年）.pdf",
    '=HYPERLINK("http:x").eml',
    "+1 - @x.txt",
    "-n",
    "@SUM(A1)",
    "yes",
    "null",
    "2026-11-18",
    "a: b # c.txt",
    "- x {y} [z] *w &v !u |t >s %r `q`",
    "we\"ird\\nam'e\nwith\ttabs\x1b.txt",
    "a\u202egpj.exe",
    " spaces at the ends ",
    "twin",
    "twin ",
    "\\u202e",
    "\u202e",
    b"\xba\xcf\xcd\xac.pdf".decode("utf-8", "surrogateescape"),
    "_x000D_.txt",
    "Thumbs.db",
    "录音/询问 王某.mp3",
]
VALUES = {
    "bundle_no": "PD-1",
    "case_no": "沪浦市监案〔2026〕0123号",
    "cause": "涉嫌侵犯商业秘密",
    "unit": "浦东",
    "submitted_by": "王芳",
    "submitted_at": "2026-11-20 09:30",
    "kind": "书证",
    "form": "原件",
    "source_holder": "某公司",
    "obtained_at": "2026-11-18",
    "obtained_place": "办公室",
    "method": "调取",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    return tmp_path / "bundle"


def fill_yaml(text: str) -> str:
    """Fill the blanks in as a person does in an editor: between the quotes."""
    officers = iter(("张伟", "1", "李娜", "2"))

    def fill(match: re.Match[str]) -> str:
        mark, key = match.group(1), match.group(2)
        if match.start() < text.index("\nitems:") and key in ("name", "id"):
            return f'{mark}{key}: "{next(officers)}"'
        return f'{mark}{key}: "{VALUES.get(key, "")}"'

    return re.sub(r'^( *(?:- )?)([a-z_]+): ""', fill, text, flags=re.M)


def fill_sheet(data: bytes) -> bytes:
    """Fill the blanks in as a person does in a spreadsheet: the coloured cells."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book[SHEET]
    keys = {key: str(sheet.cell(row, 1).value) for row in range(1, 40) for key in [row]}
    for row, text in keys.items():
        for key, value in VALUES.items():
            if f" {key}" in text and row < 12:
                sheet.cell(row, 2).value = value
        if text.startswith("执法人员") and "*" in text:
            sheet.cell(row, 2).value, sheet.cell(row, 3).value = f"人{row}", str(row)
    heading = next(row for row, text in keys.items() if "path" in text)
    for column in range(1, sheet.max_column + 1):
        name = ITEM_WORDS.find(str(sheet.cell(heading, column).value))
        for row in range(heading + 1, sheet.max_row + 1):
            if name in VALUES and sheet.cell(row, 1).value:
                sheet.cell(row, column).value = VALUES[name]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def judge_bytes(data: bytes, files: list[ListedFile]):
    return judge_manifest(read_manifest(Source(data, "manifest")), files)


def listing(folder: Path) -> list[ListedFile]:
    return [
        ListedFile(file.path, fingerprint_bytes(Path(file.location).read_bytes()))
        for file in list_drop(folder, "").files
        if not file.path.startswith("manifest.")
    ]


@pytest.mark.parametrize("format", ["yaml", "xlsx"])
def test_filled_in_it_is_accepted(folder: Path, format: str):
    path = new_manifest(folder, format)
    assert path.name == f"manifest.{format}"
    data = path.read_bytes()
    filled = fill_yaml(data.decode()).encode() if format == "yaml" else fill_sheet(data)
    manifest = judge_bytes(filled, listing(folder))
    assert isinstance(manifest, Manifest), manifest
    assert {unspell(item.path) for item in manifest.items} == set(NAMES)
    assert all(item.digest.startswith("sha256:") for item in manifest.items)
    assert len(manifest.officers) == 2


@pytest.mark.parametrize("format", ["yaml", "xlsx"])
def test_left_empty_it_names_every_blank_and_nothing_else(folder: Path, format: str):
    path = new_manifest(folder, format)
    judged = judge_bytes(path.read_bytes(), listing(folder))
    always = [column for column in HEADER if column.need is Need.ALWAYS]
    blanks = [column for column in ITEM if column.need is Need.ALWAYS][1:]
    named = len(blanks) - 1
    assert {mistake.code for mistake in judged} == {"missing", "few_officers"}
    assert len(judged) == len(always) + 1 + named * len(NAMES)
    assert all(mistake.where for mistake in judged if mistake.code == "missing")


def test_a_file_changed_after_the_manifest_was_made_is_noticed(folder: Path):
    text = fill_yaml(new_manifest(folder).read_text())
    (folder / "yes").write_text("other")
    judged = judge_bytes(text.encode(), listing(folder))
    assert [mistake.code for mistake in judged] == ["digest_differs"]


@pytest.mark.parametrize("present", ["manifest.yaml", "manifest.xlsx", "Manifest.YML"])
def test_it_never_overwrites(folder: Path, present: str):
    (folder / present).write_text("mine")
    with pytest.raises(ConflictError):
        new_manifest(folder)
    assert (folder / present).read_text() == "mine"


def test_an_empty_or_missing_folder_and_what_is_no_file_are_refused(tmp_path: Path):
    with pytest.raises(NotFoundError):
        new_manifest(tmp_path / "none")
    with pytest.raises(InputError, match="empty"):
        new_manifest(tmp_path)
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"2 names are .*: link, pipe"):
        new_manifest(tmp_path)
    assert not list(tmp_path.glob("manifest*"))


def test_a_kind_is_only_ever_a_suggestion(folder: Path):
    text = new_manifest(folder).read_text()
    assert re.findall(r"^ {4}kind: (.*?)  #", text, re.M) == ['""'] * len(NAMES)
    assert "建议 suggestion: audiovisual 视听资料" in text
    assert kind_hint("x/证人王某证言.pdf") is EvidenceKind.WITNESS_TESTIMONY
    assert kind_hint("a.PDF") is EvidenceKind.DOCUMENTARY
    assert kind_hint("noending") is None


def test_no_cell_of_the_spreadsheet_is_a_formula(folder: Path):
    book = openpyxl.load_workbook(new_manifest(folder, "xlsx"))
    types = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in types
    (sheet, guide) = book.worksheets
    assert len(sheet.data_validations.dataValidation) == 4
    assert guide.max_row == 1 + len(HEADER) + len(ITEM)


RAW_NAMES = st.one_of(
    st.binary(min_size=1, max_size=30),
    st.text(min_size=1, max_size=20).map(str.encode),
    st.sampled_from([*HOSTILE.values(), b"\x1b", b"\\x1b", b"\\\\x1b", b"a", b"a ", b" a", b" "]),
)
FILE_NAMES = RAW_NAMES.filter(lambda raw: not {0, 47} & set(raw) and raw not in (b".", b"..")).map(
    lambda raw: raw.decode("utf-8", "surrogateescape")
)


@settings(max_examples=20, deadline=None)
@example(["\x93 ", " a\x1b"])
@example(["\x1b", "\\x1b"])
@example(["a", "a "])
@example(NAMES_MADE)
@given(st.lists(FILE_NAMES, min_size=1, max_size=4, unique=True))
def test_any_file_names_survive_both_formats(names):
    items = [Draft(name, "名称", "", None, "2026-11-18 10:00", False) for name in names]
    files = [ListedFile(name, fingerprint_bytes(b"")) for name in names]
    for data in (fill_yaml(yaml_text(items)).encode(), fill_sheet(sheet_bytes(items))):
        manifest = judge_bytes(data, files)
        assert isinstance(manifest, Manifest), manifest
        assert [unspell(item.path) for item in manifest.items] == names


def test_the_reference_explains_every_column():
    text = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text()
    for column in (*HEADER, *OFFICER, *ITEM):
        line = f"| `{column.key}` | {column.zh} |"
        assert line in text, f"docs/manifest.md lacks {line}"
        assert f"| {column.help_zh} | {column.help_en} |" in text


def test_the_example_of_the_reference_is_accepted():
    text = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    paths = re.findall(r'path: "(.*?)"', example)
    files = [ListedFile(path, fingerprint_bytes(b"")) for path in paths]
    assert isinstance(judge_bytes(example.encode(), files), Manifest)

"""The judge of manifests: header, officers, files (RULES IN-01, IN-02)."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.names import display
from storage.nouns import EvidenceForm, EvidenceKind, Manifest
from storage.spelling import percent, spell, unspell
from tasks.manifest import judge_manifest
from tasks.reader.answer import RawCell, RawManifest, RawProblem
from tests.tasks.manifest_made import (
    HEADER,
    MAIL,
    OFFICERS,
    PAPER,
    accepted,
    codes,
    judge,
    listed,
    raw,
    without,
)


def test_a_good_manifest_is_accepted():
    manifest = accepted([PAPER, MAIL])
    assert manifest.case_no == "沪浦市监案〔2026〕0123号"
    assert manifest.submitted_at == "2026-11-20T09:30:00+08:00"
    assert manifest.secrecy == "一般"
    assert [officer.id for officer in manifest.officers] == ["310115001", "310115002"]
    first, second = manifest.items
    assert (first.seq, first.kind, first.form) == (
        1,
        EvidenceKind.DOCUMENTARY,
        EvidenceForm.ORIGINAL,
    )
    assert first.obtained_at == "2026-11-18T14:20:00+08:00"
    assert second.kind is EvidenceKind.ELECTRONIC_DATA
    assert second.extra["file_format"] == "eml"


@pytest.mark.parametrize("key", HEADER)
def test_every_header_column_is_required(key):
    """IN-01."""
    assert codes(header=without(HEADER, key)) == [("missing", "")]
    line = list(HEADER).index(key) + 1
    assert codes(header=HEADER | {key: " "}) == [("missing", f"line {line}")]


@pytest.mark.parametrize("key", PAPER)
def test_every_basic_item_column_is_required(key):
    found = codes([without(PAPER, key)], files=[listed(PAPER["path"])])
    assert ("missing", "line 100") in found
    assert len(found) == (2 if key == "path" else 1)


def test_everything_wrong_is_told_at_once_each_with_its_place():
    bad = PAPER | {"path": "不存在.pdf", "kind": "书正", "obtained_at": "昨天"}
    found = codes(
        [bad],
        header=HEADER | {"submitted_at": "2026-11-20", "cuase": "x"},
        officers=OFFICERS[:1],
        files=[listed("a.pdf")],
    )
    assert set(found) == {
        ("bad_value", "line 6"),
        ("unknown_column", "line 7"),
        ("few_officers", "line 20"),
        ("listed_missing", "line 100"),
        ("unknown_kind", "line 101"),
        ("bad_value", "line 105"),
        ("unlisted", "a.pdf"),
    }


@pytest.mark.parametrize(
    ("officers", "expected"),
    [
        ((), [("few_officers", "")]),
        (OFFICERS[:1], [("few_officers", "line 20")]),
        ((OFFICERS[0], {"name": "李娜"}), [("missing", "line 30"), ("few_officers", "line 20")]),
        ((OFFICERS[0], OFFICERS[0]), [("same_officer", "line 31")]),
        (
            (OFFICERS[0], {"name": "李娜", "id": "３１０１１５００１"}),
            [("same_officer", "line 31")],
        ),
        (
            tuple({"name": "某人", "id": str(n)} for n in range(51)),
            [("many_officers", "line 520")],
        ),
    ],
)
def test_two_distinct_officers_at_least(officers, expected):
    """IN-01."""
    assert codes(officers=officers) == expected


def test_columns_may_be_written_in_chinese_english_or_both():
    chinese = {
        "文件路径 path *": PAPER["path"],
        "证据种类（必填）": "  书证",
        "原件/复制件": "原件",
        "NAME": "供货合同",
        "来源": "某公司",
        "取得时间/obtained_at": "2026年11月18日14时20分",
        "取得地点*": "办公室",
        "取得方式：": "调取",
        "is digitised": "是",
    }
    (item,) = accepted([chinese], files=[listed(PAPER["path"])]).items
    assert item.obtained_at == "2026-11-18T14:20:00+08:00"
    assert item.extra["is_digitised"] == "yes"


def test_the_same_column_in_two_spellings_is_a_mistake():
    assert codes(header=HEADER | {"案号": "x"}) == [("column_twice", "line 7")]


def test_an_unknown_column_is_told_once_with_a_hint():
    items = [PAPER | {"证据名秤": "x"}, MAIL | {"证据名秤": "x"}]
    judged = judge(items)
    assert [mistake.code for mistake in judged] == ["unknown_column"]
    assert "证据名称 name" in judged[0].remedy_zh


def test_a_title_above_a_sheet_is_no_column():
    cells = (RawCell("证据清单", "", "B1"), *raw().header)
    sheet = RawManifest("xlsx", cells, raw().officers, raw().items)
    assert isinstance(judge_manifest(sheet, [listed(PAPER["path"])]), Manifest)


def test_the_unit_is_that_of_the_drop_folder():
    assert isinstance(judge(unit=HEADER["unit"]), Manifest)
    assert codes(unit="静安区市场监督管理局") == [("other_unit", "line 4")]


@pytest.mark.parametrize(
    ("written", "stored"),
    [("公开", "公开"), ("trade_secret", "商业秘密"), (" 内部 ", "内部"), ("", "一般")],
)
def test_secrecy_is_a_closed_list(written, stored):
    assert accepted(header=HEADER | {"secrecy": written}).secrecy == stored


@pytest.mark.parametrize(
    ("written", "code"), [("绝密", "state_secret"), ("很密", "unknown_secrecy")]
)
def test_state_secrets_and_unknown_levels_are_refused(written, code):
    assert codes(header=HEADER | {"secrecy": written}) == [(code, "line 7")]


def test_listed_and_present_files_must_agree():
    """IN-02."""
    found = judge([PAPER], files=[listed("合同/供货合同 .pdf"), listed("b.txt")])
    assert [(m.code, m.where) for m in found] == [
        ("listed_missing", "line 100"),
        ("unlisted", "合同/供货合同 .pdf"),
        ("unlisted", "b.txt"),
    ]
    assert "合同/供货合同 .pdf" in found[0].remedy_zh


def test_a_file_name_without_its_folder_is_recognised():
    (mistake, _) = judge([PAPER | {"path": "供货合同.pdf"}], files=[listed(PAPER["path"])])
    assert PAPER["path"] in mistake.remedy_en


def test_a_file_cannot_be_listed_twice():
    assert codes([PAPER, PAPER], files=[listed(PAPER["path"])]) == [("listed_twice", "line 200")]
    assert codes(
        [PAPER, PAPER | {"path": "./" + PAPER["path"]}], files=[listed(PAPER["path"])]
    ) == [("listed_twice", "line 200")]


@pytest.mark.parametrize(
    "path",
    ["../a.pdf", "a/../../b", "/etc/passwd", "C:\\a.pdf", "合同\\a.pdf", "a//b", "C:/a", "a/"],
)
def test_paths_that_leave_the_bundle_are_refused(path):
    assert codes([PAPER | {"path": path}], files=[]) == [("unsafe_path", "line 100")]


def test_a_decomposed_name_is_found_and_noted():
    composed = "résumé 合同.pdf"
    decomposed = unicodedata.normalize("NFD", composed)
    (item,) = accepted([PAPER | {"path": composed}], files=[listed(decomposed)]).items
    assert (item.path, item.extra["path_written"]) == (decomposed, composed)
    both = [listed(composed), listed(decomposed)]
    items = accepted([PAPER | {"path": composed}, PAPER | {"path": decomposed}], files=both).items
    assert [item.path for item in items] == [composed, decomposed]
    assert all("path_written" not in item.extra for item in items)


def test_a_name_that_cannot_be_typed_may_be_written_as_shown():
    (item,) = accepted(
        [PAPER | {"path": "a\\u202egpj.exe"}], files=[listed("a\u202egpj.exe")]
    ).items
    assert item.path == "a\u202egpj.exe"


GBK = b"\xba\xcf\xcd\xac.pdf".decode("utf-8", "surrogateescape")
GBK_SPELLED = "bytes://%BA%CF%CD%AC.pdf"


def test_a_name_that_is_no_text_must_be_listed_and_the_answer_says_how():
    (mistake,) = judge(files=[listed(PAPER["path"]), listed(GBK, b"x")])
    assert mistake.code == "unlisted"
    assert GBK_SPELLED in mistake.remedy_zh
    assert GBK_SPELLED in mistake.remedy_en
    "".join(mistake.as_json().values()).encode()


@pytest.mark.parametrize("written", [GBK_SPELLED, GBK_SPELLED.replace("%BA%CF", "%ba%cf"), None])
def test_a_name_that_is_no_text_is_taken_by_its_bytes_or_as_it_is_shown(written):
    written = written or display(GBK)
    (item,) = accepted([PAPER | {"path": written}], files=[listed(GBK)]).items
    assert item.path == GBK_SPELLED
    assert item.extra.get("path_written", GBK_SPELLED) == written
    json.dumps(item.as_json(), ensure_ascii=False).encode()


def test_any_path_may_be_written_by_its_bytes():
    paths = ["a", "a ", "e\u0301", "\xe9", "bytes://x"]
    items = [PAPER | {"path": percent(path)} for path in paths]
    judged = accepted(items, files=[listed(path) for path in paths])
    assert [item.path for item in judged.items] == [spell(path) for path in paths]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("bytes://%B", "unsafe_path"),
        ("bytes://a b", "unsafe_path"),
        ("bytes://../x", "unsafe_path"),
        ("bytes:///etc/passwd", "unsafe_path"),
        ("bytes://%FF", "listed_missing"),
    ],
    ids=range(5),
)
def test_bytes_that_name_no_file_are_refused(written, code):
    assert codes([PAPER | {"path": written}], files=[listed(PAPER["path"])])[0][0] == code


def test_no_items():
    assert codes([], files=[]) == [("no_items", "")]


def test_problems_of_form_come_with_the_rest_unless_nothing_could_be_read():
    problem = RawProblem("line 3", "YAML 格式有误", "not valid YAML")
    broken = RawManifest("yaml", problems=(problem,))
    (mistake,) = judge_manifest(broken, [listed("a")])
    assert (mistake.code, mistake.where, mistake.text_zh) == ("form", "line 3", "YAML 格式有误")
    partly = RawManifest("yaml", raw().header, (), raw().items, (problem,))
    judged = judge_manifest(partly, [listed(PAPER["path"])])
    assert [m.code for m in judged] == ["form", "few_officers"]


def test_long_and_hidden_values_are_refused():
    found = codes([PAPER | {"name": "长" * 201, "method": "a\x1b[2Jb"}])
    assert found == [("too_long", "line 103"), ("control_character", "line 107")]


CELL = st.builds(
    RawCell,
    st.sampled_from([*PAPER, *MAIL, *HEADER, "is_digitised", "pages", "checked_at", "digest", "?"]),
    st.one_of(
        st.text(max_size=20),
        st.sampled_from([*PAPER.values(), *MAIL.values(), "sha256:" + "0" * 64, "9" * 5000]),
    ),
    st.sampled_from(["line 1", "C5", "row 5", ""]),
)
ROW = st.lists(CELL, max_size=12).map(tuple)


@settings(deadline=None)
@given(
    st.builds(
        RawManifest,
        st.sampled_from(["yaml", "xlsx"]),
        ROW,
        st.lists(ROW, max_size=3).map(tuple),
        st.lists(ROW, max_size=4).map(tuple),
    ),
    st.lists(
        st.binary(min_size=1, max_size=9).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
        unique=True,
    ),
)
def test_any_cells_are_judged_and_never_crash(manifest, paths):
    judged = judge_manifest(manifest, [listed(path, b"") for path in paths])
    if isinstance(judged, Manifest):
        assert {unspell(item.path) for item in judged.items} == set(paths)
    else:
        assert judged
        for mistake in judged:
            "".join(mistake.as_json().values()).encode()

"""Manifests that are broken, hostile, or simply wrong, in YAML and as spreadsheets."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl

from tests.faults.hostile.case import (
    TEXT,
    Case,
    Entry,
    Expected,
    accept,
    folder,
    manifest,
    quarantine,
)
from tests.faults.hostile.shared import cut
from tests.faults.hostile.zip_bytes import Zip, zip_of

Spoil = Callable[[bytes], bytes]
_FORM = "^(unreadable|form|yaml|structure|[a-z_]+) "


def cases() -> Iterator[Case]:
    """Yield every manifest."""
    for label, spoil, mark in (*_YAML, *_VALUES):
        name = f"yaml-{label}"
        yield Case(name, _yaml(name, spoil), quarantine(mark))
    for label, spoil in _FINE:
        yield Case(f"yaml-{label}", _yaml(f"yaml-{label}", spoil), accept())
    for label, build, expected in _xlsx():
        yield Case(f"xlsx-manifest-{label}", _sheet(f"xlsx-manifest-{label}", build), expected)


def _yaml(name: str, spoil: Spoil) -> Callable[[Path], Path]:
    def make(place: Path) -> Path:
        raw = spoil(manifest(name, ["good.txt"]))
        return folder(place, name, {b"good.txt": TEXT}, raw=raw)

    return make


def _swap(old: str, new: str) -> Spoil:
    return lambda raw: raw.replace(old.encode(), new.encode(), 1)


def _add(text: str) -> Spoil:
    return lambda raw: raw + text.encode()


def _is(data: bytes) -> Spoil:
    return lambda raw: data


_LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]\n" for at in range(1, 10)
)
_YAML: tuple[tuple[str, Spoil, str], ...] = (
    ("empty", _is(b""), _FORM),
    ("blank", _is(b"\n\n  \n"), _FORM),
    ("noise", _is(bytes(range(256))), _FORM),
    ("zeros", _is(bytes(5000)), _FORM),
    ("cut", lambda raw: raw[: len(raw) // 2], _FORM),
    ("not-utf8", lambda raw: raw.replace("张三".encode(), b"\xd5\xc5\xc8\xfd\xff"), "encoding"),
    ("mixed-gbk", lambda raw: raw.replace("张三".encode(), "张三".encode("gbk")), "encoding"),
    ("latin1", lambda raw: raw.replace("张三".encode(), b"Jos\xe9"), "encoding"),
    ("tab-indent", _swap("  kind:", "\tkind:"), _FORM),
    ("unclosed-quote", _swap('"good.txt"', '"good.txt'), _FORM),
    ("alias-bomb", lambda raw: _LAUGHS.encode() + raw, _FORM),
    ("alias", _swap("cause: 涉嫌侵犯商业秘密", "cause: &c x\nprevious: *c"), _FORM),
    ("merge-key", _swap("bundle_no:", "<<: {a: b}\nbundle_no:"), _FORM),
    ("tag-python", _swap("cause: 涉", "cause: !!python/object/apply:os.system ['id'] #"), _FORM),
    ("two-documents", _add("---\nbundle_no: other\n"), _FORM),
    ("nested-deep", _add("deep: " + "[" * 5000), _FORM),
    ("nested-map", _add("deep: " + "{a: " * 2000), _FORM),
    ("key-twice", _add("bundle_no: other\n"), _FORM),
    ("list-on-top", _is(b"- a\n- b\n"), _FORM),
    ("scalar-on-top", _is(b"hello"), _FORM),
    ("items-a-text", _swap("items:\n", "items: all of them\nrest:\n"), _FORM),
    ("items-numbers", _is(manifest("x", []) + b"- 1\n- 2\n"), _FORM),
    ("too-large", _add("# " + "x" * (300 << 10)), "^limit.*manifest"),
    ("control-characters", _swap("张三", "张\x07三"), _FORM),
    ("is-json-array", _is(b"[1, 2, 3]"), _FORM),
    ("is-pdf", _is(b"%PDF-1.7\n%%EOF"), _FORM),
    ("is-zip", _is(zip_of([Entry(b"a", b"b")])), _FORM),
    ("long-line", _add("x" * 60_000 + ": y\n"), _FORM),
    ("many-unknown-keys", _add("".join(f"k{at}: v\n" for at in range(3000))), _FORM),
)
_NOT_THERE = "^(unsafe_path|listed_missing)"
_NO_DIGEST = "  form: original\n  digest: sha256:"
_VALUES: tuple[tuple[str, Spoil, str], ...] = (
    ("path-parent", _swap('"good.txt"', '"../outside/secret.txt"'), _NOT_THERE),
    ("path-absolute", _swap('"good.txt"', '"/etc/passwd"'), "^(unsafe_path|listed_missing)"),
    ("path-missing", _swap('"good.txt"', '"gone.txt"'), "^listed_missing"),
    ("path-twice", lambda raw: raw + raw[raw.index(b"- path:"):], "^listed_twice"),
    ("path-bad-spelling", _swap('"good.txt"', '"bytes://%zz"'), "."),
    ("path-itself", _swap('"good.txt"', '"manifest.yaml"'), "."),
    ("kind-unknown", _swap("documentary", "rumour"), "."),
    ("date-impossible", _swap("2026-11-19T", "2026-02-31T"), "."),
    ("date-far", _swap("2026-11-19T", "99999-11-19T"), "."),
    ("date-after-submission", _swap("2026-11-19T", "2027-11-19T"), "."),
    ("unit-other", _swap("unit: pudong-01", "unit: huangpu-09"), "."),
    ("case-no-empty", _swap("沪市监案〔2026〕0777号", '""'), "."),
    ("one-officer", _swap('- {name: 李四, id: "310002"}\n', ""), "."),
    ("number-huge", _swap("bundle_no: ", "bundle_no: " + "9" * 5000), "."),
    ("digest-wrong", _swap("  form: original", _NO_DIGEST + "0" * 64), "."),
    ("digest-comma", _swap("  form: original", '  form: original\n  digest: ","'), "."),
    ("digest-garbage", _swap("  form: original", "  form: original\n  digest: sha256:xyz"), "."),
    ("pages-negative", _swap("  form: original", "  form: original\n  pages: -1"), "."),
)  # fmt: skip
_FINE: tuple[tuple[str, Spoil], ...] = (
    ("byte-order-mark", lambda raw: b"\xef\xbb\xbf" + raw),
    ("windows-lines", lambda raw: raw.replace(b"\n", b"\r\n")),
    ("utf-16", lambda raw: raw.decode().encode("utf-16")),
    ("gb18030", lambda raw: raw.decode().encode("gb18030")),
    ("markup-name", _swap("第1件", '"<script>=cmd|x"')),
    # A scalar is the text that stands there; a case number is text, and no path is made of it.
    ("tag-binary", _swap("cause: 涉", "cause: !!binary aGk= #")),
    ("case-no-path", _swap("沪市监案〔2026〕0777号", "../../outside")),
    ("path-other-spelling", _swap('"good.txt"', '"bytes://good.txt"')),
    ("null-name", _swap("第1件", '"null"')),
)


def _book(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(name: str, build: Callable[[str], bytes]) -> Callable[[Path], Path]:
    def make(place: Path) -> Path:
        root = folder(place, name, {b"good.txt": TEXT})
        (root / "manifest.yaml").unlink()
        (root / "manifest.xlsx").write_bytes(build(name))
        return root

    return make


HEADER = (
    ("证据包编号", ""), ("案号", "沪市监案〔2026〕0777号"), ("案由", "涉嫌侵犯商业秘密"),
    ("办案单位", "pudong-01"), ("提交人", "张三"), ("提交时间", "2026-11-20 09:30"),
)  # fmt: skip
OFFICERS = (("执法人员", "张三", "310001"), ("执法人员", "李四", "310002"))
COLUMNS = (
    "文件路径",
    "证据种类",
    "证据形式",
    "证据名称",
    "来源",
    "取得时间",
    "取得地点",
    "取得方式",
)
ROW = ("good.txt", "书证", "原件", "第一件", "某公司", "2026-11-19 10:00", "上海", "调取")


def _right(name: str, *, first: str = "good.txt", more: tuple[str, ...] = ()) -> bytes:
    def fill(book: openpyxl.Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        for key, value in HEADER:
            sheet.append([key, value or name])
        for officer in OFFICERS:
            sheet.append(list(officer))
        sheet.append([])
        sheet.append(list(COLUMNS))
        sheet.append([first, *ROW[1:]])
        if more:
            sheet.append([*more, *ROW[len(more) :]])

    return _book(fill)


def _xlsx() -> Iterator[tuple[str, Callable[[str], bytes], Expected]]:
    bad = quarantine(_FORM)
    yield "good", _right, accept()
    yield "formula", lambda name: _right(name, first="=A1"), quarantine(".")
    yield (
        "formula-outside",
        lambda name: _right(name, first="='file:///etc/[passwd]x'!A1"),
        quarantine("."),
    )
    yield (
        "path-parent",
        lambda name: _right(name, first="../../outside/secret.txt"),
        quarantine("."),
    )
    yield "twice", lambda name: _right(name, more=("good.txt",)), quarantine("^listed_twice")
    yield "missing", lambda name: _right(name, first="gone.txt"), quarantine("^listed_missing")
    yield "blank", lambda _: _book(lambda book: None), bad
    yield "cut", lambda name: cut(0.6)(_right(name)), bad
    yield "not-zip", lambda _: b"PK\x03\x04 no more", bad
    yield "is-text", lambda _: b"\xff\xfe\x00\x01" * 40, bad
    yield "bomb", lambda _: _with_part(b"xl/worksheets/sheet1.xml", b"<a>" + b" " * (80 << 20)), bad
    yield "entities", lambda name: _entities(_right(name)), bad
    yield "dimension", lambda _: _with_part(b"xl/worksheets/sheet1.xml", _FAR), bad
    yield "no-sheet", lambda _: _with_part(b"xl/worksheets/sheet1.xml", b""), bad


_FAR = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row>'
    b"</sheetData></worksheet>"
)


def _with_part(name: bytes, data: bytes) -> bytes:
    return _replaced(_book(lambda book: None), name, data)


def _entities(data: bytes) -> bytes:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10) for at in range(1, 10))
    text = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">' + laughs + b"]>"
    rows = b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
    rows += (
        b"<sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>&l9;</t></is></c></row></sheetData>"
    )
    return _replaced(data, b"xl/worksheets/sheet1.xml", text + rows + b"</worksheet>")


def _replaced(data: bytes, name: bytes, body: bytes) -> bytes:
    import zipfile

    made = Zip()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for each in archive.namelist():
            part = body if each.encode() == name else archive.read(each)
            made.add(each.encode(), part, method=8)
    return made.bytes()

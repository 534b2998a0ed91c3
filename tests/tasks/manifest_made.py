"""Good manifests to spoil: raw cells as the cell answers them, and the files that go with them."""

from storage.digest import fingerprint_bytes
from storage.listing import ListedFile
from storage.names import utf8
from storage.nouns import Manifest
from tasks.manifest import Mistake, judge_manifest
from tasks.reader.answer import RawCell, RawManifest

HEADER = {
    "bundle_no": "PD-2026-0123-01",
    "case_no": "沪浦市监案〔2026〕0123号",
    "cause": "涉嫌侵犯商业秘密",
    "unit": "浦东新区市场监督管理局",
    "submitted_by": "王芳",
    "submitted_at": "2026-11-20 09:30",
}
OFFICERS = ({"name": "张伟", "id": "310115001"}, {"name": "李娜", "id": "310115002"})
PAPER = {
    "path": "合同/供货合同.pdf",
    "kind": "书证",
    "form": "原件",
    "name": "供货合同",
    "source_holder": "上海某某化工有限公司",
    "obtained_at": "2026-11-18 14:20",
    "obtained_place": "当事人办公室",
    "method": "现场调取",
}
MAIL = {
    **PAPER,
    "path": "邮件/报价.eml",
    "kind": "electronic_data",
    "name": "报价邮件",
    "category": "电子邮件",
    "no_digest_reason": "导出时未计算",
}
OF_COPY = {
    "form": "复制件",
    "copy_reason": "原件由持有人保管",
    "original_location": "档案室",
    "checked_by": "张伟",
    "checked_at": "2026-11-18",
    "annotation": "与原件核对无误",
}


def listed(path: str, content: bytes | None = None) -> ListedFile:
    return ListedFile(path, fingerprint_bytes(utf8(path) if content is None else content))


def raw(header=HEADER, officers=OFFICERS, items=(PAPER,), format="yaml") -> RawManifest:
    """Return cells with running line numbers, every row beginning on a new ten."""
    return RawManifest(
        format,
        cells(header, 1),
        tuple(cells(officer, 20 + 10 * n) for n, officer in enumerate(officers)),
        tuple(cells(item, 100 + 100 * n) for n, item in enumerate(items)),
    )


def cells(row: dict[str, str], first: int) -> tuple[RawCell, ...]:
    return tuple(
        RawCell(key, value, f"line {number}")
        for number, (key, value) in enumerate(row.items(), first)
    )


def judge(items=(PAPER,), *, header=HEADER, officers=OFFICERS, files=None, **more):
    """Judge a manifest; the files are those that its items name unless given."""
    if files is None:
        files = [listed(item["path"]) for item in items if item.get("path")]
    return judge_manifest(raw(header, officers, items), files, **more)


def accepted(*arguments, **named) -> Manifest:
    judged = judge(*arguments, **named)
    assert isinstance(judged, Manifest), judged
    return judged


def codes(*arguments, **named) -> list[tuple[str, str]]:
    """Return code and place of every mistake; what a person reads must be there in full."""
    judged = judge(*arguments, **named)
    assert isinstance(judged, tuple), "no mistake was found"
    for mistake in judged:
        assert isinstance(mistake, Mistake)
        assert all((mistake.text_zh, mistake.text_en, mistake.remedy_zh, mistake.remedy_en))
    return [(mistake.code, mistake.where) for mistake in judged]


def without(row: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in row.items() if key not in keys}

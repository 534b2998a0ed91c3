"""Making a manifest: pre-filled from the files, with what a person must fill in marked.

Nobody starts from an empty page: every file has its line with path, name and check value. What
only a person can know stays empty, with a suggestion beside it where the file gives one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from storage.errors import ConflictError, HostError
from storage.names import display, visible
from storage.nouns import FORM_NAMES, KIND_NAMES
from storage.workspace import fsync_folder
from tasks.manifest_columns import HEADER, ITEM, OFFICER, Column, Need
from tasks.manifest_draft import Draft, drafts
from tasks.manifest_items import OF_COPIES
from tasks.manifest_sheet import sheet_bytes
from tasks.manifest_values import Paths

Format = Literal["yaml", "xlsx"]
SCHEMA = "zhenglian.manifest/1"
_OFFICERS = 2
_OFTEN = ("fact_to_prove", "digest")
_ELECTRONIC = ("category", "file_format", "no_digest_reason")
_COPIES = (*OF_COPIES, "made_by")


def new_manifest(folder: Path, format: Format = "yaml") -> Path:
    """Write a manifest into a folder of evidence files and return its path.

    Raises:
        NotFoundError: there is no such folder.
        ConflictError: it has a manifest already; nothing is overwritten.
        InputError: it holds no file, or something that is no regular file.
        HostError: the folder cannot be written.
    """
    items = drafts(folder)
    data = yaml_text(items).encode() if format == "yaml" else sheet_bytes(items)
    path = folder / f"manifest.{format}"
    try:
        with path.open("xb") as file:
            file.write(data)
        fsync_folder(folder)
    except FileExistsError as error:
        raise ConflictError(
            f"{display(str(path))} exists already", remedy="nothing is overwritten; move it away"
        ) from error
    except OSError as error:
        raise HostError(
            f"{display(str(path))} cannot be written: {error.strerror}",
            remedy="check the permissions of the folder and the free space",
        ) from error
    return path


def scalar(text: str) -> str:
    """Return a text as a double-quoted YAML scalar, safe for any content.

    It is the JSON form, with what hides or turns text escaped as well: YAML 1.1 and 1.2 read
    it back as it was.
    """
    return "".join(
        each if visible(each) == each else _escape(each)
        for each in json.dumps(text, ensure_ascii=False)
    )


def yaml_text(items: Sequence[Draft]) -> str:
    """Return the text of a pre-filled ``manifest.yaml``."""
    paths = Paths([item.path for item in items])
    lines = [*_INTRODUCTION, *_header(), "", "officers:", *_officers(), "", *_guide(), "items:"]
    for number, item in enumerate(items, 1):
        lines += ["", f"  # {number} / {len(items)}", *_item(item, paths, first=number == 1)]
    return "\n".join(lines) + "\n"


_INTRODUCTION = (
    "# 证据清单  Evidence manifest",
    "#",
    "# 带 * 的为必填项。请把内容写在引号内，填好后与证据文件一起投递。",
    "# What is marked * is required. Write between the quotes; then drop the folder.",
    "# 填写后可检查：custody manifest check 文件夹",
    "# To check it before dropping: custody manifest check FOLDER",
    "",
)


def _header() -> Iterator[str]:
    yield f"schema: {scalar(SCHEMA)}"
    for column in HEADER:
        if column.key != "schema":
            yield from _explained(column, "", "")


def _officers() -> Iterator[str]:
    yield "  # * 至少两名，须为不同的人员。 At least two, distinct."
    for number in range(_OFFICERS):
        for at, column in enumerate(OFFICER[:2]):
            mark = "- " if at == 0 else "  "
            comment = f"  # * {column.zh}，例如 {column.example}" if number == 0 else ""
            yield f'  {mark}{column.key}: ""{comment}'


def _guide() -> Iterator[str]:
    yield "# 证据种类 kind 只能是以下八种之一（中文或英文均可）:"
    yield from (f"#   {kind.value:<18} {zh}" for kind, zh in KIND_NAMES.items())
    yield "# 原件或复制件 form 只能是以下四种之一:"
    yield from (f"#   {form.value:<22} {zh}" for form, zh in FORM_NAMES.items())
    yield "# 还可以填写的栏目 columns that may be added to an item:"
    for column in ITEM:
        if column.need is Need.OPTIONAL and column.key != "seq":
            yield f"#   {column.key:<14} {column.zh}：{column.help_zh}"


def _item(item: Draft, paths: Paths, *, first: bool) -> Iterator[str]:
    if item.leftover:
        yield "  # 像是系统文件：不是证据的，请删除该文件和以下各行。 Looks like a leftover of a"
        yield "  # system: if it is no evidence, delete the file and these lines."
    values = {"path": paths.written(item.path), "name": item.name, "digest": item.digest}
    hints = {
        "kind": f"建议 suggestion: {item.kind_hint.value} {KIND_NAMES[item.kind_hint]}"
        if item.kind_hint
        else "",
        "obtained_at": f"文件修改时间 last change of the file: {item.time_hint}",
        "digest": "生成本清单时计算 computed when this manifest was made",
    }
    columns = {column.key: column for column in ITEM}
    mark = "  - "
    for column in ITEM:
        if column.need is Need.ALWAYS or column.key in _OFTEN:
            hint = hints.get(column.key, "")
            yield from _line(column, values.get(column.key, ""), mark, hint, explain=first)
            mark = "    "
    yield "    # 电子数据还须填写 for electronic data also:"
    yield from _plain((columns[key] for key in _ELECTRONIC), explain=first)
    yield "    # 不是原件的还须填写（视听资料、电子数据须写制作人） unless original also:"
    yield from _plain((columns[key] for key in _COPIES), explain=first)


def _plain(columns: Iterable[Column], *, explain: bool) -> Iterator[str]:
    for column in columns:
        yield f'    {column.key}: ""' + (f"  # {column.zh}：{column.help_zh}" if explain else "")


def _line(column: Column, value: str, mark: str, hint: str, *, explain: bool) -> Iterator[str]:
    star = "* " if column.need is Need.ALWAYS else ""
    parts = [f"{star}{column.zh}"] if explain or star else []
    if explain and not value:
        parts.append(column.help_zh)
    if hint:
        parts.append(hint)
    comment = "；".join(parts)
    yield f"{mark}{column.key}: {scalar(value)}" + (f"  # {comment}" if comment else "")


def _explained(column: Column, value: str, indent: str) -> Iterator[str]:
    star = "* " if column.need is Need.ALWAYS else ""
    example = f"，例如 {column.example}" if column.example and "例如" not in column.help_zh else ""
    comment = f"{star}{column.zh}：{column.help_zh}{example}"
    yield f"{indent}{column.key}: {scalar(value)}  # {comment}"


def _escape(character: str) -> str:
    point = ord(character)
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"

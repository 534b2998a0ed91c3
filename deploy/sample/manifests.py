"""The manifests of the sample bundles: what the unit says about each file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
import yaml
from openpyxl.styles import Font, PatternFill

from deploy.sample import story
from deploy.sample.documents import repacked

Item = dict[str, str]
_HOLDER_PLACE = f"{story.HOLDER}研发中心会议室"
_OTHER_PLACE = f"{story.OTHER}办公室"
_COPY = {
    "copy_reason": "原件由持有人留存使用",
    "original_location": f"{story.HOLDER}档案室",
    "checked_by": "李娜",
    "checked_at": "2026-11-18",
    "annotation": "与原件核对无误",
}
_SHEET = "清单 manifest"
_HEADINGS = {
    "path": "文件路径",
    "kind": "证据种类",
    "form": "原件或复制件",
    "name": "证据名称",
    "source_holder": "来源或持有人",
    "obtained_at": "取得时间",
    "obtained_place": "取得地点",
    "method": "取得方式",
    "fact_to_prove": "证明事项",
    "digest": "校验值",
    "no_digest_reason": "未提供校验值的原因",
    "category": "电子数据类别",
    "copy_reason": "复制原因",
    "original_location": "原件存放处",
    "checked_by": "核对人",
    "checked_at": "核对时间",
    "annotation": "核对注记",
    "made_by": "复制件制作人",
    "is_digitised": "是否数字化件",
    "pages": "页数",
}


def header(number: str, submitted_at: str, note: str) -> dict[str, Any]:
    """Return what stands above the items."""
    return {
        "schema": "zhenglian.manifest/1",
        "bundle_no": number,
        "case_no": story.CASE_NO,
        "cause": story.CAUSE,
        "unit": story.UNIT,
        "officers": [dict(each) for each in story.OFFICERS],
        "submitted_by": "张伟",
        "submitted_at": submitted_at,
        "secrecy": "商业秘密",
        "note": note,
    }


def paper(path: str, name: str, fact: str, **more: str) -> Item:
    """Return a document on paper that was copied at the rights holder's."""
    return {
        "path": path,
        "kind": "书证",
        "form": "复制件",
        "name": name,
        "source_holder": story.HOLDER,
        "obtained_at": "2026-11-18 14:20",
        "obtained_place": _HOLDER_PLACE,
        "method": "现场调取后扫描",
        "fact_to_prove": fact,
        **_COPY,
        **more,
    }


def electronic(path: str, name: str, fact: str, category: str, data: bytes, **more: str) -> Item:
    """Return electronic data extracted at the rights holder's, with its check value."""
    algorithm = more.pop("algorithm", "sha256")
    return paper(
        path,
        name,
        fact,
        kind="电子数据",
        method="使用只读接口提取",
        digest=f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}",
        category=category,
        made_by="李娜",
        original_location=f"{story.HOLDER}文件服务器",
        **more,
    )


def other_side(item: Item) -> Item:
    """Return the item as obtained from the other side, a day later."""
    return item | {
        "source_holder": story.OTHER,
        "obtained_at": "2026-11-19 11:40",
        "obtained_place": _OTHER_PLACE,
        "original_location": f"{story.OTHER}办公室",
        "checked_at": "2026-11-19",
    }


def as_yaml(head: Mapping[str, Any], items: Sequence[Item]) -> bytes:
    """Return ``manifest.yaml``."""
    text = yaml.safe_dump(
        {**head, "items": list(items)}, allow_unicode=True, sort_keys=False, width=1000
    )
    return f"# 证据包清单\n{text}".encode()


def as_xlsx(head: Mapping[str, Any], items: Sequence[Item]) -> bytes:
    """Return ``manifest.xlsx``: header rows, officers, then the table, all in Chinese."""
    titles = {
        "bundle_no": "证据包编号",
        "case_no": "案号",
        "cause": "案由",
        "unit": "办案单位",
        "submitted_by": "提交人",
        "submitted_at": "提交时间",
        "secrecy": "密级",
        "note": "备注",
    }
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(_SHEET)
    for key, title in titles.items():
        sheet.append([title, head[key]])
    for officer in head["officers"]:
        sheet.append(["执法人员", officer["name"], officer["id"]])
    sheet.append([])
    keys = [key for key in _HEADINGS if any(key in item for item in items)]
    sheet.append([_HEADINGS[key] for key in keys])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE6EE")
    for item in items:
        sheet.append([item.get(key) for key in keys])
    for letter in "ABCDEFGHIJ":
        sheet.column_dimensions[letter].width = 24
    buffer = io.BytesIO()
    book.save(buffer)
    return repacked(buffer.getvalue())

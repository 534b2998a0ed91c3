"""Annotations and form fields of a PDF page, as lines of text with author and time.

They lie on the page and not in its text. A link is told by where it leads.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as raw

_MAX_NOTES = 2000
_MAX_TEXT = 20_000
_HIDDEN_FLAGS = 1 << 1 | 1 << 5
_LAUNCH, _URI = 4, 3
_KINDS = {
    raw.FPDF_ANNOT_TEXT: "批注 note",
    raw.FPDF_ANNOT_LINK: "链接 link",
    raw.FPDF_ANNOT_FREETEXT: "文本框 text box",
    raw.FPDF_ANNOT_HIGHLIGHT: "高亮 highlight",
    raw.FPDF_ANNOT_UNDERLINE: "下划线 underline",
    raw.FPDF_ANNOT_SQUIGGLY: "波浪线 squiggly",
    raw.FPDF_ANNOT_STRIKEOUT: "删除线 strike-out",
    raw.FPDF_ANNOT_STAMP: "图章 stamp",
    raw.FPDF_ANNOT_CARET: "插入 caret",
    raw.FPDF_ANNOT_INK: "墨迹 ink",
    raw.FPDF_ANNOT_POPUP: "弹出框 popup",
    raw.FPDF_ANNOT_FILEATTACHMENT: "附件 attached file",
    raw.FPDF_ANNOT_WIDGET: "表单域 field",
    raw.FPDF_ANNOT_REDACT: "涂黑 redaction",
    raw.FPDF_ANNOT_RICHMEDIA: "多媒体 rich media",
}


@dataclass(frozen=True)
class Note:
    """One annotation; ``launches`` where it starts a program or opens a file."""

    text: str
    launches: bool = False


def notes(page: Any) -> list[Note]:
    """Return the annotations of a page that say something."""
    found = []
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_NOTES)):
        with _annotation(page, index) as held:
            note = _note(page, held) if held else None
        if note:
            found.append(note)
    return found


@contextmanager
def _annotation(page: Any, index: int) -> Iterator[Any]:
    held = raw.FPDFPage_GetAnnot(page, index)
    try:
        yield held
    finally:
        if held:
            raw.FPDFPage_CloseAnnot(held)


def _note(page: Any, held: Any) -> Note | None:
    kind = raw.FPDFAnnot_GetSubtype(held)
    said, launches = _said(page, held, kind)
    who = ", ".join(x for x in (_who(held, kind), _string(held, "M")) if x)
    if not said and not (kind == raw.FPDF_ANNOT_STAMP and who):
        return Note("", launches) if launches else None
    hidden = " 隐藏 hidden" if raw.FPDFAnnot_GetFlags(held) & _HIDDEN_FLAGS else ""
    head = f"[{_KINDS.get(kind, '标注 mark')}{hidden}]"
    return Note(" ".join(x for x in (head, said, f"[{who}]" if who else "") if x), launches)


def _said(page: Any, held: Any, kind: int) -> tuple[str, bool]:
    """Return what an annotation says, and whether it starts something outside the document."""
    words = _string(held, "Contents")
    if kind == raw.FPDF_ANNOT_WIDGET:
        value = _string(held, "V")
        return (f"{_string(held, 'T')}: {value}" if value else ""), False
    if kind != raw.FPDF_ANNOT_LINK:
        return " ".join(x for x in (_string(held, "Subj"), words) if x), False
    action = raw.FPDFLink_GetAction(raw.FPDFAnnot_GetLink(held))
    type_ = raw.FPDFAction_GetType(action) if action else 0
    if type_ == _URI:
        words = f"{words} {_target(page.pdf, action)}".strip()
    return words, type_ == _LAUNCH


def _who(held: Any, kind: int) -> str:
    # In a form field the same key is the field's name.
    return "" if kind == raw.FPDF_ANNOT_WIDGET else _string(held, "T")


def _target(document: Any, action: Any) -> str:
    length = raw.FPDFAction_GetURIPath(document, action, None, 0)
    if not 1 < length < _MAX_TEXT:
        return ""
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFAction_GetURIPath(document, action, buffer, length)
    return buffer.raw[: length - 1].decode(errors="replace")


def _string(held: Any, key: str) -> str:
    name = key.encode()
    length = raw.FPDFAnnot_GetStringValue(held, name, None, 0)
    if length <= 2:
        return ""
    # PDFium fills no buffer that is too small, so what is too long is only told of.
    if length > 2 * _MAX_TEXT:
        return f"… ({length // 2})"
    buffer = (ctypes.c_ushort * (length // 2))()
    raw.FPDFAnnot_GetStringValue(held, name, buffer, length)
    return bytes(buffer).decode("utf-16-le", errors="replace").rstrip("\0").strip()

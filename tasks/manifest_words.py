"""The words of a manifest: kinds, forms, secrecy and yes or no, in all their spellings.

Words are compared without spaces, case, width, punctuation and the marks of required columns;
the set of what they may stand for is closed (RULES IN-03, IN-05).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from storage.normal import normal_form
from storage.nouns import FORM_NAMES, KIND_NAMES, EvidenceForm, EvidenceKind
from tasks.manifest_columns import (
    HEADER,
    ITEM,
    OFFICER,
    Column,
)

KIND_ALIASES: dict[EvidenceKind, tuple[str, ...]] = {
    EvidenceKind.DOCUMENTARY: ("书面证据", "document"),
    EvidenceKind.PHYSICAL: ("实物",),
    EvidenceKind.AUDIOVISUAL: ("视听材料", "audio_visual"),
    EvidenceKind.ELECTRONIC_DATA: ("电子证据", "electronic"),
    EvidenceKind.WITNESS_TESTIMONY: ("证言", "testimony"),
    EvidenceKind.PARTY_STATEMENT: ("当事人陈述", "statement"),
    EvidenceKind.APPRAISAL_OPINION: ("鉴定意见书", "opinion"),
    EvidenceKind.INSPECTION_RECORD: ("勘验笔录", "现场笔录", "勘验笔录和现场笔录", "record"),
}

FORM_ALIASES: dict[EvidenceForm, tuple[str, ...]] = {
    EvidenceForm.ORIGINAL: ("原物", "原始载体"),
    EvidenceForm.COPY: ("复印件", "副本", "复制品"),
    EvidenceForm.EXTRACT: ("节录", "摘录", "摘录件", "节录件"),
    EvidenceForm.PHOTO_VIDEO_OF_OBJECT: ("照片", "录像", "照片录像", "照片/录像", "照片、录像"),
}

SECRECY = {
    "公开": ("public",),
    "一般": ("ordinary", "普通"),
    "内部": ("internal",),
    "商业秘密": ("trade_secret", "商密"),
}
STATE_SECRET = ("国家秘密", "绝密", "机密", "秘密", "state_secret", "top_secret")

YES = ("是", "yes", "true", "y", "1", "有")
NO = ("否", "no", "false", "n", "0", "无")

_MARKS = re.compile(r"[\s*＊_\-‐-―:：、，,.。()（）\[\]【】/\\\u200b\ufeff]+")
_REQUIRED = re.compile(r"[(（\[【](必填|选填|视情况|required|optional|if needed)[)）\]】]", re.I)


_PARTS = re.compile(r"[\s/|()（）:：]+")


def folded(text: str) -> str:
    """Return a word as it is compared: without width, case, spaces, and marks."""
    plain = normal_form("NFKC", _REQUIRED.sub("", text)).casefold()
    return _MARKS.sub("", plain)


class Lexicon:
    """Finds what a written word stands for, or the nearest known word."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        """Take the names and, for each, all its spellings; the first spelling is shown."""
        self._shown = {name: _both(next(iter(each)), name) for name, each in words.items()}
        self._names: dict[str, str] = {}
        for name, spellings in words.items():
            for spelling in (name, *spellings):
                self._names.setdefault(folded(spelling), name)

    def find(self, written: str) -> str | None:
        """Return the name that a word stands for; both languages may stand side by side."""
        if whole := self._names.get(folded(written)):
            return whole
        parts = {self._names.get(folded(part)) for part in _PARTS.split(written) if folded(part)}
        return parts.pop() if len(parts) == 1 else None

    def nearest(self, written: str) -> str:
        """Return the known word that looks most like the written one, or an empty string."""
        word = folded(written)[:80]
        # Letters in the wrong order come before letters left out.
        swapped = [name for name in self._names if sorted(name) == sorted(word)]
        near = swapped or get_close_matches(word, self._names, 1, 0.5)
        return self._shown[self._names[near[0]]] if near else ""


def _both(shown: str, name: str) -> str:
    return shown if folded(shown) == folded(name) else f"{shown} {name}"


def columns(table: tuple[Column, ...]) -> Lexicon:
    """Return the lexicon of a table's columns."""
    return Lexicon({column.key: (column.zh, *column.aliases) for column in table})


KINDS = Lexicon({kind: (zh, *KIND_ALIASES[kind]) for kind, zh in KIND_NAMES.items()})
FORMS = Lexicon({form: (zh, *FORM_ALIASES[form]) for form, zh in FORM_NAMES.items()})
SECRECIES = Lexicon({zh: (zh, *aliases) for zh, aliases in SECRECY.items()})
HEADER_WORDS = columns(HEADER)
OFFICER_WORDS = columns(OFFICER)
ITEM_WORDS = columns(ITEM)
YES_NO = Lexicon({"yes": YES, "no": NO})

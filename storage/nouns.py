"""The nouns of evidence: kinds, forms, people, items as a unit describes them, exhibits.

Values are plain and immutable; a constructed value is valid. Field names follow RULES, data
fields. Times are RFC 3339 strings with a zone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from storage.normal import normal_form


class EvidenceKind(StrEnum):
    """The eight kinds of evidence of administrative penalty law (APL art. 46)."""

    DOCUMENTARY = "documentary"
    PHYSICAL = "physical"
    AUDIOVISUAL = "audiovisual"
    ELECTRONIC_DATA = "electronic_data"
    WITNESS_TESTIMONY = "witness_testimony"
    PARTY_STATEMENT = "party_statement"
    APPRAISAL_OPINION = "appraisal_opinion"
    INSPECTION_RECORD = "inspection_record"


KIND_NAMES: dict[EvidenceKind, str] = {
    EvidenceKind.DOCUMENTARY: "书证",
    EvidenceKind.PHYSICAL: "物证",
    EvidenceKind.AUDIOVISUAL: "视听资料",
    EvidenceKind.ELECTRONIC_DATA: "电子数据",
    EvidenceKind.WITNESS_TESTIMONY: "证人证言",
    EvidenceKind.PARTY_STATEMENT: "当事人的陈述",
    EvidenceKind.APPRAISAL_OPINION: "鉴定意见",
    EvidenceKind.INSPECTION_RECORD: "勘验笔录、现场笔录",
}


class EvidenceForm(StrEnum):
    """Whether an item is the original or what was made of it (RULES IN-05)."""

    ORIGINAL = "original"
    COPY = "copy"
    EXTRACT = "extract"
    PHOTO_VIDEO_OF_OBJECT = "photo_video_of_object"


FORM_NAMES: dict[EvidenceForm, str] = {
    EvidenceForm.ORIGINAL: "原件",
    EvidenceForm.COPY: "复制件",
    EvidenceForm.EXTRACT: "节录本",
    EvidenceForm.PHOTO_VIDEO_OF_OBJECT: "照片或录像",
}


@dataclass(frozen=True)
class Person:
    """Somebody who acts on evidence."""

    name: str
    id: str = ""
    unit: str = ""
    title: str = ""
    phone: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the non-empty fields."""
        found = vars(self)
        return {key: found[key] for key in _PERSON if found[key]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Person:
        """Rebuild from ``as_json``."""
        return cls(**{key: str(value.get(key, "")) for key in _PERSON})


_PERSON = tuple(field.name for field in fields(Person))
"""Asked for once: each event of the log names somebody, and is read and written many times."""


@dataclass(frozen=True)
class Item:
    """One line of a manifest: one file of a bundle and what the unit says about it.

    ``path`` is relative to the bundle's root, with ``/``. ``digest`` is the supplied check
    value as ``algorithm:hex`` or empty; ``extra`` keeps the optional columns by name.
    """

    seq: int
    path: str
    kind: EvidenceKind
    form: EvidenceForm
    name: str
    source_holder: str
    obtained_at: str
    obtained_place: str
    method: str
    fact_to_prove: str = ""
    digest: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return {**asdict(self), "kind": self.kind.value, "form": self.form.value}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Item:
        """Rebuild from ``as_json``."""
        known = {f.name: value[f.name] for f in fields(cls) if f.name in value}
        known["kind"] = EvidenceKind(value["kind"])
        known["form"] = EvidenceForm(value["form"])
        return cls(**known)


@dataclass(frozen=True)
class Manifest:
    """A parsed manifest; a constructed one is valid (RULES IN-01 to IN-07)."""

    bundle_no: str
    case_no: str
    cause: str
    unit: str
    officers: tuple[Person, ...]
    submitted_by: str
    submitted_at: str
    secrecy: str
    items: Sequence[Item]
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the header without the items, as used in events."""
        return {
            "bundle_no": self.bundle_no,
            "case_no": self.case_no,
            "cause": self.cause,
            "unit": self.unit,
            "officers": [officer.as_json() for officer in self.officers],
            "submitted_by": self.submitted_by,
            "submitted_at": self.submitted_at,
            "secrecy": self.secrecy,
            "note": self.note,
        }


NEED_TO_KNOW_MARK = "商业秘密"
"""The mark of a case that is shown to whom it lists alone (ST-06)."""
_SECRECIES = ("公开", "一般", "内部", NEED_TO_KNOW_MARK)


def higher_secrecy(one: str, other: str) -> str:
    """Return the higher of two marks; a word that is none is the lowest, the first of equals."""
    rank = {word: place for place, word in enumerate(_SECRECIES, start=1)}
    return other if rank.get(other, 0) > rank.get(one, 0) else one


def case_id(case_no: str) -> str:
    """Return the ASCII identifier of a case number, used in keys and paths.

    The digit groups keep it recognisable, eight hex digits of SHA-256 over the NFC form keep
    two numbers apart: 沪市监案〔2026〕0123号 becomes ``2026-0123-`` and the digits.
    """
    normal = normal_form("NFC", case_no.strip())
    digits = "-".join(re.findall(r"[0-9]+", normal, re.ASCII))[:32].strip("-")
    tail = hashlib.sha256(normal.encode()).hexdigest()[:8]
    return f"{digits}-{tail}" if digits else tail


def exhibit_no(number: int) -> str:
    """Return an exhibit's number in its case: E0001, E0002, ..."""
    return f"E{number:04d}"


def exhibit_id(case: str, number: int) -> str:
    """Return an exhibit's identifier: ``<case_id>/E0001``."""
    return f"{case}/{exhibit_no(number)}"

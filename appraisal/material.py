"""Material: one exhibit as it goes to the agency, with the columns that the law asks for.

The official list has name, kind, quantity, properties, unique mark, keep or return; the digests
stand beside them. (RULES: AP-02, AP-04; JAG art. 12.) Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appraisal.fields import Fields
from appraisal.page_ranges import pages_text, parse_pages
from storage.digest import Fingerprint
from storage.errors import InputError
from storage.nouns import EvidenceKind

_NUMBER = re.compile(r"E[0-9]{4,9}", re.ASCII)
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}", re.ASCII)


class Disposal(StrEnum):
    """What becomes of the material afterwards."""

    KEEP = "keep"
    RETURN = "return"
    DESTROY = "destroy"


DISPOSAL_NAMES: dict[Disposal, str] = {
    Disposal.KEEP: "留存",
    Disposal.RETURN: "退还",
    Disposal.DESTROY: "销毁",
}


class Side(StrEnum):
    """Whose material it is; identity compares both sides."""

    RIGHTS_HOLDER = "rights_holder"
    ACCUSED = "accused"
    NEUTRAL = "neutral"


SIDE_NAMES: dict[Side, str] = {
    Side.RIGHTS_HOLDER: "权利人",
    Side.ACCUSED: "被控方",
    Side.NEUTRAL: "其他",
}

CHOICE_FIELDS = {
    "exhibit": "证据编号",
    "quantity": "数量",
    "properties": "性状",
    "unique_mark": "唯一标识",
    "keep_or_return": "留存或退还",
    "side": "所属方",
    "note": "备注",
    "pages": "节录页",
}


@dataclass(frozen=True)
class Material:
    """One line of the material list.

    ``number`` is the exhibit's number in its case (``E0001``), ``suffix`` the ASCII ending of its
    working copy (``.pdf``, or empty), ``fingerprint`` what was recorded at intake. ``pages``
    (``3-5,9``) are the ones that go out, as a derivative; empty: the exact and whole copy.
    """

    exhibit_id: str
    number: str
    name: str
    kind: EvidenceKind
    quantity: str
    properties: str
    unique_mark: str
    keep_or_return: Disposal
    fingerprint: Fingerprint
    suffix: str = ""
    side: Side = Side.NEUTRAL
    note: str = ""
    pages: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers and endings that could not be a plain file name.

        Raises:
            InputError: the number or the suffix is not of its form.
        """
        if not _NUMBER.fullmatch(self.number):
            raise InputError(
                f"{self.number!r}不是证据编号 {self.number!r} is not an exhibit's number",
                remedy="写作 write it as E0001",
            )
        if self.suffix and not _SUFFIX.fullmatch(self.suffix):
            raise InputError(
                f"{self.suffix!r}不是文件后缀 {self.suffix!r} is not the ending of a file's name",
                remedy="写作 write it as .pdf",
            )

    @property
    def payload_name(self) -> str:
        """Return the plain ASCII name of the working copy: ``E0001.pdf``, ``E0001.p3-5_9.pdf``."""
        marked = f".p{self.pages.replace(',', '_')}" if self.pages else ""
        return f"{self.number}{marked}{self.suffix}"

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events and in ``material.json``."""
        return {
            "exhibit_id": self.exhibit_id,
            "number": self.number,
            "name": self.name,
            "kind": self.kind.value,
            "quantity": self.quantity,
            "properties": self.properties,
            "unique_mark": self.unique_mark,
            "keep_or_return": self.keep_or_return.value,
            "fingerprint": self.fingerprint.as_json(),
            "suffix": self.suffix,
            "side": self.side.value,
            "note": self.note,
            **({"pages": self.pages} if self.pages else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Material:
        """Rebuild from ``as_json``."""
        return cls(
            exhibit_id=value["exhibit_id"],
            number=value["number"],
            name=value["name"],
            kind=EvidenceKind(value["kind"]),
            quantity=value["quantity"],
            properties=value["properties"],
            unique_mark=value["unique_mark"],
            keep_or_return=Disposal(value["keep_or_return"]),
            fingerprint=Fingerprint.from_json(value["fingerprint"]),
            suffix=value["suffix"],
            side=Side(value["side"]),
            note=value["note"],
            pages=value.get("pages", ""),
        )


def safe_suffix(name: str) -> str:
    """Return the plain lower-case ending of a file name, or nothing."""
    _, dot, ending = name.rpartition(".")
    suffix = f".{ending.lower()}" if dot else ""
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def read_choice(fields: Fields) -> dict[str, Any]:
    """Read one line of a person's choice: which exhibit goes out, and how it is described.

    Only ``exhibit`` is needed; for the rest, files have usual values.
    """
    return {
        "exhibit": fields.text("exhibit", limit=80),
        "quantity": fields.text("quantity", required=False, limit=80) or "1份（电子文件）",
        "properties": fields.text("properties", required=False, limit=200)
        or (
            "原件部分页的节录本，属派生件"
            if fields.has("pages")
            else "与保管原件逐字节一致的工作副本"
        ),
        "unique_mark": fields.text("unique_mark", required=False, limit=200),
        "keep_or_return": (
            fields.choice("keep_or_return", Disposal, DISPOSAL_NAMES, Disposal.DESTROY)
            if fields.has("keep_or_return")
            else Disposal.DESTROY
        ),
        "side": (
            fields.choice("side", Side, SIDE_NAMES, Side.NEUTRAL)
            if fields.has("side")
            else Side.NEUTRAL
        ),
        "note": fields.text("note", required=False, limit=300),
        "pages": _pages(fields),
    }


def _pages(fields: Fields) -> str:
    text = fields.text("pages", required=False, limit=80)
    try:
        return pages_text(parse_pages(text)) if text else ""
    except InputError as error:
        zh, _, en = error.message.partition(" ")
        fields.wrong("pages", zh, en)
        return ""


def choose(
    choice: Mapping[str, Any],
    exhibit_id: str,
    name: str,
    kind: EvidenceKind,
    fingerprint: Fingerprint,
    file_name: str,
) -> Material:
    """Make a line from a choice (``read_choice``) and what is recorded of the exhibit.

    Without a mark of its own, a file's unique mark is its SHA-256.
    """
    return Material(
        exhibit_id=exhibit_id,
        number=exhibit_id.rpartition("/")[2],
        name=name,
        kind=kind,
        quantity=choice["quantity"],
        properties=choice["properties"],
        unique_mark=choice["unique_mark"] or f"SHA-256 {fingerprint.sha256}",
        keep_or_return=choice["keep_or_return"],
        fingerprint=fingerprint,
        suffix=safe_suffix(file_name),
        side=choice["side"],
        note=choice["note"],
        pages=choice.get("pages", ""),
    )


def incomplete(material: Material) -> tuple[str, ...]:
    """Return which mandatory columns of a line are empty (AP-02)."""
    columns = ("name", "quantity", "properties", "unique_mark")
    return tuple(each for each in columns if not str(getattr(material, each)).strip())

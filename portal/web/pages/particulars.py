"""The form of an opinion's particulars, read into the mapping that ``Opinion.parse`` reads. Pure.

What is left empty is left out: gaps are found by the checks and never here, so that the form and
the file of particulars have the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from appraisal.commission import Commission

PEOPLE = 5
"""Appraisers that the form has room for."""
_TEXTS = (
    "opinion_no",
    "commission_no",
    "issued_at",
    "methods",
    "process",
    "findings",
    "opinion_text",
    "dissent",
    "correction_of",
    "subcontract",
)
_LISTS = ("basis", "standards", "annexes")
_TICKS = ("seal", "qualification_annex", "undertaking", "clear")
_PERSON = ("name", "licence_no", "field", "title")


def particulars_of(
    form: Mapping[str, str], listed: Sequence[str], agency_id: str
) -> dict[str, Any]:
    """Return the particulars that a form states.

    Args:
        form: its texts, by the names of its fields.
        listed: the numbers of the exhibits that were ticked.
        agency_id: whose people filled it in.
    """
    found: dict[str, Any] = {"agency_id": agency_id}
    found |= {key: form.get(key, "").strip() for key in _TEXTS}
    found |= {key: _lines(form.get(key, "")) for key in _LISTS}
    found |= {key: bool(form.get(key)) for key in _TICKS}
    found["package_digest_stated"] = "".join(form.get("package_digest_stated", "").split())
    found["materials_listed"] = list(listed)
    found["appraisers"] = [each for each in map(_person_in(form), range(PEOPLE)) if each]
    copies = form.get("copies", "").strip()
    if copies:
        found["copies"] = copies
    return {key: value for key, value in found.items() if value not in ("", [])}


def sent_material(found: Commission) -> list[tuple[str, str]]:
    """Return number and name of all that was sent, what was supplied later included."""
    lines = [*found.materials, *(each for s in found.supplements for each in s.supplied)]
    return list(dict.fromkeys((each.number, each.name) for each in lines))


def _person_in(form: Mapping[str, str]) -> Callable[[int], dict[str, Any]]:
    def person(index: int) -> dict[str, Any]:
        texts = {key: form.get(f"appraiser-{index}-{key}", "").strip() for key in _PERSON}
        said: dict[str, Any] = {key: value for key, value in texts.items() if value}
        return said | {"signed": bool(form.get(f"appraiser-{index}-signed"))} if said else {}

    return person


def _lines(text: str) -> list[str]:
    return [each.strip() for each in text.splitlines() if each.strip()]

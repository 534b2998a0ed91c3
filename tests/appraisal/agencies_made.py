"""Hypothesis strategies for agencies; everything in them is invented."""

from typing import Any

from hypothesis import strategies as st

from appraisal.agency import Agency, AgencyStatus, RegisterType
from appraisal.matters import MatterType
from storage.names import visible

_LETTERS = st.characters(exclude_categories=("C", "Z"))
_AWKWARD = st.sampled_from([*"=+-@'|\\\",;＝%_ \u3000", "_x0041_", "、"])
KEY = "age17t9pej80p03u74yz8pamz935xt6gqnr0g9rvvpvyenm30xgnmu5qsed7k5"

words = (
    st.lists(st.one_of(_LETTERS, _AWKWARD), min_size=1, max_size=8)
    .map(lambda parts: " ".join("".join(parts).split()))
    .filter(lambda text: bool(text) and visible(text) == text)
)
maybe = st.one_of(st.just(""), words)
days = st.dates().map(lambda day: day.isoformat())
identifiers = st.text("abcXYZ019-_", min_size=1, max_size=6).filter(
    lambda text: text.strip("-_") != ""
)


@st.composite
def validities(draw: Any) -> dict[str, str]:
    """Return a start and perhaps an end that is not before it."""
    start, end = sorted([draw(days), draw(days)])
    return {"from": start, "to": draw(st.sampled_from(["", end]))}


@st.composite
def agency_fields(draw: Any, agency_id: str = "A") -> dict[str, Any]:
    """Return a mapping that is a valid agency."""
    scope = draw(st.lists(st.sampled_from(list(MatterType)), min_size=1, unique=True))
    fields = st.lists(words, max_size=2)
    registers = st.builds(
        lambda kind, no, valid: {"type": kind.value, "no": no, **valid},
        st.sampled_from(list(RegisterType)),
        words,
        validities(),
    )
    appraisers = st.builds(
        lambda name, no, field, title, senior, valid: {
            **{"name": name, "licence_no": no, "field": field, "title": title, "senior": senior},
            **valid,
        },
        *(words, words, maybe, maybe, st.booleans(), validities()),
    )
    contacts = st.builds(
        lambda name, phone, email: {"name": name, "phone": phone, "email": email},
        *(words, words, maybe),
    )
    return {
        "agency_id": agency_id,
        "name": draw(words),
        "credit_code": "52310000MJ49000001",
        "province": draw(words),
        "registers": draw(st.lists(registers, min_size=1, max_size=3)),
        "scope": [each.value for each in scope],
        "scope_fields": {each.value: draw(fields) for each in scope},
        "contacts": draw(st.lists(contacts, min_size=1, max_size=2)),
        "rule_set": draw(st.sampled_from(["national", "zhejiang", ""])),
        "status": draw(st.sampled_from([each.value for each in AgencyStatus])),
        "status_reason": draw(maybe),
        "licence_no": draw(maybe),
        "accreditation": {"CNAS": draw(maybe), "CNAS_to": draw(days), "to": draw(days)},
        "appraisers": draw(st.lists(appraisers, max_size=3)),
        "capacity": draw(st.integers(0, 100_000)),
        "conflicts": draw(st.lists(words, max_size=3)),
        "secrecy_agreement": draw(st.sampled_from([{}, {"date": "2026-01-02", "no": "=1"}])),
        "encryption_key": draw(st.sampled_from(["", KEY])),
    }


@st.composite
def directories(draw: Any) -> list[Agency]:
    """Return several agencies with different identifiers."""
    names = draw(st.lists(identifiers, min_size=1, max_size=3, unique=True))
    return [
        Agency.parse(draw(agency_fields(agency_id=name)), rule_set_of=lambda _: "national")
        for name in names
    ]

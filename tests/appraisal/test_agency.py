"""Agencies: everything missing is listed at once; what counts on the commission date (AP-06)."""

import json
from datetime import date

import pytest

from appraisal.agency import Agency, RegisterType
from appraisal.matters import MatterType
from storage.errors import InputError
from tests.appraisal import made

DAY = date(2026, 1, 28)


def test_an_agency_reads_back() -> None:
    agency = made.agency(
        conflicts=["某公司"],
        accreditation={"CNAS": "L0001", "to": date(2027, 1, 1)},
        secrecy_agreement={"date": "2025-05-01"},
    )
    again = Agency.from_json(json.loads(json.dumps(agency.as_json())))
    assert again == agency == Agency.parse(agency.as_json())
    assert agency.scope[0] is MatterType.NON_PUBLIC_KNOWLEDGE
    assert agency.registers[0].type is RegisterType.JUSTICE_ADMINISTRATION
    assert agency.accreditation["to"] == "2027-01-01"


def test_everything_missing_is_listed_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Agency.parse({})
    problems = "\n".join(caught.value.facts["problems"])
    for name in (
        "agency_id",
        "name",
        "credit_code",
        "province",
        "registers",
        "scope",
        "contacts",
        "rule_set",
        "status",
    ):
        assert name in problems
    assert "机构名称缺少" in problems


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"agency_id": "../x"}, "agency_id"),
        ({"credit_code": "123"}, "18"),
        ({"scope": ["占卜"]}, "占卜"),
        ({"scope": 7}, "scope"),
        ({"registers": "无"}, "registers"),
        ({"registers": [{"type": "法院名册", "no": "1", "from": "昨天"}]}, r"registers\[1\]\.from"),
        (
            {"registers": [{"type": "court", "no": "1", "from": "2026-01-02", "to": "2026-01-01"}]},
            "before its start",
        ),
        ({"contacts": [{"name": "周静"}]}, "phone"),
        ({"appraisers": [{"name": "陈工"}]}, "licence_no"),
        ({"capacity": -1}, "capacity"),
        ({"surprise": 1}, "surprise"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"status": "on holiday"}, "status"),
        ({"rule_set": "mars"}, "rule_set"),
    ],
)
def test_each_wrong_field_is_named(change, named) -> None:
    with pytest.raises(InputError, match=named):
        Agency.parse(made.agency_fields(**change), ("national", "zhejiang"))


@pytest.mark.parametrize("untrusted", [None, [], "agency", 3])
def test_what_is_no_table_is_refused(untrusted) -> None:
    with pytest.raises(InputError, match="not a table"):
        Agency.parse(untrusted)


def test_ap_06_registers_count_on_their_days_alone() -> None:
    agency = made.agency()
    assert agency.registers_on(DAY)
    assert not agency.registers_on(date(2023, 12, 31))
    assert not agency.registers_on(date(2029, 1, 1))
    open_ended = made.agency(registers=[{"type": "court", "no": "9", "from": date(2020, 1, 1)}])
    assert open_ended.registers_on(date(2099, 1, 1))

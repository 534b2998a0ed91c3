"""Agencies: everything missing is listed at once; what counts on the commission date (AP-06)."""

import json
from datetime import date

import pytest

from appraisal.agency import Agency, RegisterType
from appraisal.matters import MatterType
from appraisal.rules import RuleBook
from storage.errors import InputError
from tests.appraisal import made
from tests.appraisal.agencies_made import KEY

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


def test_an_event_from_before_new_fields_is_read() -> None:
    old = made.agency().as_json()
    for name in ("scope_fields", "encryption_key", "status_reason"):
        del old[name]
    for each in old["appraisers"]:
        del each["from"], each["to"]
    assert Agency.from_json(json.loads(json.dumps(old))) == made.agency()
    assert Agency.from_json({**old, "revision": 3}) == made.agency()


@pytest.mark.parametrize(
    ("province", "rule_set"),
    [("浙江", "zhejiang"), ("浙江省", "zhejiang"), ("重庆市", "chongqing"), ("青海", "national")],
)
def test_tt_05_an_empty_rule_set_is_that_of_the_province(province, rule_set) -> None:
    book = RuleBook.load()
    fields = made.agency_fields(province=province, rule_set="")
    assert Agency.parse(fields, book.names(), book.for_province).rule_set == rule_set


def test_ap_06_licences_accreditation_and_secrecy_hold_on_their_days_alone() -> None:
    people = [
        {"name": "陈工", "licence_no": "1", "from": "2025-01-01", "to": "2026-01-27"},
        {"name": "何工", "licence_no": "2", "from": "2026-01-28"},
        {"name": "李工", "licence_no": "3"},
    ]
    agency = made.agency(
        appraisers=people,
        accreditation={"CNAS": "L1", "CNAS_to": "2026-01-28", "CMA": "2", "to": "2026-01-27"},
        secrecy_agreement={"date": "2026-01-28", "to": "2026-12-31"},
    )
    assert [each.name for each in agency.appraisers_on(DAY)] == ["何工", "李工"]
    assert agency.accredited_on(DAY) == ("CNAS",)
    assert agency.bound_on(DAY)
    assert not agency.bound_on(date(2026, 1, 27))
    assert not agency.bound_on(date(2027, 1, 1))
    assert not made.agency().bound_on(DAY)


def test_scope_has_technical_fields_by_matter() -> None:
    agency = made.agency(scope_fields={"非公知性": ["化工、软件"], "identity": "机械"})
    assert agency.scope_fields == {
        "non_public_knowledge": ("化工", "软件"),
        "identity": ("机械",),
    }
    with pytest.raises(InputError, match=r"scope_fields\.other.*不在业务范围内"):
        made.agency(scope_fields={"other": ["化工"]})


def test_only_a_recipient_of_age_is_an_encryption_key() -> None:
    assert made.agency(encryption_key=KEY).encryption_key == KEY
    secret = "AGE-SECRET-KEY-1QQQQ"
    for wrong in (KEY[:-1], KEY[:-1] + "q", secret, "age1", "ssh-ed25519 AAAA"):
        with pytest.raises(InputError, match="不是 age 公钥"):
            made.agency(encryption_key=wrong)


@pytest.mark.parametrize("name", ["甲\u202e乙", "甲\u200b乙", "甲\x1b[31m乙"])
def test_a_name_that_hides_something_is_refused(name) -> None:
    with pytest.raises(InputError, match="不可见字符"):
        made.agency(name=name)


def test_an_agency_too_large_for_an_event_is_refused() -> None:
    people = [{"name": f"鉴定人{n}", "licence_no": f"3100120{n:04d}"} for n in range(600)]
    with pytest.raises(InputError, match="一条记录放不下"):
        made.agency(appraisers=people)

"""What must hold before a commission is issued (AP-01 to AP-06, AP-10)."""

from dataclasses import replace
from datetime import date

import pytest

from appraisal import acts
from appraisal.brief import Brief
from appraisal.material import Side
from appraisal.requirements import conflicting, require_issuable
from appraisal.transitions import apply
from storage.errors import ConflictError, InputError
from tests.appraisal import made

DAY = date(2026, 1, 28)
MANDATORY = (
    "commission_no",
    "case_no",
    "client",
    "contact",
    "agency_id",
    "type",
    "matters",
    "purpose",
    "facts_summary",
    "secrecy_terms",
    "fee",
    "return_terms",
    "risk_notice_ack",
    "delivery",
    "rule_set",
)


def issue(agency=None, materials=None, others=(), parent=None, **changes):
    chosen = [made.material()] if materials is None else materials
    return require_issuable(
        made.brief(**changes), chosen, agency or made.agency(), DAY, others, parent
    )


@pytest.mark.parametrize("name", MANDATORY)
def test_ap_01_each_mandatory_field(name) -> None:
    with pytest.raises(InputError, match=name):
        made.brief(**{name: None})


def test_ap_01_all_missing_fields_are_listed_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Brief.parse({})
    assert all(any(name in p for p in caught.value.facts["problems"]) for name in MANDATORY)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"commission_no": "鉴委\u30001号"}, "commission_no"),
        ({"commission_no": "鉴委\n1号"}, "commission_no"),
        ({"commission_no": "鉴委1号/S1"}, "supplement"),
        ({"purpose": "审判"}, "administration"),
        ({"type": "再次"}, "type"),
        ({"agreed_limit": 0}, "agreed_limit"),
        ({"agreed_limit": {"length": 20, "unit": "年"}}, "unit"),
        ({"copies": "many"}, "copies"),
        ({"parent_no": "1号"}, "parent_no"),
        ({"type": "补充鉴定"}, "parent_no"),
        ({"fee": {"amount": "1"}}, r"fee\.payer"),
        ({"contact": {"name": "李明"}}, r"contact\.phone"),
        ({"facts_summary": "长" * 4001}, "facts_summary"),
        ({"matters": [{"type": "非公知性", "question": "是否构成商业秘密"}]}, "question of law"),
        ({"requirements": "请认定涉案信息是否构成商业秘密"}, "requirements.*question of law"),
        ({"matters": ["非公知性"]}, r"matters\[1\]"),
    ],
)
def test_ap_01_ap_03_wrong_fields_are_named(change, named) -> None:
    with pytest.raises(InputError, match=named):
        made.brief(**change)


def test_a_brief_reads_back() -> None:
    brief = made.brief(agreed_limit={"length": 20, "unit": "日"}, parties="甲公司", copies="4")
    assert Brief.from_json(brief.as_json()) == brief == Brief.parse(brief.as_json())
    assert brief.commission_id.isascii()
    assert made.brief(agreed_limit=45).agreed_limit.text() == ("45个工作日", "45 working days")


def test_ap_02_each_line_is_complete() -> None:
    assert issue() == []
    for name in ("name", "quantity", "properties", "unique_mark"):
        with pytest.raises(InputError, match=name):
            issue(materials=[made.material(**{name: " "})])
    with pytest.raises(InputError, match="there is no material"):
        issue(materials=[])
    with pytest.raises(InputError, match="listed twice"):
        issue(materials=[made.material(), made.material()])


def test_ap_04_identity_needs_both_sides() -> None:
    ours, theirs = made.material(1, Side.RIGHTS_HOLDER), made.material(2, Side.ACCUSED)
    assert issue(materials=[ours, theirs], matters=[made.IDENTITY]) == []
    with pytest.raises(InputError, match="the accused is missing"):
        issue(materials=[ours], matters=[made.IDENTITY])
    with pytest.raises(InputError) as caught:
        issue(matters=[made.IDENTITY])
    assert len(caught.value.facts["problems"]) == 2


def test_ap_04_a_reference_date_is_not_to_come() -> None:
    matter = {**made.brief_fields()["matters"][0], "reference_date": "2026-01-29"}
    with pytest.raises(InputError, match="is after 2026-01-28"):
        issue(matters=[matter])
    assert issue(matters=[{**matter, "reference_date": "2026-01-28"}]) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"status": "suspended"}, "suspended"),
        ({"scope": ["同一性"]}, "out of its scope"),
        ({"agency_id": "OTHER"}, "names another agency"),
    ],
)
def test_ap_06_what_no_reason_overrides(change, named) -> None:
    with pytest.raises(InputError, match=named):
        issue(agency=made.agency(**change), override_reason="只此一家")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"registers": [{"type": "court", "no": "1", "from": "2026-02-01"}]}, "no register"),
        ({"registers": [{"type": "其他", "no": "1", "from": "2020-01-01"}]}, "no register"),
        ({"conflicts": ["甲（上海）公司"]}, "conflicts"),
        ({"conflicts": [made.CASE_NO]}, "conflicts"),
    ],
)
def test_ap_06_an_override_needs_a_reason(change, named) -> None:
    agency = made.agency(**change)
    with pytest.raises(InputError, match=named) as caught:
        issue(agency=agency, parties=["甲(上海)公司"])
    assert "override_reason" in caught.value.remedy
    waived = issue(agency=agency, parties=["甲(上海)公司"], override_reason="该领域仅此一家")
    assert [each.code for each in waived] == ["AP-06"]


def test_ap_05_the_same_matter_at_two_agencies_is_blocked() -> None:
    first = made.dispatched()
    second = {"commission_no": "8号", "agency_id": "ZJ"}
    elsewhere = made.agency(agency_id="ZJ")
    with pytest.raises(ConflictError, match="7号"):
        issue(agency=elsewhere, others=[first], **second)
    ended = apply(first, acts.decline("超出能力", made.CLERK, made.ACCEPTED))
    assert issue(agency=elsewhere, others=[ended], **second) == []
    assert conflicting([first], made.brief()) == []
    assert conflicting([first], made.brief(**second, case_no="另案")) == []
    other = [{"type": "损失评估", "question": "损失数额是多少"}]
    assert conflicting([first], made.brief(**second, matters=other)) == []


def returned():
    step = acts.return_opinion(
        made.opinion(), f"{made.CASE}/E0009", [made.GOOD], made.CLERK, "2026-03-17T09:00:00+08:00"
    )
    return apply(made.accepted(), step)


def test_ap_05_ap_10_a_re_appraisal_goes_to_another_agency() -> None:
    first = returned()
    again = {"commission_no": "9号", "type": "重新鉴定", "parent_no": first.commission_no}
    elsewhere = made.agency(agency_id="ZJ")
    assert issue(agency=elsewhere, others=[first], parent=first, agency_id="ZJ", **again) == []
    with pytest.raises(InputError, match="another agency"):
        issue(parent=first, **again)
    with pytest.raises(InputError, match="another agency"):
        issue(parent=first, override_reason="全省仅此一家", **again)
    excepted = {"override_reason": "全省仅此一家", "other_appraisers": ["赵工", "孙工"]}
    assert issue(parent=first, **excepted, **again) == []
    excepted["other_appraisers"] = ["陈工", "孙工"]
    with pytest.raises(InputError, match="appraised it before"):
        issue(parent=first, **excepted, **again)


def test_ap_10_no_agency_repeats_what_it_repeated_or_appraised_before() -> None:
    """AP-10: JAG art. 32; the first agency is still the first one when another repeated it."""
    first = returned()
    again = {"type": "重新鉴定", "parent_no": "9号", "commission_no": "10号"}
    second = replace(
        first,
        brief=made.brief(
            commission_no="9号", type="重新鉴定", parent_no=first.commission_no, agency_id="ZJ"
        ),
    )
    with pytest.raises(InputError, match="another agency"):
        issue(parent=second, others=[first], **again)
    excepted = {"override_reason": "全省仅此一家", "other_appraisers": ["陈　工"]}
    with pytest.raises(InputError, match="appraised it before"):
        issue(parent=second, others=[first], **again, **excepted)
    third = made.agency(agency_id="HJ")
    assert issue(agency=third, parent=second, others=[first], agency_id="HJ", **again) == []


def test_ap_10_a_supplementary_appraisal_refers_to_the_first() -> None:
    more = {"commission_no": "9号", "type": "补充鉴定", "parent_no": "沪市监鉴委〔2026〕7号"}
    assert issue(parent=returned(), **more) == []
    elsewhere = {"agency": made.agency(agency_id="ZJ"), "agency_id": "ZJ", **more}
    with pytest.raises(InputError, match="JAG 30"):
        issue(parent=returned(), **elsewhere)
    assert len(issue(parent=returned(), override_reason="原机构已注销", **elsewhere)) == 1
    with pytest.raises(InputError, match="no commission"):
        issue(**more)
    with pytest.raises(InputError, match="another case"):
        issue(parent=returned(), case_no="另案1号", **more)


def test_ap_10_without_an_opinion_nothing_is_repeated_or_supplemented() -> None:
    """AP-05, AP-10: a re-appraisal is no way to have two agencies at once."""
    for first in (made.dispatched(), made.accepted()):
        for kind in ("重新鉴定", "补充鉴定"):
            again = {"commission_no": "9号", "type": kind, "parent_no": first.commission_no}
            with pytest.raises(InputError, match="no opinion"):
                issue(agency=made.agency(agency_id="ZJ"), parent=first, agency_id="ZJ", **again)


def test_ap_10_a_re_appraisal_has_a_senior_appraiser() -> None:
    """AP-10: JAG art. 32; a reason overrides it, because an agency may list nobody."""
    first = returned()
    again = {"commission_no": "9号", "type": "重新鉴定", "parent_no": first.commission_no}
    nobody = made.agency(agency_id="ZJ", appraisers=[])
    with pytest.raises(InputError, match="senior"):
        issue(agency=nobody, parent=first, agency_id="ZJ", **again)
    excepted = again | {"override_reason": "另行聘请"}
    waived = issue(agency=nobody, parent=first, agency_id="ZJ", **excepted)
    assert [each.code for each in waived] == ["AP-10"]

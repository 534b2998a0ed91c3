"""AP-06: agencies ranked for a commission, and every reason why one was left out."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal import acts
from appraisal.agency import Agency
from appraisal.figures import Figures, figures
from appraisal.matters import MatterType
from appraisal.opinion import Opinion
from appraisal.requirements import require_issuable
from appraisal.rules import RuleBook
from appraisal.step import Transition
from appraisal.suggest import PART_NAMES, WEIGHTS, Setting, Suggestion, field_fits, suggest
from appraisal.transitions import apply
from storage.errors import CustodyError
from tests.appraisal import made

DAY = date(2026, 1, 28)
BOOK = RuleBook.load()


def setting(**changes: Any) -> Setting:
    known = {"on": DAY, "rules": lambda agency: BOOK.get(agency.rule_set, DAY)}
    return Setting(**{**known, **changes})


def ranked(*agencies: Agency, **changes: Any) -> Suggestion:
    brief = changes.pop("brief", made.brief())
    return suggest(brief, agencies, setting(**changes))


def reasons(found: Suggestion) -> str:
    (left,) = found.left_out
    assert not found.fitting
    assert all(each.zh and each.en for each in left.reasons)
    return "\n".join(map(str, left.reasons))


def record(on_time: int, late: int, days: float) -> Figures:
    return replace(figures([]), delivered=on_time + late, on_time=on_time, median_days=days)


def people(**changes: Any) -> list[dict[str, Any]]:
    one = {"name": "陈工", "licence_no": "1", "field": "化工", "senior": True}
    return [one | changes, {"name": "何工", "licence_no": "2", "field": "软件"}]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"status": "suspended"}, "机构已暂停或注销"),
        ({"scope": ["同一性"]}, "业务范围不含非公知性"),
        (
            {"registers": [{"type": "法院名册", "no": "1", "from": "2026-01-29"}]},
            "委托日不在任何适用的名册内",
        ),
        (
            {
                "registers": [
                    {"type": "法院名册", "no": "1", "from": "2025-01-01", "to": "2026-01-27"}
                ]
            },
            "委托日不在任何适用的名册内",
        ),
        ({"conflicts": ["某市市场监督管理局"]}, "存在利益冲突"),
        ({"appraisers": people(to="2026-01-27")}, "委托日可签名的鉴定人1名，少于2名"),
        ({"appraisers": []}, "委托日可签名的鉴定人0名"),
        ({"appraisers": [people()[0], people(field="软件")[0]]}, "委托日可签名的鉴定人1名"),
        ({"capacity": 3}, "在办3件，已达承办上限3件"),
        ({"scope_fields": {"非公知性": ["软件"]}}, "非公知性的专业领域不含化工"),
        (
            {"appraisers": [{**each, "field": "软件"} for each in people()]},
            "没有专业为化工的鉴定人",
        ),
    ],
)
def test_ap_06_each_reason_against_an_agency_is_named(changes, named) -> None:
    found = ranked(made.agency(**changes), load={"SJ": 3}, fields=("化工",))
    assert named in reasons(found)


def test_every_reason_is_told_at_once() -> None:
    bad = made.agency(status="closed", scope=["同一性"], capacity=1, appraisers=[])
    assert len(reasons(ranked(bad, load={"SJ": 1})).splitlines()) == 4


def test_an_agency_in_force_on_the_commission_date_fits() -> None:
    last = {"type": "法院名册", "no": "1", "from": "2025-01-01", "to": "2026-01-28"}
    found = ranked(made.agency(registers=[last], appraisers=people(to="2026-01-28")))
    assert [each.agency.agency_id for each in found.fitting] == ["SJ"]


def test_ap_05_a_matter_that_another_agency_has_leaves_the_others_out() -> None:
    open_one = made.accepted(commission_no="沪委〔2026〕1号")
    other = made.agency(agency_id="HJ", name="衡鉴")
    found = ranked(made.agency(), other, others=(open_one,))
    assert [each.agency.agency_id for each in found.fitting] == ["SJ"]
    (left,) = found.left_out
    assert "沪委〔2026〕1号" in left.reasons[0].zh


def test_ap_10_a_re_appraisal_goes_elsewhere_to_a_senior_expert() -> None:
    parent = apply(made.accepted(), returned(made.opinion()))
    brief = made.brief(commission_no="重1", type="re_appraisal", parent_no=parent.commission_no)
    junior = [{**each, "name": f"丙{each['name']}", "senior": False} for each in people()]
    other = [{**each, "name": f"乙{each['name']}"} for each in people()]
    expired = [{"name": "老陈", "licence_no": "9", "senior": True, "to": "2026-01-27"}]
    found = ranked(
        made.agency(accreditation={"CNAS": "L1"}),
        made.agency(agency_id="B", name="乙", appraisers=other),
        made.agency(agency_id="C", name="丙", appraisers=junior),
        made.agency(agency_id="D", name="丁", appraisers=[*junior, *expired]),
        brief=brief,
        parent=parent,
    )
    assert [each.agency.agency_id for each in found.fitting] == ["B"]
    assert "资质可能低于原机构" in "".join(each.zh for each in found.fitting[0].cautions)
    told = {each.agency.agency_id: each.reasons[0].zh for each in found.left_out}
    assert "重新鉴定应委托其他机构" in told["SJ"]
    assert "高级职称鉴定人，机构资料未列" in told["C"]
    assert "高级职称的鉴定人委托日均不能签名" in told["D"]


def test_ap_11_somebody_who_must_withdraw_does_not_count() -> None:
    for written in ("何工", "何 工"):
        found = ranked(made.agency(), brief=made.brief(recusal=[written]))
        assert "可签名的鉴定人1名" in reasons(found)


def test_ap_10_who_signed_any_opinion_that_is_repeated_does_not_count() -> None:
    """AP-10: the second re-appraisal is by others than the first opinion too (JAG art. 20)."""
    first = apply(made.accepted(), returned(made.opinion()))
    again = {"type": "re_appraisal", "agency_id": "B"}
    second = apply(
        made.accepted(commission_no="重1", parent_no=first.commission_no, **again),
        returned(made.opinion(appraisers=[{"name": "乙工", "licence_no": "7", "signed": True}])),
    )
    brief = made.brief(commission_no="重2", parent_no="重1", **again | {"agency_id": "C"})
    third = made.agency(agency_id="C", name="丙")
    found = ranked(third, brief=brief, parent=second, others=(first, second))
    assert "可签名的鉴定人0名" in reasons(found)


def returned(opinion: Opinion) -> Transition:
    return acts.return_opinion(opinion, "x/E9", [], made.CLERK, "2026-03-10T10:00:00+08:00")


def test_better_records_less_load_and_accreditation_rank_higher() -> None:
    base = made.agency(capacity=10)
    agencies = [replace(base, agency_id=each, name=each) for each in "ABC"]
    agencies[2] = replace(agencies[2], accreditation={"CNAS": "L1", "CMA": "2"})
    found = ranked(
        *agencies,
        load={"A": 9, "B": 1, "C": 1},
        figures={"A": record(9, 1, 20), "B": record(9, 1, 20), "C": record(9, 1, 20)},
    )
    assert [each.agency.agency_id for each in found.fitting] == ["C", "B", "A"]
    parts = {part.name: float(part.points) for part in found.fitting[0].parts}
    assert parts == {
        "on_time": 33.3,  # 40 x (9 + 1) / (10 + 2)
        "load": 22.5,  # 25 x 9 / 10
        "speed": 13.3,  # 20 x (1 - 20 / 60)
        "accreditation": 10.0,
        "secrecy": 0.0,
    }


def test_without_a_record_half_the_points_are_given_and_that_is_said() -> None:
    (fit,) = ranked(made.agency()).fitting
    assert [float(part.points) for part in fit.parts[:3]] == [20.0, 25.0, 10.0]
    assert "没有记录" in fit.parts[0].zh
    assert "没有有效的保密协议" in fit.cautions[0].zh


def test_one_lucky_commission_is_not_worth_more_than_many() -> None:
    found = ranked(
        *(made.agency(agency_id=each, name=each) for each in "AB"),
        figures={"A": record(1, 0, 20), "B": record(19, 1, 20)},
    )
    assert [each.agency.agency_id for each in found.fitting] == ["B", "A"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["active", "suspended"]),
            st.sets(st.sampled_from(list(MatterType)), min_size=1),
            st.integers(0, 4),
            st.integers(0, 6),
            st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 200)),
        ),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_ap_06_who_fits_may_be_commissioned_and_nobody_is_lost(rows, random) -> None:
    agencies, load, known = [], {}, {}
    for number, (status, scope, capacity, at_work, (good, bad, days)) in enumerate(rows):
        name = f"A{number}"
        scoped = [each.value for each in scope]
        fields = {"status": status, "scope": scoped, "capacity": capacity}
        agencies.append(made.agency(agency_id=name, name=name, **fields))
        load[name], known[name] = at_work, record(good, bad, days)
    found = ranked(*agencies, load=load, figures=known)
    names = [each.agency.agency_id for each in (*found.fitting, *found.left_out)]
    assert sorted(names) == sorted(load)
    assert all(0 <= each.points <= sum(WEIGHTS.values()) == 100 for each in found.fitting)
    points = [each.points for each in found.fitting]
    assert points == sorted(points, reverse=True)
    for fit in found.fitting:
        brief = made.brief(agency_id=fit.agency.agency_id)
        assert require_issuable(brief, [made.material()], fit.agency, DAY) == []
    for left in found.left_out:
        full = 0 < left.agency.capacity <= load[left.agency.agency_id]
        if not full:
            brief = made.brief(agency_id=left.agency.agency_id)
            with pytest.raises(CustodyError):
                require_issuable(brief, [made.material()], left.agency, DAY)
    random.shuffle(agencies)
    assert ranked(*agencies, load=load, figures=known) == found


@pytest.mark.parametrize(
    ("wanted", "offered", "fits"),
    [
        ("化工", "精细 化工", True),
        ("软件工程", "软件", True),
        ("Software", "software", True),
        ("化工", "机械", False),
        ("", "软件", False),
    ],
)
def test_a_field_fits_by_its_name_or_a_part_of_it(wanted, offered, fits) -> None:
    assert field_fits(wanted, offered) is fits


def test_the_documentation_states_the_weights() -> None:
    text = (Path(__file__).parents[2] / "docs" / "agencies.md").read_text()
    for name, most in WEIGHTS.items():
        zh, en = PART_NAMES[name]
        assert f"| {zh} {en} | {most} |" in text

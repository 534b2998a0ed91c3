"""Opinions on arrival: each check fails alone and is named (AP-08, AP-11)."""

import json
from datetime import date
from typing import Any

import pytest

from appraisal.checks import check_opinion
from appraisal.opinion import Opinion, OpinionFinding
from storage.errors import InputError
from tests.appraisal import made

DAY = date(2026, 3, 17)
STRANGER = {"name": "吴工", "licence_no": "999", "signed": True}
CHEN, HE = made.opinion_fields()["appraisers"]


def failures(commission=None, **changes: Any) -> list[str]:
    found = check_opinion(
        made.opinion(**changes), commission or made.accepted(), made.agency(), DAY
    )
    assert all(each.text_zh and each.text_en for each in found)
    return [each.code for each in found if not each.ok]


def test_ap_08_a_complete_opinion_passes_every_check() -> None:
    assert failures() == []
    assert failures(package_digest_stated=made.PACKAGE.sha256.upper()) == []
    assert failures(package_digest_stated=f"sm3:{made.PACKAGE.sm3}") == []
    assert failures(materials_listed=[f"{made.CASE}/E0001"]) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"opinion_no": ""}, "number"),
        ({"commission_no": "沪市监鉴委〔2026〕8号"}, "commission"),
        ({"agency_id": "ZJ"}, "agency"),
        ({"package_digest_stated": "0" * 64}, "package_digest"),
        ({"package_digest_stated": ""}, "package_digest"),
        ({"package_digest_stated": "see letter"}, "package_digest"),
        ({"package_digest_stated": "md5:" + "0" * 32}, "package_digest"),
        ({"materials_listed": []}, "materials"),
        ({"materials_listed": ["E0001", "E0007"]}, "materials"),
        ({"materials_listed": ["another-case/E0001"]}, "materials"),
        ({"seal": False}, "seal"),
        ({"qualification_annex": "否"}, "qualification"),
        ({"issued_at": ""}, "dates"),
        ({"issued_at": date(2026, 1, 29)}, "dates"),
        ({"issued_at": "2026-03-18"}, "dates"),
        ({"basis": []}, "basis"),
        ({"standards": None}, "standards"),
        ({"methods": ""}, "methods"),
        ({"process": ""}, "process"),
        ({"opinion_text": ""}, "opinion_text"),
        ({"clear": False}, "opinion_text"),
        ({"undertaking": False}, "undertaking"),
        ({"copies": 2}, "copies"),
        ({"appraisers": [CHEN, HE, STRANGER]}, "registered_appraisers"),
        ({"appraisers": [CHEN]}, "signatures"),
        ({"appraisers": [CHEN, CHEN]}, "signatures"),
        ({"appraisers": [CHEN, {**CHEN, "name": "陈　工"}]}, "signatures"),
        ({"subcontract": "光谱由某实验室测定"}, "subcontract"),
        ({"appraisers": [CHEN, {**HE, "signed": False}]}, "signatures"),
    ],
)
def test_ap_08_each_failure_is_named_alone(change, code) -> None:
    assert failures(**change) == [code]


def test_ap_08_a_missing_licence_and_no_appraiser_at_all() -> None:
    assert "licences" in failures(appraisers=[CHEN, {"name": "何工", "signed": True}])
    assert {"signatures", "licences"} <= set(failures(appraisers=[]))


def test_ap_08_all_failures_are_listed_together() -> None:
    found = check_opinion(Opinion.parse({}), made.accepted(), made.agency(), DAY)
    failed = {each.code for each in found if not each.ok}
    assert len(failed) >= 16
    assert "recusal" not in failed


def test_what_is_told_of_an_opinion_fits_into_an_event() -> None:
    """However much is wrong, particulars and findings together stay below a log entry's size."""
    people = [{"name": f"名{n}" * 20, "licence_no": "x" * 80, "signed": True} for n in range(60)]
    opinion = made.opinion(
        appraisers=people,
        materials_listed=[f"{n:04d}" + "料" * 30 for n in range(150)],
        process="长" * 1500,
    )
    found = check_opinion(opinion, made.accepted(), made.agency(), DAY)
    assert len(json.dumps(opinion.as_json(), ensure_ascii=False).encode()) > 30_000
    said = [each.as_json() for each in found]
    assert len(json.dumps(said, ensure_ascii=False).encode()) < 16_000


def test_ap_11_a_recused_appraiser_cannot_sign() -> None:
    for written in ("何工", "何 工", "何\u200b工", "何\ufe0f工"):
        assert failures(made.accepted(recusal=[written])) == ["recusal"]


def test_ap_08_an_agency_is_qualified_on_the_day_of_its_opinion() -> None:
    """AP-08: CPLI art. 98(1) asks it of the appraisal, not of the commission alone."""
    for last, state, closed in (
        ("2026-03-16", "ok", "active"), ("2026-03-15", "confirm", "active"),
        ("2026-03-16", "ok", "suspended"), ("2026-03-16", "confirm", "closed"),
    ):  # fmt: skip
        held = {"type": "court", "no": "1", "from": "2024-01-01", "to": last}
        agency = made.agency(registers=[held], status=closed)
        found = check_opinion(made.opinion(), made.accepted(), agency, DAY)
        assert {e.code: e.state for e in found}["agency_standing"] == state


def test_ap_08_people_whom_the_directory_does_not_list_wait_for_a_person() -> None:
    agency = made.agency(appraisers=[])
    found = check_opinion(made.opinion(), made.accepted(), agency, DAY)
    assert [(e.code, e.state) for e in found if not e.ok] == [("registered_appraisers", "confirm")]


def test_an_opinion_reads_back() -> None:
    opinion = made.opinion(dissent="何工保留意见", annexes="附图")
    assert Opinion.from_json(json.loads(json.dumps(opinion.as_json()))) == opinion
    finding = check_opinion(opinion, made.accepted(), made.agency(), DAY)[0]
    assert OpinionFinding.from_json(finding.as_json()) == finding


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"surprise": 1}, "surprise"),
        ({"issued_at": "三月"}, "issued_at"),
        ({"seal": "perhaps"}, "seal"),
        ({"copies": "many"}, "copies"),
        ({"appraisers": ["陈工"]}, r"appraisers\[1\]"),
        ({"process": "长" * 7999, "methods": "长" * 7999}, "summarise"),
        ({"process": "长" * 8001}, "process"),
    ],
)
def test_malformed_particulars_are_named(change, named) -> None:
    with pytest.raises(InputError, match=named):
        made.opinion(**change)

"""Which signatures count for whom, and what an opinion prints: pure rules (AP-08, AP-11)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.brief import CommissionType
from appraisal.checks import check_opinion
from appraisal.commission import Commission
from appraisal.opinion import OpinionFinding
from appraisal.printed import foreign_digests, stands
from appraisal.signatures import DocumentSeen, SignatureSeen, fits_agency, fits_person
from tests.appraisal import made

DAY = date(2026, 3, 17)
AT = "2026-03-17T10:00:00+08:00"
AGENCY = made.agency()
TEXT = (
    f"委托书 {made.brief_fields()['commission_no']}\n"
    "委托人：某市市场监\n督管理局；委托事项：非公知性，基准日 2025 年 11 月 3 日\n"
    f"校验值（SHA-256）：\n{made.PACKAGE.sha256[:40]}\n"
    f"{made.PACKAGE.sha256[40:]}\n第 1 页"
)


def signature(name: str, **changes: Any) -> SignatureSeen:
    good = SignatureSeen(
        field=name,
        kind="signature",
        state="intact",
        trust="vouched",
        common_names=(name,),
        signed_at="2026-03-16T09:00:00+08:00",
        digest="sha256",
        algorithm="sha256_rsa",
        bits=2048,
        shown=False,
        changes="none",
    )
    return replace(good, **changes)


CHEN, HE, SEAL = signature("陈工"), signature("何工"), signature(AGENCY.name)


def document(*signatures: SignatureSeen, **changes: Any) -> DocumentSeen:
    return DocumentSeen(**{"at": AT, "text": TEXT, "signatures": signatures, **changes})


def checked(
    seen: DocumentSeen, commission: Commission | None = None, **changes: Any
) -> dict[str, OpinionFinding]:
    found = check_opinion(
        made.opinion(**changes), commission or made.accepted(), AGENCY, DAY, document=seen
    )
    assert all(each.text_zh and each.text_en for each in found)
    assert len({each.code for each in found}) == len(found)
    return {each.code: each for each in found}


def states(seen: DocumentSeen, **changes: Any) -> dict[str, str]:
    found = checked(seen, **changes)
    return {code: each.state for code, each in found.items() if each.state != "ok"}


def test_ap_08_a_document_signed_by_all_passes_every_check() -> None:
    assert states(document(CHEN, HE, SEAL)) == {}


def test_ap_08_ink_waits_for_a_person() -> None:
    assert states(document()) == {"signatures": "confirm", "seal": "confirm"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"trust": "no_anchor"}, {"signatures": "confirm"}),
        ({"trust": "unknown_issuer"}, {"signatures": "confirm"}),
        ({"trust": "expired"}, {"signatures": "confirm"}),
        ({"state": "broken", "trust": ""}, {"signatures": "confirm", "signature_1": "failed"}),
        (
            {"state": "unsupported", "trust": ""},
            {"signatures": "confirm", "signature_1": "confirm"},
        ),
        ({"state": "unreadable", "trust": ""}, {"signatures": "confirm", "signature_1": "confirm"}),
        ({"weak": True}, {"signatures": "confirm", "signature_1": "confirm"}),
        ({"changes": "other"}, {"signatures": "confirm", "signature_1": "failed"}),
        ({"changes": "annotations"}, {"signatures": "confirm", "signature_1": "confirm"}),
        ({"changes": "forms"}, {"signatures": "confirm", "signature_1": "confirm"}),
        ({"changes": "signatures"}, {}),
        ({"shown": True}, {}),
        ({"trust": "revoked"}, {"signatures": "confirm"}),
        (
            {"shown": True, "trust": "unknown_issuer"},
            {"signatures": "confirm", "signature_1": "confirm"},
        ),
        ({"shown": True, "trust": "no_anchor"}, {"signatures": "confirm"}),
        ({"kind": "timestamp"}, {"signatures": "confirm"}),
        ({"common_names": ("陈工程",)}, {"signatures": "confirm"}),
        ({"common_names": ("陈工、何工",)}, {"signatures": "confirm"}),
        ({"signed_at": "2026-03-17T10:11:00+08:00"}, {"signing_time": "failed"}),
        ({"signed_at": "2026-01-29T10:11:00+08:00"}, {"signing_time": "failed"}),
        (
            {"stamp": "vouched", "stamped_at": "2026-03-18T00:00:00+00:00"},
            {"signing_time": "failed"},
        ),
    ],
)
def test_ap_08_a_signature_that_falls_short_counts_for_nobody(change, expected) -> None:
    assert states(document(replace(CHEN, **change), HE, SEAL)) == expected


def test_nothing_less_than_vouched_is_called_verified() -> None:
    """No word of a finding calls a signature valid whose signer nobody vouches for."""
    for trust in ("no_anchor", "unknown_issuer", "expired", "usage", "weak", "other", ""):
        found = checked(document(*(replace(each, trust=trust) for each in (CHEN, HE, SEAL))))
        assert found["seal"].state == found["signatures"].state == "confirm"
        for code in ("signatures", "seal", "signature_1"):
            assert "已验证" not in found[code].text_zh
            assert "verified" not in found[code].text_en
    assert "未查询证书是否吊销" in checked(document(CHEN, HE, SEAL))["signature_1"].text_zh
    known = replace(CHEN, unrevoked=True)
    assert "表明证书未被吊销" in checked(document(known, HE, SEAL))["signature_1"].text_zh


def test_a_stranger_who_draws_over_a_signed_opinion_makes_a_person_look() -> None:
    """AP-08: a later signature's picture can cover the words that the appraisers signed."""
    stranger = signature("路人", trust="unknown_issuer", issuer="某机构", serial="7f", shown=True)
    found = checked(document(CHEN, HE, SEAL, stranger))
    assert found["signature_4"].state == "confirm"
    assert "遮盖" in found["signature_4"].text_zh
    assert "某机构 7f" in found["signature_4"].text_zh
    assert states(document(CHEN, HE, SEAL, replace(stranger, shown=False))) == {}


def test_particulars_that_deny_a_signature_fail_whatever_the_document_holds() -> None:
    assert states(document(CHEN, HE, SEAL), seal=False) == {"seal": "failed"}
    assert "signatures" in states(document(CHEN, HE, SEAL), appraisers=[])


def test_a_document_that_departs_from_the_format_is_left_to_a_person() -> None:
    found = states(document(CHEN, HE, SEAL, strict=False))
    assert found == {"signatures": "confirm", "seal": "confirm", "signature_form": "confirm"}
    assert "signature_form" in states(document(detail="timeout"))


def test_more_signatures_than_are_told_are_counted() -> None:
    many = [CHEN, HE, SEAL, *(signature(f"n{n}") for n in range(9))]
    assert states(document(*many)) == {}
    assert states(document(more=True))["signatures_beyond"] == "confirm"
    broken = replace(many[-1], state="broken")
    assert states(document(*many[:-1], broken)) == {"signatures_beyond": "failed"}


@pytest.mark.parametrize(
    ("common_name", "fits"),
    [
        ("陈工", True),
        (" 陈 工 ", True),
        ("陈工@310012001", True),
        ("310012001陈工", True),
        ("陈工(310012001)", True),
        ("陈工程", False),
        ("大陈工", False),
        ("", False),
    ],
)
def test_how_an_appraisers_name_is_matched(common_name, fits) -> None:
    assert fits_person(signature(common_name), "陈工") is fits


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"common_names": ("申江知识产权司法鉴定中心",)}, True),
        ({"common_names": ("申江知识产权司法鉴定中心（鉴定专用章）",)}, True),
        ({"common_names": ("电子印章",), "identifiers": (AGENCY.credit_code,)}, True),
        ({"common_names": ("陈工",), "identifiers": (AGENCY.credit_code,)}, False),
        ({"common_names": (), "organizations": ("申江知识产权司法鉴定中心",)}, True),
        ({"common_names": ("张会计",), "organizations": ("申江知识产权司法鉴定中心",)}, False),
        ({"common_names": ("大申江知识产权司法鉴定中心",)}, False),
    ],
)
def test_how_the_agencys_name_is_matched(change, fits) -> None:
    assert fits_agency(signature("x", **change), AGENCY, ["陈工", "何工"]) is fits


@given(st.text(max_size=12), st.text(max_size=12))
def test_a_longer_name_never_fits_a_shorter_one(before: str, after: str) -> None:
    """Property: letters before or after a name make it another name."""
    letters = "".join(c for c in before if c.isalpha()), "".join(c for c in after if c.isalpha())
    if any(letters):
        assert not fits_person(signature(f"{letters[0]}陈工{letters[1]}"), "陈工")


def test_ap_11_a_recused_appraiser_is_found_by_the_certificate_too() -> None:
    """AP-11: the particulars may leave a name out; the signature does not."""
    commission = made.accepted(recusal=["吴工"])
    found = checked(document(CHEN, HE, SEAL, signature("吴工")), commission)
    assert found["recusal"].state == "failed"
    assert "吴工" in found["recusal"].text_zh


def test_ap_10_a_re_appraisal_is_by_others() -> None:
    """AP-10: who gave the first opinion does not give the second."""
    found = made.accepted()
    again = replace(found, brief=replace(found.brief, type=CommissionType.RE_APPRAISAL))
    for earlier, ok in ((["陈工"], False), (["陈 工"], False), (["吴工"], True)):
        findings = check_opinion(made.opinion(), again, AGENCY, DAY, earlier=earlier)
        assert {each.code: each.ok for each in findings}["other_appraisers"] is ok


def test_ap_10_a_senior_expert_is_among_those_who_appraise_again() -> None:
    """AP-10: JAG art. 32 asks it of those who sign, not of the agency at large."""
    found = made.accepted()
    again = replace(found, brief=replace(found.brief, type=CommissionType.RE_APPRAISAL))
    assert checked(document(CHEN, HE, SEAL), again)["senior_appraiser"].state == "ok"
    others = [{**each, "senior": False} for each in made.agency_fields()["appraisers"]]
    findings = check_opinion(made.opinion(), again, made.agency(appraisers=others), DAY)
    assert {each.code: each.state for each in findings}["senior_appraiser"] == "confirm"


def test_ap_08_a_licence_holds_on_the_day_of_the_opinion() -> None:
    people = [
        {**each, "from": "2020-01-01", "to": "2026-03-15"}
        for each in made.agency_fields()["appraisers"]
    ]
    findings = check_opinion(made.opinion(), made.accepted(), made.agency(appraisers=people), DAY)
    assert [each.code for each in findings if not each.ok] == ["licence_validity"]
    renewed = [{**each, "from": "2026-03-16", "to": "2031-03-15"} for each in people]
    for listed in (people + renewed, renewed + people):
        agency = made.agency(appraisers=listed)
        findings = check_opinion(made.opinion(), made.accepted(), agency, DAY)
        assert all(each.ok for each in findings), "a renewed licence is a second entry"


def test_ap_08_client_matters_and_reference_date_are_printed_or_looked_for() -> None:
    """AP-08: whose questions of which day it answers (ADM-EV arts. 14, 32; TS-JI art. 3)."""
    question = made.brief_fields()["matters"][0]["question"]
    for text, lacking in (
        (TEXT.replace("非公知性", question), ""),
        (TEXT.replace("2025 年 11 月 3 日", "2025.11.03"), ""),
        (TEXT.replace("某市", "另一市"), "委托人某市市场监督管理局"),
        (TEXT.replace("非公知性", "同一性"), "鉴定事项非公知性"),
        (TEXT.replace("11 月 3 日", "11 月 30 日"), "基准日2025-11-03"),
        (TEXT.replace("2025 年 11 月 3 日", "2025.11.30"), "基准日2025-11-03"),
    ):
        found = checked(document(CHEN, HE, SEAL, text=text))["printed_matters"]
        assert found.state == ("confirm" if lacking else "ok")
        assert lacking in found.text_zh


def test_a_number_is_not_taken_for_one_that_begins_or_ends_with_it() -> None:
    """AP-08: an opinion on No. 10 does not print No. 1."""
    for text, printed in (
        ("W-2026-1", True), ("委托书W-2026-\n1 2026年", True), ("（Ｗ-2026-１）", True),
        ("W-2026-10", False), ("W-2026-1a", False), ("XW-2026-1", False), ("", False),
    ):  # fmt: skip
        assert stands("W-2026-1", text) is printed


OTHER = "ab" * 32


@pytest.mark.parametrize(
    ("text", "digest", "number"),
    [
        ("", "confirm", "confirm"),
        ("鉴定意见书", "confirm", "confirm"),
        (
            TEXT.replace(made.PACKAGE.sha256[:40], OTHER[:40]).replace(
                made.PACKAGE.sha256[40:], OTHER[40:]
            ),
            "failed",
            "ok",
        ),
        (f"{TEXT} 另：{OTHER}", "ok", "ok"),
        (f"SM3: {made.PACKAGE.sm3.upper()}", "ok", "confirm"),
        (f"SHA-256 {made.material().fingerprint.sha256}", "confirm", "confirm"),
        (f"package {OTHER}.", "failed", "confirm"),
    ],
)
def test_ap_08_the_digest_and_the_number_printed_are_compared(text, digest, number) -> None:
    """AP-08: what the document itself prints counts, not only what was typed beside it."""
    found = checked(document(CHEN, HE, SEAL, text=text))
    assert found["printed_digest"].state == digest
    assert found["printed_number"].state == number
    if digest == "failed":
        assert OTHER in found["printed_digest"].text_zh


@given(st.binary(min_size=32, max_size=32), st.integers(1, 63), st.sampled_from("\n \u3000"))
def test_a_labelled_digest_is_found_over_a_line_break(value: bytes, at: int, gap: str) -> None:
    text = f"材料包校验值（SHA-256）：{value.hex()[:at]}{gap}{value.hex()[at:]}\n"
    assert foreign_digests(text, frozenset()) == [value.hex()]
    assert foreign_digests(text, frozenset({value.hex()})) == []

"""Sample agencies, briefs, material and commissions for these tests; all invented."""

from typing import Any

from appraisal import acts
from appraisal.agency import Agency
from appraisal.brief import STANDARD_TERMS, Brief
from appraisal.commission import Commission
from appraisal.material import Disposal, Material, Side
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.transitions import apply, fold
from storage.digest import Fingerprint, fingerprint_bytes
from storage.nouns import EvidenceKind, Person, case_id

CASE_NO = "沪市监案〔2026〕0123号"
CASE = case_id(CASE_NO)
OFFICER = Person("李明", "31000101", "执法一队", "", "021-5550100")
CLERK = Person("周静", "SJ-07", "申江鉴定中心")
PACKAGE = fingerprint_bytes(b"a package")
SENT = "2026-01-28T10:00:00+08:00"
ACCEPTED = "2026-01-30T09:00:00+08:00"


def agency_fields(**changes: Any) -> dict[str, Any]:
    """Return a complete agency as a person fills it in; the code is that of the identifier."""
    code = "".join(c for c in str(changes.get("agency_id", "SJ")) if c.isalnum())[:6].upper()
    return {
        "agency_id": "SJ",
        "name": "申江知识产权司法鉴定中心",
        "credit_code": f"5231000MJ490{code:0>6}",
        "province": "上海市",
        "registers": [
            {"type": "司法行政名册", "no": "310012", "from": "2024-01-01", "to": "2028-12-31"}
        ],
        "scope": ["非公知性", "同一性", "损失评估", "electronic_data_integrity"],
        "contacts": [{"name": "周静", "phone": "021-5550199"}],
        "rule_set": "national",
        "status": "active",
        "appraisers": [
            {"name": "陈工", "licence_no": "310012001", "field": "化工", "senior": True},
            {"name": "何工", "licence_no": "310012002", "field": "软件"},
        ],
    } | changes


def agency(**changes: Any) -> Agency:
    """Return a valid agency."""
    return Agency.parse(agency_fields(**changes))


def brief_fields(**changes: Any) -> dict[str, Any]:
    """Return a complete brief as a person fills it in."""
    return {
        "commission_no": "沪市监鉴委〔2026〕7号",
        "case_no": CASE_NO,
        "client": "某市市场监督管理局",
        "contact": {"name": "李明", "phone": "021-5550100"},
        "agency_id": "SJ",
        "type": "first",
        "matters": [
            {
                "type": "非公知性",
                "question": "密点所载信息在基准日是否不为所属领域的相关人员普遍知悉和容易获得",
                "secret_points": ["密点1：反应温度曲线", "密点2：客户名单及价格"],
                "reference_date": "2025-11-03",
            }
        ],
        "purpose": "行政管理",
        "facts_summary": "权利人举报离职员工带走技术资料并用于新公司生产。",
        "fee": {"payer": "某市市场监督管理局", "amount": "48000元"},
        "risk_notice_ack": True,
        "rule_set": "national",
        **STANDARD_TERMS,
    } | changes


IDENTITY = {"type": "同一性", "question": "被控信息与密点所载信息是否相同或者实质相同"}


def brief(**changes: Any) -> Brief:
    """Return a valid brief."""
    return Brief.parse(brief_fields(**changes))


def material(number: int = 1, side: Side = Side.NEUTRAL, **changes: Any) -> Material:
    """Return one line of a material list."""
    content: bytes = changes.pop("content", b"exhibit %d" % number)
    values: dict[str, Any] = {
        "exhibit_id": f"{CASE}/E{number:04d}",
        "number": f"E{number:04d}",
        "name": f"供货合同（{number}）.pdf",
        "kind": EvidenceKind.DOCUMENTARY,
        "quantity": "1份",
        "properties": "扫描件，12页，清晰",
        "unique_mark": f"印章编号 {number}",
        "keep_or_return": Disposal.RETURN,
        "fingerprint": fingerprint_bytes(content),
        "suffix": ".pdf",
        "side": side,
    }
    return Material(**{**values, **changes})


def opinion_fields(**changes: Any) -> dict[str, Any]:
    """Return the particulars of an opinion that passes every check."""
    return {
        "opinion_no": "申江司鉴〔2026〕知鉴字第3号",
        "commission_no": "沪市监鉴委〔2026〕7号",
        "agency_id": "SJ",
        "issued_at": "2026-03-16",
        "appraisers": [
            {"name": "陈工", "licence_no": "310012001", "signed": True},
            {"name": "何工", "licence_no": "310012002", "signed": True},
        ],
        "seal": True,
        "materials_listed": ["E0001"],
        "package_digest_stated": f"sha256:{PACKAGE.sha256}",
        "basis": ["司法鉴定程序通则"],
        "standards": ["SF/T 0105"],
        "methods": "检索比对",
        "process": "查新检索三个数据库并逐项比对。",
        "opinion_text": "密点所载信息在基准日不为相关人员普遍知悉和容易获得。",
        "annexes": ["检索报告", "机构许可证", "鉴定人执业证"],
        "qualification_annex": True,
        "undertaking": True,
        "copies": 3,
    } | changes


def opinion(**changes: Any) -> Opinion:
    """Return an opinion that passes every check, but for the changes."""
    return Opinion.parse(opinion_fields(**changes))


GOOD = OpinionFinding("seal", True, "机构盖章：符合", "the agency's seal is on it")
BAD = OpinionFinding("seal", False, "机构盖章：不符合", "not: the agency's seal is on it")


def drafted(**changes: Any) -> Commission:
    """Return a commission that was not sent yet."""
    return fold(acts.draft(brief(**changes), [material()], OFFICER, "2026-01-27T09:00:00+08:00"))


def dispatched(package: Fingerprint = PACKAGE, **changes: Any) -> Commission:
    """Return a commission that has just been sent."""
    return apply(drafted(**changes), acts.dispatch(package, OFFICER, SENT))


def accepted(at: str = ACCEPTED, **changes: Any) -> Commission:
    """Return a commission in progress; by default effective on a golden day."""
    return apply(dispatched(**changes), acts.accept(CLERK, at, PACKAGE.sha256))

"""The commission letter (鉴定委托书), ready to print: Chinese first, English beside.

The package's SHA-256 stands on it, printed and as a QR code, so that the agency, and later a
court, can hold the paper against the bytes. Equal input gives equal PDF bytes.
(RULES: commission, JAG art. 16; AP-02, AP-07, TT-02.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TypeVar

from appraisal.agency import REGISTER_NAMES, Agency
from appraisal.brief import FEE_FIELDS, PURPOSE_NAMES, TYPE_NAMES, Brief, CommissionType
from appraisal.calendar import WorkCalendar
from appraisal.commission import Commission
from appraisal.material import DISPOSAL_NAMES, SIDE_NAMES, Material
from appraisal.matters import MATTER_NAMES, MATTER_NAMES_EN, Matter, MatterType
from appraisal.paper import Cell, Document, Label, Line, Mono, Signature, Strong
from appraisal.rules import RuleSet
from appraisal.turnaround import Due, acceptance_due, completion_due
from storage.digest import Fingerprint
from storage.nouns import KIND_NAMES

Choice = TypeVar("Choice", bound=StrEnum)
RISKS = (
    "鉴定意见可能对委托人有利，也可能不利；鉴定机构依法独立作出，委托人不得暗示或者强迫其作出特定意见。",
    "鉴定材料不真实、不完整、不充分或者来源不合法，可能导致不予受理、终止鉴定或者鉴定意见不被采信。",
    "部分检验可能损耗材料；损耗、破坏性检验须事先取得委托人书面同意。",
    "是否构成商业秘密、是否侵权属于法律判断，不属于鉴定事项。",
)
RISKS_EN = (
    "The opinion is independent and may be unfavourable; nobody may hint at a wanted result. "
    "Untrue, incomplete or unlawfully obtained material may lead to refusal or to an opinion that "
    "is not admitted. Tests that consume material need written consent beforehand. Whether "
    "something is a trade secret or was infringed is a question of law, not of appraisal."
)
DUTIES = (
    "委托人对鉴定材料的真实性、合法性负责。鉴定机构应当核对并记录材料的名称、种类、数量、性状、保存状况和"
    "收到时间，由二名以上鉴定人共同鉴定；鉴定意见书须载明本委托书编号、所鉴定材料编号和材料包校验值（SHA-256）。"
)
DUTIES_EN = (
    "The client answers for the truth and lawfulness of the material. The agency checks and "
    "records what it receives; two appraisers at least work together; the opinion states this "
    "letter's number, the exhibits appraised and the SHA-256 of the package."
)


def commission_letter(
    commission: Commission,
    agency: Agency,
    package: Fingerprint,
    day: date,
    rules: RuleSet,
    calendar: WorkCalendar,
    encrypted: Fingerprint | None = None,
) -> bytes:
    """Return the letter as PDF, with the dates that follow if it is received on its day.

    Args:
        commission: the drafted commission with its material.
        agency: to whom it goes.
        package: the fingerprint of the package's zip file.
        day: the day of the letter.
        rules: the rule set behind the dates.
        calendar: the working days behind the dates.
        encrypted: the fingerprint of the file that is handed out, if the package is encrypted.
    """
    brief = commission.brief
    acceptance = acceptance_due(day, calendar, rules)
    completion = completion_due(acceptance.date, brief.agreed_limit, (), (), calendar, rules)
    paper = Document(("司法鉴定委托书", "Commission for appraisal"), brief.commission_no)
    _parties(paper, brief, agency, day.isoformat())
    _matters(paper, brief)
    _time(paper, brief, rules, acceptance, completion)
    paper.section("四、鉴定材料包", "Package")
    package_box(paper, brief, package, len(commission.materials), encrypted)
    paper.section("五、鉴定材料清单", "Material list")
    material_table(paper, commission.materials)
    _terms(paper, brief)
    paper.paragraph(
        "鉴定机构在本委托书上签名盖章并复述材料包校验值，即为受理。",
        "The agency accepts by signing and sealing this letter and repeating the package's digest.",
    )
    paper.signatures(
        Signature(
            ("委托人", "Client"),
            ((("单位", "Unit"), brief.client), (("联系人", "Contact"), brief.contact.name)),
        ),
        Signature(("鉴定机构", "Agency"), ((("名称", "Name"), agency.name),)),
    )
    return paper.render()


def _parties(paper: Document, brief: Brief, agency: Agency, day: str) -> None:
    registers: list[Line] = [
        f"{REGISTER_NAMES[each.type]} {each.no}（{each.valid_from}—{each.valid_to or '长期'}）"
        for each in agency.registers
    ]
    contact = agency.contacts[0]
    ours = (brief.contact.name, brief.contact.title, brief.contact.phone)
    theirs = (contact.get("name", ""), contact.get("phone", ""), contact.get("email", ""))
    paper.section("一、委托双方", "Client and agency")
    rows: list[tuple[Label, Cell]] = [
        (("委托人", "Client"), brief.client),
        (("联系人及电话", "Contact"), "  ".join(filter(None, ours))),
        (("案号", "Case"), brief.case_no),
        (("鉴定机构", "Agency"), [agency.name, f"统一社会信用代码 {agency.credit_code}"]),
        (("名册登记", "Registers"), registers),
        (("机构联系人", "Agency's contact"), "  ".join(filter(None, theirs))),
        (("委托日期", "Date"), day),
    ]
    paper.keyvalues(rows, 0.24)


def _matters(paper: Document, brief: Brief) -> None:
    paper.section("二、鉴定事项、用途与要求", "Matters, purpose, requirements")
    kind: list[Line] = [_boxes(TYPE_NAMES, brief.type)]
    if brief.type is not CommissionType.FIRST:
        kind.append(f"原委托书 {brief.parent_no}")
    rows: list[tuple[Label, Cell]] = [
        (("鉴定类别", "Type"), kind),
        (("鉴定用途", "Purpose"), _boxes(PURPOSE_NAMES, brief.purpose)),
    ]
    rows += [
        (("鉴定事项" + (f"{n}" if len(brief.matters) > 1 else ""), "Matter"), _matter(each))
        for n, each in enumerate(brief.matters, 1)
    ]
    rows.append((("案情摘要", "Facts"), brief.facts_summary))
    if brief.requirements:
        rows.append((("其他要求", "Requirements"), brief.requirements))
    if brief.override_reason:
        rows.append((("例外理由", "Exception"), brief.override_reason))
    paper.keyvalues(rows, 0.24)


def _matter(matter: Matter) -> list[Line]:
    lines: list[Line] = [
        Strong(f"{MATTER_NAMES[matter.type]} {MATTER_NAMES_EN[matter.type]}"),
        matter.question,
    ]
    lines += [f"密点 {n}. {point}" for n, point in enumerate(matter.secret_points, 1)]
    if matter.reference_date:
        label = "检索基准日" if matter.type is MatterType.NON_PUBLIC_KNOWLEDGE else "基准日"
        lines.append(f"{label} Reference date: {matter.reference_date}")
    return lines


def _time(paper: Document, brief: Brief, rules: RuleSet, acceptance: Due, completion: Due) -> None:
    agreed = brief.agreed_limit
    limit = agreed or rules.completion.limit
    article = rules.agreed if agreed else rules.completion.article
    paper.section("三、鉴定时限", "Time limit")
    rows: list[tuple[Label, Cell]] = [
        (
            ("受理期限", "To accept or decline"),
            [
                f"收到之日的次日起{rules.acceptance.limit.text()[0]}（{rules.acceptance.article.zh}）",
                f"委托日当日收到的，至 if received on the day of this letter: {_date(acceptance)}",
            ],
        ),
        (
            ("鉴定期限", "To complete"),
            [
                f"{'约定' if agreed else ''}生效之日的次日起{limit.text()[0]}（{article.zh}）",
                "受理期限最后一日生效的，至 if it takes effect on the last day to accept: "
                f"{_date(completion)}",
            ],
        ),
        (
            ("不计入期限", "Not counted"),
            [f"自要求补充材料至收到之日（{rules.supplement.zh}）；延长须在期满前告知委托人。"],
        ),
        (("期限规则", "Rule set"), f"{rules.name[0]} {rules.name[1]}  {rules.rule_id}"),
    ]
    paper.keyvalues(rows, 0.24)


def _date(due: Due) -> str:
    mark = "（暂定，以国务院节假日安排公布为准 provisional）" if due.provisional else ""
    return f"{due.date.isoformat()}{mark}"


def package_box(
    paper: Document,
    brief: Brief,
    package: Fingerprint,
    count: int,
    encrypted: Fingerprint | None = None,
    supplement: int = 0,
) -> None:
    """Add the package's digests, and its SHA-256 as a QR code."""
    rows: list[tuple[Label, Cell]] = [
        (("件数", "Exhibits"), f"{count} 件"),
        (("字节数", "Bytes"), f"{package.size:,}"),
        (("SHA-256", ""), Mono(package.sha256)),
        (("SM3", ""), Mono(package.sm3)),
        (("BLAKE3", ""), Mono(package.blake3)),
    ]
    if encrypted:
        rows.append((("加密文件 SHA-256", "Encrypted file"), Mono(encrypted.sha256)))
    part = f"&supplement={supplement}" if supplement else ""
    paper.qr(
        f"zhenglian:package?commission={brief.commission_id}{part}&sha256={package.sha256}", rows
    )
    repeat = (
        (
            "签收时请复述 SHA-256；鉴定意见书载明的仍是委托书上材料包的数值。",
            "Repeat the SHA-256 on receipt; the opinion states the value on the commission letter.",
        )
        if supplement
        else (
            "签收或受理时请复述 SHA-256；鉴定意见书应载明同一数值。",
            "Repeat the SHA-256 on receipt; the opinion states the same value.",
        )
    )
    paper.paragraph(*repeat)
    if encrypted:
        paper.paragraph(
            "交付的是以贵机构公钥加密的文件（age 格式）；复述的是解密后材料包（.zip）的 SHA-256。",
            "What is handed over is encrypted to the agency's key (age); the value to repeat is "
            "that of the .zip inside.",
        )


def material_table(paper: Document, materials: Sequence[Material]) -> None:
    """Add the material list (AP-02)."""
    headings: list[Label] = [
        ("编号", "No."),
        ("名称", "Name"),
        ("种类／所属方", "Kind, side"),
        ("数量", "Qty"),
        ("性状", "Properties"),
        ("唯一标识及校验值", "Unique mark, SHA-256"),
        ("处置", "After"),
        ("备注", "Note"),
    ]
    paper.table(headings, map(_line, materials), (8, 18, 13, 9, 16, 22, 8, 8))


def _line(material: Material) -> list[Cell]:
    mark: list[Line] = [Mono(material.fingerprint.sha256)]
    if material.fingerprint.sha256 not in material.unique_mark:
        mark.insert(0, material.unique_mark)
    return [
        material.number,
        material.name,
        [KIND_NAMES[material.kind], SIDE_NAMES[material.side]],
        material.quantity,
        [material.properties, f"节录第{material.pages}页 pages"]
        if material.pages
        else material.properties,
        mark,
        DISPOSAL_NAMES[material.keep_or_return],
        material.note,
    ]


def _terms(paper: Document, brief: Brief) -> None:
    fee: list[Line] = [f"{FEE_FIELDS[key]}：{value}" for key, value in brief.fee.items()]
    recusal = "、".join(brief.recusal) or "无 none"
    paper.section("六、约定与告知", "Terms and notices")
    rows: list[tuple[Label, Cell]] = [
        (("保密要求", "Secrecy"), brief.secrecy_terms),
        (("检材处置", "Material afterwards"), brief.return_terms),
        (("鉴定费用", "Fee"), fee),
        (("申请回避", "Recusal"), recusal),
        (("指定鉴定人", "Named appraiser"), brief.named_appraiser or "无 none"),
        (("意见书份数及送达", "Copies, delivery"), [f"{brief.copies} 份", brief.delivery]),
        (("权利义务", "Rights and duties"), [DUTIES, ("", DUTIES_EN)]),
        (
            ("风险告知", "Risks"),
            [*(f"{n}. {text}" for n, text in enumerate(RISKS, 1)), ("", RISKS_EN)],
        ),
        (
            ("委托人确认", "Confirmed"),
            f"{_box(brief.risk_notice_ack)} 已阅读并知悉上述风险",
        ),
    ]
    paper.keyvalues(rows, 0.24)


def _boxes(names: Mapping[Choice, str], chosen: Choice) -> str:
    return "  ".join(f"{_box(each is chosen)}{name}" for each, name in names.items())


def _box(ticked: bool) -> str:
    """Return a box to tick, in characters that both typefaces have."""
    return "■" if ticked else "□"

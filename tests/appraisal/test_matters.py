"""Questions of law are refused, questions of fact are not (AP-03, AP-04)."""

import pytest

from appraisal.fields import Fields
from appraisal.matters import MATTER_FIELDS, Matter, MatterType, asks_for_law, same_matter


@pytest.mark.parametrize(
    "question",
    [
        "涉案客户名单是否构成商业秘密",
        "该技术信息是否属于权利人的商业秘密？",
        "该图纸是不是商业秘密",
        "是否 构成 商业 秘密",
        "涉案信息是否为受法律保护的商业秘密",
        "请认定该配方为商业秘密",
        "被控公司是否侵犯了甲公司的商业秘密",
        "被申请人的行为是否构成侵权",
        "该信息是否具有商业价值",
        "权利人是否对该信息采取了相应保密措施",
        "商业秘密是否成立",
        "该信息是商业秘密吗",
        "是否属于技术秘密",
        "密点1是否构成权利人的经营秘密",
        "涉案图纸是否属于商业秘密的保护范围",
        "请判断被申请人有无侵害权利人技术秘密",
        "侵犯商业秘密的行为是否成立",
        "侵权是否成立",
        "Is the customer list a trade secret?",
        "Whether the drawings constitute trade secrets",
        "Does the formula qualify as a protected trade secret?",
        "Are these documents trade secrets?",
    ],
)
def test_ap_03_is_it_a_trade_secret_is_refused(question: str) -> None:
    assert asks_for_law(question)
    fields = Fields({"type": "other", "question": question}, MATTER_FIELDS)
    Matter.read(fields)
    assert any("is a question of law" in each for each in fields.problems)


@pytest.mark.parametrize(
    "question",
    [
        "涉案信息在2026年1月30日前是否不为所属领域的相关人员普遍知悉和容易获得",
        "被控信息与权利人主张的商业秘密是否实质相同",
        "被控信息是否与权利人的商业秘密实质相同",
        "原告主张作为商业秘密的技术信息是否不为公众所知悉",
        "属于商业秘密的信息（密点一）是否已在先公开",
        "因侵权行为造成的损失数额是多少",
        "因侵犯商业秘密造成的损失是多少",
        "侵害技术秘密行为造成的损失数额",
        "在涉嫌侵犯商业秘密案中，被控图纸与权利人图纸是否相同",
        "本案系侵犯商业秘密案，密点1是否在基准日前公开",
        "就涉嫌侵犯商业秘密一案的检材，两份图纸是否实质相同",
        "是否与侵犯商业秘密纠纷一案的图纸实质相同",
        "被控信息与权利人主张的技术秘密是否实质相同",
        "该商业秘密的商业价值为多少元",
        "检材电子数据自2026年1月1日以来是否完整、有无删改",
        "Was the information generally known on the reference date?",
        "Is the accused drawing identical to the trade secret drawing of the holder?",
        "Are both customer lists the same in substance?",
    ],
)
def test_ap_03_questions_of_fact_pass(question: str) -> None:
    assert not asks_for_law(question)


def test_ap_04_non_public_knowledge_needs_points_and_a_date() -> None:
    fields = Fields({"type": "非公知性", "question": "是否不为公众所知悉"}, MATTER_FIELDS)
    assert Matter.read(fields).type is MatterType.NON_PUBLIC_KNOWLEDGE
    assert len(fields.problems) == 2
    assert "secret_points" in fields.problems[0]
    assert "reference_date" in fields.problems[1]


def test_ap_05_what_the_same_matter_is() -> None:
    kind = MatterType.NON_PUBLIC_KNOWLEDGE
    one = Matter(kind, "问一", ("密点1：温度曲线", "密点2"), "2026-01-30")
    assert same_matter(one, Matter(kind, "换个说法", ("密点 1：温度曲线",), "2026-01-30"))
    assert not same_matter(one, Matter(kind, "问一", ("密点3",), "2026-01-30"))
    assert same_matter(one, Matter(kind, "问一"))
    assert not same_matter(one, Matter(MatterType.LOSS, "问一"))
    other = MatterType.OTHER
    assert same_matter(Matter(other, "笔迹 鉴定"), Matter(other, "笔迹鉴定。"))


def test_matter_round_trip() -> None:
    matter = Matter(MatterType.IDENTITY, "是否实质相同", ("密点1",), "2026-01-30")
    assert Matter.from_json(matter.as_json()) == matter

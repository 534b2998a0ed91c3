"""Matters of appraisal in a trade-secret case, and the questions that no appraiser may be asked.

Whether something *is* a trade secret, has commercial value, was kept confidential or was
infringed is for the authority and the court to say; appraisers answer questions of fact about
it. Pure. (RULES: AP-03, AP-04; IP-EV art. 19; TS-JI arts. 3, 13, 27.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appraisal.fields import Fields


class MatterType(StrEnum):
    """What an appraisal can be about."""

    NON_PUBLIC_KNOWLEDGE = "non_public_knowledge"
    IDENTITY = "identity"
    LOSS = "loss"
    ELECTRONIC_DATA_INTEGRITY = "electronic_data_integrity"
    OTHER = "other"


MATTER_NAMES: dict[MatterType, str] = {
    MatterType.NON_PUBLIC_KNOWLEDGE: "非公知性",
    MatterType.IDENTITY: "同一性",
    MatterType.LOSS: "损失评估",
    MatterType.ELECTRONIC_DATA_INTEGRITY: "电子数据真实性完整性",
    MatterType.OTHER: "其他",
}

MATTER_NAMES_EN: dict[MatterType, str] = {
    MatterType.NON_PUBLIC_KNOWLEDGE: "Non-public knowledge",
    MatterType.IDENTITY: "Identity",
    MatterType.LOSS: "Loss",
    MatterType.ELECTRONIC_DATA_INTEGRITY: "Truth and integrity of electronic data",
    MatterType.OTHER: "Other",
}

MATTER_FIELDS = {
    "type": "鉴定事项类别",
    "question": "鉴定要求（问题）",
    "secret_points": "密点",
    "reference_date": "检索基准日",
}

ADVICE = (
    "改问事实 ask for facts instead: 该信息在基准日是否不为所属领域的相关人员普遍知悉和容易获得; "
    "被控信息与密点所载信息是否相同或者实质相同 whether the information was generally known or "
    "readily obtained on the reference date; whether both sides' information is substantially the "
    "same. Whether it is a trade secret is decided by the authority (TS-JI; IP-EV art. 19)"
)

_WHAT = r"(?:[^，。；;,.？?、与和同跟及]{0,12}?)"
_CALLED = r"(?:(?:商业|技术|经营)秘密|商秘)"
_LEGAL_QUESTIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # The predicate is 商业秘密 itself; "商业秘密的..." only speaks about its content.
        rf"(?:构成|属于|属|系|作为|算作|算是|算|认定为|认定|成立|是否为|是否是|是不是|是否)"
        rf"{_WHAT}{_CALLED}(?!的|中|之|载体|点|密点|信息|范围|所|权利人|一?案|纠纷)",
        rf"是否(?:属于|落入){_WHAT}{_CALLED}的?(?:保护)?(?:范围|范畴)",
        rf"{_CALLED}(?:吗|么|与否)",
        rf"{_CALLED}(?:权利?)?是否(?:成立|存在)",
        # Whether somebody infringed; a case of infringement, or its loss, is only named.
        rf"(?:是否|有无|有没有|能否|认定|判断|构成)[^，。；？?]{{0,12}}(?:侵犯|侵害)"
        rf"[^，。；？?]{{0,12}}{_CALLED}(?!一?案|纠纷|造成|行为造成|的行为造成)",
        rf"(?:侵犯|侵害)[^，。；？?]{{0,12}}{_CALLED}(?:的?行为)?是?否?成立",
        r"是否(?:构成)?侵权|侵权(?:行为)?是否成立",
        r"是否(?:具有|有|具备)[^，。；？?]{0,8}价值(?!多少)",
        r"是否[^，。；？?]{0,10}(?:采取|尽到|履行)[^，。；？?]{0,10}保密(?:措施|义务)",
        r"\b(?:constitutes?|constituted|qualif\w+ as|amounts? to|infringe[sd]?)\s+"
        r"(?:\w+\s+){0,4}?trade[\s-]secrets?\b",
        r"\b(?:is|are|was|were|be)\s+(?:(?!identical|similar|same|equal|alike|compared|derived)"
        r"[\w'-]+\s+){0,5}?an?\s+(?:\w+\s+){0,2}trade[\s-]secret\b",
        r"\b(?:is|are|was|were)\s+(?:(?!identical|similar|same|equal|in|to|from|with|of)"
        r"[\w'-]+\s+){0,3}?trade[\s-]secrets\b",
    )
)


@dataclass(frozen=True)
class Matter:
    """One matter: its type, the question, and what the type requires beside it.

    ``reference_date`` is the ISO date for which public knowledge is searched.
    """

    type: MatterType
    question: str
    secret_points: tuple[str, ...] = ()
    reference_date: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return {
            "type": self.type.value,
            "question": self.question,
            "secret_points": list(self.secret_points),
            "reference_date": self.reference_date,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Matter:
        """Rebuild from ``as_json``."""
        return cls(
            MatterType(value["type"]),
            value["question"],
            tuple(value["secret_points"]),
            value["reference_date"],
        )

    @classmethod
    def read(cls, fields: Fields) -> Matter:
        """Read one matter that a person filled in; problems stay with ``fields``."""
        kind = fields.choice("type", MatterType, MATTER_NAMES, MatterType.OTHER)
        question = fields.text("question")
        refuse_law(fields, "question", question)
        points = fields.texts("secret_points", required=False)
        reference = fields.day("reference_date", required=False)
        if kind is MatterType.NON_PUBLIC_KNOWLEDGE:
            if not points:
                fields.wrong("secret_points", "缺少（非公知性鉴定须固定密点）", "are missing")
            if not reference:
                fields.wrong("reference_date", "缺少（被控行为发生日）", "is missing")
        return cls(kind, question, points, reference)


def refuse_law(fields: Fields, key: str, text: str) -> None:
    """Note with a field that it asks what no appraiser may answer, and what to ask instead."""
    if asks_for_law(text):
        fields.wrong(
            key,
            "涉及法律判断（是否构成商业秘密、是否具有价值、是否采取保密措施、是否侵权），不属于鉴定事项",
            f"is a question of law and is refused; {ADVICE}",
        )


def asks_for_law(question: str) -> bool:
    """Whether a question asks what only the authority or the court may decide."""
    text = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", question)
    return any(pattern.search(text) for pattern in _LEGAL_QUESTIONS)


def same_matter(left: Matter, right: Matter) -> bool:
    """Whether two matters of one case are the same.

    The type decides, unless both name secret points and no point is in both.
    """
    if left.type is not right.type:
        return False
    if left.type is MatterType.OTHER:
        return _plain(left.question) == _plain(right.question)
    points = [{_plain(point) for point in each.secret_points} for each in (left, right)]
    return not all(points) or bool(points[0] & points[1])


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()

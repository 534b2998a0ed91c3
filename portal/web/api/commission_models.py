"""Forms of commissions as an agency sees them: the line of a listing, and the whole."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from portal.web.api.upload_models import FindingView
from portal.web.api.values import Shown

StandingFilter = Literal[
    "open",
    "ended",
    "all",
    "drafted",
    "dispatched",
    "received",
    "accepted",
    "declined",
    "in_progress",
    "paused",
    "extended",
    "opinion_returned",
    "under_check",
    "closed",
    "withdrawn",
    "terminated",
    "corrected",
    "overdue",
]
"""What a listing may ask for: a standing, or ``open``, ``ended``, ``all``."""


_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class RunView(Shown):
    """Days next to each other that a clock left out, or make-up workdays that it counted."""

    from_: str = Field(alias="from", description="First day.", examples=["2026-02-16"])
    to: str = Field(description="Last day.", examples=["2026-02-23"])
    days: int = Field(description="How many.")
    zh: str = Field(description="Why, Chinese.", examples=["春节"])
    en: str = Field(description="Why, English.", examples=["Spring Festival"])


class StepView(Shown):
    """One step of how a date came about, with its article."""

    from_: str = Field(alias="from", description="From this day, not counted itself.")
    to: str = Field(description="To this day.")
    zh: str = Field(description="What was counted, Chinese.")
    en: str = Field(description="What was counted, English.")
    article: str = Field(description="The rule's article, Chinese.")
    article_en: str = Field(description="The rule's article, English.")
    not_counted: list[RunView] = Field(description="Days left out, and why.")
    make_up: list[RunView] = Field(description="Make-up workdays that were counted.")


class DueView(Shown):
    """A due date and how it came about."""

    date: str = Field(description="The day.", examples=["2026-03-16"])
    provisional: bool = Field(
        description="Whether it lies past the last official calendar and may move."
    )
    rule_id: str = Field(description="Rule set and version.", examples=["national/2016-05-01"])
    statutory: str = Field(description="The day without agreed limit and extensions.")
    steps: list[StepView] = Field(description="How it came about, step by step.")


class ClockView(Shown):
    """One clock: acceptance or completion."""

    name: Literal["acceptance", "completion"] = Field(description="Which clock.")
    name_zh: str = Field(description="Its name, Chinese.", examples=["受理期限"])
    name_en: str = Field(description="Its name, English.", examples=["Acceptance"])
    state: str = Field(
        description="running, paused, overdue, met, late, stopped.", examples=["running"]
    )
    state_zh: str = Field(description="The same in Chinese.", examples=["计时中"])
    due: DueView = Field(description="The due date.")
    days_left: int | None = Field(
        None, description="Days left in the clock's unit; negative: overdue; null: it is over."
    )
    ended: str = Field("", description="When it ended, RFC 3339.")


class Words(Shown):
    """A word of the interface in both languages."""

    code: str = Field(description="For programs.", examples=["in_progress"])
    zh: str = Field(description="Chinese.", examples=["鉴定中"])
    en: str = Field(description="English.", examples=["in progress"])


class AllowedStep(Shown):
    """A step that the agency may take now, and where."""

    step: str = Field(description="Its name.", examples=["acknowledge"])
    zh: str = Field(description="Chinese.", examples=["签收"])
    en: str = Field(description="English.", examples=["acknowledging receipt"])
    href: str = Field(
        description="Where it is taken, by POST.",
        examples=["/api/v1/commissions/2026-77-3f2a9c10/acknowledge"],
    )


class Digests(Shown):
    """The digests of one file, hexadecimal."""

    sha256: str = Field(description="SHA-256.", examples=[_SHA256])
    sm3: str = Field(description="SM3.", examples=[_SHA256[::-1]])
    blake3: str = Field(description="BLAKE3.", examples=[_SHA256[1:] + _SHA256[:1]])


class FileView(Shown):
    """A file that went out: where it is, how long, and its digests."""

    which: str = Field(description="How it is asked for.", examples=["package"])
    name: str = Field(description="File name.", examples=["2026-77-3f2a9c10.zip"])
    href: str = Field(
        description="Where it is downloaded.",
        examples=["/api/v1/commissions/2026-77-3f2a9c10/files/package"],
    )
    size: int = Field(description="Length in bytes.")
    digests: Digests = Field(description="Its digests.")


_SUMMARY: dict[str, Any] = {
    "commission_id": "2026-77-3f2a9c10",
    "commission_no": "沪市监鉴委〔2026〕77号",
    "case_no": "沪市监案〔2026〕0777号",
    "client": "某市市场监督管理局",
    "state": {"code": "dispatched", "zh": "已发出，待签收", "en": "dispatched, receipt awaited"},
    "standing": {"code": "dispatched", "zh": "已发出，待签收", "en": "dispatched, receipt awaited"},
    "open": True,
    "matters": ["non_public_knowledge"],
    "materials": 2,
    "sent_at": "2026-11-23T10:00:00+08:00",
    "clock": "acceptance",
    "due": "2026-12-02",
    "provisional": False,
    "days_left": 5,
    "next_zh": "核对校验值，签收并决定是否受理",
    "next_en": "check the digest, then accept or decline",
    "href": "/api/v1/commissions/2026-77-3f2a9c10",
}


class CommissionSummary(Shown):
    """One commission as a line of a listing."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUMMARY]})

    commission_id: str = Field(description="ASCII identifier, used in addresses and folders.")
    commission_no: str = Field(description="The number on the letter.")
    case_no: str = Field(description="The case number.")
    client: str = Field(description="Who commissions.")
    state: Words = Field(description="What the last step left behind.")
    standing: Words = Field(description="How it stands today: also overdue, extended, corrected.")
    open: bool = Field(description="Whether work is still to be done.")
    matters: list[str] = Field(description="Kinds of matters.")
    materials: int = Field(description="Lines of the material list.")
    sent_at: str = Field(description="When it was sent, RFC 3339.")
    clock: str = Field(description="The clock that is going, empty: none.")
    due: str = Field(description="Its due date, empty: none.")
    provisional: bool = Field(description="Whether that date may still move.")
    days_left: int | None = Field(None, description="Days left in the clock's unit.")
    next_zh: str = Field(description="What happens next, Chinese.")
    next_en: str = Field(description="What happens next, English.")
    href: str = Field(description="The whole commission.")


class CommissionPage(Shown):
    """A part of a listing."""

    commissions: list[CommissionSummary] = Field(description="The rows.")
    next: str = Field(description="`after` of the next part; empty: this is the last.")
    total_open: int = Field(description="How many commissions of the agency are open.")


class ChangesView(Shown):
    """What took a step since a cursor."""

    commissions: list[CommissionSummary] = Field(
        description="Commissions with a new step, as they stand now."
    )
    cursor: int = Field(description="`since` of the next request.", examples=[1042])


class MatterView(Shown):
    """One matter that is to be appraised."""

    type: str = Field(description="Its kind.", examples=["non_public_knowledge"])
    type_zh: str = Field(description="Chinese.", examples=["非公知性"])
    type_en: str = Field(description="English.", examples=["Non-public knowledge"])
    question: str = Field(description="The question.")
    secret_points: list[str] = Field(description="Secret points (密点).")
    reference_date: str = Field(description="The day for which public knowledge is searched.")


class BriefView(Shown):
    """What is commissioned, and under which terms."""

    client: str = Field(description="Who commissions.")
    contact: str = Field(description="Who answers questions, with telephone.")
    type: str = Field(description="first, supplementary, re_appraisal.")
    parent_no: str = Field(description="Number of the commission that this one follows.")
    matters: list[MatterView] = Field(description="The matters.")
    requirements: str = Field(description="Further requirements.")
    facts_summary: str = Field(description="The facts in short.")
    parties: list[str] = Field(description="The parties.")
    secrecy_terms: str = Field(description="Secrecy terms.")
    return_terms: str = Field(description="What becomes of material.")
    fee: dict[str, str] = Field(description="Who pays what.")
    recusal: list[str] = Field(description="Who shall not appraise.")
    named_appraiser: str = Field(description="Who is asked for by name.")
    copies: int = Field(description="Copies of the opinion on paper.")
    delivery: str = Field(description="How the opinion is delivered.")


class MaterialView(Shown):
    """One line of the material list."""

    number: str = Field(description="The exhibit's number.", examples=["E0001"])
    file: str = Field(description="Its plain name in the package.", examples=["E0001.pdf"])
    name: str = Field(description="Its real name.")
    kind: str = Field(description="Kind of evidence.")
    quantity: str = Field(description="Quantity.")
    properties: str = Field(description="Properties.")
    unique_mark: str = Field(description="Unique mark.")
    keep_or_return: str = Field(description="keep, return, destroy.")
    side: str = Field(description="Whose it is.")
    note: str = Field(description="Remark.")
    size: int = Field(description="Length in bytes.")
    digests: Digests = Field(description="Its digests.")


class MissingView(Shown):
    """One thing that the next step waits for."""

    code: str = Field(description="For programs.", examples=["package_digest"])
    zh: str = Field(description="Chinese.")
    en: str = Field(description="English.")


class HistoryView(Shown):
    """One step of the history."""

    at: str = Field(description="When, RFC 3339.")
    actor: str = Field(description="Who.")
    kind: str = Field(description="Which step.", examples=["dispatch"])
    zh: str = Field(description="What it says, Chinese.")
    en: str = Field(description="What it says, English.")


class SupplementView(Shown):
    """A request for more material."""

    requested_at: str = Field(description="When it was asked for.")
    what: str = Field(description="What.")
    supplied_at: str = Field(description="When the client supplied it.")
    supplied: list[MaterialView] = Field(description="What the client supplied.")
    package_digest: str = Field(description="SHA-256 of its package, empty: none was built.")
    received_at: str = Field(description="When its receipt was acknowledged.")
    note: str = Field(description="Remark.")


class ExtensionView(Shown):
    """An extension of the time limit."""

    at: str = Field(description="When it was filed.")
    days: int = Field(description="How many days.")
    unit: str = Field(description="working_day or calendar_day.")
    approved_by: str = Field(description="Who approved.")
    old_due: str = Field(description="The due date before.")
    reason: str = Field(description="Why.")
    document: str = Field(description="Number of the notice.")


class OpinionView(Shown):
    """An opinion that came back."""

    at: str = Field(description="When.")
    exhibit_id: str = Field(description="As which exhibit it is kept.")
    opinion_no: str = Field(description="Its number.")
    findings: list[FindingView] = Field(description="The checks, each by name.")
    sent_back: str = Field(description="Why it was sent back, empty: it was not.")


class RecusalView(Shown):
    """A request that an appraiser withdraw, and the decision."""

    appraiser: str = Field(description="Who.")
    reason: str = Field(description="Why.")
    requested_at: str = Field(description="When it was asked for.")
    decided_at: str = Field(description="When it was decided, empty: not yet.")
    granted: bool = Field(description="The decision.")
    replacement: str = Field(description="Who takes over.")


class CommissionView(CommissionSummary):
    """One commission as a whole."""

    model_config = ConfigDict(json_schema_extra={})

    brief: BriefView = Field(description="What is commissioned.")
    package_digest: str = Field(description="SHA-256 of the package, as printed on the letter.")
    files: list[FileView] = Field(description="What was sent: package, letter, supplements.")
    clocks: list[ClockView] = Field(description="The clocks, each date explained.")
    allowed: list[AllowedStep] = Field(description="The steps that may be taken now.")
    missing: list[MissingView] = Field(description="What is still missing.")
    material_list: list[MaterialView] = Field(description="The material list.")
    appraisers: list[str] = Field(description="Who does the work.")
    supplements: list[SupplementView] = Field(description="Requests for more material.")
    extensions: list[ExtensionView] = Field(description="Extensions.")
    recusals: list[RecusalView] = Field(description="Requests for recusal.")
    opinions: list[OpinionView] = Field(description="Opinions that came back.")
    received_at: str = Field(description="When receipt was acknowledged.")
    decided_at: str = Field(description="When it was accepted or declined.")
    effective_date: str = Field(description="From which day the commission takes effect.")
    late_since: str = Field(description="The due date that had passed at acceptance, if any.")
    ended_at: str = Field(description="When it ended.")
    end_reason: str = Field(description="Why it ended.")
    history: list[HistoryView] = Field(description="What happened, oldest first.")

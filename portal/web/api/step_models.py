"""Forms of the steps that an agency takes, and the answer to each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from portal.web.api.commission_models import CommissionSummary
from portal.web.api.values import KEPT, Form, Name, Note, PackageDigest, Reason, Shown

Document = Annotated[
    str,
    StringConstraints(max_length=200, pattern=KEPT),
    Field(
        description="Number of the form that goes with it; empty: one is given.",
        examples=["申江司鉴告〔2026〕12号"],
    ),
]
ExhibitId = Annotated[
    str,
    StringConstraints(min_length=3, max_length=80, pattern="^[0-9a-f-]{1,64}/E[0-9]{4,9}$"),
    Field(examples=["2026-0777-1a2b3c4d/E0001"]),
]


class Acknowledgement(Form):
    """Receipt of the package, by repeating its digest."""

    package_digest: PackageDigest


class AcceptanceForm(Form):
    """Acceptance; the digest is needed where receipt was not acknowledged before."""

    package_digest: PackageDigest | None = None


class ReasonForm(Form):
    """A step with its reason."""

    reason: Reason = Field(description="Why.", examples=["超出本机构鉴定业务范围"])
    document: Document = ""


class StartForm(Form):
    """The start of the work."""

    appraisers: list[Name] = Field(
        [],
        max_length=20,
        description="Who does it; two at least (JAG art. 19).",
        examples=[["陈工", "何工"]],
    )


class SupplementRequest(Form):
    """A request for more material."""

    what: Reason = Field(description="What is needed.", examples=["被控产品的温度控制程序源代码"])
    document: Document = ""


class SupplementReceipt(Form):
    """Receipt of what the client supplied; its package's digest is repeated if one was built."""

    note: Note = Field("", description="Remark.")
    package_digest: PackageDigest | None = None


class GoingOn(Form):
    """Why the agency goes on without what it asked for."""

    note: Reason = Field(description="Why.", examples=["委托人说明已无其他材料"])


class ExtensionForm(Form):
    """An extension, approved by the agency's head; filing it tells the client (JAG art. 28)."""

    days: int = Field(ge=1, le=1000, description="How many days, in the rule set's unit.")
    approved_by: Name = Field(description="Who approved.", examples=["周静"])
    reason: Reason = Field(description="Why.", examples=["检索范围扩大"])
    document: Document = ""


class CorrectionForm(Form):
    """A correction that leaves the opinion as it is (JAG art. 41)."""

    what: Reason = Field(description="What is corrected.", examples=["第3页鉴定人执业证号有误"])
    document: Document = ""
    exhibit_id: ExhibitId | Literal[""] = Field("", description="The corrected document, if any.")


class RecusalRequest(Form):
    """A request that an appraiser withdraw."""

    appraiser: Name = Field(description="Who.", examples=["陈工"])
    reason: Reason = Field(description="Why (JAG art. 20).", examples=["曾受聘为当事人顾问"])
    document: Document = ""


class RecusalDecision(Form):
    """The agency's decision on a recusal."""

    appraiser: Name = Field(description="Who.", examples=["陈工"])
    granted: bool = Field(description="Whether the appraiser withdraws.")
    reason: Reason = Field(description="Why.", examples=["与当事人有利害关系"])
    replacement: Annotated[str, StringConstraints(max_length=80, pattern=KEPT)] = Field(
        "", description="Who takes over.", examples=["王工"]
    )
    document: Document = ""


class MaterialForm(Form):
    """What became of material (AP-13)."""

    fate: Literal["returned", "destroyed", "consumed", "damaged"] = Field(
        description="What became of it."
    )
    exhibits: list[ExhibitId] = Field(
        min_length=1, max_length=100, description="Of which exhibits."
    )
    note: Note = Field("", description="Remark.")
    document: Document = ""


class StepTaken(Shown):
    """A step as it is on record, and where the commission stands after it."""

    step: str = Field(description="Which step.", examples=["acknowledge"])
    at: str = Field(description="When it was taken, RFC 3339.")
    number: int = Field(description="How many steps the commission has taken.")
    commission: CommissionSummary = Field(description="Where it stands now.")


IdempotencyKey = Annotated[
    str,
    StringConstraints(min_length=8, max_length=200, pattern="^[!-~]{8,200}$"),
]

"""Forms of an opinion on its way in: its particulars, the announcement, and how far it is."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from portal.web.api.values import KEPT, READABLE, Form, Shown

_Short = Annotated[str, StringConstraints(max_length=80, pattern=KEPT)]
_Line = Annotated[str, StringConstraints(max_length=200, pattern=KEPT)]
_Listed = Annotated[str, StringConstraints(max_length=200, pattern=KEPT)]
_Long = Annotated[str, StringConstraints(max_length=2000, pattern=KEPT)]
_EXAMPLE: dict[str, Any] = {
    "opinion_no": "申江司鉴〔2026〕知鉴字第3号",
    "commission_no": "沪市监鉴委〔2026〕77号",
    "agency_id": "SJ",
    "issued_at": "2026-12-16",
    "appraisers": [
        {"name": "陈工", "licence_no": "310012001", "signed": True},
        {"name": "何工", "licence_no": "310012002", "signed": True},
    ],
    "seal": True,
    "materials_listed": ["E0001", "E0002"],
    "package_digest_stated": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "basis": ["司法鉴定程序通则"],
    "standards": ["SF/T 0105"],
    "methods": "检索比对",
    "process": "查新检索三个数据库并逐项比对。",
    "opinion_text": "密点所载信息在基准日不为相关人员普遍知悉和容易获得。",
    "annexes": ["检索报告", "机构许可证"],
    "qualification_annex": True,
    "undertaking": True,
    "copies": 3,
}


class SignerForm(Form):
    """One appraiser as the opinion names them."""

    name: _Short = Field("", description="Name.", examples=["陈工"])
    licence_no: _Short = Field("", description="Licence number.", examples=["310012001"])
    field: _Short = Field("", description="Field.", examples=["化工"])
    title: _Short = Field("", description="Title.", examples=["高级工程师"])
    signed: bool = Field(False, description="Whether the opinion bears the signature.")


class ParticularsForm(Form):
    """What the opinion states. What is missing is found by the checks, not refused here."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    opinion_no: _Line = Field("", description="The opinion's number.")
    commission_no: _Line = Field("", description="The commission's number, as on the letter.")
    agency_id: _Line = Field("", description="The agency's identifier.")
    issued_at: datetime.date | None = Field(
        None, description="The day on which it was issued.", strict=False
    )
    appraisers: list[SignerForm] = Field([], max_length=20, description="Who signed it.")
    seal: bool = Field(False, description="Whether it bears the agency's seal.")
    materials_listed: list[_Listed] = Field(
        [], max_length=100, description="Numbers of the material that it names."
    )
    package_digest_stated: Annotated[str, StringConstraints(max_length=100, pattern=KEPT)] = Field(
        "", description="The digest of the package that it states."
    )
    basis: list[_Listed] = Field([], max_length=20, description="Legal basis.")
    standards: list[_Listed] = Field([], max_length=20, description="Technical standards.")
    methods: _Long = Field("", description="Methods.")
    process: _Long = Field("", description="What was done.")
    findings: _Long = Field("", description="Analysis.")
    opinion_text: _Long = Field("", description="The opinion itself.")
    clear: bool = Field(True, description="Whether the opinion is clear.")
    dissent: _Long = Field("", description="Dissenting opinions.")
    annexes: list[_Listed] = Field([], max_length=50, description="Annexes.")
    qualification_annex: bool = Field(False, description="Whether the qualifications are annexed.")
    undertaking: bool = Field(False, description="Whether it bears the undertaking.")
    copies: int = Field(0, ge=0, le=99, description="Copies on paper.")
    correction_of: _Line = Field("", description="Number of the opinion that it corrects.")
    subcontract: _Long = Field("", description="What another laboratory tested.")

    def plain(self) -> dict[str, Any]:
        """Return the particulars as a file would hold them."""
        return self.model_dump(mode="json", exclude_none=True)


class Announcement(Form):
    """An opinion that is going to be sent."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=READABLE)] = Field(
        description="The document's file name, for people only.", examples=["鉴定意见书.pdf"]
    )
    size: int = Field(
        ge=1, le=2**53 - 1, description="Its length in bytes.", examples=[5_368_709_120]
    )
    sha256: Annotated[
        str, StringConstraints(pattern="^[0-9A-Fa-f]{64}$", min_length=64, max_length=64)
    ] = Field(
        description="Its SHA-256, 64 hexadecimal digits.",
        examples=["0b5d2f7e8c1a4936b8de5f0a7c2e1d3f4a6b8c9d0e1f2a3b4c5d6e7f8a9b0c1d"],
    )
    particulars: (
        ParticularsForm
        | Annotated[str, StringConstraints(min_length=2, max_length=40_000, pattern=READABLE)]
    ) = Field(
        description="What the opinion states: as an object, or as the text of a YAML or JSON file "
        "with the same fields (also by their Chinese names where a choice has one)."
    )


class FindingView(Shown):
    """One check of an opinion that arrived."""

    code: str = Field(description="The check's name.", examples=["package_digest"])
    ok: bool = Field(description="Whether nothing stands against closing.")
    state: str = Field(
        description="ok, failed, or confirm: the client's people look at the document.",
        examples=["ok"],
    )
    text_zh: str = Field(description="What was found, Chinese.")
    text_en: str = Field(description="What was found, English.")


class OutcomeView(Shown):
    """What became of an opinion: the exhibit that it is now, and what the checks found."""

    ok: bool = Field(description="Whether every check held.")
    accession: str = Field(description="Under which number it was taken in.")
    exhibits: list[str] = Field(description="The exhibit that it is now.")
    findings: list[FindingView] = Field(description="The checks, each by name.")
    to_confirm: list[str] = Field([], description="Checks that wait for the client's people.")


class RefusalView(Shown):
    """Why an upload, or its end, was refused."""

    code: str = Field(description="The kind of problem.", examples=["digest_mismatch"])
    detail: str = Field(description="What happened, Chinese first.")
    remedy: str = Field(description="What to do next.")


class UploadView(Shown):
    """How far an upload is."""

    upload_id: str = Field(
        description="Its identifier.", examples=["6f1d2c3b4a5968778695a4b3c2d1e0f9"]
    )
    commission_id: str = Field(description="The commission.", examples=["2026-77-3f2a9c10"])
    state: Literal["open", "finishing", "done", "refused", "expired", "abandoned"] = Field(
        description="`open`: bytes may come; `finishing`: it is being taken in; `done`; the others "
        "have ended without."
    )
    name: str = Field(description="The announced file name.")
    size: int = Field(description="The announced length, bytes.")
    sha256: str = Field(description="The announced digest.")
    offset: int = Field(description="How many bytes have come: where to go on.")
    created_at: str = Field(description="When it was announced, UTC.")
    expires_at: str = Field(description="When what came is dropped if nothing more comes, UTC.")
    outcome: OutcomeView | None = Field(None, description="What became of it, when `done`.")
    problem: RefusalView | None = Field(None, description="Why it was refused, or the last end.")


class UploadList(Shown):
    """The uploads of a commission, oldest first."""

    uploads: list[UploadView] = Field(description="The uploads.")

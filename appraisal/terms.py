"""The secrecy terms of a commission as papers of their own: to print, sign and file. Pure.

The same wording as in the commission letter; whoever opens the package finds it beside the
material. Equal input gives equal bytes. (RULES: TS-JI art. 21; AP-01.)
"""

from __future__ import annotations

from appraisal.brief import Brief
from appraisal.paper import Document, Signature
from storage.names import visible

_RULES = (
    ("仅为本次鉴定使用；不得用于其他目的。", "For this appraisal only."),
    (
        "仅限参加本次鉴定的人员接触，并登记接触人员。",
        "Only those who take part may see it; who did is registered.",
    ),
    (
        "未经委托人书面同意，不得复制、留存、公开、提供给第三人或者转委托。",
        "No copies, no keeping, no passing on without the client's written consent.",
    ),
    (
        "发现泄露或者可能泄露的，立即告知委托人。",
        "A leak, or the fear of one, is told to the client at once.",
    ),
)


def terms_text(brief: Brief, agency: str, number: str) -> bytes:
    """Return the terms as text, UTF-8 with the mark that Windows looks for."""
    rules = [
        line for place, (zh, en) in enumerate(_RULES, 1) for line in (f"{place}. {zh}", f"   {en}")
    ]
    lines = [
        "保密条款 Secrecy terms",
        "======================",
        "",
        f"委托书编号 commission: {visible(number)}",
        f"委托人 client:         {visible(brief.client)}",
        f"鉴定机构 agency:       {visible(agency)}",
        "",
        "约定 as agreed:",
        *(f"  {visible(line)}" for line in brief.secrecy_terms.splitlines()),
        "",
        "检材处置 material afterwards:",
        *(f"  {visible(line)}" for line in brief.return_terms.splitlines()),
        "",
        *rules,
        "",
        "鉴定机构（盖章）agency (seal):            鉴定人（签名）appraisers (signatures):",
        "",
        "日期 date:",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8-sig", "backslashreplace")


def terms_pdf(brief: Brief, agency: str, number: str) -> bytes:
    """Return the terms as PDF, ready to print."""
    paper = Document(("保密条款", "Secrecy terms"), number)
    paper.keyvalues(
        [
            (("委托人", "Client"), brief.client),
            (("鉴定机构", "Agency"), agency),
            (("约定", "As agreed"), brief.secrecy_terms),
            (("检材处置", "Material afterwards"), brief.return_terms),
        ],
        0.24,
    )
    for place, (zh, en) in enumerate(_RULES, 1):
        paper.paragraph(f"{place}. {zh}", en)
    paper.signatures(
        Signature(("鉴定机构", "Agency"), ((("名称", "Name"), agency),)),
        Signature(("鉴定人", "Appraisers"), ()),
    )
    return paper.render()

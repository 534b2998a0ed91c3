"""The letter that goes with material supplied later (补充材料移交单), ready to print. Pure.

It stands beside the supplement's package and names its digest, as the commission letter does of
the first one. Equal input gives equal bytes. (RULES: AP-02, AP-07, TT-04; JAG arts. 12, 14.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from appraisal.brief import Brief
from appraisal.letter import material_table, package_box
from appraisal.material import Material
from appraisal.paper import Document, Signature
from storage.digest import Fingerprint


def supplement_letter(
    brief: Brief,
    agency: str,
    number: str,
    asked: str,
    materials: Sequence[Material],
    package: Fingerprint,
    day: date,
    encrypted: Fingerprint | None = None,
) -> bytes:
    """Return the letter as PDF.

    Args:
        brief: the commission that it belongs to.
        agency: the agency's name.
        number: what the supplement is called: ``<commission>/S1``.
        asked: what the agency asked for.
        materials: the lines of its list.
        package: the fingerprint of the package's zip file.
        day: the day of the letter.
        encrypted: the fingerprint of the file that is handed out, if the package is encrypted.
    """
    paper = Document(("补充材料移交单", "Supplementary material"), number)
    paper.keyvalues(
        [
            (("委托书", "Commission"), brief.commission_no),
            (("案号", "Case"), brief.case_no),
            (("委托人", "Client"), brief.client),
            (("鉴定机构", "Agency"), agency),
            (("机构要求", "Asked for"), asked),
            (("日期", "Date"), day.isoformat()),
        ],
        0.24,
    )
    supplement = int(number.rpartition("/S")[2])
    paper.section("一、补充材料包", "Package")
    package_box(paper, brief, package, len(materials), encrypted, supplement)
    paper.section("二、补充材料清单", "Material list")
    material_table(paper, materials)
    paper.paragraph(
        "自要求补充材料至签收之日不计入鉴定时限。原委托书的保密约定适用于本材料包。",
        "The time from the request to the receipt is not counted. The secrecy terms of the "
        "commission hold for it.",
    )
    paper.signatures(
        Signature(("委托人", "Client"), ((("单位", "Unit"), brief.client),)),
        Signature(("鉴定机构", "Agency"), ((("名称", "Name"), agency),)),
    )
    return paper.render()

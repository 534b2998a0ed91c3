"""An invented opinion as the agency would return it: a sealed and signed PDF.

The particulars are those of ``opinion.yaml``; the demonstration fills in the package's digest,
which nobody knows before the package is built.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from deploy.sample.sheet import HEI, SONG, handwriting, seal

if TYPE_CHECKING:
    from deploy.sample.signing import Authority

AGENCY = "上海衡鉴知识产权司法鉴定中心"
_SONG, _HEI = "OpinionSong", "OpinionHei"
_SECTIONS = (
    ("一、委托事项和委托书", "commission_no"),
    ("二、鉴定材料", "materials_listed"),
    ("三、鉴定依据", "basis"),
    ("四、技术标准和方法", "standards"),
    ("", "methods"),
    ("五、鉴定过程", "process"),
    ("六、分析说明", "findings"),
    ("七、鉴定意见", "opinion_text"),
    ("八、不同意见", "dissent"),
    ("九、附件", "annexes"),
)


class _Signatures(Flowable):
    """The appraisers' names in handwriting, and the agency's red seal over the date."""

    def __init__(self, fields: Mapping[str, Any], agency: str) -> None:
        super().__init__()
        self._fields = fields
        self._agency = agency
        self.width, self.height = 160 * mm, 58 * mm

    def draw(self) -> None:
        """Draw on the page at the place given."""
        pen: Canvas = self.canv
        pen.setFont(_SONG, 11)
        for number, each in enumerate(self._fields.get("appraisers", ())):
            y = self.height - 12 * mm - number * 15 * mm
            label = f"鉴定人：　　　　　　　　执业证号：{each.get('licence_no', '')}"
            pen.drawString(0, y, label)
            if each.get("signed"):
                mask = handwriting(str(each.get("name", "")), 70 + number)
                ink = _inked(mask, (30, 34, 60))
                pen.drawImage(ink, 15 * mm, y - 4 * mm, 30 * mm, 12 * mm, mask="auto")
        pen.drawRightString(self.width, 14 * mm, self._agency)
        pen.drawRightString(self.width - 8 * mm, 6 * mm, str(self._fields.get("issued_at", "")))
        if self._fields.get("seal"):
            image = seal(self._agency, "鉴定专用章", 360)
            ink = _inked(image.point(lambda v: 255 - v), (200, 28, 36))
            pen.drawImage(ink, self.width - 52 * mm, -9 * mm, 42 * mm, 42 * mm, mask="auto")


def _inked(mask: Image.Image, colour: tuple[int, int, int]) -> ImageReader:
    image = Image.new("RGBA", mask.size, (*colour, 0))
    image.putalpha(mask.point(lambda v: v * 4 // 5))
    return ImageReader(image)


def make_opinion(
    path: Path,
    fields: Mapping[str, Any],
    agency: str = AGENCY,
    authority: Authority | None = None,
) -> None:
    """Write the opinion's PDF; without signatures, equal particulars give equal bytes.

    Args:
        path: where the PDF is written. In a workspace of the demonstration it is signed by an
            authority that this workspace trusts from now on.
        fields: particulars under the names of ``opinion.yaml``.
        agency: the name in the heading and on the seal.
        authority: who issues the certificates of the appraisers and of the seal.
    """
    if authority is None and (path.parent / ".demo").is_file():
        authority = _trusted_authority(path.parent)
    data = _drawn(fields, agency)
    path.write_bytes(_signed(data, fields, agency, authority) if authority else data)


def _trusted_authority(home: Path) -> Authority:
    """Return an authority that the workspace at ``home`` trusts."""
    from deploy.sample.signing import Authority

    authority = Authority()
    (home / "keys" / "opinion-trust.pem").write_bytes(authority.pem)
    return authority


def _signed(data: bytes, fields: Mapping[str, Any], agency: str, authority: Authority) -> bytes:
    """Return the PDF with the signature of each appraiser who signs, and the agency's seal."""
    from deploy.sample.signing import sign, subject

    for number, each in enumerate(fields.get("appraisers", ()), 1):
        if each.get("signed"):
            name = subject(str(each["name"]), agency, str(each.get("licence_no", "")))
            data = sign(data, f"appraiser-{number}", authority.issue(name))
    if fields.get("seal"):
        data = sign(data, "seal", authority.issue(subject(agency)), box=(380, 60, 470, 80))
    return data


def _drawn(fields: Mapping[str, Any], agency: str) -> bytes:
    """Return the PDF as it is drawn, without signatures."""
    for name, file in ((_SONG, SONG), (_HEI, HEI)):
        pdfmetrics.registerFont(TTFont(name, str(file)))
    title = ParagraphStyle("title", fontName=_HEI, fontSize=18, leading=30, alignment=1)
    number = ParagraphStyle("number", fontName=_SONG, fontSize=11, leading=20, alignment=1)
    head = ParagraphStyle("head", fontName=_HEI, fontSize=12, leading=20, spaceBefore=6)
    text = ParagraphStyle("text", fontName=_SONG, fontSize=11, leading=18, wordWrap="CJK")
    flow: list[Flowable] = [
        Paragraph(agency, title),
        Paragraph("鉴定意见书", title),
        Paragraph(str(fields.get("opinion_no", "")), number),
    ]
    for heading, key in _SECTIONS:
        if heading:
            flow.append(Paragraph(heading, head))
        flow.extend(Paragraph(line, text) for line in _lines(fields.get(key)))
        if key == "materials_listed":
            digest = fields.get("package_digest_stated", "")
            flow.append(Paragraph(f"收到的材料包校验值（SHA-256）：{digest}", text))
    if fields.get("undertaking"):
        promise = "本机构和鉴定人承诺：独立、客观、公正地进行鉴定，并按要求出庭作证。"
        flow.append(Paragraph(promise, text))
    flow += [Spacer(1, 8 * mm), _Signatures(fields, agency)]
    buffer = io.BytesIO()
    SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        topMargin=22 * mm,
        bottomMargin=22 * mm,
        title="鉴定意见书",
        author=agency,
        invariant=1,
    ).build(flow)
    return buffer.getvalue()


def _lines(value: object) -> Sequence[str]:
    if isinstance(value, list | tuple):
        return [f"{n}. {each}" for n, each in enumerate(value, 1)]
    return [str(value)] if value else []

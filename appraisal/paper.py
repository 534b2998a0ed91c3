"""The look of printed documents: receipts, commission letters, certificates, on A4.

A ``Document`` is filled from top to bottom and rendered to PDF bytes. Equal content gives equal
bytes: no time of day, no random identifier goes in. Both fonts are embedded, so that the paper
looks the same everywhere; a character that neither has is printed as its escape
(``\\U0001f512``), never as an empty box, and so are characters that hide or turn text.

Wherever a label is a pair, it is Chinese first, English below or beside.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import segno
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    HRFlowable,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from appraisal.paragraphs import GREY as _GREY
from appraisal.paragraphs import labelled, paragraph
from appraisal.typeface import HEI, SONG, fitting, register
from storage.errors import InputError
from storage.names import visible

# Compressed pages go in as they are: as letters they are a quarter longer, and take their time.
rl_config.useA85 = 0

Label = tuple[str, str]
"""Chinese and English of one thing; the English may be empty."""

_INK = colors.HexColor("#1a1a1a")
_RULE = colors.HexColor("#9a9a9a")
_SHADE = colors.HexColor("#eef1f4")
_MARGIN = 19 * mm
WIDTH = A4[0] - 2 * _MARGIN
"""Width of the text in points."""
_HEIGHT = A4[1] - 35 * mm


@dataclass(frozen=True)
class Mono:
    """A digest or other string that is compared character by character, with a small label."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Strong:
    """A word in bold face."""

    text: str


Line = str | Mono | Strong | Label
Cell = Line | list[Line]
"""What stands in one cell: a line, or a list of lines. A pair of strings is a label."""


@dataclass(frozen=True)
class Signature:
    """One party's block: its role, what is known already, and lines left to be filled in."""

    role: Label
    known: tuple[tuple[Label, str], ...] = ()
    blanks: tuple[Label, ...] = (("签名（盖章）", "Signature"), ("日期", "Date"))


class Document:
    """One printed document; every method adds below what stands there and returns itself."""

    def __init__(self, title: Label, number: str = "", *, issuer: str = "") -> None:
        """Start with the heading: title, number of the document, and who issues it.

        Raises:
            HostError: a font is missing or unusable on this machine.
        """
        register()
        self._title, self._number = title, number
        self._flow: list[Flowable] = []
        self._heading: Flowable | None = None
        if issuer:
            self._flow.append(_text(issuer, _STYLES["issuer"]))
        self._flow.append(_text(title[0], _STYLES["title"]))
        if title[1]:
            self._flow.append(_text(title[1], _STYLES["subtitle"]))
        if number:
            self._flow.append(_text(f"编号 No. {number}", _STYLES["number"]))
        self._flow.append(HRFlowable("100%", 1.2, color=_INK, spaceBefore=3, spaceAfter=8))

    def section(self, zh: str, en: str = "") -> Document:
        """Begin a section; its heading never stands alone at the foot of a page."""
        self._heading = _text((zh, en), _STYLES["section"])
        self._flow += [CondPageBreak(24 * mm), self._heading]
        return self

    def paragraph(self, zh: str, en: str = "") -> Document:
        """Add a paragraph, the English below in smaller type."""
        self._flow.append(_text(zh, _STYLES["body"]))
        if en:
            self._flow.append(_text(en, _STYLES["english"]))
        return self

    def keyvalues(self, rows: Iterable[tuple[Label, Cell]], label_width: float = 0.3) -> Document:
        """Add facts, one a row; ``label_width`` is the label's share of the width."""
        table = _keyvalues(rows, WIDTH, label_width)
        if table is not None:
            self._flow += [table, Spacer(1, 6)]
        return self

    def table(
        self, headings: Sequence[Label], rows: Iterable[Sequence[Cell]], shares: Sequence[float]
    ) -> Document:
        """Add a table of any length; the headings stand again on every page.

        Args:
            headings: one pair a column.
            rows: one cell a column.
            shares: relative widths of the columns.

        Raises:
            InputError: a row, or ``shares``, has another number of columns than ``headings``.
        """
        body = [list(row) for row in rows]
        if any(len(row) != len(headings) for row in (*body, shares)):
            raise InputError("a row of a printed table has too many or too few columns")
        widths = [WIDTH * share / sum(shares) for share in shares]
        # The English stands below, where it breaks between words and not within them.
        style = _STYLES["heading"]
        head: list[Any] = [[_text(zh, style), _text(("", en), style)] for zh, en in headings]
        cells: list[Any] = [[_cell(value) for value in row] for row in body]
        table = LongTable([head, *cells], widths, style=_TABLE, repeatRows=1)
        self._flow += [_splitting(table, cells, widths), Spacer(1, 6)]
        return self

    def qr(self, data: str, rows: Iterable[tuple[Label, Cell]]) -> Document:
        """Add a QR code of ``data`` with facts beside it, or below if they are very long."""
        side = 34 * mm
        facts = _keyvalues(rows, WIDTH - side - 4 * mm, 0.27)
        if facts is not None and facts.splitInRow:
            self._flow += [_Qr(data, side), facts, Spacer(1, 6)]
            return self
        beside = Table([[_Qr(data, side), facts or ""]], [side + 4 * mm, None], style=_BESIDE)
        kept: list[Flowable] = [beside]
        if self._flow[-1] is self._heading:
            kept.insert(0, self._flow.pop())
        self._flow += [KeepTogether(kept), Spacer(1, 6)]
        return self

    def signatures(self, *blocks: Signature) -> Document:
        """Add signature blocks side by side, at most three, kept on one page."""
        gap = 8 * mm
        width = (WIDTH - gap * (len(blocks) - 1)) / max(1, len(blocks))
        row: list[Any] = []
        widths: list[float] = []
        for block in blocks:
            row += ["", _signature(block, width)] if row else [_signature(block, width)]
            widths += [gap, width] if widths else [width]
        beside = KeepTogether([Table([row], widths, style=_BESIDE)])
        self._flow += [Spacer(1, 8), beside, Spacer(1, 8)]
        return self

    def render(self) -> bytes:
        """Return the PDF; the same content gives the same bytes."""
        buffer = io.BytesIO()
        template = BaseDocTemplate(
            buffer,
            pagesize=A4,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=16 * mm,
            bottomMargin=19 * mm,
            title=" ".join(filter(None, (visible(self._title[0]), visible(self._number)))),
            author="",
            creator="Zhenglian",
            invariant=1,
        )
        frame = Frame(_MARGIN, 19 * mm, WIDTH, _HEIGHT, 0, 0, 0, 0)
        template.addPageTemplates(PageTemplate("page", [frame]))
        foot = " ".join(filter(None, (self._title[0], self._number)))

        class Numbered(_Numbered):
            left = fitting(visible(foot), 90 * mm)

        while isinstance(self._flow[-1], Spacer):  # It may begin a page, with nothing on it.
            self._flow.pop()
        template.build(list(self._flow), canvasmaker=Numbered)
        return buffer.getvalue()


class _Numbered(Canvas):
    """Holds the pages back until their number is known, then writes the foot of each."""

    left = ""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "initialFontName": HEI})
        self._held: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._held.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        total = len(self._held)
        for number, page in enumerate(self._held, 1):
            self.__dict__.update(page)
            self._foot(number, total)
            super().showPage()
        super().save()

    def _foot(self, number: int, total: int) -> None:
        self.setStrokeColor(_RULE)
        self.setLineWidth(0.4)
        self.line(_MARGIN, 14.5 * mm, A4[0] - _MARGIN, 14.5 * mm)
        self.setFillColor(_GREY)
        self.setFont(HEI, 7.5)
        self.drawString(_MARGIN, 10.5 * mm, self.left)
        text = f"第 {number} 页 共 {total} 页    Page {number} / {total}"
        self.drawRightString(A4[0] - _MARGIN, 10.5 * mm, text)


def _style(name: str, font: str, size: float, lead: float, **more: Any) -> ParagraphStyle:
    ink = {"textColor": _INK} | more
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=lead, **ink)


_STYLES = {
    style.name: style
    for style in (
        _style("issuer", SONG, 11, 15, alignment=TA_CENTER, spaceAfter=4),
        _style("title", HEI, 20, 27, alignment=TA_CENTER),
        _style("subtitle", HEI, 10, 14, alignment=TA_CENTER, textColor=_GREY),
        _style("number", SONG, 10.5, 16, alignment=TA_CENTER, spaceBefore=2),
        _style("section", HEI, 12, 17, spaceBefore=7, spaceAfter=4),
        _style("body", SONG, 10.5, 16.5, spaceAfter=3),
        _style("english", HEI, 8, 11, textColor=_GREY, spaceAfter=5),
        _style("heading", HEI, 9, 11.5),
        _style("label", HEI, 9, 12, textColor=_INK),
        _style("cell", SONG, 9.5, 13),
        _style("strong", HEI, 9.5, 13),
        _style("mono", SONG, 7.2, 9.4),
    )
}
_TABLE: list[Any] = [
    ("FONTNAME", (0, 0), (-1, -1), HEI),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("BACKGROUND", (0, 0), (-1, 0), _SHADE),
    ("LINEABOVE", (0, 0), (-1, 0), 0.9, _INK),
    ("LINEBELOW", (0, 0), (-1, 0), 0.6, _INK),
    ("LINEBELOW", (0, 1), (-1, -1), 0.3, _RULE),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]
_FACTS: list[Any] = [
    ("FONTNAME", (0, 0), (-1, -1), HEI),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, _RULE),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
]
_BESIDE: list[Any] = [
    ("FONTNAME", (0, 0), (-1, -1), HEI),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
]
_BLANKS: list[Any] = [
    *_BESIDE,
    ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
    ("LINEBELOW", (1, 0), (1, -1), 0.6, _INK),
    ("TOPPADDING", (0, 0), (-1, -1), 15),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]


def _cell(value: Cell) -> list[Paragraph]:
    lines = value if isinstance(value, list) else [value]
    return [_line(line) for line in lines if line not in ("", ("", ""))]


def _splitting(table: Any, rows: list[list[Any]], widths: Sequence[float]) -> Any:
    """Let a table break inside a row, but only if one is taller than a page can be."""
    table.splitInRow = int(any(_is_tall(row, widths) for row in rows))
    return table


def _is_tall(row: list[Any], widths: Sequence[float]) -> bool:
    """Return whether a row needs more than a page; only long cells are laid out to know."""
    for cell, width in zip(row, widths, strict=True):
        parts = cell if isinstance(cell, list) else [cell]
        lines = len(parts) + 12 * sum(len(part.getPlainText()) for part in parts) / width
        if lines > 30 and sum(part.wrap(width - 6, _HEIGHT)[1] for part in parts) > _HEIGHT - 40:
            return True
    return False


def _line(line: Line) -> Paragraph:
    if isinstance(line, Mono):
        return labelled(line.label, line.text, _STYLES["mono"])
    if isinstance(line, Strong):
        return _text(line.text, _STYLES["strong"])
    return _text(line, _STYLES["cell"])


def _keyvalues(rows: Iterable[tuple[Label, Cell]], width: float, label_width: float) -> Any:
    """Return a table of facts, or None if there are none."""
    cells: list[list[Any]] = [
        [_text(label, _STYLES["label"]), _cell(value)] for label, value in rows
    ]
    if not cells:
        return None
    widths = [width * label_width, width * (1 - label_width)]
    return _splitting(Table(cells, widths, style=_FACTS), cells, widths)


def _signature(block: Signature, width: float) -> list[Flowable]:
    parts: list[Flowable] = [_text(block.role, _STYLES["section"])]
    facts = _keyvalues(block.known, width, 0.42)
    if facts is not None:
        parts.append(facts)
    blanks = [[_text(label, _STYLES["label"]), ""] for label in block.blanks]
    if blanks:
        parts.append(Table(blanks, [width * 0.42, width * 0.58], style=_BLANKS))
    return parts


class _Qr(Flowable):
    """A QR code as rectangles, one a run of dark modules: sharp at any size."""

    def __init__(self, data: str, side: float) -> None:
        super().__init__()
        self.width = self.height = side
        code = segno.make(data, error="m", micro=False)
        self._matrix = [list(row) for row in code.matrix_iter(border=2)]

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        module = self.height / len(self._matrix)
        self.canv.setFillColor(colors.black)
        for y, row in enumerate(self._matrix, 1):
            x = 0
            for dark, run in groupby(row):
                length = len(list(run))
                if dark:
                    place = (x * module, self.height - y * module, length * module, module)
                    self.canv.rect(*place, stroke=0, fill=1)
                x += length


def _text(text: str | Label, style: ParagraphStyle) -> Paragraph:
    zh, en = (text, "") if isinstance(text, str) else text
    return paragraph(zh, en, style)

"""Paragraphs of printed documents, set from words and never from markup: nothing is parsed.

What is printed comes from outside, and a receipt of a thousand items has eight thousand
paragraphs. So the runs of a paragraph are made here as its layout wants them, one a typeface, and
lines are broken once for a width, however often the table around it asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import getAscentDescent, stringWidth
from reportlab.platypus import Paragraph

from appraisal.typeface import HEI, runs

GREY = colors.HexColor("#5a5a5a")
_SPACES = re.compile(r"\s+")
"""What is printed as one space."""


class Text(Paragraph):
    """A paragraph that remembers its lines."""

    _laid: tuple[float, tuple[float, float]] | None = None

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:
        """Break lines for a width, unless it was done for the same one."""
        # One that was cut in two has lost its lines.
        if self._laid is None or self._laid[0] != availWidth or not hasattr(self, "blPara"):
            self._laid = availWidth, super().wrap(availWidth, availHeight)
        return self._laid[1]


class Row(Text):
    """A paragraph that mostly fits into one row, as digests do, and is then drawn as that."""

    _fits = False

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:
        """Measure the row as a whole; only one that is too long for it is broken."""
        if self._laid is None or self._laid[0] != availWidth:
            self._fits = 0 < self._length() <= availWidth
            if self._fits:
                self.width, self.height = availWidth, self.style.leading
                self._laid = availWidth, (self.width, self.height)
        return self._laid[1] if self._fits and self._laid else super().wrap(availWidth, availHeight)

    def _length(self) -> float:
        """Return the length of the row; none of one whose words were cut already."""
        if not all(hasattr(run, "text") for run in self.frags):
            return 0.0
        pieces = (stringWidth(run.text, run.fontName, run.fontSize) for run in self.frags)
        length: float = sum(pieces)
        return length

    def split(self, availWidth: float, availHeight: float) -> list[Any]:
        """Return the row as it is if there is room for it, else nothing."""
        if not self._fits:
            found: list[Any] = super().split(availWidth, availHeight)
            return found
        return [self] if self.height <= availHeight else []

    def draw(self) -> None:
        """Draw the row where its paragraph would."""
        if not self._fits:
            super().draw()
            return
        runs_ = self.frags
        ascent = max(getAscentDescent(run.fontName, run.fontSize)[0] for run in runs_)
        row = self.canv.beginText(0, self.height - ascent)
        font: Any = None
        colour: Any = None
        for run in runs_:
            if font != (run.fontName, run.fontSize):
                font = run.fontName, run.fontSize
                row.setFont(*font)
            if colour != run.textColor:
                colour = run.textColor
                row.setFillColor(colour)
            row.textOut(run.text)
        self.canv.drawText(row)


def paragraph(zh: str, en: str, style: ParagraphStyle) -> Text:
    """Return a paragraph; the English of a label is smaller and grey, on the same line."""
    # Chinese may break anywhere; English breaks between words, and long words where they must.
    breaks = "CJK" if any(ord(each) > 0x2E7F for each in zh + en) else None
    return Text("", _broken(style, breaks), frags=list(_label(zh, en, style)))


def labelled(label: str, text: str, style: ParagraphStyle) -> Text:
    """Return a text after its small label; the texts of several lines stand below each other."""
    breaks = "CJK" if any(ord(each) > 0x2E7F for each in label + text) else None
    made = list(_runs(label, style, style.fontName, grey=True))
    if label:
        # Spaces that do not break keep the texts below each other.
        spaces = "\u00a0" * (8 - len(label))
        made.append(_run(style, style.fontName, style.fontSize, grey=True).clone(text=spaces))
    made += _runs(text, style, style.fontName)
    return Row("", _broken(style, breaks), frags=made)


def _label(zh: str, en: str, style: ParagraphStyle) -> Iterator[Any]:
    yield from _runs(zh, style, style.fontName)
    if en:
        if zh:
            yield _run(style, style.fontName, style.fontSize, grey=False).clone(text=" ")
        size = round(max(6.5, style.fontSize * 0.76), 1)
        yield from _runs(en, style, HEI, size, grey=True)


def _runs(
    text: str, style: ParagraphStyle, font: str, size: float | None = None, *, grey: bool = False
) -> Iterator[Any]:
    for name, piece in runs(text, font):
        run = _run(style, name, size or style.fontSize, grey=grey)
        yield run.clone(text=_SPACES.sub(" ", piece))


@cache
def _run(style: ParagraphStyle, font: str, size: float, *, grey: bool) -> Any:
    """Return a run as the layout knows it, made once by its own parser from words of ours."""
    colour = f' color="{GREY.hexval().replace("0x", "#")}"' if grey else ""
    marked = f'<font name="{font}" size="{size:.1f}"{colour}>x</font>'
    (run,) = Paragraph(marked, style).frags
    return run


@cache
def _broken(style: ParagraphStyle, breaks: str | None) -> ParagraphStyle:
    """Return a style with its way to break lines; each is made once, for it takes kilobytes."""
    return ParagraphStyle(f"{style.name}-", style, wordWrap=breaks)

"""What text the revisions of a PDF had, page by page, beside what came after."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace

import pypdfium2 as pdfium

from tasks.reader.answer import Page
from tasks.reader.pdf_open import document
from tasks.reader.pdf_revisions import Prefix, Revision, Revisions
from tasks.reader.source import Source

MAX_COMPARED = 50
# Pages of all earlier revisions together; a signed file of a thousand pages has few revisions.
MAX_PAGES = 5000


@dataclass
class Changes:
    """``pages`` are, for each earlier revision, those that the next one changed or took away.

    ``earlier`` holds number of revision, number of page and text of each of them; ``counts`` the
    pages of each revision, -1 where it cannot be opened by itself.
    """

    pages: dict[int, list[int]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    earlier: list[tuple[int, int, str]] = field(default_factory=list)
    whole: bool = True

    def said(self, revision: Revision) -> str:
        """Return one line about a revision, for people."""
        count = self.counts.get(revision.number)
        if count is None:
            return "未比较 not compared"
        if count < 0:
            return "无法单独打开 cannot be opened by itself"
        changed = self.pages.get(revision.number, [])
        if not changed:
            return f"{count} 页 pages; 此后文字未变 text not changed afterwards"
        listed = ", ".join(map(str, changed[:50])) + (" …" if len(changed) > 50 else "")
        return f"{count} 页 pages; 此后改动 changed afterwards: {listed}"

    @staticmethod
    def marked(page: Page) -> Page:
        """Return a page with the mark that an earlier revision had other words on it."""
        return replace(page, flags=(*page.flags, "revised"))


def changes(source: Source, revisions: Revisions, texts: list[str]) -> Changes:
    """Compare every earlier revision with the one after it; the last one's text is ``texts``."""
    found, left, after = Changes(), MAX_PAGES, texts
    for revision in reversed(revisions.earlier):
        if left <= 0 or len(found.counts) >= MAX_COMPARED:
            found.whole = False
            break
        before = _texts(Prefix(source, revision.end), left)
        if before is None:
            found.counts[revision.number] = -1
            continue
        left -= max(1, len(before))
        found.counts[revision.number] = len(before)
        different = [
            at
            for at, text in enumerate(before)
            if at >= len(after) or _words(text) != _words(after[at])
        ]
        found.pages[revision.number] = [at + 1 for at in different]
        found.earlier += [(revision.number, at + 1, before[at]) for at in different]
        after = before
    found.earlier.sort()
    return found


def _texts(source: Source, most: int) -> list[str] | None:
    """Return the text of every page of a revision, None if it cannot be opened."""
    try:
        with document(source) as pdf:
            return [_text(pdf, index) for index in range(min(len(pdf), most))]
    except pdfium.PdfiumError:
        return None


def _text(pdf: pdfium.PdfDocument, index: int) -> str:
    try:
        with closing(pdf[index]) as page, closing(page.get_textpage()) as layer:
            return str(layer.get_text_bounded())
    except pdfium.PdfiumError:
        return ""


def _words(text: str) -> str:
    return "".join(text.split())

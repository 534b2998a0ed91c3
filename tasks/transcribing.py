"""Transcribing: one document opened in the cell, what it is, what it says, whether it holds more.

A container is told by its content. Its own words (a mail's headers and body) are in its
transcript; its members are not: they are parts, each with a transcript of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tasks.reader.answer import MAY_HOLD, Contents, Member, Page, Transcript
from tasks.reader.cell import EMPTY, CellPool, Progress, recognised, settled
from tasks.reader.contained import contents
from tasks.reader.documents import Document
from tasks.reader.failures import UnreadableError

Known = Callable[[], Transcript | None]
"""Finds what OCR has read of a document before."""

_TYPES = {"mbox": "application/mbox"}
"""Types that only the members tell: a mailbox begins as plain text."""


class Stage(StrEnum):
    """What of a reading is repeated."""

    ALL = ""
    TEXT = "text"
    OCR = "ocr"
    EXPAND = "expand"


@dataclass(frozen=True)
class Look:
    """What one document says, and what it holds: ``contents`` is None for what is no container.

    ``likeness`` are the values of what it looks like, where somebody measured them.
    """

    transcript: Transcript
    contents: Contents | None = None
    likeness: Mapping[str, Any] | None = None


def look(
    pool: CellPool,
    file: Document,
    name: str,
    *,
    stage: Stage = Stage.ALL,
    before: Transcript | None = None,
    progress: Progress | None = None,
    known: Known | None = None,
) -> Look:
    """Open one document in the cell and return what it says and holds.

    With a transcript from ``before``, the stage ``text`` reads the document's own text anew and
    keeps what OCR had read, ``ocr`` repeats OCR alone. Where a page needs OCR, ``known`` is asked
    for what is known already.
    """
    if stage is Stage.OCR and before is not None:
        return Look(recognised(pool, file, _reopened(before), progress))
    transcript = pool.inspect(file, name, parts=False)
    if MAY_HOLD in transcript.flags:
        try:
            held = contents(pool, file, name)
        except UnreadableError as error:
            return Look(_broken(pool.inspect(file, name), error))
        if held.format:
            transcript = recognised(pool, file, _asked(transcript, known), progress)
            return Look(_container(transcript, held), held)
        transcript = pool.inspect(file, name)
    if stage is Stage.TEXT and before is not None:
        transcript = _with_ocr_of(transcript, before)
    return Look(recognised(pool, file, _asked(transcript, known), progress))


def own_contents(member: Member, seen: Look) -> Look:
    """Return what a member holds of its own, not what stands beside it already.

    An earlier revision of a PDF begins with those before it, and they are members of the whole.
    """
    if "superseded" not in member.unsafe or seen.contents is None:
        return seen
    held = tuple(each for each in seen.contents.members if "superseded" not in each.unsafe)
    total = sum(max(each.size, 0) for each in held)
    own = replace(seen.contents, members=held, total_bytes=total)
    return replace(seen, contents=own if held else None)


def _container(transcript: Transcript, held: Contents) -> Transcript:
    """Return a container's own transcript: one with members is not empty, whatever it says."""
    own = (flag for flag in transcript.flags if flag != MAY_HOLD)
    flags = (*own, *(f"container_{each}" for each in held.problems[:20]))
    state, reason = transcript.state, transcript.reason
    # A PDF is a document in its own right; that it holds others says nothing about its pages.
    if held.format != "pdf" and not any(page.text.strip() for page in transcript.pages):
        state, reason = ("read", "") if held.members else ("empty", EMPTY)
    kind = _TYPES.get(held.format, transcript.media_type)
    return replace(transcript, media_type=kind, state=state, reason=reason, flags=flags)


def _broken(transcript: Transcript, error: UnreadableError) -> Transcript:
    """Return the transcript of what claims to be a container and cannot be listed."""
    flags = (*transcript.flags, f"container_{error.facts.get('code', 'refused')}")
    if any(page.text.strip() for page in transcript.pages):
        return replace(transcript, state="partly_read", reason=error.message, flags=flags)
    state = transcript.state if transcript.state in ("encrypted", "unreadable") else "damaged"
    return replace(transcript, state=state, reason=error.message, flags=flags)


def _reopened(before: Transcript) -> Transcript:
    """Return a transcript whose pages that OCR has read, or failed to, wait for it again."""
    pages = tuple(_before_ocr(page) if _was_for_ocr(page) else page for page in before.pages)
    return replace(before, pages=pages)


def _was_for_ocr(page: Page) -> bool:
    return page.needs_ocr or page.origin == "ocr" or any(f.startswith("ocr_") for f in page.flags)


def _before_ocr(page: Page) -> Page:
    flags = tuple(flag for flag in page.flags if not flag.startswith("ocr_"))
    if page.origin != "ocr":
        return replace(page, needs_ocr=True, flags=flags)
    return Page(
        page.number,
        "text_layer" if page.layer_text else "none",
        page.layer_text,
        needs_ocr=True,
        label=page.label,
        inside=page.inside,
        frame=page.frame,
        flags=flags,
    )


def _asked(transcript: Transcript, known: Known | None) -> Transcript:
    """Return a transcript with the pages that are known already, if any is wanted."""
    if known is None or not any(page.needs_ocr for page in transcript.pages):
        return transcript
    before = known()
    return transcript if before is None else _with_ocr_of(transcript, before)


def _with_ocr_of(transcript: Transcript, before: Transcript) -> Transcript:
    """Return a new transcript whose pages keep what OCR had read of the same places."""
    known = {(p.inside, p.frame): p for p in before.pages if p.origin == "ocr"}
    pages = tuple(
        replace(known[p.inside, p.frame], number=p.number, label=p.label, layer_text=p.text)
        if p.needs_ocr and (p.inside, p.frame) in known
        else p
        for p in transcript.pages
    )
    if any(page.needs_ocr for page in pages):
        return replace(transcript, pages=pages)
    return settled(transcript, pages) if pages != transcript.pages else transcript

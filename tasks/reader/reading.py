"""What every reader gives back, and what all readers of one document share: the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tasks.reader.answer import Page, State
from tasks.reader.source import Source
from tasks.reader.strict import clean

MAX_CHARACTERS = 8_000_000
MAX_PAGES = 10_000
MAX_PARTS = 2_000
MAX_PART_BYTES = 256 << 20
MAX_DEPTH = 3

REASONS = {
    "encrypted": "文件已加密，需要密码。 The file is encrypted and needs a password.",
    "empty": "文件没有内容。 The file has no content.",
    "damaged": "文件已损坏，无法读取。 The file is damaged and cannot be read.",
    "not_opened": "磁盘镜像按原件保存，不予打开。 A disk image is kept as it is and not opened.",
    "unknown_type": "暂不能读取此类文件。 Files of this type cannot be read yet.",
    "partly_read": "部分内容尚未读出。 Part of the content has not been read.",
}


@dataclass
class Reading:
    """The pages that one reader found, and what it has to say about the document."""

    pages: list[Page] = field(default_factory=list)
    state: State = "read"
    flags: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    def flag(self, word: str) -> None:
        """Note a flag once."""
        if word not in self.flags:
            self.flags.append(word)

    def note(self, key: str, value: object) -> None:
        """Keep one line of metadata if there is anything in it."""
        text = clean(str(value)).strip()[:2000]
        if text and value is not None and len(self.metadata) < 200:
            self.metadata[key[:100]] = text


@dataclass
class Context:
    """The budget of one document, parts included, and the way down to its parts."""

    open_part: Callable[[Source, Context], Reading]
    depth: int = 0
    descend: bool = True
    characters: int = MAX_CHARACTERS
    parts: int = MAX_PARTS
    part_bytes: int = MAX_PART_BYTES

    def page(
        self, reading: Reading, text: str, *, label: str = "", frame: int = 1, **more: object
    ) -> None:
        """Add a page with text of the document itself, cut at the budget."""
        if len(reading.pages) >= MAX_PAGES:
            reading.flag("truncated")
            return
        kept = clean(text)[: self.characters]
        if len(kept) < len(text):
            reading.flag("truncated")
        self.characters -= len(kept)
        page = Page(len(reading.pages) + 1, "document", kept, label=clean(label)[:300], frame=frame)
        if not kept.strip() and "origin" not in more:
            page = replace(page, origin="none")
        reading.pages.append(replace(page, **more))  # type: ignore[arg-type]

    def part(self, reading: Reading, index: int, label: str, load: Callable[[], Source]) -> None:
        """Read one part of a container and add its pages, marked with the way to it."""
        if self.depth >= MAX_DEPTH:
            reading.flag("too_deep")
            reading.flag("part_not_read")
            return self.page(reading, "", label=label, flags=("too_deep",))
        if self.parts <= 0 or self.part_bytes <= 0:
            return reading.flag("truncated")
        source = load()
        self.parts -= 1
        self.part_bytes -= source.size
        self.depth += 1
        try:
            inner = self.open_part(source, self)
        finally:
            self.depth -= 1
        return _adopt(reading, inner, index, label)


def _adopt(reading: Reading, inner: Reading, index: int, label: str) -> None:
    """Take over the pages of a part."""
    flags = tuple(dict.fromkeys([*inner.flags, *([inner.state] if inner.state != "read" else [])]))
    pages = inner.pages or [Page(1, "none", "")]
    for page in pages:
        if len(reading.pages) >= MAX_PAGES:
            reading.flag("truncated")
            break
        name = " › ".join(x for x in (label, page.label) if x)
        reading.pages.append(
            replace(
                page,
                number=len(reading.pages) + 1,
                label=clean(name)[:300],
                inside=(index, *page.inside),
                flags=tuple(dict.fromkeys([*page.flags, *flags])),
            )
        )
    if inner.state not in ("read", "empty") or "part_not_read" in inner.flags:
        reading.flag("part_not_read")
    if "truncated" in inner.flags:
        reading.flag("truncated")


def settle(state: State, pages: Iterable[Page], flags: Iterable[str]) -> State:
    """Return the state of the whole: what the reader said, corrected by what came out."""
    pages = list(pages)
    if state != "read":
        # Printable strings are kept beside, but a document that gave nothing else was not read.
        words = (page for page in pages if page.origin != "strings")
        return "partly_read" if any(page.text.strip() for page in words) else state
    if any(p.needs_ocr for p in pages) or {"part_not_read", "truncated", "cut_off"} & set(flags):
        return "partly_read"
    return "read" if any(p.text.strip() for p in pages) else "empty"

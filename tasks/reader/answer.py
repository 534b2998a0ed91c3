"""What the cell may answer: plain frozen records, read strictly by the parent.

Everything here is derived from hostile bytes. It is working data, never evidence: a type that
parsed is well-formed, not true.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tasks.reader.strict import as_json, parse

SCHEMA = "zhenglian.transcript/2"
_BEFORE_LAYOUT = "zhenglian.transcript/1"
MAY_HOLD = "may_hold"
"""Flag of a document that begins as a container does, where its members were left out."""

UNLOCKED = "unlocked"
"""Flag of a transcript that was made with a password; without it, it cannot be made again."""

Origin = Literal["text_layer", "document", "ocr", "strings", "none"]
BlockKind = Literal["text", "column", "table", "vertical", "stray", "seal"]
MemberKind = Literal["file", "folder", "symlink", "hardlink", "special"]
State = Literal[
    "read",
    "partly_read",
    "encrypted",
    "empty",
    "damaged",
    "unknown_type",
    "unreadable",
    "not_opened",
]


class Word(NamedTuple):
    """One word that OCR saw: pixels from the top left at the page's dpi, confidence 0 to 1."""

    x: int
    y: int
    width: int
    height: int
    confidence: float
    text: str


class Line(NamedTuple):
    """One line as it is read: its box, and its words, ``start`` up to before ``end`` of the page's.

    The box is upright in the page's pixels, whatever the line's slope. A table's row is one
    line with a tab between cells; a column of vertical writing is one line. ``block`` counts
    from 0.
    """

    x: int
    y: int
    width: int
    height: int
    confidence: float
    start: int
    end: int
    block: int
    text: str


class Block(NamedTuple):
    """What belongs together on a page: a column of text, a table, writing out of line.

    ``column`` is text that stands beside other text; ``stray`` is what runs across the page's
    own lines, as the writing round a seal does, and is read after all else. ``seal`` is a stamp.
    """

    x: int
    y: int
    width: int
    height: int
    kind: BlockKind


class Cell(NamedTuple):
    """One cell of a table that holds something; ``row`` and ``column`` count from 0.

    ``rows`` and ``columns`` are how many it spans.
    """

    row: int
    column: int
    rows: int
    columns: int
    x: int
    y: int
    width: int
    height: int
    text: str


class Table(NamedTuple):
    """A table seen on a page: its box, its size, its cells in reading order."""

    x: int
    y: int
    width: int
    height: int
    rows: int
    columns: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Page:
    """One page, sheet, slide, message or member; ``number`` counts from 1 in the transcript.

    ``inside`` is the chain of member numbers from the document to the part that holds the page
    (empty: the document itself) and ``frame`` the page's number in that part: together they
    are what OCR needs to find it again. ``layer_text`` keeps the document's own text where OCR
    has replaced it; ``raw_text`` is what the engine said before spaces between Han were taken
    out, empty where that changed nothing.

    Words stand in reading order, with the lines, blocks and tables that they form. ``angle`` is
    by how many degrees the lines are turned clockwise on the image, -180 to 180: the skew, and
    a quarter or half turn with it. ``language`` is a BCP 47 tag by the script of the text,
    empty where there is none; ``settings`` are what the engine was told, beyond its version.
    """

    number: int
    origin: Origin
    text: str
    confidence: float | None = None
    needs_ocr: bool = False
    label: str = ""
    inside: tuple[int, ...] = ()
    frame: int = 1
    flags: tuple[str, ...] = ()
    layer_text: str = ""
    raw_text: str = ""
    words: tuple[Word, ...] = ()
    width: int = 0
    height: int = 0
    dpi: int = 0
    engine: str = ""
    version: str = ""
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    tables: tuple[Table, ...] = ()
    angle: float = 0.0
    language: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse with ``ValueError`` a line of words, or in a block, that the page has not."""
        for line in self.lines:
            if not 0 <= line.start <= line.end <= len(self.words):
                raise ValueError("a line of words that are not there")
            if not 0 <= line.block < len(self.blocks):
                raise ValueError("a line in a block that is not there")
        for table in self.tables:
            for cell in table.cells:
                if not _inside(cell, table):
                    raise ValueError("a cell outside its table")


def _inside(cell: Cell, table: Table) -> bool:
    return (
        0 <= cell.row < cell.row + cell.rows <= table.rows
        and 0 <= cell.column < cell.column + cell.columns <= table.columns
    )


@dataclass(frozen=True)
class Transcript:
    """The text of one document page by page, with where it came from and what is in doubt.

    ``state`` is ``read`` when every page gave what it holds, ``partly_read`` when some did not
    (or still wait for OCR), and otherwise the reason why there is no text. ``reason`` is for
    people, Chinese first, empty when the state is ``read``.
    """

    media_type: str
    claimed_type: str
    state: State
    reason: str = ""
    flags: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text of all pages, one after the other, a form feed between two."""
        return "\f".join(page.text for page in self.pages)

    @property
    def mismatch(self) -> bool:
        """Whether the name claims another type than the content has."""
        return "type_mismatch" in self.flags

    def as_json(self) -> dict[str, Any]:
        """Return the form that is kept as a derivative; it is marked as not evidence."""
        body: dict[str, Any] = {"schema": SCHEMA, "evidence": False}
        return body | dict(as_json(self))

    def as_bytes(self) -> bytes:
        """Return the one deterministic spelling whose digest names this transcript."""
        return json.dumps(
            self.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Transcript:
        """Rebuild from ``as_json``, or from what was kept before pages had a layout.

        Raises:
            ValueError: it is anything else.
        """
        body = dict(value)
        schema = body.pop("schema", None)
        if body.pop("evidence", None) is not False:
            raise ValueError("not marked as derived")
        if schema == _BEFORE_LAYOUT:
            body["pages"] = _with_layout(body.get("pages"))
        elif schema != SCHEMA:
            raise ValueError(f"not a {SCHEMA}")
        return parse(cls, body)


_LAYOUT: dict[str, Any] = {
    "lines": [],
    "blocks": [],
    "tables": [],
    "angle": 0.0,
    "language": "",
    "settings": {},
}


def _with_layout(untrusted_pages: Any) -> list[Any]:
    """Return pages of the first schema as pages of this one: nothing was known of a layout."""
    if not isinstance(untrusted_pages, list):
        raise ValueError("not a list")
    for page in untrusted_pages:
        if not isinstance(page, dict) or page.keys() & _LAYOUT.keys():
            raise ValueError(f"not a page of {_BEFORE_LAYOUT}")
    return [page | _LAYOUT for page in untrusted_pages]


@dataclass(frozen=True)
class RawCell:
    """One value as it stands in a manifest: ``where`` is ``line 13`` or ``C5``."""

    key: str
    value: str
    where: str


@dataclass(frozen=True)
class RawProblem:
    """What is wrong with the form of a manifest, for a person to read."""

    where: str
    text_zh: str
    text_en: str


@dataclass(frozen=True)
class RawManifest:
    """A manifest before anything in it was checked: its cells, in order, headings untranslated.

    Header keys are the YAML keys or the headings of the spreadsheet as written. Each officer
    has the keys ``name`` and ``id`` (as written in YAML). An item without a value for a column
    has no cell for it.
    """

    format: Literal["yaml", "xlsx"]
    header: tuple[RawCell, ...] = ()
    officers: tuple[tuple[RawCell, ...], ...] = ()
    items: tuple[tuple[RawCell, ...], ...] = ()
    problems: tuple[RawProblem, ...] = ()


@dataclass(frozen=True)
class Member:
    """One entry of a container as it claims to be; nothing of it was unpacked.

    ``name`` has ``/`` between folders and none at the end; ``raw_name`` is its bytes in
    hexadecimal, empty where the format has names without bytes. ``size`` and ``packed`` are
    bytes, -1 where the container does not say. ``modified`` is in ISO 8601 as claimed, empty if
    unknown; ``target`` is where a link leads. ``unsafe`` holds why the member must not be
    relied on, as ``code`` or ``code:VALUE:LIMIT`` (``limits.limit_of``): ``absolute``,
    ``parent``, ``backslash``, ``nul``, ``empty_name``, ``symlink``, ``hardlink`` (out of the
    container), ``special``, ``duplicate``, ``overlap``, ``header_mismatch``, ``method``,
    ``outside``, ``sparse``, ``hidden_data``, ``superseded`` (an earlier revision of a PDF), and
    with a limit ``ratio``, ``size``, ``path``.
    """

    index: int
    name: str
    raw_name: str
    encoding: str
    kind: MemberKind
    size: int = -1
    packed: int = -1
    encrypted: bool = False
    modified: str = ""
    unsafe: tuple[str, ...] = ()
    target: str = ""


@dataclass(frozen=True)
class Contents:
    """What a container says that it holds; ``format`` is empty for what is no container.

    ``total_bytes`` is the sum of the sizes that are known. ``problems`` concern the container
    as a whole, spelt as ``Member.unsafe``: ``hidden`` (bytes that belong to no member),
    ``truncated``, ``damaged``, ``encrypted`` (its list too), ``multi_disk``,
    ``truncated_directory``, and with a limit ``entries``, ``total``, ``ratio``.
    """

    format: str = ""
    members: tuple[Member, ...] = ()
    total_bytes: int = 0
    problems: tuple[str, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether nothing at all speaks against taking every member out."""
        return not self.problems and not any(m.unsafe or m.encrypted for m in self.members)

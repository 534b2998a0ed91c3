"""The job ``excerpt``: some pages of a PDF as a PDF of their own, and nothing of the others.

Only what a page shows is taken along: its content, and of its resources the images and patterns
that it draws. Pages of one file often share one table of resources, and links lead from page to
page; copied as they are, both would carry other pages away unseen. So annotations keep their
appearance and lose where they lead, and the file that comes out is counted: if it holds a page
more, there is no excerpt. The same input gives the same bytes; the tool is pypdf.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pypdf
from pypdf.generic import (
    ArrayObject,
    ContentStream,
    DictionaryObject,
    NameObject,
    PdfObject,
    StreamObject,
)

from tasks.reader.answering import write_all
from tasks.reader.job import Refused
from tasks.reader.pdf_structure import opened, resolved
from tasks.reader.source import Source

_PAGE_KEYS = ("/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Rotate", "/UserUnit")
_ANNOTATION_KEYS = ("/Type", "/Subtype", "/Rect", "/AP", "/AS", "/F", "/C", "/CA", "/Border")
_DRAWN = {
    b"Do": ("/XObject", -1),
    b"scn": ("/Pattern", -1),
    b"SCN": ("/Pattern", -1),
    b"gs": ("/ExtGState", -1),
    b"Tf": ("/Font", 0),
}
"""Operators that name something of the resources: of which table, and which operand."""
_DEEP = 12
NOT_PDF = "只能节录 PDF 的页。 Pages can be excerpted from a PDF alone."
BROKEN = "无法节录所列页。 The listed pages cannot be excerpted."


def give_excerpt(source: Source, numbers: Sequence[int], output: int) -> int:
    """Write the pages of these numbers (from 1) to ``output`` as a PDF; return their count.

    Raises:
        Refused: it is no PDF, has not so many pages, or they cannot be taken out by themselves.
    """
    if not source.head(1024).lstrip().startswith(b"%PDF-") and b"%PDF-" not in source.head(1024):
        raise Refused(NOT_PDF)
    try:
        data = _excerpt(source, numbers)
    except Refused:
        raise
    except Exception as error:  # parsers raise anything on hostile input
        raise Refused(BROKEN) from error
    write_all(output, memoryview(data))
    return len(numbers)


def _excerpt(source: Source, numbers: Sequence[int]) -> bytes:
    with opened(source) as reader:
        total = len(reader.pages)
        if not numbers or numbers[-1] > total:
            raise Refused(f"文件共 {total} 页。 The file has {total} pages.")
        writer = pypdf.PdfWriter()
        for number in numbers:
            _take(reader.pages[number - 1], writer)
        held = io.BytesIO()
        writer.write(held)
    _require_alone(held, len(numbers))
    return held.getvalue()


def _take(page: pypdf.PageObject, writer: pypdf.PdfWriter) -> None:
    box = page.mediabox
    made = writer.add_blank_page(width=float(box.width), height=float(box.height))
    for key in _PAGE_KEYS:
        if (value := _inherited(page, key)) is not None:
            made[NameObject(key)] = value.clone(writer)
    contents = page.get_contents()
    if contents is not None:
        plain = StreamObject()
        plain.set_data(contents.get_data())
        made[NameObject("/Contents")] = writer._add_object(plain.flate_encode())
    resources = resolved(_inherited(page, "/Resources"))
    if isinstance(resources, DictionaryObject):
        drawn = contents if contents is not None else ContentStream(None, None)
        made[NameObject("/Resources")] = _pruned(resources, drawn, writer, _DEEP)
    group = resolved(page.get("/Group"))
    if isinstance(group, DictionaryObject):
        made[NameObject("/Group")] = group.clone(writer)
    shown = ArrayObject(_annotations(page, writer))
    if shown:
        made[NameObject("/Annots")] = shown


def _inherited(page: DictionaryObject, key: str) -> PdfObject | None:
    node: Any = page
    for _ in range(64):
        if not isinstance(node, DictionaryObject):
            return None
        if key in node:
            return resolved(node[key])  # type: ignore[no-any-return]
        node = resolved(node.get("/Parent"))
    return None


def _pruned(
    resources: DictionaryObject, drawn: ContentStream, writer: pypdf.PdfWriter, deep: int
) -> DictionaryObject:
    """Return resources with the images, forms and patterns that are drawn, and no others."""
    if deep <= 0:
        raise Refused(BROKEN)
    used = _used(drawn)
    made = DictionaryObject()
    for key, value in resources.items():
        table = resolved(value)
        if key in used and isinstance(table, DictionaryObject):
            kept = DictionaryObject()
            for name in table:
                if name in used[key]:
                    kept[NameObject(name)] = _part(table.raw_get(name), writer, deep)
            made[NameObject(key)] = kept
        elif key != "/Properties":
            made[NameObject(key)] = table.clone(writer)
    return made


def _used(drawn: ContentStream) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {table: set() for table, _ in _DRAWN.values()}
    for operands, operator in drawn.operations:
        table, place = _DRAWN.get(operator, ("", 0))
        if table and isinstance(operands, list | ArrayObject) and operands:
            found[table].add(str(operands[place]))
    return found


def _part(value: Any, writer: pypdf.PdfWriter, deep: int) -> PdfObject:
    """Return one image, form or pattern; a form's own resources are pruned in their turn."""
    item = resolved(value)
    if _is_masked_state(item):
        return _state(item, writer, deep)
    own = resolved(item.get("/Resources")) if isinstance(item, DictionaryObject) else None
    if not isinstance(item, StreamObject) or not isinstance(own, DictionaryObject):
        return value.clone(writer)  # type: ignore[no-any-return]
    made = StreamObject()
    made.set_data(item.get_data())
    for key, each in item.items():
        if key in ("/Type", "/Subtype", "/BBox", "/Matrix", "/Group", "/FormType") or key in (
            "/PatternType", "/PaintType", "/TilingType", "/XStep", "/YStep",
        ):  # fmt: skip
            made[NameObject(key)] = resolved(each).clone(writer)
    drawn = ContentStream(item, None)
    made[NameObject("/Resources")] = _pruned(own, drawn, writer, deep - 1)
    return writer._add_object(made.flate_encode())


def _is_masked_state(item: Any) -> bool:
    plain = isinstance(item, DictionaryObject) and not isinstance(item, StreamObject)
    return plain and isinstance(resolved(item.get("/SMask")), DictionaryObject)


def _state(state: DictionaryObject, writer: pypdf.PdfWriter, deep: int) -> PdfObject:
    """Return a graphics state whose mask takes along what it draws alone."""
    made = DictionaryObject()
    for key, value in state.items():
        if key != "/SMask":
            made[NameObject(key)] = resolved(value).clone(writer)
    mask, kept = resolved(state["/SMask"]), DictionaryObject()
    for key in ("/Type", "/S", "/BC"):
        if key in mask:
            kept[NameObject(key)] = resolved(mask[key]).clone(writer)
    kept[NameObject("/G")] = _part(mask.raw_get("/G"), writer, deep)
    made[NameObject("/SMask")] = kept
    return made


def _annotations(page: DictionaryObject, writer: pypdf.PdfWriter) -> Iterator[PdfObject]:
    """Yield what annotations look like, without where they lead and what they belong to."""
    listed = resolved(page.get("/Annots"))
    for each in listed if isinstance(listed, ArrayObject) else ():
        whole = resolved(each)
        if not isinstance(whole, DictionaryObject) or "/AP" not in whole:
            continue
        made = DictionaryObject()
        for key in _ANNOTATION_KEYS:
            if key in whole:
                made[NameObject(key)] = resolved(whole[key]).clone(writer)
        yield writer._add_object(made)


def _require_alone(held: io.BytesIO, count: int) -> None:
    """Read what was made and count the pages that are in it anywhere.

    Raises:
        Refused: there are more than were asked for.
    """
    held.seek(0)
    reader = pypdf.PdfReader(held, strict=True)
    found = 0
    for number in range(1, int(str(reader.trailer["/Size"]))):
        item = reader.get_object(number)
        found += isinstance(item, DictionaryObject) and item.get("/Type") == "/Page"
    if found != count or len(reader.pages) != count:
        raise Refused(BROKEN)

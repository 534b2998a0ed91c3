"""The files that lie in a PDF: in its table of files, associated with it, or pinned to a page.

PDFium gives the table (7.7.4, also of a portfolio). Associated files (14.13) and files pinned to
a page (12.5.6.15) need not stand in it; those come after, by pypdf. The order is the same every
time, so a number names a file for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from tasks.reader.pdf_structure import FILES_ELSEWHERE, opened, resolved, scanned
from tasks.reader.pdf_xmp import pdf_time
from tasks.reader.source import Source

MAX_FILES = 20_000
_MAX_PAGES = 10_000
_MAX_NODES = 100_000


@dataclass(frozen=True)
class Attached:
    """One file as it is named; ``modified`` in ISO 8601 as claimed, ``load`` gives its bytes."""

    name: str
    modified: str
    load: Callable[[], bytes]


def attached(document: Any, source: Source, *, table_only: bool = False) -> list[Attached]:
    """Return the files in a PDF that PDFium has open; they can be loaded while it is.

    ``table_only`` spares looking elsewhere, for who knows that nothing there points to a file.
    """
    count = min(document.count_attachments(), MAX_FILES)
    found = [_of_table(document.get_attachment(index)) for index in range(count)]
    if not table_only:
        with suppress(Exception):
            found += _elsewhere(source)[: MAX_FILES - count]
    return found


def name_of(held: Any) -> str:
    """Return an attachment's name; PDFium leaves a name with a UTF-16 mark undecoded."""
    try:
        name = str(held.get_name())
    except UnicodeError:
        return ""
    if name.startswith("\u00fe\u00ff"):
        with suppress(UnicodeError):
            name = name.encode("latin-1").decode("utf-16-be")
    return name.removeprefix("\ufeff")


def _of_table(held: Any) -> Attached:
    time = ""
    with suppress(Exception):
        time = _iso(held.get_str_value("ModDate"))
    return Attached(name_of(held), time, lambda: bytes(held.get_data()))


def _iso(text: str) -> str:
    time = pdf_time(text)
    return time.isoformat() if time else ""


def _elsewhere(source: Source) -> list[Attached]:
    """Return the files outside the table; nothing is parsed where nothing points to one."""
    with opened(source) as reader:
        if not any(FILES_ELSEWHERE.search(part) for part in scanned(reader, source)):
            return []
        known = {id_ for each in _table(reader) if (id_ := _stream_id(each))}
        found = []
        for each in _specifications(reader):
            id_ = _stream_id(each)
            if id_ and id_ not in known:
                known.add(id_)
                found.append(_of_specification(source, each, id_))
        return found


def _of_specification(source: Source, each: DictionaryObject, id_: tuple[int, int]) -> Attached:
    def load() -> bytes:
        with opened(source) as again:
            return bytes(again.get_object(IndirectObject(*id_, again)).get_data())  # type: ignore[union-attr]

    name = each.get("/UF") or each.get("/F") or each.get("/Desc") or ""
    held = resolved(_embedded(each))
    settings = resolved(held.get("/Params")) if isinstance(held, DictionaryObject) else None
    time = str(settings.get("/ModDate", "")) if isinstance(settings, DictionaryObject) else ""
    return Attached(str(resolved(name)), _iso(time), load)


def _embedded(each: DictionaryObject) -> Any:
    files = resolved(each.get("/EF"))
    if not isinstance(files, DictionaryObject):
        return None
    keys = [key for key in ("/UF", "/F") if key in files]
    return files.raw_get(keys[0]) if keys else None


def _stream_id(each: Any) -> tuple[int, int] | None:
    held = _embedded(each) if isinstance(each, DictionaryObject) else None
    return (held.idnum, held.generation) if isinstance(held, IndirectObject) else None


def _table(reader: pypdf.PdfReader) -> Iterator[Any]:
    """Yield the file specifications in the table of embedded files."""
    names = resolved(reader.root_object.get("/Names"))
    top = resolved(names.get("/EmbeddedFiles")) if isinstance(names, DictionaryObject) else None
    waiting, seen = [top], 0
    while waiting and seen < _MAX_NODES:
        node, seen = resolved(waiting.pop()), seen + 1
        if isinstance(node, DictionaryObject):
            pairs = resolved(node.get("/Names"))
            yield from (resolved(each) for each in (pairs or ())[1::2])
            waiting += list(resolved(node.get("/Kids")) or ())


def _specifications(reader: pypdf.PdfReader) -> Iterator[Any]:
    """Yield the file specifications that stand outside the table."""
    yield from _associated(reader.root_object)
    for number, page in enumerate(reader.pages):
        if number >= _MAX_PAGES:
            return
        yield from _associated(page)
        for each in resolved(page.get("/Annots")) or ():
            note = resolved(each)
            if isinstance(note, DictionaryObject):
                yield from _associated(note)
                if note.get("/Subtype") == "/FileAttachment":
                    yield resolved(note.get("/FS"))


def _associated(holder: DictionaryObject) -> Iterator[Any]:
    files = resolved(holder.get("/AF"))
    if isinstance(files, DictionaryObject):
        yield files
    elif isinstance(files, ArrayObject):
        yield from map(resolved, files)

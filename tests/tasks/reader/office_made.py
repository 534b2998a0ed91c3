"""Office files made byte by byte: formats of before 2007, and what libraries do not write."""

from __future__ import annotations

import struct

from tests.tasks.reader.olefiles import ole_file
from tests.tasks.reader.samples import archive

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ODF_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"),
        ("draw", "drawing"), ("presentation", "presentation"), ("meta", "meta"),
    )
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip
SPRM = {"deleted": 0x0800, "inserted": 0x0801, "hidden": 0x083C}


def word_xml(body: str, **parts: str) -> bytes:
    """Return a Word file with this body; further parts by their names under ``word/``."""
    made = {
        "[Content_Types].xml": b"<Types/>",
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>".encode(),
    }
    for name, text in parts.items():
        made[f"word/{name}.xml"] = text.encode()
    return archive(made)


def relations(*rows: tuple[str, str, str, str]) -> bytes:
    """Return a part of relations: number, kind, target, and ``External`` or nothing."""
    lines = "".join(
        f'<Relationship Id="{n}" Type="{R}/{kind}" Target="{target}" TargetMode="{mode}"/>'
        for n, kind, target, mode in rows
    )
    return f"<Relationships>{lines}</Relationships>".encode()


def odf(kind: str, body: str, *, styles: str = "", version: str = "1.3", **parts: str) -> bytes:
    """Return an OpenDocument file; ``parts`` are further members, ``__`` stands for a slash."""
    mime = f"application/vnd.oasis.opendocument.{kind}"
    content = (
        f"<office:document-content {ODF_NAMES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body>{body}</office:body></office:document-content>"
    )
    made = {
        "mimetype": mime.encode(),
        "content.xml": content.encode(),
        "META-INF/manifest.xml": f'<m manifest:version="{version}" xmlns:manifest="m"/>'.encode(),
    }
    made |= {name.replace("__", "/") + ".xml": text.encode() for name, text in parts.items()}
    return archive(made, 0)


def doc(
    parts: dict[int, str],
    marks: tuple[tuple[int, int, str], ...] = (),
    *,
    narrow: bool = False,
    flags: int = 0,
    version: int = 193,
) -> bytes:
    """Return a Word 97 file: text of each part of the document by its place in the FIB.

    ``marks`` are character positions, first and behind the last, with what they are.
    """
    counts, text = [0] * 8, ""
    for number, words in sorted(parts.items()):
        counts[number], text = len(words), text + words
    data = text.encode("cp1252" if narrow else "utf-16-le")
    wide = 1 if narrow else 2
    page_at = -(-(1024 + len(data)) // 512)
    place = 1024 * 2 | 0x40000000 if narrow else 1024
    plc = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, place, 0)
    clx = b"\1" + struct.pack("<H", 4) + b"\0" * 4 + b"\2" + struct.pack("<I", len(plc)) + plc
    end = 1024 + len(text) * wide
    chpx = struct.pack("<III", 1024, end, page_at)
    head = bytearray(1024)
    struct.pack_into("<HH", head, 0, 0xA5EC, version)
    struct.pack_into("<H", head, 10, flags | 0x0200)
    struct.pack_into("<8i", head, 0x4C, *counts)
    struct.pack_into("<II", head, 0x1A2, 0, len(clx))
    struct.pack_into("<II", head, 0xFA, len(clx), len(chpx))
    main = (bytes(head) + data).ljust(page_at * 512, b"\0") + _page(marks, wide, end)
    return ole_file({"WordDocument": main.ljust(4608, b"\0"), "1Table": clx + chpx})


def _page(marks: tuple[tuple[int, int, str], ...], wide: int, end: int) -> bytes:
    places, kinds = [1024], []
    for first, last, kind in marks:
        places += [1024 + first * wide, 1024 + last * wide]
        kinds += ["", kind]
    places.append(end)
    kinds.append("")
    page = bytearray(512)
    struct.pack_into(f"<{len(places)}I", page, 0, *places)
    for number, kind in enumerate(kinds):
        if kind:
            at = 300 + 8 * number
            page[4 * len(places) + number] = at // 2
            page[at : at + 4] = struct.pack("<BHB", 3, SPRM[kind], 1)
    page[511] = len(kinds)
    return bytes(page)


def xls(sheets: dict[str, tuple[int, list[list[str | float]]]]) -> bytes:
    """Return a BIFF8 workbook: sheets by name with their state and their rows."""
    head = _biff(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6))
    head += _biff(0x42, struct.pack("<H", 1200))
    bodies = [_sheet(rows) for _, rows in sheets.values()]
    names = [_string(name, "<B") for name in sheets]
    at = len(head) + sum(4 + 6 + len(name) for name in names) + 4
    for (state, _), name, body in zip(sheets.values(), names, bodies, strict=True):
        head += _biff(0x85, struct.pack("<IBB", at, state, 0) + name)
        at += len(body)
    return ole_file({"Workbook": (head + _biff(0x0A) + b"".join(bodies)).ljust(4608, b"\0")})


def _sheet(rows: list[list[str | float]]) -> bytes:
    made = _biff(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6))
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            where = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                made += _biff(0x204, where + _string(value, "<H"))
            else:
                made += _biff(0x203, where + struct.pack("<d", value))
    return made + _biff(0x0A)


def _biff(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _string(text: str, length: str) -> bytes:
    return struct.pack(length, len(text)) + b"\1" + text.encode("utf-16-le")


def ppt() -> bytes:
    """Return a presentation of two slides, one hidden, one with notes, and an earlier save."""
    words = lambda text: _record(0, 0x0FA0, text.encode("utf-16-le"))  # noqa: E731
    old = _record(0xF, 0x03EE, words("旧版本"))
    comment = _record(0xF, 0x2EE0, _record(0, 0x0FBA, "王五".encode("utf-16-le"))
                      + _record(0x10, 0x0FBA, "请核对".encode("utf-16-le")))  # fmt: skip
    tags = _record(0xF, 0x1388, _record(0xF, 0x138A, _record(0, 0x138B, comment)))
    one = _record(0xF, 0x03EE, words("文本框") + tags)
    hidden = struct.pack("<IIBBH4x", 0, 0, 0, 0, 0x04)
    two = _record(0xF, 0x03EE, _record(0, 0x03F9, hidden) + words("隐藏页"))
    notes = _record(0xF, 0x03F0, words("讲稿"))
    listed = b"".join(
        _record(0, 0x03F3, struct.pack("<I16x", number)) + words(title)
        for number, title in ((2, "第一页"), (3, "第二页"))
    )
    document = _record(0xF, 0x03E8, _record(0xF, 0x0FF0, listed))
    stream, places = b"", []
    for number, part in enumerate((old, document, one, two, notes)):
        places += [len(stream)] if number else []
        stream += part
    directory = _record(0, 0x1772, struct.pack("<I4I", 4 << 20 | 1, *places))
    edit = struct.pack("<IHBBIII8x", 0, 0, 0, 3, 0, len(stream), 1)
    user = struct.pack("<HHIIII", 0, 0x0FF6, 20, 20, 0xE391C05F, len(stream) + len(directory))
    stream += directory + _record(0, 0x0FF5, edit)
    return ole_file({"PowerPoint Document": stream.ljust(4608, b"\0"), "Current User": user})


def _record(version: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<HHI", version, kind, len(data)) + data

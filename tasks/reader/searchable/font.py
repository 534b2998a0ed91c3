"""A font for what is not painted: every character of Unicode's first plane is the same square.

What is set in it can be searched and copied in every reader, and needs no font on the machine.
It is embedded, because some readers refuse text in a font that is not there, and the square has
sides, because PDFium takes no notice of turned text without any extent.
"""

from __future__ import annotations

import struct
import zlib

NAME = "ZhenglianGlyphless"
_EM = 1000
# From each corner to the next: first across, then up.
_SIDES = (0, 0, _EM, 0, 0, _EM, 0, -_EM)


def truetype() -> bytes:
    """Return a TrueType font of an empty glyph and a square of one em (ISO/IEC 14496-22)."""
    square = struct.pack(">hhhhhHH4B8h", 1, 0, 0, _EM, _EM, 3, 0, *[1] * 4, *_SIDES) + b"\0\0"
    tables = {
        b"cmap": struct.pack(">HHHHI", 0, 1, 3, 1, 12) + _cmap(),
        b"glyf": square,
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh",
            0x10000, 0x10000, 0, 0x5F0F3CF5, 3, _EM, 0, 0, 0, 0, _EM, _EM, 0, 8, 2, 0, 0,
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH", 0x10000, _EM, 0, 0, _EM, 0, 0, _EM, 1, 0, 0, 0, 0, 0, 0, 0, 2
        ),
        b"hmtx": struct.pack(">HhHh", _EM, 0, _EM, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(square) // 2),
        b"maxp": struct.pack(">IH", 0x10000, 2) + struct.pack(">13H", 4, 1, *[0] * 11),
        b"post": struct.pack(">IIhhIIIII", 0x30000, 0, 0, 0, 1, 0, 0, 0, 0),
    }  # fmt: skip
    out = struct.pack(">IHHHH", 0x10000, len(tables), 128, 3, len(tables) * 16 - 128)
    at, body = 12 + 16 * len(tables), b""
    for tag, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        out += struct.pack(">4sIII", tag, total, at + len(body), len(data))
        body += padded
    return out + body


def _cmap() -> bytes:
    """Return a character map of format 4 in which nothing is mapped."""
    return struct.pack(">HHHHHHHHHHhH", 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0)


def to_unicode() -> bytes:
    """Return the map from codes to characters (9.10.3): every code is the character itself."""
    lines = [
        "/CIDInit /ProcSet findresource begin", "12 dict begin", "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def", "/CMapType 2 def",
        "1 begincodespacerange", "<0000> <FFFF>", "endcodespacerange",
    ]  # fmt: skip
    for start in range(0, 256, 64):
        lines.append("64 beginbfrange")
        lines += [
            f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(start, start + 64)
        ]
        lines.append("endbfrange")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode()


def objects(first: int) -> list[bytes]:
    """Return the objects of the font, numbered from ``first``, which is the font itself."""
    program = truetype()
    name = NAME.encode()
    return [
        b"<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H"
        b" /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>" % (name, first + 1, first + 2),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /DW %d /FontDescriptor %d 0 R"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        b" /CIDToGIDMap %d 0 R >>" % (name, _EM, first + 3, first + 5),
        stream(to_unicode()),
        b"<< /Type /FontDescriptor /FontName /%s /Flags 5 /FontBBox [0 0 %d %d] /ItalicAngle 0"
        b" /Ascent %d /Descent 0 /CapHeight %d /StemV 80 /FontFile2 %d 0 R >>"
        % (name, _EM, _EM, _EM, _EM, first + 4),
        stream(program, b"/Length1 %d" % len(program)),
        stream(b"\0\1" * 65536),
    ]


COUNT = 6
"""How many objects the font takes."""


def stream(data: bytes, more: bytes = b"") -> bytes:
    """Return a compressed stream object."""
    packed = zlib.compress(data, 9)
    head = b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n" % (len(packed), more)
    return head + packed + b"\nendstream"

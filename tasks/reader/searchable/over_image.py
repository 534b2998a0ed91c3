"""The words over pictures: a new PDF that shows each picture, its own bytes wherever PDF allows it.

JPEG and JPEG 2000 files go in as they are, of a PNG file the compressed samples; anything else
(other formats, transparency, interlacing) is decoded and packed again without loss.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL import Image

from tasks.reader import images
from tasks.reader.searchable import font
from tasks.reader.searchable.layer import FONT_KEY, LayerPage, content
from tasks.reader.source import Source

MAX_FRAMES = 10_000
_ORIENTATION = 0x0112
_IHDR = 13
_PNG = b"\x89PNG\r\n\x1a\n"
# EXIF 2.32, 4.6.4: how a stored picture lies when it is shown, as a matrix on the unit square.
_TURNS = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}
_SPACES = {"L": b"/DeviceGray", "RGB": b"/DeviceRGB", "CMYK": b"/DeviceCMYK"}


@dataclass(frozen=True)
class _Embedded:
    """An image object, and the orientation that its viewer is asked to show it in."""

    body: bytes
    turn: int = 1


def build(source: Source, pages: Mapping[int, LayerPage], said: str) -> Iterator[bytes]:
    """Yield the copy in pieces, one page for each frame of the picture."""
    out = _Written(said)
    yield out.begin()
    with images.picture(source) as opened:
        frames = min(getattr(opened, "n_frames", 1), MAX_FRAMES)
        whole = _as_it_is(source, opened) if frames == 1 else None
        for number in range(1, frames + 1):
            embedded = whole or _packed(opened, number)
            size = _size(opened, whole)
            words = pages.get(number, LayerPage(number, *size, 300))
            yield out.page(embedded, words)
    yield out.end()


class _Written:
    """The objects of the new file: catalogue, page tree, metadata, font, then page by page."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._at = 0
        self._places: dict[int, int] = {}
        self._kids: list[int] = []
        self._font = 4
        self._next = self._font + font.COUNT

    def begin(self) -> bytes:
        """Return the head of the file with what all pages share."""
        head = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
        self._at = len(head)
        out = head + self._object(1, b"<< /Type /Catalog /Pages 2 0 R >>")
        said = b"\xfe\xff" + self._said.encode("utf-16-be")
        text = said.hex().encode()
        out += self._object(3, b"<< /Title <%s> /ZhenglianDerivative <%s> >>" % (text, text))
        for number, body in enumerate(font.objects(self._font), self._font):
            out += self._object(number, body)
        return out

    def page(self, embedded: _Embedded, words: LayerPage) -> bytes:
        """Return the objects of one page."""
        image, body, page = range(self._next, self._next + 3)
        self._next += 3
        self._kids.append(page)
        width, height = words.width * 72 / words.dpi, words.height * 72 / words.dpi
        a, b, c, d, e, f = _TURNS.get(embedded.turn, _TURNS[1])
        matrix = (a * width, b * height, c * width, d * height, e * width, f * height)
        paint = b"q %.3f %.3f %.3f %.3f %.3f %.3f cm /Image Do Q\n" % matrix
        layer = content(words, (0, 0, width, height), 0)
        about = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.3f %.3f] /Contents %d 0 R"
            b" /Resources << /XObject << /Image %d 0 R >> /Font << %s %d 0 R >> >> >>"
            % (width, height, body, image, FONT_KEY, self._font)
        )
        return (
            self._object(image, embedded.body)
            + self._object(body, font.stream(paint + layer))
            + self._object(page, about)
        )

    def end(self) -> bytes:
        """Return the page tree and the table."""
        kids = b" ".join(b"%d 0 R" % kid for kid in self._kids)
        tree = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(self._kids))
        out = self._object(2, tree)
        lines = b"".join(b"%010d 00000 n \n" % self._places[n] for n in range(1, self._next))
        table = b"xref\n0 %d\n0000000000 65535 f \n" % self._next + lines
        trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\n" % self._next
        return out + table + trailer + b"startxref\n%d\n%%%%EOF\n" % self._at

    def _object(self, number: int, body: bytes) -> bytes:
        out = b"%d 0 obj\n" % number + body + b"\nendobj\n"
        self._places[number] = self._at
        self._at += len(out)
        return out


def _size(opened: Image.Image, whole: _Embedded | None) -> tuple[int, int]:
    width, height = opened.size
    return (height, width) if whole and whole.turn > 4 else (width, height)


def _as_it_is(source: Source, opened: Image.Image) -> _Embedded | None:
    """Return a picture with its own bytes, None where PDF has no place for them."""
    space = _SPACES.get(opened.mode)
    about = b"/Type /XObject /Subtype /Image /Width %d /Height %d" % opened.size
    if opened.format == "JPEG" and space:
        turn = int(opened.getexif().get(_ORIENTATION, 1))
        # Adobe's programs store CMYK in JPEG files inverted.
        invert = b" /Decode [1 0 1 0 1 0 1 0]" if opened.mode == "CMYK" else b""
        more = b" /BitsPerComponent 8 /ColorSpace %s /Filter /DCTDecode%s" % (space, invert)
        return _Embedded(_stream(source.whole(), about + more), turn if turn in _TURNS else 1)
    if opened.format == "JPEG2000" and opened.mode in ("L", "RGB"):
        return _Embedded(_stream(source.whole(), about + b" /Filter /JPXDecode"))
    if opened.format == "PNG":
        found = png_object(source.whole(), about)
        turn = int(opened.getexif().get(_ORIENTATION, 1))
        return _Embedded(found, turn if turn in _TURNS else 1) if found else None
    return None


def png_object(data: bytes, about: bytes) -> bytes | None:
    """Return the samples of a PNG file as they are packed, None for what PDF cannot show so."""
    chunks = list(_chunks(data))
    if (
        not chunks
        or chunks[0][0] != b"IHDR"
        or len(chunks[0][1]) < _IHDR
        or any(kind == b"tRNS" for kind, _ in chunks)
    ):
        return None
    _, _, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1][:_IHDR])
    palette = next((body for kind, body in chunks if kind == b"PLTE"), b"")
    spaces = {
        0: (1, b"/DeviceGray"),
        2: (3, b"/DeviceRGB"),
        3: (1, b"[/Indexed /DeviceRGB %d <%s>]" % (len(palette) // 3 - 1, palette.hex().encode())),
    }
    if interlaced or colour not in spaces or (colour == 3 and not palette):
        return None
    colours, space = spaces[colour]
    columns = struct.unpack(">I", chunks[0][1][:4])[0]
    more = (
        b" /BitsPerComponent %d /ColorSpace %s /Filter /FlateDecode /DecodeParms"
        b" << /Predictor 15 /Colors %d /BitsPerComponent %d /Columns %d >>"
        % (bits, space, colours, bits, columns)
    )
    return _stream(b"".join(body for kind, body in chunks if kind == b"IDAT"), about + more)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _packed(opened: Image.Image, number: int) -> _Embedded:
    """Return a frame decoded, upright, and packed without loss."""
    images.turn_to(opened, number)
    image = images.upright(opened)
    if image.mode not in ("L", "RGB"):
        image = image.convert("L" if image.mode in ("1", "LA") else "RGB")
    about = b"/Type /XObject /Subtype /Image /Width %d /Height %d" % image.size
    more = b" /BitsPerComponent 8 /ColorSpace %s /Filter /FlateDecode" % _SPACES[image.mode]
    return _Embedded(_stream(zlib.compress(image.tobytes(), 6), about + more))


def _stream(data: bytes, about: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n" % (about, len(data)) + data + b"\nendstream"

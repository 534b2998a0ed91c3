"""Parsers of our own for pictures: HEIF's boxes, the end of a picture, its preview, SVG, marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tasks.reader import heif, inspection, metafile, signatures, svg
from tasks.reader.job import Refused
from tasks.reader.photo import ending
from tasks.reader.reading import Context
from tasks.reader.source import Source
from tests.fuzz.targets import Target, Unfaithful
from tests.tasks.reader import pictures_made
from tests.tasks.reader.samples import image_bytes
from tests.tasks.reader.test_metafile import WHOLE

_FORMS = ("JPEG", "PNG", "GIF", "WEBP")


def targets() -> Iterator[Target]:
    """Yield the targets of pictures; where a parser refuses, it says so and nothing else."""
    yield Target("heif", _heif, (ValueError,), _heifs)
    yield Target("picture-ending", _ending, (), _pictures)
    yield Target("picture-mark", signatures.told, (), _pictures)
    yield Target("picture", lambda data: inspection.inspect(Source(data)), (), _described)
    yield Target("svg", _svg, (Refused,), _drawings)
    yield Target("metafile", _metafile, (), lambda: WHOLE)


def _heif(data: bytes) -> None:
    found = heif.parsed(data)
    for number in found.pictures():
        if len(found.content(found.items[number], data)) > len(data):
            raise Unfaithful("an item is larger than its file")


def _ending(data: bytes) -> None:
    found = ending.find(Source(data))
    if found and not 0 <= found.trailing < max(1, len(data)):
        raise Unfaithful(f"{found.trailing} bytes behind the end of {len(data)}")


def _svg(data: bytes) -> None:
    source = Source(data)
    reading = svg.read_svg(source, Context(inspection.open_part))
    for page in reading.pages:
        if page.inside:
            svg.picture(source, page.inside[0])


def _metafile(data: bytes) -> None:
    metafile.read_metafile(Source(data), Context(inspection.open_part))


def _heifs() -> Iterable[bytes]:
    yield pictures_made.HEIC
    yield pictures_made.heic_grid(turns=1, mirrored=True)


def _pictures() -> Iterable[bytes]:
    for form in _FORMS:
        yield image_bytes(pictures_made.halves((16, 16)), form) + b"PK\x03\x04rest"


def _described() -> Iterable[bytes]:
    small = pictures_made.scene(1, (64, 48))
    yield pictures_made.jpeg_with_preview(small, small)
    yield pictures_made.jpeg_with_iptc({(2, 120): b"caption"})
    yield pictures_made.psd([("layer", 9)], 100, side=8)
    yield pictures_made.sound(0.05)


def _drawings() -> Iterable[bytes]:
    words = b'<text x="1">a<tspan>b</tspan></text>'
    yield b"<svg>" + words + b'<image href="data:image/png;base64,QQ=="/></svg>'

"""Images by Pillow: a page a frame for OCR, and what the camera wrote into the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

# 120 million pixels are an A0 sheet at 300 dpi; beyond lies a decompression bomb.
MAX_PIXELS = 120_000_000
MAX_FRAMES = 2_000
# Smaller pictures are bullets and logos in which nothing is written.
_LEAST_SIDE = 40

_KEPT = ("Make", "Model", "Software", "DateTime", "Artist", "ImageDescription")

Image.MAX_IMAGE_PIXELS = None


def preload() -> None:
    """Load every format's plugin once, so that children inherit them."""
    Image.init()


@contextmanager
def picture(source: Source) -> Iterator[Image.Image]:
    """Yield the open image without its pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(source.file()) as image:
            yield image


def read_image(source: Source, context: Context) -> Reading:
    """Describe an image; what is written in it is left to OCR."""
    reading = Reading()
    try:
        with picture(source) as image:
            reading.note("format", image.format)
            reading.note("width", image.width)
            reading.note("height", image.height)
            _exif(image, reading)
            frames = min(getattr(image, "n_frames", 1), MAX_FRAMES)
            if getattr(image, "n_frames", 1) > MAX_FRAMES:
                reading.flag("truncated")
            for frame in range(frames):
                _frame(image, frame, reading, context)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        reading.state = "damaged"
    return reading


def _frame(image: Image.Image, frame: int, reading: Reading, context: Context) -> None:
    if frame:
        image.seek(frame)
    flags: tuple[str, ...] = ()
    if image.width * image.height > MAX_PIXELS:
        flags = ("too_large",)
        reading.flag("part_not_read")
    elif min(image.size) < _LEAST_SIDE:
        flags = ("tiny",)
    context.page(reading, "", frame=frame + 1, origin="none", needs_ocr=not flags, flags=flags)


def upright(image: Image.Image) -> Image.Image:
    """Return the image turned as its EXIF orientation says, in grey or colour."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ("1", "L", "RGB"):
        return turned
    if turned.mode in ("RGBA", "LA", "PA", "P"):
        # Transparent means paper, not ink.
        layers = turned.convert("RGBA")
        paper = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(paper, layers).convert("RGB")
    return turned.convert("L" if turned.mode.startswith(("I", "F")) else "RGB")


def _exif(image: Image.Image, reading: Reading) -> None:
    exif = image.getexif()
    for tag, value in exif.items():
        name = ExifTags.TAGS.get(tag, "")
        if name in _KEPT:
            reading.note(f"exif_{name}", value)
    taken = exif.get_ifd(ExifTags.IFD.Exif)
    reading.note("exif_DateTimeOriginal", taken.get(ExifTags.Base.DateTimeOriginal))
    if exif.get_ifd(ExifTags.IFD.GPSInfo):
        reading.flag("gps")

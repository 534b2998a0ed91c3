"""Pictures by Pillow: a page a frame for OCR, and what was written into the file.

The type was told by the content; formats that Pillow knows but that no program of ours can draw
(Windows metafiles, JPEG XL, DICOM) are not in ``signatures.PICTURES`` and come out as unknown.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from tasks.reader import animation, heifimage
from tasks.reader.photo import describe
from tasks.reader.pixels import upright as upright
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

# In colour an A0 sheet at 300 dpi, in grey or in black and white three times that; beyond lies a
# decompression bomb.
MAX_PIXELS = 120_000_000
MAX_FRAMES = 2_000
# Smaller pictures are bullets and logos in which nothing is written.
_LEAST_SIDE = 40

_ANIMATED = frozenset({"GIF", "WEBP", "PNG", "AVIF", "FLI"})
# A decoder of JPEG gives an eighth of each side and no less.
_MOST_SHRUNK = 8.0
_NEW_SUBFILE_TYPE, _REDUCED = 254, 1
_MAKE, _SUB_IFDS, _DNG_VERSION = 271, 330, 50706

Image.MAX_IMAGE_PIXELS = None
# A document may start no thread, and this plugin would start one for each core.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
heifimage.register()


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


def too_large(image: Image.Image) -> bool:
    """Return whether the pixels of an image would take too much memory: 360 million bytes."""
    bytes_a_pixel = 1 if image.mode in ("1", "L") else 3 if image.mode in ("RGB", "P") else 4
    return image.width * image.height * bytes_a_pixel > 3 * MAX_PIXELS


def turn_to(image: Image.Image, number: int) -> None:
    """Turn an open picture to its frame ``number``, counted from 1.

    Of a layered file frame 1 is the whole picture, and the layers follow it.
    """
    if image.format == "PSD":
        if number > 1:
            # The plugin takes the whole picture for its first layer.
            image.frame = 0  # type: ignore[attr-defined]
            image.seek(number - 1)
    elif number > 1 or image.tell() != 0:
        image.seek(number - 1)


def frame_count(image: Image.Image) -> int:
    """Return how many frames ``turn_to`` knows."""
    count = int(getattr(image, "n_frames", 1))
    return count + 1 if image.format == "PSD" else max(1, count)


def read_image(source: Source, context: Context) -> Reading:
    """Describe an image; what is written in it is left to OCR."""
    reading = Reading()
    try:
        with picture(source) as image:
            describe.describe(image, source, reading)
            _pages(image, reading, context)
    except UnidentifiedImageError:
        reading.state = "damaged"
    except (OSError, EOFError, SyntaxError, ValueError, TypeError, KeyError, OverflowError):
        reading.state = "damaged"
    return reading


def _pages(image: Image.Image, reading: Reading, context: Context) -> None:
    try:
        count = frame_count(image)
    except (EOFError, OSError, SyntaxError, ValueError, TypeError):
        # A later page is broken: those before it are found by turning to them.
        count = MAX_FRAMES
        reading.flag("part_not_read")
    if _is_raw(image):
        reading.flag("preview_only")
    if count > 1 and "part_not_read" not in reading.flags:
        reading.note("frames", count)
    if count > 1 and image.format in _ANIMATED:
        return _of_animation(image, count, reading, context)
    if count > MAX_FRAMES:
        reading.flag("truncated")
    for number in range(1, min(count, MAX_FRAMES) + 1):
        try:
            turn_to(image, number)
        except (EOFError, OSError, SyntaxError, ValueError):
            # What comes before a broken frame is read all the same.
            reading.flag("part_not_read")
            if number == 1:
                raise
            break
        _frame(image, number, reading, context, _label(image, number, count))
    return None


def _of_animation(image: Image.Image, count: int, reading: Reading, context: Context) -> None:
    """Add the first frame and those that show something new; the others are counted."""
    reading.flag("animated")
    if too_large(image):
        return _frame(image, 1, reading, context, "")
    choice = animation.distinct(image, count, turn_to)
    reading.note("frames_read", len(choice.frames))
    if choice.thinned or choice.looked_at < count:
        reading.flag("frames_not_read")
    for number in choice.frames:
        _frame(image, number, reading, context, f"帧 frame {number}")
    return None


def _label(image: Image.Image, number: int, count: int) -> str:
    if image.format != "PSD" or count == 1:
        return ""
    if number == 1:
        return "合成图 composite"
    name = image.layers[number - 2][0]  # type: ignore[attr-defined]
    return f"图层 layer {number - 1} {name}".strip()


def shrink(image: Image.Image) -> bool:
    """Let the decoder of an image that is too large give a smaller one; return if it will.

    JPEG and JPEG 2000 are decoded at down to an eighth without ever being whole in memory.
    """
    factor = (image.width * image.height / MAX_PIXELS) ** 0.5
    if factor <= 1 or factor > _MOST_SHRUNK:
        return False
    halvings = math.ceil(math.log2(factor))
    if image.format == "JPEG":
        image.draft(None, (image.width >> halvings, image.height >> halvings))
    elif image.format == "JPEG2000":
        image.reduce = halvings  # type: ignore[method-assign, assignment]
        image.load()
    return not too_large(image)


def _frame(image: Image.Image, number: int, reading: Reading, context: Context, label: str) -> None:
    flags: tuple[str, ...] = ()
    if too_large(image) and not _shrinks(image):
        flags = ("too_large",)
        reading.flag("part_not_read")
    elif min(image.size) < _LEAST_SIDE:
        flags = ("tiny",)
    elif number > 1 and _is_reduced(image):
        flags = ("reduced_copy",)
    context.page(
        reading, "", frame=number, label=label, origin="none", needs_ocr=not flags, flags=flags
    )


def _shrinks(image: Image.Image) -> bool:
    """Whether ``shrink`` will be able to make this image small enough, by its format alone."""
    if image.width * image.height > MAX_PIXELS * _MOST_SHRUNK**2:
        return False
    return image.format in ("JPEG", "JPEG2000")


def _is_raw(image: Image.Image) -> bool:
    """Whether this is a camera's raw file, of which only the small built-in picture is drawn."""
    tags = getattr(image, "tag_v2", None) or {}
    return image.format == "TIFF" and (_DNG_VERSION in tags or {_MAKE, _SUB_IFDS} <= set(tags))


def _is_reduced(image: Image.Image) -> bool:
    """Whether this frame of a TIFF is a smaller copy of another (TIFF 6.0, NewSubfileType)."""
    tags = getattr(image, "tag_v2", None)
    return tags is not None and bool(int(tags.get(_NEW_SUBFILE_TYPE, 0) or 0) & _REDUCED)

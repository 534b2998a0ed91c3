"""The own pixels of a scanned page: what the scanner saw, not what a renderer makes of it.

Only where the page is one image and nothing else that is seen: the image covers the page, lies
on it straight or turned by quarters, and nothing visible is painted over it. Everything else is
rendered. PDFium decodes the image (JPEG, JPEG 2000, JBIG2, CCITT, CMYK, indexed and inverted
colours); stencils and masked images are composed on white, as they are seen.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image, ImageOps

from tasks.reader.pdf_marks import Box, Matrix, objects, times

_COVER = 0.98
_STRAIGHT = 0.01
_MAX_OBJECTS = 5000
_MAX_POINTS = 200
# Pixels that differ more than this from squares are made square, as a fax is.
_SQUARE = 1.05
_DARK = 64
_INVISIBLE_MODES = (3, 7)
_LINK = raw.FPDF_ANNOT_LINK


class Scan(NamedTuple):
    """A page's own image, upright as the page is shown, and its resolution on the page."""

    image: Image.Image
    dpi: int


def scan_image(document: Any, index: int, most_pixels: int) -> Scan | None:
    """Return the image that page ``index`` (from 0) is, None where it has to be rendered.

    An image of more than ``most_pixels`` is left to the renderer, which reduces it on the way.
    """
    page = document[index]
    try:
        found = _only_image(page)
        if found is None:
            return None
        handle, matrix = found
        image = _pixels(document, page, handle, most_pixels)
        if image is None:
            return None
        image = _turned(image, matrix)
        if page.get_rotation():
            image = image.rotate(-page.get_rotation(), expand=True)
        return _squared(image, *page.get_size())
    except pdfium.PdfiumError:
        return None
    finally:
        page.close()


def _only_image(page: Any) -> tuple[Any, Matrix] | None:
    """Return the one image that a page shows, and how it lies on the page."""
    box, found = page.get_bbox(), None
    for number, (handle, at, above) in enumerate(objects(page)):
        kind = raw.FPDFPageObj_GetType(handle)
        if number > _MAX_OBJECTS or (kind == raw.FPDF_PAGEOBJ_IMAGE and found):
            return None
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            if not _covers(at, box) or not _unclipped(handle, box):
                return None
            found = handle, times(_matrix(handle), above)
        elif found and not _unseen(handle, kind):
            return None
    if found is None or not _bare(page):
        return None
    straight = all(abs(value) < _STRAIGHT * _length(found[1]) for value in found[1][1:3])
    turned = all(abs(found[1][at]) < _STRAIGHT * _length(found[1]) for at in (0, 3))
    return found if straight or turned else None


def _bare(page: Any) -> bool:
    """Return whether nothing is pinned to the page but links, which show nothing."""
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        held = raw.FPDFPage_GetAnnot(page, index)
        kind = raw.FPDFAnnot_GetSubtype(held) if held else _LINK
        if held:
            raw.FPDFPage_CloseAnnot(held)
        if kind not in (_LINK, raw.FPDF_ANNOT_POPUP):
            return False
    return True


def _unseen(handle: Any, kind: int) -> bool:
    text = kind == raw.FPDF_PAGEOBJ_TEXT
    return text and raw.FPDFTextObj_GetTextRenderMode(handle) in _INVISIBLE_MODES


def _covers(image: Box, page: Box) -> bool:
    """Return whether an image fills the page, and does not reach beyond what is seen of it."""
    width, height = page[2] - page[0], page[3] - page[1]
    slack = (1 - _COVER) * max(width, height)
    return all(abs(one - two) <= slack for one, two in zip(image, page, strict=True))


def _unclipped(handle: Any, page: Box) -> bool:
    """Return whether what clips an image, if anything does, leaves all of the page."""
    clip = raw.FPDFPageObj_GetClipPath(handle)
    count = raw.FPDFClipPath_CountPaths(clip) if clip else 0
    for path in range(max(0, count)):
        across, up = [], []
        segments = raw.FPDFClipPath_CountPathSegments(clip, path)
        for at in range(min(segments, _MAX_POINTS)):
            x, y = ctypes.c_float(), ctypes.c_float()
            segment = raw.FPDFClipPath_GetPathSegment(clip, path, at)
            if raw.FPDFPathSegment_GetPoint(segment, x, y):
                across.append(x.value)
                up.append(y.value)
        if segments > 6 or not across:
            return False
        slack = (1 - _COVER) * (page[2] - page[0])
        inside = min(across) > page[0] + slack or max(across) < page[2] - slack
        if inside or min(up) > page[1] + slack or max(up) < page[3] - slack:
            return False
    return True


def _pixels(document: Any, page: Any, handle: Any, most: int) -> Image.Image | None:
    """Return the decoded image, None where it is too large or cannot be decoded."""
    width, height = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(handle, width, height):
        return None
    if not 0 < width.value * height.value <= most:
        return None
    stencil = _is_stencil(page, handle)
    if raw.FPDFPageObj_HasTransparency(handle):
        return None
    if not _paints_black(handle) if stencil else _masked(document, page, handle):
        return None
    bitmap = raw.FPDFImageObj_GetBitmap(handle)
    if not bitmap:
        return None
    image: Image.Image = pdfium.PdfBitmap.from_raw(bitmap).to_pil().copy()
    if (image.width, image.height) != (width.value, height.value):
        return None
    if stencil:
        return ImageOps.invert(image.convert("L"))
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _is_stencil(page: Any, handle: Any) -> bool:
    """Return whether an image has no colours and lets one through (8.9.6.2)."""
    about = raw.FPDF_IMAGEOBJ_METADATA()
    raw.FPDFImageObj_GetImageMetadata(handle, page, about)
    unknown = about.colorspace == raw.FPDF_COLORSPACE_UNKNOWN
    return bool(unknown and about.bits_per_pixel == 1)


def _paints_black(handle: Any) -> bool:
    parts = [ctypes.c_uint() for _ in range(4)]
    if not raw.FPDFPageObj_GetFillColor(handle, *parts):
        return False
    return max(part.value for part in parts[:3]) < _DARK and parts[3].value == 255


def _masked(document: Any, page: Any, handle: Any) -> bool:
    """Return whether parts of an image are not painted: its picture on the page has gaps."""
    bitmap = raw.FPDFImageObj_GetRenderedBitmap(document, page, handle)
    if not bitmap:
        return True
    shown = pdfium.PdfBitmap.from_raw(bitmap)
    if shown.format not in (raw.FPDFBitmap_BGRA,):
        return False
    alpha = shown.to_pil().getchannel("A")
    # The outermost pixels are blended with what is around the image.
    inner = alpha.crop((2, 2, max(3, alpha.width - 2), max(3, alpha.height - 2)))
    return bool(inner.getextrema()[0] < 255)


def _matrix(handle: Any) -> Matrix:
    found = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(handle, found)
    return found.a, found.b, found.c, found.d, found.e, found.f


def _length(matrix: Matrix) -> float:
    return max(abs(value) for value in matrix[:4])


def _turned(image: Image.Image, matrix: Matrix) -> Image.Image:
    """Return an image as its matrix lays it on the page: flipped, turned by a quarter, or both."""
    a, b, c, d, _, _ = matrix
    if abs(a) > abs(b):
        if a < 0:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if d < 0 else image
    ways = {
        (True, False): Image.Transpose.ROTATE_90,
        (False, True): Image.Transpose.ROTATE_270,
        (True, True): Image.Transpose.TRANSVERSE,
        (False, False): Image.Transpose.TRANSPOSE,
    }
    return image.transpose(ways[b > 0, c > 0])


def _squared(image: Image.Image, width: float, height: float) -> Scan:
    """Return an image with square pixels, and how many there are to an inch of the page."""
    across, up = image.width * 72 / width, image.height * 72 / height
    finer = max(across, up)
    if finer > _SQUARE * min(across, up):
        size = round(image.width * finer / across), round(image.height * finer / up)
        image = image.resize(size, Image.Resampling.BICUBIC)
    return Scan(image, max(1, round(finer)))

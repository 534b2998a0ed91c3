"""HEIF pictures for Pillow: decoded by FFmpeg's libraries, put together from their tiles."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile

from tasks.reader import heif

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PIXELS = 120_000_000
_MAX_TILES = 4096
_TRANSFORMS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180,
               3: Image.Transpose.ROTATE_270}  # fmt: skip
# AVCOL_RANGE_JPEG: all 256 shades are used.
_FULL_RANGE = 2


class HeifImageFile(ImageFile.ImageFile):
    """One HEIF file; frames are its pictures, the one that is shown first.

    Its turns and mirrors are applied: the orientation in its EXIF block must not be again.
    """

    format = "HEIF"
    format_description = "High Efficiency Image File Format"
    _pictures: Sequence[int] = ()
    _frame = 0
    _decoded = False

    def _open(self) -> None:
        assert self.fp is not None
        self._file = self.fp.read()
        try:
            self._container = heif.parsed(self._file)
        except ValueError as error:
            raise SyntaxError(str(error)) from error
        self._pictures = self._container.pictures()
        if not self._pictures:
            raise SyntaxError("there is no picture in it")
        self.n_frames = len(self._pictures)
        self.is_animated = False
        self._note_metadata()
        self._turn_to(0)

    def seek(self, frame: int) -> None:
        """Turn to a picture, counted from 0."""
        if not 0 <= frame < len(self._pictures):
            raise EOFError("no such picture")
        self._turn_to(frame)

    def tell(self) -> int:
        """Return the number of the picture that is open."""
        return self._frame

    def load(self) -> Any:
        """Decode the picture that is open."""
        if not self._decoded:
            image = self._shown(self._pictures[self._frame])
            self.im = image.im
            self._size, self._mode, self._decoded = image.size, image.mode, True
        return Image.Image.load(self)

    def _turn_to(self, frame: int) -> None:
        item = self._container.items[self._pictures[frame]]
        extent = item.property(b"ispe")
        if len(extent) < 12:
            raise SyntaxError("a picture has no size")
        width, height = struct.unpack_from(">II", extent, 4)
        quarter_turns = sum(b[0] & 3 for kind, b in item.properties if kind == b"irot" and b)
        self._size = (height, width) if quarter_turns % 2 else (width, height)
        if not width or not height:
            raise SyntaxError("a picture has no size")
        self._frame, self._decoded, self._mode = frame, False, "RGB"
        self.tile = []

    def _note_metadata(self) -> None:
        exif = self._container.first(b"Exif")
        block = self._container.content(exif, self._file) if exif else b""
        if len(block) > 4:
            # ISO/IEC 23008-12, A.2.1: how far the TIFF header is from here.
            start = 4 + int.from_bytes(block[:4], "big")
            self.info["exif"] = b"Exif\0\0" + block[start:]
        if packet := self._container.first(b"mime", b"rdf+xml"):
            self.info["xmp"] = self._container.content(packet, self._file)
        colour = self._container.items[self._pictures[0]].property(b"colr")
        if colour[:4] in (b"prof", b"rICC"):
            self.info["icc_profile"] = colour[4:]

    def _shown(self, number: int) -> Image.Image:
        """Return an item as it is shown: decoded, then cropped, turned and mirrored in order."""
        item = self._container.items[number]
        image = self._decode(item, depth=0)
        for kind, body in item.properties:
            if kind == b"clap" and len(body) >= 32:
                image = _cropped(image, struct.unpack_from(">IIIIiIiI", body))
            elif kind == b"irot" and body and body[0] & 3:
                image = image.transpose(_TRANSFORMS[body[0] & 3])
            elif kind == b"imir" and body:
                flip = (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT)
                image = image.transpose(flip[body[0] & 1])
        return image

    def _decode(self, item: heif.Item, depth: int) -> Image.Image:
        content = self._container.content(item, self._file)
        if item.kind == b"grid" and depth == 0:
            return self._of_tiles(item, content)
        if item.kind in (b"hvc1", b"hev1"):
            return _decoded("hevc", item.property(b"hvcC"), content, item.property(b"colr"))
        if item.kind == b"av01":
            return _decoded("libdav1d", b"", content, item.property(b"colr"))
        if item.kind == b"jpeg":
            with Image.open(io.BytesIO(item.property(b"jpgC") + content), formats=["JPEG"]) as part:
                return part.convert("RGB")
        raise OSError("a part of a kind that nobody decodes")

    def _of_tiles(self, item: heif.Item, content: bytes) -> Image.Image:
        """Return a picture put together from its tiles (ISO/IEC 23008-12, 6.6.2.3)."""
        if len(content) < 8:
            raise OSError("a grid without a size")
        rows, columns = content[2] + 1, content[3] + 1
        width, height = struct.unpack_from(">II" if content[1] & 1 else ">HH", content, 4)
        tiles = item.refers.get(b"dimg", [])
        if not tiles or len(tiles) < rows * columns or len(tiles) > _MAX_TILES:
            raise OSError("a grid without its tiles")
        if width * height > MAX_PIXELS:
            raise OSError("the picture is too large")
        whole = Image.new("RGB", (width, height))
        read = 0
        for place, number in enumerate(tiles[: rows * columns]):
            try:
                tile = self._decode(self._container.items[number], depth=1)
            except (OSError, KeyError):
                # As with other formats, what there is of a broken picture is given when asked for.
                if not ImageFile.LOAD_TRUNCATED_IMAGES:
                    raise OSError("a tile is missing") from None
                continue
            read += 1
            whole.paste(tile, (place % columns * tile.width, place // columns * tile.height))
        if not read:
            raise OSError("no tile can be decoded")
        return whole


def _decoded(codec: str, configuration: bytes, content: bytes, colour: bytes) -> Image.Image:
    """Return one coded picture."""
    import av

    av.logging.set_level(av.logging.PANIC)
    context: Any = av.CodecContext.create(codec, "r")
    if configuration:
        context.extradata = configuration
    # A document may start no thread; a picture larger than the bound is not begun.
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)}
    full = colour[:4] == b"nclx" and len(colour) > 10 and bool(colour[10] & 0x80)
    shades = {"src_color_range": _FULL_RANGE} if full else {}
    try:
        for packet in (av.Packet(content), None):
            for frame in context.decode(packet):
                image: Image.Image = frame.to_image(threads=1, **shades)
                return image
    except (av.FFmpegError, ValueError) as error:
        raise OSError("the picture is damaged") from error
    raise OSError("the picture is empty")


def _cropped(image: Image.Image, clap: Sequence[int]) -> Image.Image:
    """Return the clean aperture (ISO/IEC 14496-12, 12.1.4): sizes and offsets from the middle."""
    width_n, width_d, height_n, height_d, x_n, x_d, y_n, y_d = clap
    if not (width_d and height_d and x_d and y_d):
        return image
    width, height = width_n / width_d, height_n / height_d
    left = (image.width - width) / 2 + x_n / x_d
    top = (image.height - height) / 2 + y_n / y_d
    box = tuple(round(each) for each in (left, top, left + width, top + height))
    if not (0 <= box[0] < box[2] <= image.width and 0 <= box[1] < box[3] <= image.height):
        return image
    return image.crop((box[0], box[1], box[2], box[3]))


def register() -> None:
    """Make Pillow know the format."""
    Image.register_open(HeifImageFile.format, HeifImageFile, _is_heif)


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
"""Brands of files that this module opens; sequences are films."""

"""Pictures, seals, sound and video made here, most of them by writers that are not our readers."""

from __future__ import annotations

import base64
import io
import math
import struct
import wave
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFont

from tasks.reader import heif
from tests.tasks.reader import samples

RED, BLUE = (200, 30, 30), (20, 30, 200)

# 96 x 64, the left half RED and the right BLUE, EXIF make "Zhong": by the encoder of pillow-heif
# 1.8, which is no dependency because it brings an encoder that nobody here needs.
HEIC = base64.b64decode("""
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAZdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA
AAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAABuwABAAAAAAAAAIoAAgAAAAACRQABAAAAAAAAACoAAAA4aWluZgAAAAAA
AgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA1mlwcnAAAAC3
aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAr
QgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAAB
AA0ABoAAAAAUaXNwZQAAAAAAAABgAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAABpp
cmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAvG1kYXQAAACGKAGvCeDjR5y6r//+jG///hGnkP2uLqSCU//sDuHfw1Mf/3EW
GsWVHRrscffxvs5xXwE6/9bqFNvozj2iSH4wYj/kQ4Wi2VHSOVwAOYWOz4Ud6S9x1UeWp1q5qyGDvfZYzKhDpfTbx3b5
uCFN3Nbz4/b/uepsfk11u9NgtPJYPc+XvLZXoZwAAAAGRXhpZgAATU0AKgAAAAgAAQEPAAIAAAAGAAAAGgAAAABaaG9u
ZwA=
""")


def heic_grid(*, turns: int = 0, mirrored: bool = False, lost: int = 0) -> bytes:
    """Return a HEIF file of two by two tiles, each of them HEIC's picture, cut to 150 x 100.

    ``turns`` are quarter turns against the clock; a thumbnail lies beside. Of so many of the
    last tiles there is nothing (``lost``).
    """
    tile = heif.parsed(HEIC)
    item = tile.items[tile.primary]
    content = tile.content(item, HEIC)
    grid = struct.pack(">BBBBHH", 0, 0, 1, 1, 150, 100)
    properties = [_box(b"hvcC", item.property(b"hvcC")), _box(b"ispe", bytes(4), 96, 64),
                  _box(b"ispe", bytes(4), 150, 100), _box(b"irot", bytes([turns]))]  # fmt: skip
    owned = {number: [1, 2] for number in (2, 3, 4, 5, 6)} | {1: [3] + ([4] if turns else [])}
    if mirrored:
        properties.append(_box(b"imir", b"\1"))
        owned[1].append(5)
    kinds = b"".join(
        _box(b"infe", struct.pack(">BBHHH", 2, 0, n in (2, 3, 4, 5), n, 0), kind + b"\0")
        for n, kind in ((1, b"grid"), *((n, b"hvc1") for n in range(2, 7)))
    )
    links = _box(b"dimg", struct.pack(">HH4H", 1, 4, 2, 3, 4, 5))
    links += _box(b"thmb", struct.pack(">HHH", 6, 1, 1))
    owned_bytes = b"".join(
        struct.pack(">HB", n, len(each)) + bytes(each) for n, each in owned.items()
    )
    start = struct.pack(">4sI", b"pict", 0)

    def meta(offset: int) -> bytes:
        places = struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(grid))
        for number in range(2, 7):
            there = len(content) if number < 6 - lost else 1
            places += struct.pack(">HHHHII", number, 0, 0, 1, offset, there)
        return _box(
            b"meta", bytes(4), _box(b"hdlr", bytes(8), start, bytes(13)),
            _box(b"pitm", bytes(5), b"\1"),
            _box(b"iinf", bytes(4), struct.pack(">H", 6), kinds),
            _box(b"iloc", b"\1\0\0\0", b"\x44\0", struct.pack(">H", 6), places),
            _box(b"iref", bytes(4), links), _box(b"idat", grid),
            _box(b"iprp", _box(b"ipco", *properties),
                 _box(b"ipma", bytes(4), struct.pack(">I", len(owned)), owned_bytes)),
        )  # fmt: skip

    head = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", content)


def _box(kind: bytes, *parts: bytes | int) -> bytes:
    body = b"".join(each if isinstance(each, bytes) else struct.pack(">I", each) for each in parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def halves(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Return a picture whose left half is RED and whose right half is BLUE."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Return a picture with features, another one for each seed."""
    image = Image.new("RGB", size, (230, 225, 215))
    draw = ImageDraw.Draw(image)
    for step in range(14):
        x, y = (seed * 97 + step * 61) % size[0], (seed * 53 + step * 89) % size[1]
        shade = (seed * 31 + step * 45) % 200
        draw.ellipse([x - 30, y - 24, x + 30, y + 24], fill=(shade, 255 - shade, 60))
    return image


def jpeg_with_preview(image: Image.Image, preview: Image.Image) -> bytes:
    """Return a JPEG whose EXIF block holds ``preview`` in its second directory."""
    small = samples.image_bytes(preview.resize((160, 120)), "JPEG")
    first = 8 + 2 + 4
    second = 2 + 2 * 12 + 4
    tiff = b"MM\0*" + struct.pack(">IHI", 8, 0, first)
    tiff += struct.pack(">HHHIIHHIII", 2, 513, 4, 1, first + second, 514, 4, 1, len(small), 0)
    return samples.image_bytes(image, "JPEG", exif=b"Exif\0\0" + tiff + small)


def jpeg_with_iptc(fields: dict[tuple[int, int], bytes]) -> bytes:
    """Return a JPEG with IPTC fields in Photoshop's resources."""
    block = b"".join(b"\x1c" + struct.pack(">BBH", *key, len(v)) + v for key, v in fields.items())
    resource = (
        b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block + b"\0" * (len(block) % 2)
    )
    content = b"Photoshop 3.0\0" + resource
    plain = samples.image_bytes(halves(), "JPEG")
    return plain[:2] + b"\xff\xed" + struct.pack(">H", len(content) + 2) + content + plain[2:]


def psd(layers: Sequence[tuple[str, int]], composite: int, side: int = 64) -> bytes:
    """Return a layered file in grey: each layer a name and its one shade."""
    plane = side * side
    records, channels = b"", b""
    for name, shade in layers:
        records += struct.pack(">4iHhI", 0, 0, side, side, 1, 0, plane + 2)
        records += b"8BIMnorm" + bytes([255, 0, 0, 0])
        label = bytes([len(name)]) + name.encode()
        label += bytes(-len(label) % 4)
        records += struct.pack(">III", 8 + len(label), 0, 0) + label
        channels += b"\0\0" + bytes([shade]) * plane
    info = struct.pack(">h", len(layers)) + records + channels
    info += bytes(len(info) % 2)
    section = struct.pack(">I", len(info)) + info + bytes(4)
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 1, side, side, 8, 1)
    body = bytes(8) + struct.pack(">I", len(section)) + section
    return head + body + b"\0\0" + bytes([composite]) * plane


def round_seal(
    text: str, size: int = 420, colour: tuple[int, int, int] = (215, 40, 45)
) -> Image.Image:
    """Return a company's round seal: a ring, a star, the name along the edge."""
    image = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(image)
    thick = size // 36
    draw.ellipse([thick, thick, size - thick, size - thick], outline=colour, width=thick)
    font = ImageFont.truetype(samples.FONT, size // 8)
    star = [
        (size / 2 + r * math.sin(i * math.pi / 5), size / 2 - r * math.cos(i * math.pi / 5))
        for i in range(10)
        for r in (size * (0.13 if i % 2 == 0 else 0.05),)
    ]
    draw.polygon(star, fill=colour)
    for place, character in enumerate(text):
        angle = math.radians(-130 + 260 * place / (len(text) - 1))
        glyph = Image.new("L", (size // 6, size // 6), 0)
        middle = (size // 12, size // 12)
        ImageDraw.Draw(glyph).text(middle, character, font=font, fill=255, anchor="mm")
        glyph = glyph.rotate(-math.degrees(angle), resample=Image.Resampling.BICUBIC)
        x = size / 2 + size * 0.385 * math.sin(angle) - glyph.width / 2
        y = size / 2 - size * 0.385 * math.cos(angle) - glyph.height / 2
        image.paste(Image.new("RGB", glyph.size, colour), (int(x), int(y)), glyph)
    return image


def square_seal(size: int = 240, colour: tuple[int, int, int] = (30, 50, 200)) -> Image.Image:
    """Return a person's square seal."""
    image = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle([6, 6, size - 6, size - 6], outline=colour, width=9)
    font = ImageFont.truetype(samples.FONT, size // 3)
    draw.text((size // 2, size // 2), "张三\n之印", font=font, fill=colour, anchor="mm")
    return image


def stamped(page: Image.Image, seals: Sequence[tuple[Image.Image, tuple[int, int]]]) -> Image.Image:
    """Return a page with seals printed over it, as ink darkens paper."""
    layer = Image.new("RGB", page.size, "white")
    for seal, place in seals:
        layer.paste(seal, place)
    return ImageChops.multiply(page.convert("RGB"), layer)


def sound(seconds: float = 1.0) -> bytes:
    """Return a WAV file of silence."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(seconds * 8000) * 2))
    return out.getvalue()


def video(
    scenes: Sequence[Image.Image],
    form: str = "mp4",
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Return a video that shows each scene for four seconds, at two pictures a second."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream("libx264", rate=2, options={"threads": "1"})
        stream.width, stream.height = scenes[0].size
        stream.pix_fmt = "yuv420p"
        for number in range(len(scenes) * 8):
            frame = av.VideoFrame.from_image(scenes[number // 8])
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()

"""Sheets of paper as images: typeset Chinese pages, seals and signatures, on A4 at 200 dpi."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SONG = Path("/usr/share/fonts/truetype/arphic/uming.ttc")
HEI = Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")
DPI = 200
SIZE = (1654, 2339)
_INK = "#222222"
_CLOSERS = "，。、；：！？）》」”"


def font(path: Path, points: float) -> ImageFont.FreeTypeFont:
    """Return a font at a size in points; basic layout, so that every machine sets it alike."""
    pixels = round(points * DPI / 72)
    return ImageFont.truetype(str(path), pixels, layout_engine=ImageFont.Layout.BASIC)


@dataclass
class Sheet:
    """One page that is filled from the top; coordinates are pixels."""

    margin: int = 210
    leading: float = 1.75
    image: Image.Image = field(default_factory=lambda: Image.new("L", SIZE, 255))
    y: int = 230

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        """Return a pen on the image."""
        return ImageDraw.Draw(self.image)

    def title(self, text: str, points: float = 20) -> None:
        """Set a centred heading."""
        face = font(HEI, points)
        left = (SIZE[0] - face.getlength(text)) / 2
        self.draw.text((left, self.y), text, fill=_INK, font=face)
        self.y += round(face.size * 2)

    def line(self, text: str, points: float = 12, face: Path = SONG, right: bool = False) -> None:
        """Set one line as it is."""
        chosen = font(face, points)
        left = SIZE[0] - self.margin - chosen.getlength(text) if right else self.margin
        self.draw.text((left, self.y), text, fill=_INK, font=chosen)
        self.y += round(chosen.size * self.leading)

    def paragraph(self, text: str, points: float = 12, indent: bool = True) -> None:
        """Break text into lines; no line begins with a closing mark."""
        chosen = font(SONG, points)
        width = SIZE[0] - 2 * self.margin
        current = "　　" if indent else ""
        for each in text:
            if chosen.getlength(current + each) > width and each not in _CLOSERS:
                self.line(current, points)
                current = ""
            current += each
        self.line(current, points)

    def table(
        self, rows: list[list[str]], widths: list[int], points: float = 11, rise: float = 2
    ) -> None:
        """Set a ruled table; the first row is in bold face."""
        height = round(points * DPI / 72 * rise)
        for number, row in enumerate(rows):
            left = self.margin
            for text, width in zip(row, widths, strict=True):
                self.draw.rectangle(
                    (left, self.y, left + width, self.y + height), outline=_INK, width=2
                )
                face = font(HEI if number == 0 else SONG, points)
                self.draw.text(
                    (left + 14, self.y + round(height - face.size) // 2), text, fill=_INK, font=face
                )
                left += width
            self.y += height
        self.y += height // 2

    def gap(self, pixels: int) -> None:
        """Leave white space."""
        self.y += pixels

    def stamp(self, seal: Image.Image, centre: tuple[int, int]) -> None:
        """Press a seal onto the page; the ink darkens what is there and hides nothing."""
        mask = seal.convert("L").point(lambda v: 255 - v)
        colour = self.image.mode == "RGB"
        ink = Image.new(self.image.mode, seal.size, (196, 30, 42) if colour else 105)
        corner = (centre[0] - seal.width // 2, centre[1] - seal.height // 2)
        self.image.paste(ink, corner, mask.point(lambda v: v * 3 // 4))

    def sign(self, name: str, at: tuple[int, int], seed: int) -> None:
        """Write a name by hand: slanted, uneven, in a thin pen."""
        written = handwriting(name, seed)
        self.image.paste("#323232", at, written)


def handwriting(name: str, seed: int) -> Image.Image:
    """Return a signature as a mask."""
    chance = random.Random(seed)  # noqa: S311 - a drawing, no secret
    face = font(SONG, 21)
    mask = Image.new("L", (int(face.size * (len(name) + 1.5)), int(face.size * 2.2)), 0)
    left = face.size * 0.4
    for each in name:
        glyph = Image.new("L", (int(face.size * 1.6), int(face.size * 1.7)), 0)
        ImageDraw.Draw(glyph).text((face.size * 0.3, face.size * 0.2), each, fill=255, font=face)
        slant = -0.28 - chance.random() * 0.1
        glyph = glyph.transform(
            glyph.size,
            Image.Transform.AFFINE,
            (1, -slant, slant * glyph.height / 2, chance.uniform(-0.08, 0.08), 1, 0),
            Image.Resampling.BICUBIC,
        ).rotate(chance.uniform(-6, 6), Image.Resampling.BICUBIC)
        mask.paste(255, (int(left), int(chance.uniform(0, face.size * 0.25))), glyph)
        left += face.size * chance.uniform(0.72, 0.86)
    return mask


def seal(text: str, below: str, diameter: int = 330) -> Image.Image:
    """Return a round company seal, black on white: ring, star, name along the arc."""
    image = Image.new("L", (diameter, diameter), 255)
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, diameter - 5, diameter - 5), outline=0, width=8)
    centre = diameter / 2
    _star(draw, centre, diameter * 0.15)
    face = ImageFont.truetype(
        str(SONG), round(diameter * 0.115), layout_engine=ImageFont.Layout.BASIC
    )
    span = min(4.4, 0.36 * len(text))
    for number, each in enumerate(text):
        angle = -span / 2 + span * (number + 0.5) / len(text)
        glyph = Image.new("L", (round(face.size * 1.4),) * 2, 0)
        ImageDraw.Draw(glyph).text((face.size * 0.2,) * 2, each, fill=255, font=face)
        glyph = glyph.rotate(-math.degrees(angle), Image.Resampling.BICUBIC)
        radius = diameter * 0.385
        x = centre + radius * math.sin(angle) - glyph.width / 2
        y = centre - radius * math.cos(angle) - glyph.height / 2
        image.paste(0, (round(x), round(y)), glyph)
    small = ImageFont.truetype(
        str(SONG), round(diameter * 0.095), layout_engine=ImageFont.Layout.BASIC
    )
    draw.text((centre - small.getlength(below) / 2, diameter * 0.72), below, fill=0, font=small)
    return image


def _star(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    points = []
    for corner in range(10):
        angle = math.pi * corner / 5
        reach = radius if corner % 2 == 0 else radius * 0.382
        points.append((centre + reach * math.sin(angle), centre - reach * math.cos(angle)))
    draw.polygon(points, fill=0)

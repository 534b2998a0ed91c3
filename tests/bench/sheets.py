"""Pages with known text: contracts, tables, columns, seals, vertical writing, at 300 dpi on A4.

Every function takes chance and gives a page. Text is made of clauses with names, numbers and
dates drawn for each page, so that no two pages are alike and no word list helps.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFont

from tests.bench.clauses import clause, english_clause, goods, heading, long_name

DPI = 300
WIDTH, HEIGHT, MARGIN = 2480, 3508, 230
SIZE, LEADING = 46, 82
INK = (25, 25, 30)
RED = (200, 40, 40)

_HEI = "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
_SONG = "/usr/share/fonts/truetype/arphic/uming.ttc"
_LATIN = str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")
# What may not begin a line in Chinese.
_CLOSING = "，。；：、）》」！？"


@dataclass(frozen=True)
class Sheet:
    """A page and the texts that a reader may give for it, lines parted as they stand."""

    image: Image.Image
    texts: tuple[str, ...]


@cache
def font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font; the same one is used for many pages."""
    return ImageFont.truetype(path, size)


@dataclass
class _Paper:
    """A page being written on, from the top down; ``said`` is what stands there, line by line."""

    face: str
    size: int = SIZE

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.y = MARGIN
        self.said: list[str] = []

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        return font(self.face, self.size)

    def line(self, text: str, x: float = MARGIN, *, size: int = 0) -> None:
        """Write one line and go on to the next."""
        self.draw.text((x, self.y), text, font=font(self.face, size or self.size), fill=INK)
        self.said.append(text)
        self.y += LEADING * (size or self.size) // SIZE

    def title(self, text: str) -> None:
        """Write a heading in the middle, larger, with space below."""
        width = font(self.face, 64).getlength(text)
        self.line(text, (WIDTH - width) / 2, size=64)
        self.y += 40

    def paragraph(self, text: str, x: float, width: float, *, indent: int = 2) -> None:
        """Write a paragraph, broken where the width ends."""
        for number, line in enumerate(_broken(text, self.font, width, indent * self.size)):
            self.line(line, x + (indent * self.size if number == 0 else 0))

    def done(self, *others: str) -> Sheet:
        return Sheet(self.image, ("\n".join(self.said), *others))


def _broken(text: str, face: ImageFont.FreeTypeFont, width: float, indent: float) -> list[str]:
    """Return the lines of a paragraph: between Han anywhere, else between words."""
    lines, line, room = [], "", width - indent
    for piece in _pieces(text):
        if line and face.getlength((line + piece).rstrip()) > room and piece not in _CLOSING:
            lines.append(line.rstrip())
            line, room = "", width
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """Return what is not parted at the end of a line: a Han character, or a word and its space."""
    pieces: list[str] = []
    for letter in text:
        last = pieces[-1][-1] if pieces else " "
        if letter < "\u2e80" and last < "\u2e80" and last != " ":
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def _face(chance: random.Random) -> str:
    return chance.choice((_HEI, _SONG))


def _full(paper: _Paper, chance: random.Random) -> None:
    number = 1
    while paper.y < HEIGHT - MARGIN - 4 * LEADING:
        paper.paragraph(f"第{number}条 {clause(chance)}", MARGIN, WIDTH - 2 * MARGIN)
        number += 1


def chinese(chance: random.Random) -> Sheet:
    """Return a page of a contract in Chinese, in one of two faces."""
    paper = _Paper(_face(chance))
    paper.title(heading(chance))
    _full(paper, chance)
    return paper.done()


def english(chance: random.Random) -> Sheet:
    """Return a page of a contract in English."""
    paper = _Paper(_LATIN, 42)
    paper.title("CONFIDENTIALITY AGREEMENT")
    number = 1
    while paper.y < HEIGHT - MARGIN - 5 * LEADING:
        text = f"{number}. {english_clause(chance)}"
        paper.paragraph(text, MARGIN, WIDTH - 2 * MARGIN, indent=0)
        paper.y += 20
        number += 1
    return paper.done()


def mixed(chance: random.Random) -> Sheet:
    """Return a page with Chinese and English by turns."""
    paper = _Paper(_HEI)
    paper.title(heading(chance))
    while paper.y < HEIGHT - MARGIN - 7 * LEADING:
        paper.paragraph(clause(chance), MARGIN, WIDTH - 2 * MARGIN)
        paper.paragraph(english_clause(chance), MARGIN, WIDTH - 2 * MARGIN, indent=0)
    return paper.done()


_EDGES = (230, 370, 900, 1330, 1530, 1780, 2250)
_HEADS = ("序号", "产品名称", "规格型号", "数量", "单价", "金额（元）")


def _table(paper: _Paper, chance: random.Random, rows: int, *, ruled: bool) -> None:
    """Write a table of goods; numbers end at the right of their column."""
    height, top = 104, paper.y
    for number in range(rows + 1):
        cells = goods(chance, number) if number else _HEADS
        for column, text in enumerate(cells):
            left, right = _EDGES[column] + 24, _EDGES[column + 1] - 24
            flush = number and column > 2
            x = right - paper.font.getlength(text) if flush else left
            paper.draw.text((x, top + number * height + 26), text, font=paper.font, fill=INK)
        paper.said.append("\t".join(text for text in cells if text))
    bottom = top + (rows + 1) * height
    if ruled:
        for y in range(top, bottom + 1, height):
            paper.draw.line((_EDGES[0], y, _EDGES[-1], y), fill=INK, width=4)
        for x in _EDGES:
            paper.draw.line((x, top, x, bottom), fill=INK, width=4)
    paper.y = bottom + LEADING


def _page_with_table(chance: random.Random, *, ruled: bool) -> Sheet:
    paper = _Paper(_face(chance), 42)
    paper.title(heading(chance))
    paper.paragraph(clause(chance), MARGIN, WIDTH - 2 * MARGIN)
    paper.y += 40
    _table(paper, chance, 20, ruled=ruled)
    paper.paragraph(clause(chance), MARGIN, WIDTH - 2 * MARGIN)
    return paper.done()


def ruled_table(chance: random.Random) -> Sheet:
    """Return a page with a table between rulings, and text before and after."""
    return _page_with_table(chance, ruled=True)


_WIDE_EDGES = (230, 420, 900, 1580, 2250)
_WIDE_HEADS = ("密点", "技术信息", "检材所载内容", "样本所载内容")


def wrapped_table(chance: random.Random) -> Sheet:
    """Return a page with a ruled table of cells with several lines, one over two columns."""
    paper = _Paper(_face(chance), 42)
    paper.title(heading(chance))
    paper.paragraph(clause(chance), MARGIN, WIDTH - 2 * MARGIN)
    paper.y += 40
    _wrapped_row(paper, _WIDE_HEADS, _WIDE_EDGES)
    for number in range(1, 7):
        cells = (str(number), goods(chance, number)[1], clause(chance), clause(chance))
        _wrapped_row(paper, cells, _WIDE_EDGES)
    _wrapped_row(paper, ("合计", "共六处", clause(chance)), (*_WIDE_EDGES[:3], _WIDE_EDGES[-1]))
    paper.y += 40
    paper.paragraph(clause(chance), MARGIN, WIDTH - 2 * MARGIN)
    return paper.done()


def _wrapped_row(paper: _Paper, cells: Sequence[str], edges: Sequence[int]) -> None:
    """Write a row as high as its highest cell; single lines stand in the middle of the height."""
    step, top = 66, paper.y
    broken = [
        _broken(text, paper.font, edges[at + 1] - edges[at] - 40, 0)
        for at, text in enumerate(cells)
    ]
    height = step * max(map(len, broken)) + 30
    for at, lines in enumerate(broken):
        above = top + (height - step * len(lines)) / 2 + 8
        for number, line in enumerate(lines):
            spot = (edges[at] + 20, above + number * step)
            paper.draw.text(spot, line, font=paper.font, fill=INK)
        paper.draw.rectangle((edges[at], top, edges[at + 1], top + height), outline=INK, width=4)
    paper.said.append("\t".join(_joined(lines) for lines in broken))
    paper.y = top + height


def _joined(lines: Sequence[str]) -> str:
    """Return the lines of a cell as one: with a space where letters meet letters."""
    text = ""
    for line in lines:
        between = " " if text[-1:].isascii() and text and line[:1].isascii() else ""
        text += between + line
    return text


def bare_table(chance: random.Random) -> Sheet:
    """Return a page with a table of which nothing but the alignment tells."""
    return _page_with_table(chance, ruled=False)


def columns(chance: random.Random) -> Sheet:
    """Return a page in two columns of Chinese, below a heading across both."""
    paper = _Paper(_face(chance))
    paper.title(heading(chance))
    paper.paragraph(clause(chance), MARGIN, WIDTH - 2 * MARGIN)
    paper.y += 60
    _columns(paper, lambda: clause(chance), indent=2)
    return paper.done()


def english_columns(chance: random.Random) -> Sheet:
    """Return a page in two columns of English, the right edges ragged."""
    paper = _Paper(_LATIN, 38)
    paper.title("TECHNICAL SPECIFICATION")
    paper.y += 20
    _columns(paper, lambda: english_clause(chance), indent=0)
    return paper.done()


def _columns(paper: _Paper, say: Callable[[], str], *, indent: int) -> None:
    gutter = 110
    width = (WIDTH - 2 * MARGIN - gutter) / 2
    top = paper.y
    for number, last in enumerate((HEIGHT - MARGIN, HEIGHT - 3 * MARGIN)):
        paper.y = top
        while paper.y < last - 7 * LEADING:
            paper.paragraph(say(), MARGIN + number * (width + gutter), width, indent=indent)


def seal(chance: random.Random) -> Sheet:
    """Return the last page of a contract: a red seal stands over the signatures."""
    paper = _Paper(_HEI)
    paper.title(heading(chance))
    for number in range(5):
        paper.paragraph(f"第{number + 7}条 {clause(chance)}", MARGIN, WIDTH - 2 * MARGIN)
    paper.y += 120
    owner = long_name(chance)
    top = paper.y
    paper.line(f"甲方（盖章）：{owner}")
    paper.line(f"法定代表人：{clause(chance)[:3]}")
    paper.line(f"签订日期：202{chance.randrange(6)}年{chance.randrange(1, 13)}月8日")
    paper.line(f"开户账号：{chance.randrange(10**15, 10**16)}")
    _stamp(paper.draw, owner, (MARGIN + 760, top + 150), 300)
    own = "\n".join(paper.said)
    return paper.done(f"{own}\n{owner}\n合同专用章", f"{own}\n{owner}合同专用章")


def _stamp(draw: ImageDraw.ImageDraw, owner: str, at: tuple[int, int], radius: int) -> None:
    x, y = at
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=RED, width=10)
    star = [
        (x + r * math.sin(math.pi * k / 5), y - r * math.cos(math.pi * k / 5))
        for k in range(10)
        for r in (80 if k % 2 == 0 else 32,)
    ]
    draw.polygon(star, fill=RED)
    face = font(_SONG, 56)
    for number, letter in enumerate(owner):
        turn = -130 + 260 * number / max(1, len(owner) - 1)
        _turned_letter(draw, letter, face, turn, (x, y), radius - 55)
    draw.text((x - 120, y + radius * 0.5), "合同专用章", font=font(_SONG, 48), fill=RED)


def _turned_letter(
    draw: ImageDraw.ImageDraw,
    letter: str,
    face: ImageFont.FreeTypeFont,
    degrees: float,
    centre: tuple[int, int],
    radius: int,
) -> None:
    mask = Image.new("L", (90, 90))
    ImageDraw.Draw(mask).text((45, 45), letter, font=face, fill=255, anchor="mm")
    mask = mask.rotate(-degrees, Image.Resampling.BICUBIC)
    turn = math.radians(degrees)
    x, y = centre[0] + radius * math.sin(turn), centre[1] - radius * math.cos(turn)
    draw.bitmap((round(x) - 45, round(y) - 45), mask, fill=RED)


def vertical(chance: random.Random) -> Sheet:
    """Return a page written from the top down, columns from right to left."""
    paper = _Paper(_SONG)
    step, rows, size = 120, 42, 60
    text = "".join(clause(chance, vertical=True) for _ in range(9))[: rows * 15]
    lines: Sequence[str] = [text[at : at + rows] for at in range(0, len(text), rows)]
    for number, line in enumerate(lines):
        x = WIDTH - MARGIN - size - number * step
        for place, letter in enumerate(line):
            # A full stop stands at the upper right of its square in vertical writing.
            shift = 28 if letter in "，。、" else 0
            spot = (x + shift, MARGIN + place * 70 - shift)
            paper.draw.text(spot, letter, font=font(_SONG, size), fill=INK)
    paper.said.extend(lines)
    return paper.done()

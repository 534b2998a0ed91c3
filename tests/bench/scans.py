"""Scans whose text is known: pages drawn here, then harmed as scanners and telephones harm them.

The same arguments give the same pixels on one machine (the fonts are the machine's). A scan's
``texts`` are what a reader may say, in reading order: more than one only where a seal's own
writing may be told or left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PIL import Image

from tests.bench import damage, sheets
from tests.bench.sheets import Sheet

DPI = sheets.DPI


@dataclass(frozen=True)
class Scan:
    """One page as an engine gets it: ``name`` is ``KIND CONDITION``, dpi as a scanner says it."""

    kind: str
    condition: str
    image: Image.Image
    dpi: int
    texts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name under which its errors are counted."""
        return f"{self.kind} {self.condition}"


KINDS: dict[str, Callable[[random.Random], Sheet]] = {
    "chinese": sheets.chinese,
    "english": sheets.english,
    "mixed": sheets.mixed,
    "ruled-table": sheets.ruled_table,
    "bare-table": sheets.bare_table,
    "wrapped-table": sheets.wrapped_table,
    "columns": sheets.columns,
    "english-columns": sheets.english_columns,
    "seal": sheets.seal,
    "vertical": sheets.vertical,
}
CONDITIONS: dict[str, Callable[[Image.Image, random.Random], tuple[Image.Image, int]]] = {
    "300dpi": damage.clean,
    "200dpi": damage.dpi_200,
    "150dpi": damage.dpi_150,
    "skew": damage.skew,
    "skew5": damage.skew_5,
    "noise": damage.noise,
    "jpeg30": damage.jpeg_30,
    "blur": damage.blur,
    "photo": damage.photo,
    "turned90": damage.turned_90,
    "turned180": damage.turned_180,
    "turned270": damage.turned_270,
}
_EIGHT = ("300dpi", "200dpi", "150dpi", "skew", "noise", "jpeg30", "blur", "photo")
_ORDER = ("300dpi", "skew", "skew5", "photo")
_TURNS = ("turned90", "turned180", "turned270")
PLAN: dict[str, tuple[str, ...]] = {
    "chinese": (*_EIGHT, *_TURNS),
    "english": (*_EIGHT, "turned180"),
    "mixed": ("300dpi", "photo"),
    "ruled-table": (*_ORDER, "turned90"),
    "bare-table": _ORDER,
    "wrapped-table": _ORDER,
    "columns": _ORDER,
    "english-columns": ("300dpi", "skew", "photo"),
    "seal": ("300dpi", "photo"),
    "vertical": ("300dpi", "skew"),
}
"""What is measured: every kind of page in the conditions that are hard for it."""


def scans(
    pages: int, kinds: tuple[str, ...] = (), conditions: tuple[str, ...] = ()
) -> Iterator[Scan]:
    """Yield ``pages`` scans of each chosen kind in each chosen condition of the plan."""
    for kind, planned in PLAN.items():
        if kinds and kind not in kinds:
            continue
        for condition in planned:
            if not conditions or condition in conditions:
                yield from (scan(kind, condition, seed) for seed in range(pages))


def scan(kind: str, condition: str, seed: int) -> Scan:
    """Return one scan; one seed gives one text in every condition."""
    sheet = KINDS[kind](random.Random(f"{kind} {seed}"))
    chance = random.Random(f"{kind} {condition} {seed}")
    image, dpi = CONDITIONS[condition](sheet.image, chance)
    return Scan(kind, condition, image, dpi, sheet.texts)


def grey(one: Scan) -> Scan:
    """Return a scan as a scanner without colour gives it."""
    return replace(one, image=one.image.convert("L"))

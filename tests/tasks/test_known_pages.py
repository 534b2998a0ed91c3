"""A page that was read once is not read again, in whichever case the same bytes come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.custody import Custody
from tasks import reading
from tasks.reader.answer import Page
from tasks.reader.cell import CellPool
from tasks.reader.engines import EngineKey, Engines
from tests.house import make_bundle
from tests.tasks.life import CASE, open_house, take
from tests.tasks.reader import samples

PICTURE = samples.image_bytes(samples.page_image(["供货合同"], height=200))
KEY = EngineKey("rapidocr", "models 1", {"detection_side": "960"})


class Counted(CellPool):
    """Cells whose OCR counts its pages instead of reading them."""

    read = 0
    version = KEY.version

    def ocr_page(self, *where: object, **_: object) -> Page:
        self.read += 1
        return Page(
            1, "ocr", "供货合同", 0.9, engine=KEY.engine, version=self.version,
            settings={**KEY.settings, "precision": "f32"},
        )  # fmt: skip


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    cells = Counted(1)
    with cells:
        monkeypatch.setattr(
            Engines, "key", lambda _: EngineKey(KEY.engine, cells.version, KEY.settings)
        )
        yield cells


@pytest.fixture
def custody(tmp_path: Path) -> Iterator[Custody]:
    with open_house(tmp_path / "home") as opened:
        yield opened


def taken(custody: Custody, pool: Counted, folder: Path, name: str, **header: str) -> str:
    """Take in a bundle with the picture and return its exhibit."""
    bundle = make_bundle(folder / name, name, {f"{name}.png": PICTURE}, **header)
    return take(custody, pool, bundle).exhibits[0]


def test_the_same_bytes_are_read_by_ocr_once(
    custody: Custody, pool: Counted, tmp_path: Path
) -> None:
    first = taken(custody, pool, tmp_path, "first")
    other = taken(custody, pool, tmp_path, "other", case_no="沪市监案〔2026〕0778号")
    assert first != other
    assert pool.read == 1
    texts = [reading.text_of(custody, each)[2] for each in (first, other)]
    assert [(each.state, each.text) for each in texts] == [("read", "供货合同")] * 2
    assert texts[0].pages == texts[1].pages


def test_a_member_of_a_container_is_known_too(
    custody: Custody, pool: Counted, tmp_path: Path
) -> None:
    files = {"a.zip": samples.archive({"scan.png": PICTURE})}
    take(custody, pool, make_bundle(tmp_path / "zip", "zip", files))
    assert pool.read == 1
    taken(custody, pool, tmp_path, "alone")
    files = {"b.zip": samples.archive({"other.txt": b"x", "copy.png": PICTURE})}
    take(custody, pool, make_bundle(tmp_path / "more", "more", files))
    assert pool.read == 1
    exhibit = reading.text_of(custody, f"{CASE}/E0003", "1")[2]
    assert exhibit.text == "供货合同"


def test_other_models_and_who_asks_again_read_it_anew(
    custody: Custody, pool: Counted, tmp_path: Path
) -> None:
    first = taken(custody, pool, tmp_path, "first")
    reading.read_exhibits(custody, pool, [first], again=True)
    assert pool.read == 2
    pool.version = "models 2"
    taken(custody, pool, tmp_path, "other")
    assert pool.read == 3

"""HEIF files: tiles, turns and mirrors; whatever is broken is a damaged picture and no more."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile, UnidentifiedImageError

from tasks.reader import heif, inspection, pages
from tasks.reader.pixels import upright
from tasks.reader.source import Source
from tests.tasks.reader import pictures_made
from tests.tasks.reader.pictures_made import BLUE, HEIC, RED, heic_grid
from tests.tasks.reader.test_images import near


def drawn(data: bytes) -> Image.Image:
    return pages.render(Source(data), 1, 300, raw=True).image


def test_tiles_become_one_picture() -> None:
    seen = inspection.inspect(Source(heic_grid()))
    assert seen.media_type == "image/heic"
    assert (seen.metadata["width"], seen.metadata["height"]) == ("150", "100")
    # Tiles and the thumbnail are no pictures of their own.
    assert len(seen.pages) == 1
    image = drawn(heic_grid())
    assert image.size == (150, 100)
    for x, colour in ((20, RED), (75, BLUE), (115, RED), (147, BLUE)):
        assert near(image.getpixel((x, 20)), colour)
        assert near(image.getpixel((x, 95)), colour)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turns_are_applied_once(turns: int) -> None:
    data = heic_grid(turns=turns)
    flat = drawn(heic_grid())
    wanted = flat.rotate(90 * turns, expand=True)
    with Image.open(io.BytesIO(data)) as opened:
        # The size is that of the turned picture before anything is decoded.
        assert opened.size == wanted.size
        exif = opened.getexif()
        exif[0x0112] = 6
        assert upright(opened).tobytes() == wanted.tobytes()


def test_mirrors_come_after_turns() -> None:
    wanted = drawn(heic_grid()).rotate(90, expand=True).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert drawn(heic_grid(turns=1, mirrored=True)).tobytes() == wanted.tobytes()


def test_a_sequence_is_a_film() -> None:
    film = pictures_made.video([pictures_made.scene(1, (160, 120))])
    kind = film[8:12]
    seen = inspection.inspect(Source(film.replace(b"ftyp" + kind, b"ftyphevc", 1)))
    assert seen.media_type == "image/heic-sequence"
    assert len(seen.pages) == 1


@given(st.binary(max_size=200))
def test_any_list_of_items_is_parsed_or_refused(rubbish: bytes) -> None:
    for kind in (b"pitm", b"iinf", b"iloc", b"iref", b"iprp"):
        box = (len(rubbish) + 8).to_bytes(4, "big") + kind + rubbish
        meta = (len(box) + 12).to_bytes(4, "big") + b"meta" + bytes(4) + box
        try:
            heif.parsed(meta).pictures()
        except ValueError:
            continue


@given(st.integers(0, len(HEIC) - 1), st.binary(min_size=1, max_size=4), st.booleans())
def test_changed_anywhere_it_is_a_picture_or_damaged(
    place: int, rubbish: bytes, grid: bool
) -> None:
    whole = heic_grid() if grid else HEIC
    data = whole[:place] + rubbish + whole[place + len(rubbish) :]
    seen = inspection.inspect(Source(data))
    assert seen.state in ("partly_read", "damaged", "unknown_type", "read", "empty")
    try:
        with Image.open(io.BytesIO(data), formats=["HEIF"]) as opened:
            if opened.width * opened.height < 100_000:
                upright(opened)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError):
        return


def test_places_without_a_size_are_bounded() -> None:
    places = b"\1\0\0\0" + b"\0\0" + (60_000).to_bytes(2, "big")
    places += (b"\0\1" + bytes(4) + b"\xff\xff") * 60_000
    box = (len(places) + 8).to_bytes(4, "big") + b"iloc" + places
    with pytest.raises(ValueError, match="too many"):
        heif.parsed((len(box) + 12).to_bytes(4, "big") + b"meta" + bytes(4) + box)


def test_what_there_is_of_a_broken_picture_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    picture = pages.render(Source(heic_grid(lost=2)), 1, 300, raw=True)
    assert picture.flags == ("cut_off",)
    assert near(picture.image.getpixel((20, 20)), RED)
    assert near(picture.image.getpixel((20, 90)), (0, 0, 0))
    with pytest.raises(OSError, match="no tile"):
        pages.render(Source(heic_grid(lost=4)), 1, 300, raw=True)

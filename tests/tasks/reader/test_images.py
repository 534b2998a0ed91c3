"""Every kind of picture is known by its content, drawn right, and harmless when it is broken."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tasks.reader import images, inspection, mediatype, pages, signatures
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reader.claims import mismatch
from tasks.reader.descent import descend
from tasks.reader.pixels import plain, upright
from tasks.reader.source import Source
from tests.tasks.reader import pictures_made, samples
from tests.tasks.reader.conftest import Keep


def inspect(data: bytes, name: str = "") -> Transcript:
    return inspection.inspect(Source(data, name))


def drawn(data: bytes, number: int = 1) -> Image.Image:
    return pages.render(Source(data), number, 300, raw=True).image


def near(seen: object, wanted: tuple[int, ...], by: int = 40) -> bool:
    return all(abs(a - b) <= by for a, b in zip(seen, wanted, strict=True))  # type: ignore[call-overload]


FORMATS = {
    "JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "BMP": "image/bmp",
    "GIF": "image/gif", "WEBP": "image/webp", "AVIF": "image/avif", "JPEG2000": "image/jp2",
    "PCX": "image/x-pcx", "DDS": "image/vnd.ms-dds", "ICO": "image/vnd.microsoft.icon",
    "ICNS": "image/x-icns", "PPM": "image/x-portable-pixmap", "QOI": "image/x-qoi",
    "SGI": "image/sgi", "TGA": "image/x-tga",
}  # fmt: skip


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_format_is_known_by_content_and_drawn(form: str) -> None:
    data = samples.image_bytes(pictures_made.halves((256, 256)), form)
    seen = inspect(data, "合同.pdf")
    assert seen.media_type == FORMATS[form]
    assert (seen.state, seen.pages[0].needs_ocr) == ("partly_read", True)
    assert "type_mismatch" in seen.flags
    image = drawn(data).convert("RGB")
    width, height = image.size
    assert near(image.getpixel((width // 8, height // 2)), pictures_made.RED)
    assert near(image.getpixel((width * 7 // 8, height // 2)), pictures_made.BLUE)


def test_a_telephones_picture_in_the_cell(pool: CellPool, keep: Keep) -> None:
    path = keep("a.jpg", pictures_made.HEIC)
    seen = pool.inspect(path, "a.jpg")
    assert (seen.media_type, seen.state) == ("image/heic", "partly_read")
    assert seen.metadata["exif_Make"] == "Zhong"
    assert seen.mismatch
    image = drawn(pictures_made.HEIC)
    assert near(image.getpixel((10, 32)), pictures_made.RED)
    assert near(image.getpixel((86, 32)), pictures_made.BLUE)
    # Its decoder wants threads, which no document has in the cell.
    assert pool.call("image_hashes", path, limit=1)["frames"][0]["frame"] == 1


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "video/mp4"),
        (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", "audio/mp4"),
        (b"\xff\x4f\xff\x51\0\x2f", "image/x-jp2-codestream"),
        (b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(80), "image/emf"),
        (b"\xd7\xcd\xc6\x9a" + bytes(40), "image/wmf"),
        (bytes(128) + b"DICM" + bytes(40), "application/dicom"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "image/jxl"),
        (b"LinS are small pictures\n" * 4, "text/plain"),
    ],
)
def test_types_by_their_marks(data: bytes, kind: str) -> None:
    assert mediatype.media_type(Source(data)) == kind


@pytest.mark.parametrize("head", [b"\xd7\xcd\xc6\x9a", bytes(128) + b"DICM"])
def test_what_cannot_be_drawn_says_so(head: bytes) -> None:
    seen = inspect(head + bytes(range(256)) * 4)
    assert (seen.state, any(page.needs_ocr for page in seen.pages)) == ("unknown_type", False)


def test_names_of_one_family_are_no_disguise() -> None:
    assert not mismatch("image/heic", "image/heif")
    assert not mismatch("video/quicktime", "video/mp4")
    assert mismatch("image/png", "image/heic")


@given(st.binary(max_size=300))
def test_any_head_has_a_type_or_none(head: bytes) -> None:
    kind = signatures.told(head)
    assert kind == "" or "/" in kind


class TestPixels:
    """Shades stay what a viewer shows."""

    def test_twelve_bits_in_sixteen(self) -> None:
        row = struct.pack("<64H", *([300] * 32 + [4095] * 32))
        image = Image.frombytes("I;16", (64, 64), row * 64)
        seen = plain(image)
        assert (seen.getpixel((5, 5)), seen.getpixel((60, 5))) == (0, 255)

    def test_floats_and_one_shade(self) -> None:
        image = Image.new("F", (8, 8), 0.25)
        assert plain(image).getextrema() == (0, 0)
        image.putpixel((0, 0), float("inf"))
        assert plain(image).mode == "L"
        image.putpixel((0, 0), 0.75)
        assert plain(image).getextrema() == (0, 255)

    def test_cmyk_and_lab(self) -> None:
        ink = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
        assert near(plain(ink).getpixel((0, 0)), (255, 0, 0))
        white = Image.new("LAB", (4, 4), (255, 128, 128))
        assert near(plain(white).getpixel((0, 0)), (255, 255, 255), 2)

    @pytest.mark.parametrize(("ink", "paper"), [(255, 0), (0, 255), (120, 255)])
    def test_transparent_is_the_paper_that_the_ink_needs(self, ink: int, paper: int) -> None:
        image = Image.new("LA", (100, 40), (0, 0))
        ImageDraw.Draw(image).rectangle([10, 10, 40, 30], fill=(ink, 255))
        seen = plain(image).convert("L")
        assert (seen.getpixel((20, 20)), seen.getpixel((90, 35))) == (ink, paper)

    def test_a_palette_with_transparency(self) -> None:
        image = Image.new("P", (20, 20), 1)
        image.putpalette([0, 0, 0, 250, 10, 10])
        image.info["transparency"] = 0
        image.putpixel((0, 0), 0)
        seen = plain(image)
        assert (seen.getpixel((0, 0)), seen.getpixel((9, 9))) == ((255, 255, 255), (250, 10, 10))

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_by_exif(self, orientation: int) -> None:
        turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
        image = pictures_made.halves((80, 40))
        ImageDraw.Draw(image).rectangle([0, 0, 10, 10], fill="white")
        exif = Image.Exif()
        exif[0x0112] = orientation
        # What the camera stored: the picture turned the other way about.
        stored = image.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else image
        data = samples.image_bytes(stored, "PNG", exif=exif)
        seen = upright(Image.open(io.BytesIO(data)))
        assert seen.tobytes() == image.tobytes()


class TestFrames:
    """Films of pictures, layers and pages."""

    @pytest.mark.parametrize(
        ("form", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})]
    )
    def test_what_shows_something_new_is_read(self, form: str, options: dict[str, bool]) -> None:
        shown = [pictures_made.scene(seed) for seed in (1, 2, 3)]
        film = [shown[place // 4] for place in range(12)]
        # Frames that are wholly alike are joined by the writers.
        for place, frame in enumerate(film):
            film[place] = frame.copy()
            film[place].putpixel((place, 0), (place * 20, 0, 0))
        data = samples.image_bytes(film[0], form, save_all=True, append_images=film[1:], **options)
        seen = inspect(data)
        assert "animated" in seen.flags
        assert (seen.metadata["frames"], seen.metadata["frames_read"]) == ("12", "3")
        assert [page.frame for page in seen.pages] == [1, 5, 9]
        for page, wanted in zip(seen.pages, shown, strict=True):
            image = drawn(data, page.frame).convert("RGB")
            assert near(image.getpixel((100, 100)), wanted.getpixel((100, 100)), 60)

    def test_a_long_film_is_thinned(self) -> None:
        film = [Image.new("L", (60, 60), shade) for shade in range(0, 250, 5)]
        for place, frame in enumerate(film):
            ImageDraw.Draw(frame).rectangle([place, 0, place + 8, 60], fill=255 - place * 5)
        seen = inspect(samples.image_bytes(film[0], "GIF", save_all=True, append_images=film[1:]))
        assert len(seen.pages) == 24
        assert "frames_not_read" in seen.flags

    def test_layers_follow_the_whole(self) -> None:
        data = pictures_made.psd([("hidden price", 30), ("top", 200)], composite=110)
        seen = inspect(data)
        assert seen.media_type == "image/vnd.adobe.photoshop"
        assert [page.label for page in seen.pages] == [
            "合成图 composite", "图层 layer 1 hidden price", "图层 layer 2 top"
        ]  # fmt: skip
        shades = [drawn(data, page.frame).convert("L").getpixel((9, 9)) for page in seen.pages]
        assert shades == [110, 30, 200]

    def test_pages_before_a_broken_one_are_read(self) -> None:
        first, second = (Image.new("L", (100, 100), shade) for shade in (50, 90))
        whole = samples.image_bytes(first, "TIFF", save_all=True, append_images=[second])
        with Image.open(io.BytesIO(whole)) as opened:
            opened.seek(1)
            place = opened.tag_v2.offset
        seen = inspect(whole[:place] + b"\xff\xff" + bytes(40))
        assert seen.pages[0].needs_ocr

    def test_a_smaller_copy_waits_for_nobody(self) -> None:
        large = pictures_made.scene(1)
        out = io.BytesIO()
        small = large.resize((160, 120))
        small.encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
        large.save(out, "TIFF", save_all=True, append_images=[small])
        seen = inspect(out.getvalue())
        assert [page.flags for page in seen.pages] == [(), ("reduced_copy",)]


class TestTooLarge:
    """What would fill the memory is made smaller, or left alone and named."""

    def test_a_jpeg_is_decoded_small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(images, "MAX_PIXELS", 10_000)
        data = samples.image_bytes(pictures_made.halves((400, 300)), "JPEG")
        assert inspect(data).pages[0].needs_ocr
        picture = pages.render(Source(data), 1, 300, raw=True)
        assert picture.image.width * picture.image.height <= 10_000
        assert "reduced" in picture.flags
        assert near(picture.image.getpixel((5, 5)), pictures_made.RED)

    @pytest.mark.parametrize("form", ["PNG", "GIF", "TIFF"])
    def test_others_are_named(self, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
        monkeypatch.setattr(images, "MAX_PIXELS", 10_000)
        seen = inspect(samples.image_bytes(pictures_made.halves((400, 300)), form))
        assert seen.pages[0].flags == ("too_large",)
        assert (seen.state, seen.pages[0].needs_ocr) == ("partly_read", False)

    def test_a_size_that_nobody_can_draw(self) -> None:
        head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 2**31 - 1, 2**31 - 1,
                                                  8, 2, 0, 0, 0) + bytes(4)  # fmt: skip
        seen = inspect(head + struct.pack(">I4s", 0, b"IDAT") + bytes(4))
        assert not any(page.needs_ocr for page in seen.pages)


@pytest.mark.parametrize(
    "form", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP", "AVIF", "ICO", "PCX"]
)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
def test_cut_anywhere_it_is_a_state_and_no_fault(form: str, share: float) -> None:
    whole = samples.image_bytes(pictures_made.scene(2), form)
    seen = inspect(whole[: max(4, int(len(whole) * share))])
    assert seen.state in ("damaged", "partly_read", "unknown_type", "empty", "read")


class TestDrawings:
    """SVG: words out of XML, nothing drawn and nothing fetched."""

    def test_words_pictures_and_what_is_not_read(self) -> None:
        png = samples.image_bytes(pictures_made.halves(), "PNG")
        import base64

        packed = base64.b64encode(png).decode()
        data = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n'
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            'width="100" height="50"><title>配方图</title><script>x()</script>'
            '<text x="1" y="2">客户<tspan>名单</tspan><tspan x="1" y="9">第二行</tspan></text>'
            f'<image xlink:href="data:image/png;base64,{packed}"/><path d="M0 0"/>'
            '<image href="http://example.com/a.png"/></svg>'
        ).encode()
        seen = inspect(data, "a.svg")
        assert seen.media_type == "image/svg+xml"
        assert seen.pages[0].text == "配方图\n客户名单\n第二行"
        assert {"scripts", "external_references", "shapes_not_read"} <= set(seen.flags)
        assert seen.pages[1].needs_ocr
        inner = descend(Source(data), seen.pages[1].inside)
        assert inner.whole() == png

    @pytest.mark.parametrize("entity", ['SYSTEM "file:///etc/passwd"', '"' + "a" * 2000 + '"'])
    def test_entities_bring_nothing_in(self, entity: str) -> None:
        data = f"<!DOCTYPE svg [<!ENTITY x {entity}>]><svg><text>&x;</text></svg>".encode()
        seen = inspect(data)
        assert "root:" not in seen.text
        assert len(seen.text) <= 2000

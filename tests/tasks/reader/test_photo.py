"""What a picture's file says: camera, place, time, programs, its end, its preview."""

from __future__ import annotations

import io
import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from tasks.reader import inspection
from tasks.reader.answer import Transcript
from tasks.reader.photo import ending, quality
from tasks.reader.photo.exif import degrees, iso_time, number
from tasks.reader.photo.preview import compare
from tasks.reader.source import Source
from tests.tasks.reader import pictures_made, samples
from tests.tasks.reader.pictures_made import scene


def inspect(data: bytes) -> Transcript:
    return inspection.inspect(Source(data))


def jpeg(**options: object) -> bytes:
    return samples.image_bytes(scene(1), "JPEG", **options)


def camera() -> Image.Exif:
    exif = Image.Exif()
    base = ExifTags.Base
    exif[base.Make], exif[base.Model], exif[base.DateTime] = "Zhong", "P1", "2026:01:06 09:00:00"
    exif[base.ImageDescription] = "报价单".encode("gb18030").decode("latin-1")
    exif[base.XPTitle] = "客户名单".encode("utf-16-le")
    block = exif.get_ifd(ExifTags.IFD.Exif)
    block[base.DateTimeOriginal], block[base.OffsetTimeOriginal] = "2026:01:05 10:00:00", "+08:00"
    block[base.BodySerialNumber], block[base.LensModel] = "SN-1", "35mm"
    block[base.UserComment] = b"UNICODE\0" + "现场".encode("utf-16-be")
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[1], place[2] = "S", (Fraction(31), Fraction(13), Fraction(4944, 100))
    place[3], place[4] = "E", (Fraction(121), Fraction(28), Fraction(1))
    place[5], place[6], place[29] = b"\1", Fraction(25, 2), "2026:01:05"
    place[7] = (Fraction(2), Fraction(0), Fraction(0))
    return exif


def test_camera_time_and_place() -> None:
    seen = inspect(jpeg(exif=camera()))
    said = seen.metadata
    assert (said["exif_Make"], said["exif_BodySerialNumber"]) == ("Zhong", "SN-1")
    assert (said["exif_LensModel"], said["exif_XPTitle"]) == ("35mm", "客户名单")
    assert said["exif_UserComment"] == "现场"
    assert said["taken"] == "2026-01-05T10:00:00+08:00"
    assert (said["gps_latitude"], said["gps_longitude"]) == ("-31.230400", "121.466944")
    assert (said["gps_altitude_m"], said["gps_time"]) == ("-12.5", "2026-01-05T02:00:00Z")
    assert {"gps", "changed_after_taken"} <= set(seen.flags)
    assert "edited" not in seen.flags


@given(st.integers(0, 89), st.integers(0, 59), st.integers(0, 5999), st.sampled_from("NS"))
def test_degrees_are_what_their_parts_are(
    whole: int, minutes: int, hundredths: int, side: str
) -> None:
    parts = (whole, minutes, Fraction(hundredths, 100))
    found = degrees(parts, side, "S", 90)
    exact = whole + Fraction(minutes, 60) + Fraction(hundredths, 360_000)
    assert found is not None
    assert abs(abs(found) - float(exact)) < 1e-9
    assert (found <= 0) if side == "S" else (found >= 0)


@given(st.one_of(st.none(), st.text(max_size=9), st.binary(max_size=9), st.floats(), st.tuples()))
def test_what_is_no_number_is_none(value: object) -> None:
    found, place = number(value), degrees((value, value, value), value, "S", 90)
    assert found is None or math.isfinite(found)
    assert place is None or abs(place) <= 90


@given(st.text(max_size=30), st.text(max_size=8))
def test_a_time_is_iso_or_nothing(text: str, offset: str) -> None:
    found = iso_time(text, offset)
    assert found == "" or len(found) in (19, 20, 25)


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://r"><rdf:Description '
    'xmlns:xmp="http://x" xmlns:m="http://m" xmp:CreatorTool="Adobe Photoshop 25.0 (Windows)">'
    '<m:History><rdf:Seq><rdf:li m:action="saved" m:when="2026-01-05T10:00:00+08:00" '
    'm:softwareAgent="美图秀秀"/></rdf:Seq></m:History>'
    "<m:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    "</m:DigitalSourceType></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_programs_and_steps_of_editing(form: str) -> None:
    options: dict[str, object] = {"xmp": XMP.encode()}
    if form == "PNG":
        from PIL.PngImagePlugin import PngInfo

        chunk = PngInfo()
        chunk.add_itxt("XML:com.adobe.xmp", XMP)
        options = {"pnginfo": chunk}
    elif form == "TIFF":
        options = {"tiffinfo": {700: XMP.encode()}}
    seen = inspect(samples.image_bytes(scene(1), form, **options))
    assert seen.metadata["edited_by"] == "Adobe Photoshop; 美图 Meitu"
    assert seen.metadata["xmp_history"] == "saved 2026-01-05T10:00:00+08:00 美图秀秀"
    assert {"edited", "synthetic"} <= set(seen.flags)


def test_captions_comments_and_profile() -> None:
    data = pictures_made.jpeg_with_iptc({(2, 120): "合同首页".encode(), (2, 80): b"Li"})
    seen = inspect(data)
    assert seen.metadata["iptc_caption"] == "合同首页"
    assert seen.metadata["iptc_byline"] == "Li"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    seen = inspect(jpeg(icc_profile=profile, comment="备注".encode()))
    assert (seen.metadata["colour_profile"], seen.metadata["comment"]) == ("sRGB built-in", "备注")


@pytest.mark.parametrize("setting", [10, 30, 75, 92, 100])
def test_quality_is_read_back(setting: int) -> None:
    seen = inspect(jpeg(quality=setting))
    assert (seen.metadata["jpeg_quality"], seen.metadata["jpeg_tables"]) == (
        str(setting),
        "standard",
    )
    own = [list(range(1, 65)), list(range(1, 65))]
    assert inspect(jpeg(qtables=own)).metadata["jpeg_tables"] == "own"
    assert quality.estimate([1, 2]) == (0, False)


class TestEnding:
    """Bytes behind a picture's end are found, whatever they are."""

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
    @pytest.mark.parametrize(
        ("rest", "kind", "flag"),
        [
            (samples.archive({"a.txt": b"hidden"}), "zip", "trailing_data"),
            (b"secret words", "unknown", "trailing_data"),
            (b"\0\0\0\x18ftypmp42" + bytes(40), "film", "motion_photo"),
        ],
    )
    def test_data_behind_it(self, form: str, rest: bytes, kind: str, flag: str) -> None:
        seen = inspect(samples.image_bytes(scene(3), form) + rest)
        assert flag in seen.flags
        assert seen.metadata["trailing_kind"] == kind
        assert seen.metadata["trailing_bytes"] == str(len(rest))

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
    def test_nothing_or_padding_is_no_finding(self, form: str) -> None:
        data = samples.image_bytes(scene(3), form)
        assert not set(inspect(data).flags) & {"trailing_data", "no_end_mark"}
        assert "trailing_data" not in inspect(data + bytes(512)).flags

    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_missing_end(self, progressive: bool) -> None:
        data = jpeg(progressive=progressive)
        assert "no_end_mark" in inspect(data[:-2]).flags
        assert "no_end_mark" not in inspect(data).flags

    @given(st.binary(max_size=400))
    def test_any_rest_is_found_to_the_byte(self, rest: bytes) -> None:
        whole = samples.image_bytes(Image.new("L", (16, 16), 90), "JPEG")
        assert ending.jpeg_end(whole + rest) == len(whole)

    @given(
        st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"]),
        st.binary(max_size=200),
    )
    def test_rubbish_has_an_ending_or_none(self, start: bytes, rest: bytes) -> None:
        found = ending.find(Source(start + rest))
        assert found is None or found.trailing >= 0

    def test_pictures_of_one_file_are_no_trailing_data(self) -> None:
        out = io.BytesIO()
        scene(1).save(out, "MPO", save_all=True, append_images=[scene(2)])
        seen = inspect(out.getvalue())
        assert seen.metadata["frames"] == "2"
        assert "trailing_data" not in seen.flags


class TestPreview:
    """An embedded preview that shows another picture is told."""

    def test_another_picture(self) -> None:
        same = inspect(pictures_made.jpeg_with_preview(scene(1), scene(1)))
        assert same.metadata["preview"] == "160x120"
        assert "preview_differs" not in same.flags
        other = inspect(pictures_made.jpeg_with_preview(scene(1), scene(5)))
        assert "preview_differs" in other.flags

    def test_cropped_brightened_turned_and_barred(self) -> None:
        whole = scene(4, (480, 320))
        small = whole.resize((160, 107))
        barred = Image.new("RGB", (160, 120))
        barred.paste(small, (0, 6))
        bright = small.point(lambda value: min(255, value + 40))
        turned = small.rotate(90, expand=True)
        for fine in (small, barred, bright, turned):
            likeness = compare(whole, fine)
            assert likeness is not None
            assert likeness > 0.9
        cropped = compare(whole.crop((0, 0, 300, 200)), small)
        assert cropped is not None
        assert cropped < 0.85

    def test_a_page_of_one_shade_says_nothing(self) -> None:
        blank = Image.new("L", (320, 240), 200)
        assert compare(blank, blank.resize((160, 120))) is None


@given(st.binary(max_size=300))
@example(b"%PDF-1.7")
def test_broken_exif_hinders_nothing(rubbish: bytes) -> None:
    seen = inspect(
        samples.image_bytes(Image.new("L", (50, 50), 9), "JPEG", exif=b"Exif\0\0MM\0*" + rubbish)
    )
    assert seen.media_type == "image/jpeg"
    assert seen.pages[0].needs_ocr


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "BMP", "JPEG2000"])
def test_nothing_is_decoded_to_be_described(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile
    from PIL.PngImagePlugin import PngInfo

    chunk = PngInfo()
    chunk.add_text("Software", "GIMP 2.10")
    options = {"pnginfo": chunk} if form == "PNG" else {}
    data = samples.image_bytes(scene(1), form, **options)
    decoded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: decoded.append(self.format))
    seen = inspect(data)
    assert decoded == []
    assert form != "PNG" or seen.metadata["edited_by"] == "GIMP"

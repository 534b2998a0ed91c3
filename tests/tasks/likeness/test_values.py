"""Values of likeness against slow references, and against those of the published programs."""

import hashlib
import math
import unicodedata
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from storage.settings import Settings
from tasks.likeness import minhash, shingles, tlsh
from tasks.likeness.measure import checked, measured, text_values
from tasks.likeness.method import CHARACTERS, FRAMES, IMAGE_DISTANCE, PERMUTATIONS
from tasks.partlist import Part, part_line, read_part
from tasks.reader import pdq
from tasks.reader.answer import Page, Transcript
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reading import open_pool
from tests.tasks.reader.samples import page_image, scanned_pdf

WORDS = "真空钎焊升温曲线，夹具热膨胀补偿槽的位置和尺寸。甲方客户名单及报价单"
TEXTS = st.text(st.sampled_from(WORDS + "ABCab 12"), max_size=80)


def grams(text: str) -> set[str]:
    normal = shingles.normalised(text)
    return {normal[at : at + 5] for at in range(len(normal) - 4)}


def hash_of(gram: str) -> int:
    value = 0xCBF29CE484222325
    for each in gram:
        value = (value ^ ord(each)) * 0x100000001B3 % 2**64
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def factor(letter: str, number: int) -> int:
    text = f"zhenglian.minhash/1 {letter} {number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


@given(TEXTS)
def test_signatures_are_those_that_the_documentation_describes(text: str) -> None:
    wanted = sorted({hash_of(gram) for gram in grams(text)})
    found = shingles.hashes(shingles.normalised(text))
    assert found.tolist() == wanted
    if not wanted:
        assert text_values(text) == {"absent": "short"}
        return
    numbers = [
        min((factor("a", i) * (h >> 32) + factor("b", i)) % 2**64 >> 32 for h in wanted)
        for i in range(0, PERMUTATIONS, 16)
    ]
    signature = minhash.signature(found)
    assert [int.from_bytes(signature[4 * i : 4 * i + 4], "big") for i in range(0, 128, 16)] == (
        numbers
    )
    assert minhash.parsed(minhash.written(signature)) == signature
    assert text_values(text)["shingles"] == len(wanted)


def test_signatures_stay_what_they_are() -> None:
    value = text_values(WORDS)["signature"]
    digest = hashlib.sha256(value.encode()).hexdigest()
    assert (value[:24], digest[:16]) == SIGNED


@given(st.text(max_size=30))
def test_what_does_not_matter_is_taken_away(text: str) -> None:
    normal = shingles.normalised(text)
    assert shingles.normalised(unicodedata.normalize("NFC", text)) == normal
    composed, origin = shingles.places(shingles.composed(text))
    assert composed == normal
    assert len(origin) == len(normal)
    assert not any(each.isspace() for each in normal)


def test_width_and_case_do_not_count() -> None:
    assert shingles.normalised("ＡＢＣ １２３，ｋｇ") == shingles.normalised("abc123,KG")


@given(st.integers(0, 10), st.integers(1, 10))
def test_estimates_are_near_the_exact_share(common: int, own: int) -> None:
    sets = [
        {f"{kind} {at}" for at in range(30 * count)}
        for kind, count in (("both", common), ("one", own), ("other", own))
    ]
    one, other = sets[0] | sets[1], sets[0] | sets[2]
    signatures = []
    for each in (one, other):
        values = sorted(hash_of(gram) for gram in each)
        signatures.append(minhash.signature(shingles.np.array(values, shingles.np.uint64)))
    exact = len(one & other) / len(one | other)
    # Four standard errors: these sets are always the same ones.
    assert abs(minhash.estimate(*signatures) - exact) <= 4 * math.sqrt(0.25 / PERMUTATIONS)


@pytest.mark.parametrize("text", ["", "AAAA", "=", "é", "A" * 688])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no signature"):
        minhash.parsed(text)
    with pytest.raises(ValueError, match="without shingles"):
        minhash.signature(shingles.hashes(""))


def test_a_text_is_cut_where_the_record_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.likeness.measure.CHARACTERS", 10)
    assert text_values(WORDS) == {**text_values(WORDS[:10]), "cut_at": 10}
    assert CHARACTERS > 1_000_000


def stream(seed: str, count: int) -> bytes:
    pieces = (hashlib.sha256(f"{seed} {at}".encode()).digest() for at in range(count // 32 + 1))
    return b"".join(pieces)[:count]


def reference() -> list[tuple[bytes, str]]:
    changed = bytearray(stream("d", 50_000))
    changed[1000:1100] = b"x" * 100
    texts = ("真空钎焊升温曲线，夹具热膨胀补偿槽的位置和尺寸。" * 30).encode()
    inputs = [stream(seed, size) for seed, size in SIZES] + [bytes(changed), texts]
    return list(zip(inputs, TLSH, strict=True))


def test_file_values_are_those_of_the_reference() -> None:
    assert [tlsh.digest(data) for data, _ in reference()] == TLSH
    far = [tlsh.distance(one, other) for one, other in pairwise(TLSH[:6])]
    assert far == [289, 305, 371, 690, 13]
    assert tlsh.digest(b"short") == tlsh.digest(b"a" * 1000) == ""
    assert tlsh._length(795_081) == 79


@given(st.sampled_from(range(7)), st.sampled_from(range(7)))
def test_distances_are_the_same_both_ways(one: int, other: int) -> None:
    far = tlsh.distance(TLSH[one], TLSH[other])
    assert far == tlsh.distance(TLSH[other], TLSH[one])
    assert (far == 0) is (one == other)


@pytest.mark.parametrize("text", ["", "TNULL", "T1" + "0" * 69, "T1" + "g" * 70])
def test_what_is_no_file_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="TLSH"):
        tlsh.distance(text, TLSH[0])


def rough(height: int, width: int) -> list[list[float]]:
    return [
        [float((x * x * 3 + y * 7 + (x * y) // 5) % 256) for x in range(width)]
        for y in range(height)
    ]


def soft(height: int, width: int) -> list[list[float]]:
    return [
        [
            float((x * 255 // width + 40 * ((x // 17 + y // 23) % 2) + y * 60 // height) % 256)
            for x in range(width)
        ]
        for y in range(height)
    ]


@pytest.mark.parametrize("number", range(6))
def test_image_values_are_those_of_the_reference(number: int) -> None:
    made = (rough, soft)[number // 3]
    height, width = ((64, 64), (90, 150), (200, 131))[number % 3]
    found, quality = pdq.hash_luminance(made(height, width))
    assert far(found, PDQ[number]) <= 2  # Single precision there, double here.
    assert quality == 100


def far(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def photo(folder: Path, seed: int = 0) -> Image.Image:
    image = Image.new("RGB", (640, 480))
    pixels = [
        ((x * 255 // 640 + seed) % 256, (x // 90 + y // 70 + seed) % 4 * 60, y * 200 // 480)
        for y in range(480)
        for x in range(640)
    ]
    image.putdata(pixels)
    return image


def test_an_image_made_smaller_and_saved_as_jpeg_stays_near(tmp_path: Path) -> None:
    image = photo(tmp_path)
    image.save(tmp_path / "a.png")
    image.resize((320, 240)).save(tmp_path / "b.jpg", quality=60)
    photo(tmp_path, 77).rotate(90).save(tmp_path / "c.png")
    values = [
        pdq.hash_frames(Source((tmp_path / name).read_bytes()), FRAMES).frames[0]
        for name in ("a.png", "b.jpg", "c.png")
    ]
    assert far(values[0].pdq, values[1].pdq) <= IMAGE_DISTANCE < far(values[0].pdq, values[2].pdq)


def test_frames_are_counted_and_what_is_no_image_is_refused(tmp_path: Path) -> None:
    frames = [Image.new("L", (20, 20), shade) for shade in (0, 90, 200)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    data = (tmp_path / "a.tif").read_bytes()
    assert [each.frame for each in pdq.hash_frames(Source(data), 2).frames] == [1, 2]
    assert pdq.hash_frames(Source(data), 1).frames[0].quality == 0
    with pytest.raises(Refused):
        pdq.hash_frames(Source(b"no image"), 1)


def test_a_document_is_measured_in_the_cell(tmp_path: Path) -> None:
    photo(tmp_path).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:2000])
    transcript = Transcript("image/png", "image/png", "read", pages=(Page(1, "ocr", WORDS),))
    with open_pool(Settings(home=tmp_path / "home")) as pool:
        found = measured(pool, tmp_path / "a.png", transcript)
        broken = measured(pool, tmp_path / "b.png", transcript)
        text = Transcript("text/plain", "text/plain", "read", pages=(Page(1, "document", "短"),))
        plain = measured(pool, tmp_path / "a.png", text)
    assert found["image"]["frames"][0].keys() == {"frame", "pdq", "quality"}
    assert found["image"]["threshold_distance"] == IMAGE_DISTANCE
    assert found["file"]["value"].startswith("T1")
    assert broken["image"]["absent"] == "cell_refused"
    assert broken["text"] == found["text"]
    assert "image" not in plain
    assert plain["text"]["absent"] == "short"


def test_a_scanned_page_is_near_to_the_picture_of_it(tmp_path: Path) -> None:
    """Pages with a text layer have no value as images; scans have that of what they show."""
    sheet = page_image([f"客户名单第{n}行与价格{n * 37}" for n in range(20)], height=2339)
    other = page_image([f"trade secret number {n} kept apart" for n in range(23)], height=2339)
    (tmp_path / "a.pdf").write_bytes(scanned_pdf([other, sheet]))
    sheet.resize((1490, 2107)).save(tmp_path / "b.jpg", quality=70)
    pages = (Page(1, "text_layer", WORDS), Page(2, "ocr", WORDS, frame=2))
    scan = Transcript("application/pdf", "application/pdf", "read", pages=pages)
    with open_pool(Settings(home=tmp_path / "home")) as pool:
        (found,) = measured(pool, tmp_path / "a.pdf", scan)["image"]["frames"]
        lost = replace(pages[1], frame=3)
        beyond = measured(pool, tmp_path / "a.pdf", replace(scan, pages=(lost,)))["image"]
    (same,) = pdq.hash_frames(Source((tmp_path / "b.jpg").read_bytes()), 1).frames
    assert found["frame"] == 2
    assert (
        far(found["pdq"], same.pdq) <= IMAGE_DISTANCE < far(found["pdq"], pdq.hash_image(other)[0])
    )
    assert beyond["absent"] == "cell_refused"


LOOKS = {"file": {"value": "T1" + "0A" * 35}, "image": {"absent": "cell_timeout"}}
FRAME = {"frame": 1, "pdq": "0f" * 32, "quality": 100}


def test_what_a_line_of_a_listing_holds_is_read_strictly() -> None:
    for likeness in ({}, LOOKS, {"image": {"frames": [FRAME]}}, {"file": {"absent": "too_large"}}):
        part = Part("0", "a", "read", likeness=likeness)
        assert read_part(part_line(part)) == part


@pytest.mark.parametrize(
    "untrusted",
    [
        [],
        {"text": {}},
        {"file": {"value": 1}},
        {"file": {"value": "T1"}},
        {"file": {"absent": "x" * 101}},
        {"file": []},
        {"image": {"frames": [{**FRAME, "pdq": "0F" * 32}]}},
        {"image": {"frames": [{**FRAME, "quality": 101}]}},
        {"image": {"frames": [FRAME, FRAME]}},
        {"image": {"frames": [{**FRAME, "frame": 10_001}]}},
        {"image": {"frames": {}}},
    ],
    ids=range(11),
)
def test_what_is_no_value_of_a_part_is_refused(untrusted: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked(untrusted)


SIGNED = ("BTZjTQM3LvQCUqGnBunF0gPX", "7fb4d207e8f77a81")
SIZES = (("a", 50), ("a", 256), ("b", 657), ("c", 3200), ("d", 50_000))
TLSH = [
    "T17C90023A56165A561001D195412040907D68126A601150408419586C188A64053B6301",
    "T13DD0759E83058B4544AF8020FBC284707FBCFFBE04120140C09C7A0D6E406C0370C3A0",
    "T1210123384497A69FB42D9F7D81860B42F7118996A0327A48663C215331DC4E657606A8",
    "T192616CBCCA50F313861F2900833E841F76DBD3B2393949F8E41408D86D994605E627F3",
    "T11523F2B06547CD3EFBD8D3EE5357135B32218D73069E1D9C21129382F6AEA219413F4A",
    "T17B23F2A065478D3EFBD8D3EED356135B32118DF3069E1D9D21129382F5EEA219423F4A",
    "T1394122E0C08303ECBC0BC30C8E20B2020B08E3FCF0A320CE0C02203A30C882A0C20ECA",
]
"""Values of these bytes by the reference, version 5.0.0."""
PDQ = [
    "b6dbb7c3d93c34dd738ee79f1871b69b3d24c9246c934b7ffffac0000000c820",
    "26ecd02774cd97a79e4ff1e3e0e11ebdf4e7bf3ffec0000041805e3470a25545",
    "bf4efdb51f1e75f30004000015484ad7172a59f11e16ecd11f0f79d50d5d79f3",
    "a5b66b46a54b94b04a699496a5566b4fb4b96ab14a4bb59629564a4fd6b05ad6",
    "2d56dadba594295a4adab62556292d6a2b568adbac962ada6b6a56a452ab5496",
    "6b7e52ab52a456aa656e52eb94ada4b54b52ad14af19ab54a9595ad4968a6516",
]
"""Hashes of these pictures by the reference."""

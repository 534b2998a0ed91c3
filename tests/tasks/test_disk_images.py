"""Disk images: kept as they are, their acquisition hash a claim of its own that is checked."""

import hashlib
import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.catalogue import kept, queries
from storage.custody import Custody
from storage.event import Action
from tasks import reading
from tasks.images import acquisition
from tasks.reader import ewf, mediatype, rawimage
from tasks.reader.cell import CellPool
from tasks.reader.image_answer import ImageClaims
from tasks.reader.source import Source
from tests.house import events, make_bundle
from tests.tasks.ewf_made import CHUNK, Made
from tests.tasks.ewf_made import ewf as image_of
from tests.tasks.life import CASE, open_house, take

MEDIA = bytes(CHUNK) + random.Random(7).randbytes(3 * CHUNK) + b"text " * 1024
MEDIA = MEDIA[: len(MEDIA) // 512 * 512]
MD5 = hashlib.md5(MEDIA, usedforsecurity=False).hexdigest()
SHA1 = hashlib.sha1(MEDIA, usedforsecurity=False).hexdigest()
MOST = 1 << 30


def partitioned(size: int = 1 << 20, kind: int = 7) -> bytes:
    entry = struct.pack("<B3xB3xII", 0x80, kind, 63, 100)
    return (bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(size, b"\0")


def examined(data: bytes, most: int = MOST) -> ImageClaims:
    return ewf.examine(Source(data), most)


def test_the_media_is_read_to_its_end_and_hashed() -> None:
    for made in (Made(), Made(compress=False), Made(digest=False)):
        found = examined(image_of(MEDIA, made))
        assert (found.problems, found.media_bytes) == ((), len(MEDIA))
        assert found.computed == {"md5": MD5, "sha1": SHA1}
        assert {each.value for each in found.claims} == ({MD5, SHA1} if made.digest else {MD5})


def test_nothing_is_computed_unless_asked_and_never_beyond_the_limit() -> None:
    assert examined(image_of(MEDIA), 0).computed is None
    found = examined(image_of(MEDIA), len(MEDIA) - 1)
    assert (found.computed, found.problems) == (None, ("limit",))


def spoilt(at: int, data: bytes = b"\xff" * 8) -> bytes:
    whole = bytearray(image_of(MEDIA))
    whole[at : at + len(data)] = data
    return bytes(whole)


def test_each_fault_is_a_problem_and_nothing_is_computed() -> None:
    whole = image_of(MEDIA)
    table = whole.index(b"table")
    wrong = {
        "checksum": spoilt(13),
        "chunk": spoilt(whole.index(b"sectors") + 76 + 4),
        "table": spoilt(table + 76 + 24),
        "section": image_of(MEDIA, Made(sectors=1)),
        "segments": image_of(MEDIA, Made(segment=2)),
        "truncated": whole[: len(whole) // 2],
    }
    for problem, data in wrong.items():
        found = examined(data)
        assert (found.computed, problem in found.problems) == (None, True), problem
    assert examined(image_of(MEDIA, Made(end=b"next"))).problems == ("segments",)
    assert examined(b"EVF2\r\n\x81\x00" + bytes(100)).problems == ("format",)


def test_a_bomb_of_a_chunk_is_cut_at_its_size() -> None:
    whole = bytearray(image_of(bytes(CHUNK)))
    at = whole.index(b"sectors") + 76
    bomb = zlib.compress(bytes(CHUNK * 4))
    good = zlib.compress(bytes(CHUNK))
    whole[at : at + len(good)] = bomb[: len(good)]
    assert examined(bytes(whole)).problems == ("chunk",)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_change_of_any_byte_brings_the_reader_down(data: st.DataObject) -> None:
    whole = bytearray(image_of(MEDIA[: 2 * CHUNK]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    found = examined(bytes(whole[:cut]))
    right = hashlib.md5(MEDIA[: 2 * CHUNK], usedforsecurity=False).hexdigest()
    assert found.computed is None or found.computed["md5"] == right or found.media_bytes >= 0


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.booleans())
def test_an_image_of_any_size_is_read_back(sectors: int, compress: bool) -> None:
    media = random.Random(sectors).randbytes(512 * sectors)
    found = examined(image_of(media, Made(compress=compress)))
    assert found.computed is not None
    assert found.computed["md5"] == hashlib.md5(media, usedforsecurity=False).hexdigest()


def test_images_are_told_by_their_content() -> None:
    ext = bytearray(1 << 16)
    struct.pack_into("<II", ext, 1024, 16, 64)
    struct.pack_into("<HHH", ext, 1080, 0xEF53, 1, 1)
    ntfs = (b"\xeb\x52\x90NTFS    ".ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 16, b"\0")
    gpt = (bytes(510) + b"\x55\xaaEFI PART\0\0\1\0").ljust(1 << 16, b"\0")
    iso = bytes(32769) + b"CD001\x01" + bytes(4096)
    for data in (bytes(ext), ntfs, gpt, partitioned()):
        assert mediatype.media_type(Source(data, "x.txt")) == mediatype.RAW_IMAGE
    assert mediatype.media_type(Source(image_of(MEDIA))) == mediatype.EWF
    assert mediatype.media_type(Source(iso)) in mediatype.DISK_IMAGES


def test_what_only_ends_a_sector_as_a_disk_does_is_none() -> None:
    assert not rawimage.is_raw_image(bytes(510) + b"\x55\xaa" + bytes(4096), 4608)
    assert not rawimage.is_raw_image(b"\x01" * 510 + b"\x55\xaa" + bytes(4096), 4608)
    assert not rawimage.is_raw_image(partitioned()[:4096], 4096)
    assert not rawimage.is_raw_image(b"", 0)


@given(st.binary(max_size=3000), st.integers(0, 1 << 40))
def test_any_head_can_be_asked(head: bytes, size: int) -> None:
    assert rawimage.is_raw_image(head, size) in (True, False)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Custody]:
    with open_house(tmp_path / "home") as custody:
        yield custody


def test_an_image_is_kept_unopened_and_its_claims_are_on_record(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    wrong = image_of(MEDIA, Made(md5=b"\x11" * 16))
    files = {"good.E01": image_of(MEDIA), "wrong.E01": wrong, "disk.dd": partitioned()}
    answer = take(house, pool, make_bundle(tmp_path / "b", "B1", files))
    assert answer.state == "accepted"
    read = {each.exhibits[0][-5:]: each.details for each in events(house, Action.READ)}
    assert {each["state"] for each in read.values()} == {"not_opened"}
    assert [(c["algorithm"], c["verified"]) for c in read["E0001"]["claims"]] == [
        ("md5", "equal"),
        ("sha1", "equal"),
        ("md5", "equal"),
    ]
    assert {c["source"] for c in read["E0001"]["claims"]} == {"E01 digest", "E01 hash"}
    assert [c["verified"] for c in read["E0002"]["claims"]] == ["differs", "equal", "differs"]
    assert read["E0002"]["claims"][0]["computed"] == MD5
    assert "claims" not in read["E0003"]
    (alert,) = events(house, Action.ALERT)
    assert (alert.details["kind"], alert.details["subject"]) == ("acquisition", f"{CASE}/E0002")
    with house.read() as session:
        assert len(kept.list_alerts(session)) == 1
        rows = queries.list_exhibits(session, CASE)
    assert {row["reading"]["state"] for row in rows} == {"not_opened"}
    reading.read_exhibits(house, pool, answer.exhibits, again=True)
    assert len(events(house, Action.ALERT)) == 1


def test_what_cannot_be_checked_says_why(house: Custody, pool: CellPool, tmp_path: Path) -> None:
    cases = {
        "segments": image_of(MEDIA, Made(segment=2)),
        "chunk": spoilt(image_of(MEDIA).index(b"sectors") + 80),
        "format": b"EVF2\r\n\x81\x00" + bytes(100),
    }
    for why, data in cases.items():
        path = tmp_path / why
        path.write_bytes(data)
        found = acquisition(house.settings, pool, path, mediatype.EWF)
        assert found is not None
        assert {each["verified"] for each in found.claims} == {"not_checked"}
        assert {each["reason"] for each in found.claims} == {why}
        assert not found.differs
    assert acquisition(house.settings, pool, path, "text/plain") is None


def test_an_image_that_says_that_it_holds_too_much_is_not_read(
    house: Custody, pool: CellPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.E01"
    path.write_bytes(image_of(MEDIA))
    monkeypatch.setattr("tasks.images._LEAST_MEDIA", 1)
    chosen = house.settings.model_copy(update={"max_ratio": 0})
    found = acquisition(chosen, pool, path, mediatype.EWF)
    assert found is not None
    assert {each["reason"] for each in found.claims} == {"limit"}


@pytest.mark.parametrize("form", ["encase5", "encase6", "encase1", "ftk", "smart", "ewf"])
def test_an_image_of_another_tool_is_read_and_verified(form: str, tmp_path: Path) -> None:
    """The library most used for this writes it; what it says of the media is what we compute."""
    program = shutil.which("ewfacquire")
    assert program, "install deploy/apt-packages-test.txt"
    (tmp_path / "disk.dd").write_bytes(MEDIA + bytes(1 << 20))
    options = ["-u", "-q", "-f", form, "-c", "fast", "-d", "sha1", "-S", "1.4 GiB"]
    places = ["-t", str(tmp_path / "made"), str(tmp_path / "disk.dd")]
    subprocess.run([program, *options, *places], check=True, capture_output=True, timeout=60)
    (made,) = tmp_path.glob("made.*01")
    found = examined(made.read_bytes())
    assert found.problems == ()
    media = (tmp_path / "disk.dd").read_bytes()
    assert found.media_bytes == len(media)
    claimed = {each.algorithm: each.value for each in found.claims}
    assert claimed["md5"] == hashlib.md5(media, usedforsecurity=False).hexdigest()
    assert found.computed is not None
    assert {name: found.computed[name] for name in claimed} == claimed

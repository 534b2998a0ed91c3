"""Sound and video in the cell: what they are, their frames, and nothing that they point to."""

from __future__ import annotations

import sys
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.reader import inspection, media, pages
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reader.reading import Context
from tasks.reader.source import Source
from tests.tasks.reader import pictures_made
from tests.tasks.reader.conftest import Keep

PLACE = {
    "location": "+31.2304+121.4737+010.0/",
    "title": "现场",
    "creation_time": "2026-01-05T02:00:00Z",
}


@cache
def film(form: str = "mp4") -> bytes:
    scenes = [pictures_made.scene(seed, (160, 120)) for seed in (1, 1, 4)]
    return pictures_made.video(scenes, form, PLACE if form == "mp4" else None)


def inspect(data: bytes) -> Transcript:
    return inspection.inspect(Source(data))


def test_a_telephones_film_in_the_cell(pool: CellPool, keep: Keep) -> None:
    seen = pool.inspect(keep("a.mp4", film()), "a.mp4")
    said = seen.metadata
    assert (seen.media_type, said["duration_s"], said["title"]) == ("video/mp4", "12.00", "现场")
    assert said["created"].startswith("2026-01-05T02:00:00")
    assert (said["gps_latitude"], said["gps_longitude"]) == ("31.230400", "121.473700")
    assert said["stream_0"].startswith("video h264 160x120 2.00 fps")
    # The second four seconds show what the first did.
    assert [page.label for page in seen.pages] == ["画面 frame 00:00:00", "画面 frame 00:00:09"]
    assert all(page.needs_ocr for page in seen.pages)
    assert "gps" in seen.flags
    assert not seen.mismatch


@pytest.mark.parametrize(
    ("form", "kind"),
    [("matroska", "video/x-matroska"), ("avi", "video/x-msvideo"), ("mov", "video/quicktime"),
     ("mpegts", "video/mp2t"), ("flv", "video/x-flv")],
)  # fmt: skip
def test_containers_are_known_by_content_and_shown(form: str, kind: str) -> None:
    seen = inspect(film(form))
    assert seen.media_type == kind
    shown = [
        pages.render(Source(film(form)), page.frame, 300, raw=True).image for page in seen.pages
    ]
    for image, seed in zip(shown, (1, 4), strict=True):
        wanted = pictures_made.scene(seed, (160, 120))
        assert image.size == (160, 120)
        a, b = image.getpixel((30, 60)), wanted.getpixel((30, 60))
        assert all(abs(x - y) < 60 for x, y in zip(a, b, strict=True))  # type: ignore[arg-type]


def test_speech_is_not_transcribed_and_says_so(pool: CellPool, keep: Keep) -> None:
    seen = pool.inspect(keep("a.wav", pictures_made.sound()), "a.wav")
    assert (seen.media_type, seen.state) == ("audio/x-wav", "partly_read")
    assert "speech_not_transcribed" in seen.flags
    assert seen.metadata["stream_0"] == "audio pcm_s16le 8000 Hz 1 channels 1.00 s"
    assert seen.pages == ()


@pytest.mark.parametrize(
    "playlist",
    [
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        b";FFMETADATA1\ntitle=x\n",
    ],
)
def test_lists_of_other_files_are_no_media(playlist: bytes) -> None:
    assert inspect(playlist).media_type not in ("video/mp4", "audio/mpeg")
    reading = media.read_media(Source(playlist), Context(inspection.open_part))
    assert (reading.state, reading.pages) == ("damaged", [])


def test_without_its_library_it_is_not_called_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    seen = inspect(film())
    assert seen.state == "unknown_type"
    assert "media_reader_missing" in seen.flags


@settings(max_examples=25)
@given(st.integers(0, 1000), st.binary(min_size=1, max_size=20))
def test_cut_or_changed_it_is_a_state_and_no_fault(place: int, rubbish: bytes) -> None:
    whole = film("avi")
    at = place * len(whole) // 1001
    for data in (whole[:at], whole[:at] + rubbish + whole[at + len(rubbish) :]):
        assert inspect(data).state in ("read", "partly_read", "damaged", "empty", "unknown_type")


def test_a_frame_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no such frame"):
        media.frame(Source(film()), 9)


def test_a_picture_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_PIXELS", 100)
    seen = inspect(film())
    assert seen.pages == ()
    assert "frames_not_read" in seen.flags


def test_no_thread_is_started_and_no_file_opened() -> None:
    opened = []
    hooks = {"open", "_thread.start_new_thread"}
    recording = [True]
    sys.addaudithook(
        lambda event, _: opened.append(event) if event in hooks and recording else None
    )
    image = media.frame(Source(film()), 1)
    recording.clear()
    assert isinstance(image, Image.Image)
    assert opened == []

"""Sound and video: what the container says, its streams, its written words, and key frames.

FFmpeg's libraries read it inside the cell, in the document's own process: no program is started
and no thread. The container may open nothing else (no protocol is allowed, no playlist is a known
format). Speech is not transcribed, and every transcript of a file with sound says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL import Image

MAX_FRAMES: Final = 16
"""Key frames that are looked at, evenly spread over a video."""
_SECONDS_A_FRAME: Final = 4.0
MAX_PIXELS: Final = 36_000_000
# Behind a key frame so many packets and decoded pixels lead nearer to the place that is wanted.
_MOST_PACKETS: Final = 400
_MOST_DECODED: Final = 60_000_000
_MOST_SUBTITLES: Final = 20_000
_MOST_STREAMS: Final = 24

# FFmpeg's names of containers that hold their media themselves; no playlist, no list of images.
_CONTAINERS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,ivf,"
    "mxf,dv,rm,mp3,wav,w64,aiff,caf,flac,ogg,aac,amr,amrnb,amrwb,ac3,eac3,dts,au,ape,wv,tta,mpc"
)
_KEPT: Final = {
    "title": "title", "artist": "artist", "album": "album", "author": "author",
    "comment": "comment", "description": "description", "copyright": "copyright",
    "encoder": "encoder", "major_brand": "brand", "make": "make", "model": "model",
    "com.apple.quicktime.make": "make", "com.apple.quicktime.model": "model",
    "com.apple.quicktime.software": "software", "com.android.version": "android_version",
    "com.android.manufacturer": "make", "com.android.model": "model",
    "com.apple.quicktime.creationdate": "taken", "software": "software", "date": "date",
}  # fmt: skip
_PLACES: Final = ("location", "location-eng", "com.apple.quicktime.location.iso6709", "xyz")
_ISO_6709: Final = re.compile(
    r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:([+-]\d+(?:\.\d+)?))?"
)


@dataclass(frozen=True)
class Shot:
    """One decoded frame: where in seconds it stands, and its pixels."""

    seconds: float
    image: Image.Image


def read_media(source: Source, context: Context) -> Reading:
    """Describe a sound or video file; its key frames become pages for OCR."""
    reading = Reading()
    try:
        import av
    except ImportError:
        reading.state = "unknown_type"
        reading.flag("media_reader_missing")
        return reading
    try:
        with _opened(source) as container:
            _describe(container, reading)
            _note_streams(container, reading)
            _add_frames(container, reading, context)
            _add_words(container, reading, context)
    except (av.FFmpegError, ValueError, OSError, EOFError, ArithmeticError, LookupError):
        if not reading.metadata.get("streams"):
            reading.state = "damaged"
        reading.flag("part_not_read")
    return reading


def frame(source: Source, number: int) -> Image.Image:
    """Return the key frame ``number`` (counted from 1) as it is shown, upright.

    Raises:
        ValueError: there is no such frame, or it cannot be decoded.
    """
    with _opened(source) as container:
        places = _places(container)
        if not 0 < number <= len(places):
            raise ValueError("no such frame")
        shot = _shot(container, places[number - 1])
    if shot is None:
        raise ValueError("the frame cannot be decoded")
    return shot.image


@contextmanager
def _opened(source: Source) -> Iterator[InputContainer]:
    import av

    av.logging.set_level(av.logging.PANIC)
    bounds = {
        "protocol_whitelist": "none",
        "format_whitelist": _CONTAINERS,
        "max_streams": str(_MOST_STREAMS),
    }
    with av.open(
        source.file(), "r", container_options=bounds, metadata_errors="replace"
    ) as container:
        yield container


def _describe(container: InputContainer, reading: Reading) -> None:
    """Note what the container says of itself, under keys that all formats share."""
    reading.note("container", container.format.name)
    if container.duration:
        reading.note("duration_s", f"{container.duration / 1_000_000:.2f}")
    if container.bit_rate:
        reading.note("bit_rate", container.bit_rate)
    said = {key.lower(): value for key, value in container.metadata.items()}
    for key, name in _KEPT.items():
        if said.get(key):
            reading.note(name, said[key])
    if said.get("creation_time"):
        reading.note("created", said["creation_time"])
    for key in _PLACES:
        if place := _ISO_6709.match(said.get(key, "")):
            _note_place(place, reading)
            break
    for number, chapter in enumerate(container.chapters()[:100], 1):
        reading.note(f"chapter_{number}", chapter["metadata"].get("title"))


def _note_place(place: re.Match[str], reading: Reading) -> None:
    latitude, longitude = float(place[1]), float(place[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        return
    reading.flag("gps")
    reading.note("gps_latitude", f"{latitude:.6f}")
    reading.note("gps_longitude", f"{longitude:.6f}")
    reading.note("gps_altitude_m", f"{float(place[3]):.1f}" if place[3] else None)


def _note_streams(container: InputContainer, reading: Reading) -> None:
    """Note each stream on one line, and what of it nobody reads here."""
    reading.note("streams", len(container.streams))
    for stream in list(container.streams)[:_MOST_STREAMS]:
        reading.note(f"stream_{stream.index}", _line(stream))
    if container.streams.audio:
        # Heard it must be by a person: until then something of the file is unread.
        reading.flag("speech_not_transcribed")
        reading.flag("part_not_read")


def _line(stream: Any) -> str:
    context = stream.codec_context
    parts = [stream.type, context.name if context else "unknown"]
    if stream.type == "video":
        parts.append(f"{stream.width}x{stream.height}")
        if stream.average_rate:
            parts.append(f"{float(stream.average_rate):.2f} fps")
    elif stream.type == "audio":
        parts += [f"{stream.rate} Hz", str(stream.layout.name)]
    if stream.duration and stream.time_base:
        parts.append(f"{float(stream.duration * stream.time_base):.2f} s")
    said = {key.lower(): value for key, value in stream.metadata.items()}
    parts += [said[key] for key in ("language", "title", "handler_name") if said.get(key)]
    return " ".join(parts)


def _places(container: InputContainer) -> list[float]:
    """Return the seconds at which frames are looked at; they follow from the duration alone."""
    if not container.streams.video:
        return []
    seconds = (container.duration or 0) / 1_000_000
    count = max(1, min(MAX_FRAMES, int(seconds / _SECONDS_A_FRAME) + 1))
    return [seconds * place / count for place in range(count)]


def _shot(container: InputContainer, seconds: float) -> Shot | None:
    """Return the frame at a place, or the nearest before it that the budget reaches."""
    import av

    stream = container.streams.video[0]
    if stream.width * stream.height > MAX_PIXELS:
        return None
    if not stream.codec_context.is_open:
        # A document may start no thread.
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    start, base = stream.start_time or 0, float(stream.time_base or 1)
    # Without an index a seek may lead behind the last key frame: then the way is from the start.
    for begin in dict.fromkeys((seconds, 0.0)):
        try:
            if begin > 0:
                container.seek(int(begin / base) + start, stream=stream)
            else:
                container.seek(0)
        except av.FFmpegError:
            # What cannot be sought in is read from where it is: at first, from the start.
            pass
        shown = None
        for found in _decoded(container, stream):
            shown = found
            if float((found.pts or 0) - start) * base >= seconds:
                break
        if shown is not None:
            return Shot(max(0.0, float((shown.pts or 0) - start) * base), _upright(shown))
    return None


def _decoded(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Yield frames from here on, as many as the budget of one place allows."""
    import av

    left = max(1, _MOST_DECODED // max(1, stream.width * stream.height))
    for number, packet in enumerate(container.demux(stream)):
        try:
            for found in packet.decode():
                yield found
                left -= 1
                if left <= 0:
                    return
        except av.FFmpegError:
            # One broken packet does not make the next unreadable.
            pass
        if number >= _MOST_PACKETS:
            return


def _upright(found: Any) -> Image.Image:
    """Return the pixels of a frame as a player shows them: its shape and its turn applied."""
    # The conversion starts threads of its own unless it is told not to.
    image: Image.Image = found.to_image(threads=1)
    return image.rotate(found.rotation, expand=True) if found.rotation else image


def _add_frames(container: InputContainer, reading: Reading, context: Context) -> None:
    """Add a page for each place that shows something new."""
    from tasks.reader.animation import Novelty

    places = _places(container)
    if places and _is_cover(container):
        reading.flag("cover_picture")
    novelty, last = Novelty(), -1.0
    for number, seconds in enumerate(places, 1):
        shot = _shot(container, seconds)
        if shot is None:
            reading.flag("frames_not_read")
            continue
        if shot.seconds == last or not novelty.is_new(shot.image):
            continue
        last = shot.seconds
        context.page(
            reading, "", frame=number, label=_clock(shot.seconds), origin="none", needs_ocr=True
        )
    if places:
        reading.note("frames_read", len(reading.pages))


def _is_cover(container: InputContainer) -> bool:
    disposition = getattr(container.streams.video[0], "disposition", None)
    return "attached_pic" in str(disposition)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"画面 frame {whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _add_words(container: InputContainer, reading: Reading, context: Context) -> None:
    """Add each text subtitle stream as one page, a line a caption."""
    for number, stream in enumerate(container.streams.subtitles, 1):
        if stream.codec_context is None or "text" not in _properties(stream):
            reading.flag("subtitles_not_read")
            continue
        container.seek(0)
        lines = [line for line in _captions(container, stream) if line]
        label = f"字幕 subtitles {number} {stream.language or ''}".strip()
        context.page(reading, "\n".join(lines), label=label)


def _properties(stream: Any) -> str:
    # Bitmap subtitles are pictures; the codec says which it is.
    return "text" if stream.codec_context.codec.name in _TEXT_SUBTITLES else "bitmap"


_TEXT_SUBTITLES: Final = frozenset(
    {"subrip", "srt", "mov_text", "ass", "ssa", "webvtt", "text", "microdvd"}
)


def _captions(container: InputContainer, stream: Any) -> Iterator[str]:
    for number, packet in enumerate(container.demux(stream)):
        if number >= _MOST_SUBTITLES:
            return
        for shown in packet.decode():
            # Both a whole set and single texts are given, depending on the codec.
            for each in getattr(shown, "rects", None) or (shown,):
                text = getattr(each, "dialogue", b"") or getattr(each, "text", b"") or b""
                said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
                yield " ".join(said.replace("\\N", " ").split())

"""What one thread writes another reads: all of it, in order, and every failure on either side."""

import threading
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.digest import CHUNK
from storage.pipe import made_by


@given(
    st.lists(st.integers(0, 3 * CHUNK) | st.integers(0, 200), max_size=6),
    st.sampled_from([1000, CHUNK, 5 * CHUNK]),
)
def test_what_is_written_is_read(sizes: list[int], step: int) -> None:
    parts = [bytes([at % 251 + 1]) * size for at, size in enumerate(sizes)]

    def write(stream: BinaryIO) -> None:
        for part in parts:
            stream.write(part)

    with made_by(write) as stream:
        read = b"".join(iter(lambda: stream.read(step), b""))
        assert stream.read(step) == b""
    assert read == b"".join(parts)


def test_what_the_writer_raises_comes_out_where_it_is_read() -> None:
    def write(stream: BinaryIO) -> None:
        stream.write(bytes(3 * CHUNK))
        raise OSError("the source is gone")

    with made_by(write) as stream, pytest.raises(OSError, match="the source is gone"):
        stream.read()


def test_a_reader_that_gives_up_ends_the_writer() -> None:
    ended = threading.Event()

    def write(stream: BinaryIO) -> None:
        try:
            while True:
                stream.write(bytes(CHUNK))
        finally:
            ended.set()

    with made_by(write) as stream:
        assert len(stream.read(10)) == 10
    assert ended.is_set()
    assert not [each for each in threading.enumerate() if each.name == "pipe"]


def test_the_writer_waits_for_the_reader() -> None:
    written = []

    def write(stream: BinaryIO) -> None:
        for _ in range(100):
            stream.write(bytes(CHUNK))
            written.append(1)

    with made_by(write) as stream:
        stream.read(1)
        threading.Event().wait(0.3)
        assert len(written) < 15
        stream.read()
    assert len(written) == 100

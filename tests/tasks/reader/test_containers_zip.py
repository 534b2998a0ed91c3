"""zip as a container: names without a flag, methods that Windows uses, links, what is hidden."""

from __future__ import annotations

import stat
import zlib

import inflate64
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader.containers import names
from tasks.reader.limits import limit_of
from tests.tasks.reader.packed import listed, taken
from tests.tasks.reader.samples import RawZip

DATA = b"".join(b"%d," % i for i in range(20_000))

raw_names = st.binary(min_size=1, max_size=60).filter(lambda b: not b.endswith(b"/"))


@settings(max_examples=150, deadline=None)
@given(st.lists(raw_names, min_size=1, max_size=5, unique=True))
def test_any_bytes_of_a_name_are_kept(raws: list[bytes]) -> None:
    made = RawZip()
    for raw in raws:
        made.entry(raw, b"content of " + raw)
    found = listed(made.bytes())
    assert [bytes.fromhex(m.raw_name) for m in found.members] == raws
    assert [data for _, data in taken(made.bytes())] == [b"content of " + raw for raw in raws]


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (["客户名单.txt", "目录", "a.txt"], "gbk"),
        (["目录"], "gbk"),
        (["顧客名簿.txt", "ひらがな.doc", "カタカナ"], "shift_jis"),
        (["東京都.txt"], "shift_jis"),
        (["客户名单.txt", "目录", "ひらがな"], "utf-8"),
        (["café.txt", "naïve"], "utf-8"),
        (["Отчёт.doc"], "utf-8"),
    ],
    ids=["gbk", "gbk_like_utf8", "japanese", "kanji_alone", "utf8", "french", "russian"],
)
def test_names_without_a_flag_are_read_as_they_were_written(
    written: list[str], encoding: str
) -> None:
    made = RawZip()
    for name in written:
        made.entry(name.encode(encoding), b"")
    assert [member.name for member in listed(made.bytes()).members] == written


def test_a_flag_decides_even_where_it_looks_odd() -> None:
    raw = "目录".encode("gbk")
    (member,) = listed(RawZip().entry(raw, b"", flags=1 << 11).bytes()).members
    assert (member.name, member.encoding) == (raw.decode(), "utf-8")


@given(st.binary(max_size=40))
def test_any_name_can_be_shown(raw: bytes) -> None:
    text, encoding = names.decode(raw, names.legacy_encoding([raw]))
    assert text.encode(encoding) == raw


def pack64(data: bytes) -> bytes:
    packer = inflate64.Deflater()
    return bytes(packer.deflate(data) + packer.flush())


@pytest.mark.parametrize(
    ("method", "packed"),
    [(9, pack64(DATA)), (93, zstandard.compress(DATA))],
    ids=["deflate64", "zstd"],
)
def test_methods_beyond_the_standard_library(method: int, packed: bytes) -> None:
    good = RawZip().entry(b"a", packed, size=len(DATA), crc=zlib.crc32(DATA), method=method)
    assert listed(good.bytes()).safe
    assert list(taken(good.bytes())) == [("a", DATA)]
    noise = RawZip().entry(b"a", b"\x07" * 50, size=50, method=method)
    ((_, said),) = taken(noise.bytes())
    assert isinstance(said, str)


def test_links_and_folders_have_nothing_to_take() -> None:
    made = RawZip().entry(b"d/", b"", mode=stat.S_IFDIR | 0o755)
    made.entry(b"l", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)
    found = listed(made.bytes())
    assert [(m.name, m.kind) for m in found.members] == [("d", "folder"), ("l", "symlink")]
    assert all("不是文件" in str(said) for _, said in taken(made.bytes()))


def test_a_folder_with_data_is_told() -> None:
    (member,) = listed(RawZip().entry(b"d/", b"data").bytes()).members
    assert member.unsafe == ("hidden_data",)


def test_the_ratio_is_told_with_its_value() -> None:
    (member,) = listed(RawZip().entry(b"a", b"x" * 1000, size=5 << 20).bytes()).members
    assert limit_of(member.unsafe[0]) == ("ratio", (5 << 20) // 1000, 200)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_archive_never_gives_wrong_bytes(data: st.DataObject) -> None:
    content = {"a": DATA[:500], "b/c": DATA[:90]}
    made = RawZip()
    for name, plain in content.items():
        made.entry(name.encode(), plain)
    whole = bytearray(made.bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        got = list(taken(bytes(whole)))
    except AssertionError:
        return
    assert all(isinstance(each, str) or each in (*content.values(), b"") for _, each in got)


def test_an_archive_behind_a_picture_is_found() -> None:
    hidden = RawZip().entry(b"a", b"secret").bytes()
    found = listed(b"\x89PNG\r\n\x1a\n" + bytes(500) + hidden)
    assert (found.format, found.problems) == ("zip", ("hidden",))
    assert list(taken(b"MZ" + bytes(500) + hidden)) == [("a", b"secret")]
    assert not listed(b"MZ" + hidden + b"tail").format

"""Archives: listed without trust, judged, then read or extracted within bounds."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader import members, zipdir
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack
from tasks.reader.failures import UnreadableError
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source
from tasks.reader.zipdir import ZipListing
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep, Read
from tests.tasks.reader.samples import RawZip


def listed(data: bytes, **limits: int) -> ZipListing:
    return zipdir.list_zip(Source(data), Limits(**limits))


def unsafe(data: bytes) -> list[tuple[str, ...]]:
    return [member.unsafe for member in listed(data).members]


def test_a_good_archive_is_safe_and_its_members_come_out() -> None:
    content = {"a.txt": b"alpha" * 1000, "目录/b.bin": bytes(range(256)) * 4000, "empty": b""}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        source = Source(samples.archive(content, method))
        listing = zipdir.list_zip(source, Limits())
        assert listing.safe
        assert listing.total_bytes == sum(map(len, content.values()))
        for member in listing.members:
            assert members.read(source, member, 1 << 21) == content[member.name]


@pytest.mark.parametrize(
    ("raw", "name", "encoding"),
    [
        ("客户.txt".encode(), "客户.txt", "utf-8"),
        ("客户名单.txt".encode("gbk"), "客户名单.txt", "gb18030"),
        (b"\xff\xff.txt", "\xa0\xa0.txt", "cp437"),
    ],
)
def test_names_without_a_flag(raw: bytes, name: str, encoding: str) -> None:
    (member,) = listed(RawZip().entry(raw, b"x").bytes()).members
    assert (member.name, member.encoding, member.raw_name) == (name, encoding, raw.hex())


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"name": b"../evil"}, "parent"),
        ({"name": b"a/../../evil"}, "parent"),
        ({"name": b"/etc/passwd"}, "absolute"),
        ({"name": b"C:\\x"}, "absolute"),
        ({"name": b"a\\..\\x"}, "backslash"),
        ({"name": b"a\0b"}, "nul"),
        ({"name": b"a//b"}, "empty_name"),
        ({"name": b"./b"}, "empty_name"),
        ({"name": b"link", "mode": stat.S_IFLNK | 0o777}, "symlink"),
        ({"name": b"pipe", "mode": stat.S_IFIFO | 0o644}, "special"),
        ({"name": b"odd", "method": 99}, "method"),
        ({"name": b"shown", "local_name": b"other"}, "header_mismatch"),
        ({"name": b"bomb", "size": 1 << 30}, "ratio"),
        ({"name": b"gone", "at": 7}, "header_mismatch"),
    ],
)
def test_unsafe_entries_are_named(entry: dict[str, object], reason: str) -> None:
    data = RawZip().entry(**{"data": b"x" * 10, **entry}).bytes()  # type: ignore[arg-type]
    assert reason in unsafe(data)[0]


def test_duplicates_and_overlaps() -> None:
    twice = RawZip().entry(b"a", b"1").entry(b"a", b"2").bytes()
    assert unsafe(twice) == [("duplicate",), ("duplicate",)]
    over = RawZip().entry(b"a", b"1" * 100).entry(b"a", b"1" * 100, at=0)
    assert all("overlap" in reasons for reasons in unsafe(over.bytes()))


def test_hidden_bytes_and_limits() -> None:
    inner = RawZip().entry(b"hidden", b"secret").bytes()
    shown = RawZip().entry(b"shown", b"x")
    assert "hidden" in listed(shown.bytes(before=inner)).problems
    assert listed(shown.bytes(before=inner)).members[0].name == "shown"
    assert "hidden" in listed(shown.bytes(after=b"tail")).problems
    assert listed(shown.bytes(), max_entries=0).problems == ("entries",)
    assert "total" in listed(shown.bytes(), max_total_bytes=0).problems
    cut = bytearray(shown.bytes())
    cut[-12:-10] = (5).to_bytes(2, "little")
    assert "truncated_directory" in listed(bytes(cut)).problems


def test_zip64_and_encryption() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped, zipped.open("big", "w", force_zip64=True) as member:
        member.write(b"x" * 1000)
    assert listed(out.getvalue()).safe
    (locked,) = listed(RawZip().entry(b"a", b"x" * 20, flags=1).bytes()).members
    assert locked.encrypted


def test_not_an_archive() -> None:
    with pytest.raises(Refused, match="zip"):
        listed(b"no archive at all")


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"crc": 1}, "校验值"),
        ({"size": 5}, "声明的大小"),
        ({"size": 500}, "校验值"),
        ({"method": 8}, "已损坏"),
    ],
)
def test_a_lying_member_is_refused_at_its_end(entry: dict[str, int], match: str) -> None:
    source = Source(RawZip().entry(b"a", b"\xff" * 100, **entry).bytes())  # type: ignore[arg-type]
    (member,) = zipdir.list_zip(source, Limits()).members
    with pytest.raises(Refused, match=match):
        members.read(source, member, 1 << 20)


def test_extraction_is_bounded_and_can_be_abandoned(pool: CellPool, keep: Keep) -> None:
    path = keep("a.zip", samples.archive({"zeros": bytes(50 << 20)}))
    (member,) = contents(pool, path, "a.zip").members
    assert member.unsafe[0].startswith("ratio:")
    with CellPool(1, max_file_bytes=1 << 20) as narrow:
        turns = unpack(narrow, path, "a.zip", [0])
        with pytest.raises(UnreadableError, match="允许的大小"):
            list(next(turns).pieces())
    turns = unpack(pool, path, "a.zip", [0])
    piece = next(next(turns).pieces())
    assert piece == bytes(len(piece))
    turns.close()
    assert sum(len(p) for u in unpack(pool, path, "a.zip", [0]) for p in u.pieces()) == 50 << 20


def test_a_bomb_that_claims_to_be_small() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(bytes(20 << 20)) + packer.flush()
    source = Source(RawZip().entry(b"a", data, size=1000, method=8).bytes())
    member = zipdir.list_zip(source, Limits()).members[0]
    with pytest.raises(Refused, match="声明的大小"):
        list(members.unpack(source, member, 1 << 30))


def test_reading_an_archive_as_a_document(inspect: Read) -> None:
    inner = samples.archive({"深处.txt": "里面的客户".encode()})
    outer = RawZip()
    outer.entry("名单.txt".encode("gbk"), "张三".encode()).entry(b"../up.txt", b"escaped")
    outer.entry(b"inner.zip", inner)
    seen = inspect("a.zip", outer.bytes())
    assert seen.media_type == "application/zip"
    assert [(p.label, p.text, p.inside) for p in seen.pages] == [
        ("名单.txt", "张三", (0,)),
        ("../up.txt", "", ()),
        ("inner.zip › 深处.txt", "里面的客户", (2, 0)),
    ]
    assert seen.pages[1].flags == ("unsafe_parent",)
    assert seen.state == "partly_read"


def test_archives_in_archives_end(inspect: Read) -> None:
    data = samples.archive({"x.txt": b"deep"})
    for _ in range(6):
        data = samples.archive({"x.zip": data})
    seen = inspect("a.zip", data)
    assert "deep" not in seen.text
    assert "too_deep" in seen.pages[0].flags


def test_an_encrypted_archive_is_a_state(inspect: Read) -> None:
    seen = inspect("a.zip", RawZip().entry(b"a.txt", b"x" * 30, flags=1).bytes())
    assert seen.state == "encrypted"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_listed_or_refused(data: st.DataObject) -> None:
    whole = bytearray(samples.archive({"a": b"12345" * 20, "b/c": b"6"}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        source = Source(bytes(whole))
        for member in zipdir.list_zip(source, Limits()).members:
            list(members.unpack(source, member, 1 << 20))
    except Refused:
        pass

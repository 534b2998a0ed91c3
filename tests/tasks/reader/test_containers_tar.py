"""tar: any name and any header, read strictly; what two readers could see differently is told."""

from __future__ import annotations

import io
import os
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader.answer import Contents, Member
from tasks.reader.containers.tar import BLOCK, parse_header, pax_records
from tasks.reader.job import Refused
from tests.tasks.reader.packed import listed, taken, tar_file

FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
END = bytes(2 * BLOCK)

# A part of a path on Linux: any bytes but the two that paths are made of, and no dots alone.
parts = st.binary(min_size=1, max_size=80).filter(
    lambda b: not {0, 47} & set(b) and b not in (b".", b"..")
)


def header(name: bytes = b"a", size: int = 0, kind: bytes = b"0", **fields: bytes) -> bytes:
    """Return one ustar header with a right checksum, whatever its fields say."""
    block = bytearray(BLOCK)
    block[:100] = name.ljust(100, b"\0")[:100]
    block[100:108], block[108:116], block[116:124] = (b"0000644\0",) * 3
    block[124:136] = fields.get("size_field", b"%011o\0" % size)
    block[136:148] = fields.get("time", b"14371560000\0")
    block[156:157] = kind
    block[157:257] = fields.get("link", b"").ljust(100, b"\0")
    block[257:265] = fields.get("magic", b"ustar\x0000")
    block[345:500] = fields.get("prefix", b"").ljust(155, b"\0")
    block[148:156] = b"%06o\0 " % (sum(block) + 8 * 32)
    return bytes(block)


def entry(data: bytes = b"", **fields: bytes) -> bytes:
    return header(size=len(data), **fields) + data + bytes(-len(data) % BLOCK)


def only(data: bytes) -> Member:
    (member,) = listed(data + END).members
    return member


@settings(max_examples=150, deadline=None)
@given(
    st.lists(parts, min_size=1, max_size=6), st.binary(max_size=600), st.sampled_from(list(FORMS))
)
def test_every_name_and_content_comes_back(path: list[bytes], data: bytes, form: str) -> None:
    raw = b"/".join(path)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=FORMS[form], errors="surrogateescape") as made:
        info = tarfile.TarInfo(os.fsdecode(raw))
        info.size = len(data)
        try:
            made.addfile(info, io.BytesIO(data))
        except ValueError:
            # ustar cannot hold every long name; then there is nothing to read.
            return
    (member,) = listed(out.getvalue()).members
    assert bytes.fromhex(member.raw_name) == raw
    assert [content for _, content in taken(out.getvalue())] == [data]
    if raw.isascii() or member.encoding == "utf-8":
        assert member.name.encode("utf-8", "replace") == raw


@given(st.binary(min_size=BLOCK, max_size=BLOCK))
def test_noise_is_refused(block: bytes) -> None:
    with pytest.raises(Refused):
        parse_header(block)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_listed_or_refused(data: st.DataObject) -> None:
    whole = bytearray(tar_file({"a": b"12345" * 200, "b" * 150: b"6" * 700}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, 4000))] = data.draw(st.integers(0, 255))
    try:
        found = listed(bytes(whole))
    except Refused:
        return
    if found.format:
        dict(taken(bytes(whole)))


@given(st.dictionaries(st.binary(min_size=1).filter(lambda b: b"=" not in b), st.binary()))
def test_pax_records_are_read_as_written(records: dict[bytes, bytes]) -> None:
    assert pax_records(b"".join(record(k, v) for k, v in records.items())) == records


def record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while length != len(body) + len(b"%d" % length):
        length = len(body) + len(b"%d" % length)
    return b"%d" % length + body


@pytest.mark.parametrize(
    "data",
    [b"x", b"5 a=b", b"99 a=b\n", b"06a=b\n", b"6 ab\n\n", b"-6 a=b\n", b"6 a=bc", b"1 \n"],
    ids=["short", "no_newline", "long", "no_space", "no_equals", "negative", "uneven", "tiny"],
)
def test_pax_records_of_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        pax_records(data)


@pytest.mark.parametrize(
    ("data", "kind", "unsafe"),
    [
        (entry(name=b"../up"), "file", ("parent",)),
        (entry(name=b"/etc/passwd"), "file", ("absolute",)),
        (entry(name=b"a/../b"), "file", ("parent",)),
        (entry(name=b"a//b"), "file", ("empty_name",)),
        (entry(name=b""), "file", ("empty_name",)),
        (entry(name=b"./a"), "file", ()),
        (entry(name=b"./", kind=b"5"), "folder", ()),
        (entry(name=b"d/", kind=b"\0"), "folder", ()),
        (entry(name=b"d/"), "file", ("empty_name",)),
        (entry(kind=b"5"), "folder", ()),
        (entry(kind=b"2", link=b"/etc/passwd"), "symlink", ("symlink",)),
        (entry(kind=b"1", link=b"gone"), "hardlink", ("hardlink",)),
        (entry(kind=b"3"), "special", ("special",)),
        (entry(kind=b"4"), "special", ("special",)),
        (entry(kind=b"6"), "special", ("special",)),
        (entry(b"x", kind=b"S"), "file", ("sparse",)),
        (entry(b"x", kind=b"M"), "special", ("special", "hidden_data")),
        (entry(b"x", kind=b"?"), "special", ("special", "hidden_data")),
        (header(size=5, kind=b"5"), "folder", ("hidden_data",)),
        (entry(record(b"path", b"a\0b"), kind=b"x") + entry(), "file", ("nul",)),
        (entry(record(b"GNU.sparse.major", b"1"), kind=b"x") + entry(), "file", ("sparse",)),
    ],
    ids=[
        "parent", "absolute", "inner_parent", "double_slash", "no_name", "dot", "root", "v7_folder",
        "file_or_folder", "folder", "symlink", "hardlink", "character_device", "block_device",
        "fifo", "sparse", "volume", "unknown", "folder_with_size", "nul", "pax_sparse",
    ],
)  # fmt: skip
def test_what_is_unsafe_is_named(data: bytes, kind: str, unsafe: tuple[str, ...]) -> None:
    member = only(data)
    assert (member.kind, member.unsafe) == (kind, unsafe)


def test_links_are_told_with_their_targets() -> None:
    found = listed(entry(b"x") + entry(name=b"b", kind=b"1", link=b"./a") + END)
    assert [(m.kind, m.target, m.unsafe) for m in found.members] == [
        ("file", "", ()),
        ("hardlink", "a", ()),
    ]
    assert "不是文件" in str(dict(taken(entry(name=b"l", kind=b"2", link=b"a") + END))["l"])


def test_extension_headers_count_for_the_next_entry_and_global_ones_for_all() -> None:
    long = "长名字".encode() * 60
    data = entry(record(b"mtime", b"1.5"), kind=b"g")
    data += entry(long + b"\0", kind=b"L", name=b"././@LongLink") + entry(b"1")
    data += entry(record(b"path", b"pax") + record(b"size", b"3"), kind=b"x")
    data += header(size=0) + b"abc".ljust(BLOCK, b"\0") + entry(b"2", name=b"last") + END
    found = listed(data)
    assert [m.name for m in found.members] == [long.decode(), "pax", "last"]
    assert {m.modified for m in found.members} == {"1970-01-01T00:00:01Z"}
    assert [content for _, content in taken(data)] == [b"1", b"abc", b"2"]


def test_names_without_utf8_keep_their_bytes() -> None:
    member = only(entry(name="客户名单.txt".encode("gbk")))
    assert (member.name, member.encoding) == ("客户名单.txt", "gb18030")
    assert bytes.fromhex(member.raw_name).decode("gbk") == "客户名单.txt"


def test_old_and_posix_spellings_of_one_name() -> None:
    assert only(entry(name=b"b", prefix=b"a")).name == "a/b"
    # In GNU's own form other things than a prefix stand there.
    assert only(entry(name=b"b", prefix=b"14371560000", magic=b"ustar  \0")).name == "b"
    assert only(entry(name=b"b", magic=bytes(8))).name == "b"


@pytest.mark.parametrize(
    "field",
    [b"-0000000001\0", b"0x000000000\0", b"99999999999\0", b"\xff" * 12, b"\x80" + b"\x7f" * 11],
)
def test_a_size_that_is_no_number_ends_the_archive(field: bytes) -> None:
    with pytest.raises(Refused):
        parse_header(header(size_field=field))


def test_a_size_in_base_256_is_read() -> None:
    assert parse_header(header(size_field=b"\x80" + (9 << 33).to_bytes(11))).size == 9 << 33


def test_a_size_that_reaches_past_the_end_allocates_nothing() -> None:
    found = listed(header(size=0o77777777777) + b"x" * 100)
    assert found.problems == ("truncated",)
    assert len(found.members) == 1


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (entry(b"x") + END, ()),
        (entry(b"x"), ("truncated",)),
        (entry(b"x") + bytes(BLOCK), ()),
        (entry(b"x") + END + bytes(8192), ()),
        (entry(b"x") + bytes(BLOCK) + entry(b"y"), ("hidden",)),
        (entry(b"x") + END + entry(b"y"), ("hidden",)),
        (entry(b"x") + b"\1" * BLOCK, ("damaged",)),
        (entry(b"x") + entry(b"y")[:700], ("truncated",)),
        (entry(b"x") + entry(b"y")[:300], ("truncated",)),
        (entry(b"x") + entry(bytes(2 << 20), kind=b"x"), ("damaged",)),
    ],
    ids=["whole", "no_end", "one_zero_block", "padded", "after_one", "after_two", "noise",
         "cut_data", "cut_header", "huge_extension"],
)  # fmt: skip
def test_where_an_archive_ends_is_told(data: bytes, problems: tuple[str, ...]) -> None:
    assert listed(data).problems == problems


def test_doubles_are_told() -> None:
    found: Contents = listed(entry(b"1") + entry(b"2", name=b"./a") + END)
    assert [m.unsafe for m in found.members] == [("duplicate",), ("duplicate",)]

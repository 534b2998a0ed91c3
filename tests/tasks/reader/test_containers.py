"""Containers through the real cell: one content in every format, listed and taken out."""

from __future__ import annotations

import zipfile

import pytest

from tasks.reader.answer import Contents
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack
from tasks.reader.failures import UnreadableError
from tasks.reader.job import Refused
from tasks.reader.limits import limit_of
from tests.tasks.reader import olefiles, packed, packer, samples
from tests.tasks.reader.conftest import Keep
from tests.tasks.reader.packed import COMPRESS, CONTENT, WRITERS, listed, taken
from tests.tasks.reader.samples import RawZip


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_back_what_was_put_in(pool: CellPool, keep: Keep, kind: str) -> None:
    path = keep("x", WRITERS[kind](CONTENT))
    found = contents(pool, path, "x")
    assert (found.format, found.problems) == (kind.split()[0], ())
    assert all(not member.unsafe and not member.encrypted for member in found.members)
    names = {member.index: member.name for member in found.members if member.kind == "file"}
    out = {names[u.index]: b"".join(u.pieces()) for u in unpack(pool, path, "x", list(names))}
    out.pop("message.txt", None)
    assert out == CONTENT


@pytest.mark.parametrize("kind", ["zip", "tar.xz", "7z", "mail"])
def test_members_are_chosen_skipped_and_missed(pool: CellPool, keep: Keep, kind: str) -> None:
    path = keep("x", WRITERS[kind](CONTENT))
    seen = []
    for member in unpack(pool, path, "x", [2, 1, 9]):
        seen.append(member.index)
        if member.index == 2:
            assert b"".join(member.pieces()) == b""
        if member.index == 9:
            with pytest.raises(UnreadableError, match="第 9 项"):
                list(member.pieces())
    assert seen == [1, 2, 9]


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_file_compressed_alone_is_one_member_of_unknown_size(
    pool: CellPool, keep: Keep, kind: str
) -> None:
    path = keep("x", COMPRESS[kind](b"one file" * 1000))
    found = contents(pool, path, f"名单.csv.{kind}")
    assert found.format == kind
    assert [(m.name, m.size) for m in found.members] == [("名单.csv", -1)]
    (only,) = [b"".join(u.pieces()) for u in unpack(pool, path, "x", [0])]
    assert only == b"one file" * 1000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text\n",
        bytes(10_000),
        b"PK",
        b"BZhello, this is text",
        samples.pdf(["text"]),
        samples.word(),
        packed.zip_file({"META-INF/MANIFEST.MF": b"", "a.class": b"x"}),
        packed.zip_file(
            {"mimetype": b"application/vnd.oasis.opendocument.text"}, zipfile.ZIP_STORED
        ),
        olefiles.ole_file({"WordDocument": b"x"}),
    ],
    ids=["empty", "text", "zeros", "cut", "BZ", "pdf", "docx", "jar", "odt", "doc"],
)
def test_what_is_no_container(data: bytes) -> None:
    assert listed(data) == Contents()


def test_a_zip_is_no_document_by_its_name_alone() -> None:
    assert listed(packed.zip_file({"[Content_Types].xml": b"", "secret.txt": b"x"})).format == "zip"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_container_cut_anywhere_is_never_taken_for_whole(kind: str) -> None:
    content = {"a.txt": b"alpha" * 1000, "b.txt": bytes(range(256)) * 40}
    data = WRITERS[kind](content)
    for size in range(1, len(data), max(1, len(data) // 40)):
        try:
            found = listed(data[:size])
        except Refused:
            continue
        if not found.format or found.problems:
            continue
        got = dict(taken(data[:size]))
        got.pop("message.txt", None)
        assert got == content or any(isinstance(each, str) for each in got.values())


@pytest.mark.parametrize("kind", ["zip", "tar", "7z", "rar", "rar old"])
def test_a_damaged_member_is_told_and_the_others_come_out(kind: str) -> None:
    content = {"a": b"first " * 50, "b": b"second" * 50, "c": b"third " * 50}
    write = (lambda c: packed.zip_file(c, zipfile.ZIP_STORED)) if kind == "zip" else WRITERS[kind]
    data = write(content)
    damaged = data.replace(b"second", b"secomd", 1)
    if damaged == data:
        damaged = data[:60] + bytes([data[60] ^ 1]) + data[61:]
    got = dict(taken(damaged))
    if kind in ("zip", "rar", "rar old"):
        assert isinstance(got["b"], str)
        assert (got["a"], got["c"]) == (content["a"], content["c"])
    elif kind == "7z":
        assert all(isinstance(each, str) or each == content[name] for name, each in got.items())
        assert any(isinstance(each, str) for each in got.values())
    else:
        # tar has no checksum of contents: what stands there is what there is.
        assert got["b"] == content["b"].replace(b"second", b"secomd", 1)


def test_what_stands_before_the_damage_comes_out(pool: CellPool, keep: Keep) -> None:
    data = packed.tar_file({"a": b"1" * 1000, "b": b"2", "c": b"3"})
    broken = data[:1536] + b"\1" * 512 + data[2048:]
    path = keep("x", broken)
    found = contents(pool, path, "x")
    assert ([m.name for m in found.members], found.problems) == (["a"], ("damaged",))
    first, second = unpack(pool, path, "x", [0, 1])
    with pytest.raises(RuntimeError):
        list(first.pieces())
    with pytest.raises(UnreadableError, match="tar 头"):
        list(second.pieces())
    assert b"".join(next(iter(unpack(pool, path, "x", [0, 1]))).pieces()) == b"1" * 1000


def test_encryption_is_recognised_and_nothing_is_taken_out() -> None:
    for data in (
        packed.SEVEN_ENCRYPTED,
        packer.rar5(CONTENT, encrypted=True),
        packer.rar4(CONTENT, encrypted=True),
        RawZip().entry(b"a", b"x" * 20, flags=1).bytes(),
        RawZip().entry(b"a", b"x" * 20, flags=1, method=99).bytes(),
    ):
        assert all(member.encrypted for member in listed(data).members)
        assert all(isinstance(each, str) for _, each in taken(data))
    assert listed(packed.SEVEN_ALL_ENCRYPTED).problems == ("encrypted",)


def test_volumes_and_hidden_bytes_are_problems() -> None:
    assert "multi_disk" in listed(packer.rar5(CONTENT, volume=True)).problems
    assert "multi_disk" in listed(packer.rar4(CONTENT, volume=True)).problems
    for kind in ("rar", "rar old", "7z", "tar", "tar.gz", "tar.bz2", "tar.xz", "zip"):
        assert "hidden" in listed(WRITERS[kind](CONTENT) + b"one more thing").problems, kind


@pytest.mark.parametrize("kind", COMPRESS)
def test_bombs_end_at_their_limit(pool: CellPool, keep: Keep, kind: str) -> None:
    bomb = COMPRESS[kind](packed.tar_file({"zeros": bytes(30 << 20)}))
    (problem,) = listed(bomb).problems
    assert (found := limit_of(problem)) is not None
    assert found[0] == "ratio"
    assert found[1] > found[2] == 200
    (problem,) = listed(bomb, max_ratio=1 << 40, max_total_bytes=5 << 20).problems
    assert (found := limit_of(problem)) is not None
    assert found[0] == "total"
    (member,) = unpack(pool, keep("x", COMPRESS[kind](bytes(30 << 20))), "x", [0])
    with pytest.raises(UnreadableError, match="ratio"):
        list(member.pieces())


@pytest.mark.parametrize("kind", ["zip", "tar", "7z", "rar"])
def test_limits_tell_what_was_exceeded(kind: str) -> None:
    data = WRITERS[kind](CONTENT)
    total = sum(map(len, CONTENT.values()))
    (entries,) = listed(data, max_entries=2).problems
    assert limit_of(entries) == ("entries", 3, 2)
    assert f"total:{total}:10" in listed(data, max_total_bytes=10).problems
    large = listed(data, max_file_bytes=5000).members[1]
    assert f"size:{len(CONTENT['目录/b.bin'])}:5000" in large.unsafe
    long = listed(data, max_path_bytes=6).members[1]
    assert f"path:{len('目录/b.bin'.encode())}:6" in long.unsafe
    assert dict(taken(data, max_file_bytes=4999))["a.txt"] != CONTENT["a.txt"]


def test_what_cannot_be_listed_is_unreadable(pool: CellPool, keep: Keep) -> None:
    with pytest.raises(UnreadableError):
        contents(pool, keep("x.zip", b"PK\x03\x04 and no directory"), "x.zip")


def test_limit_of_reads_limits_only() -> None:
    assert limit_of("ratio:201:200") == ("ratio", 201, 200)
    for other in ("ratio", "ratio:1", "ratio:a:b", "a:1:2:3", "ratio:-1:2", "ratio:\u0661:2"):
        assert limit_of(other) is None

"""Locked documents and the passwords that open them, in the real cell."""

from __future__ import annotations

import io
import random
import subprocess
import zlib
from pathlib import Path

import msoffcrypto
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile

from tasks.reader import password, sevencrypt, sevenheads
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack
from tasks.reader.job import Job
from tasks.reader.process import RefusedDocument
from tasks.reader.source import Source
from tests.tasks.reader import locked_made, packed, packer, samples
from tests.tasks.reader.conftest import Keep

WORD = "密码-Pass 1"


def locked_office(plain: bytes) -> bytes:
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(plain)).encrypt(WORD, out)
    assert msoffcrypto.OfficeFile(io.BytesIO(out.getvalue())).is_encrypted()
    return out.getvalue()


DOCUMENTS = [
    ("a.pdf", samples.locked_pdf(WORD, "owner"), "pdf"),
    ("a.docx", locked_office(samples.word()), "office"),
]


@pytest.mark.parametrize(("name", "data", "method"), DOCUMENTS)
def test_a_document_is_read_with_its_password_and_not_without(
    pool: CellPool, keep: Keep, name: str, data: bytes, method: str
) -> None:
    path = keep(name, data)
    assert pool.inspect(path, name).state == "encrypted"
    assert pool.with_password("wrong").inspect(path, name).state == "encrypted"
    with pytest.raises(RefusedDocument, match="wrong"):
        pool.with_password("wrong").call("unlock", path)
    opened = pool.with_password(WORD)
    assert opened.call("unlock", path) == {"method": method}
    seen = opened.inspect(path, name)
    assert samples.TEXT in seen.text
    assert "unlocked" in seen.flags
    # Nothing stays in the workers that both share.
    assert pool.inspect(path, name).state == "encrypted"


@pytest.mark.parametrize("kind", ["old", "aes128", "aes256"])
def test_locked_entries_of_a_zip_archive(pool: CellPool, keep: Keep, kind: str) -> None:
    data = locked_made.zip_of({"a.txt": b"first " * 9000, "b.txt": b"second"}, WORD, kind)
    path = keep("a.zip", data)
    assert all(each.encrypted for each in contents(pool, path, "a.zip").members)
    opened = pool.with_password(WORD)
    assert opened.call("unlock", path) == {"method": "zip"}
    assert not any(each.encrypted for each in contents(opened, path, "a.zip").members)
    got = [b"".join(each.pieces()) for each in unpack(opened, path, "a.zip", [0, 1])]
    assert got == [b"first " * 9000, b"second"]


def test_what_needs_no_password_says_so(pool: CellPool, keep: Keep) -> None:
    opened = pool.with_password(WORD)
    for name, data in (("a.pdf", samples.pdf(["x"])), ("a.txt", b"text")):
        with pytest.raises(RefusedDocument, match="no password"):
            opened.call("unlock", keep(name, data))
        assert "unlocked" not in opened.inspect(keep(name, data), name).flags
    plain = packer.seven_zip({"a.txt": b"x"})
    for data in (plain, plain[:40], b"7z\xbc\xaf\x27\x1c" + bytes(40)):
        with pytest.raises(RefusedDocument, match="no password"):
            opened.call("unlock", keep("a.7z", data))
    with pytest.raises(RefusedDocument, match="not supported"):
        opened.call("unlock", keep("a.rar", b"Rar!\x1a\x07\x01\x00" + bytes(40)))


SEVEN_WAYS = {
    "lzma2": (),
    "list too": ("-mhe=on",),
    "stored": ("-mx=0",),
    "not solid": ("-ms=off", "-m0=lzma"),
    "joined": ("-m0=BCJ2", "-m1=lzma", "-m2=lzma", "-m3=lzma", "-mb0:1", "-mb0s1:2", "-mb0s2:3"),
}
INSIDE = {
    "a.txt": b"first " * 9000,
    "b.bin": random.Random(7).randbytes(40_001),
    "c.exe": b"MZ" * 99,
}


def seven_locked(folder: Path, options: tuple[str, ...]) -> bytes:
    """Return what 7-Zip itself makes of it."""
    for name, data in INSIDE.items():
        (folder / name).write_bytes(data)
    made = folder / "made.7z"
    run = ["7z", "a", f"-p{WORD}", *options, str(made), *(str(folder / name) for name in INSIDE)]
    subprocess.run(run, check=True, capture_output=True)
    return made.read_bytes()


@pytest.mark.parametrize("way", SEVEN_WAYS)
def test_a_locked_7z_archive_gives_what_was_put_into_it(
    pool: CellPool, keep: Keep, tmp_path: Path, way: str
) -> None:
    path = keep("a.7z", seven_locked(tmp_path, SEVEN_WAYS[way]) + b"behind")
    opened, wrong = pool.with_password(WORD), pool.with_password("wrong")
    locked = contents(pool, path, "a.7z")
    assert "encrypted" in locked.problems or all(m.encrypted for m in locked.members)
    with pytest.raises(RefusedDocument, match="wrong"):
        wrong.call("unlock", path)
    assert contents(wrong, path, "a.7z") == locked
    assert opened.call("unlock", path) == {"method": "7z"}
    found = contents(opened, path, "a.7z")
    assert not any(each.encrypted for each in found.members)
    assert found.problems == ("hidden",)
    names = [each.name for each in found.members]
    got = [b"".join(each.pieces()) for each in unpack(opened, path, "a.7z", range(len(names)))]
    assert dict(zip(names, got, strict=True)) == INSIDE
    assert "unlocked" in opened.inspect(path, "a.7z", parts=False).flags
    assert "unlocked" not in wrong.inspect(path, "a.7z", parts=False).flags


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([packed.SEVEN_ENCRYPTED, packed.SEVEN_ALL_ENCRYPTED]), st.data())
def test_no_damage_to_a_lock_escapes(data: bytes, drawn: st.DataObject) -> None:
    """A header that was tampered with is no archive without locks, and never an error."""
    offset = int.from_bytes(data[12:20], "little") + 32
    at = drawn.draw(st.integers(offset, len(data) - 1))
    changed = bytearray(data)
    changed[at] = drawn.draw(st.integers(0, 255))
    # Its own checksum is put right, as somebody who means harm would.
    changed[28:32] = zlib.crc32(changed[offset:]).to_bytes(4, "little")
    changed[8:12] = zlib.crc32(changed[12:32]).to_bytes(4, "little")
    source = Source(bytes(changed), "a.7z")
    password.give("secret")
    try:
        sevencrypt.is_locked(source)
        found = sevencrypt.opened(source)
        assert found is None or len(found.whole()) == found.size
    finally:
        password.give("")


@given(st.integers(0, (1 << 64) - 1))
def test_numbers_of_a_7z_header_are_written_as_they_are_read(value: int) -> None:
    reading = sevenheads.Reading(sevenheads.number(value))
    assert reading.number() == value
    assert reading.at == len(reading.data)


def test_a_password_is_in_no_text_made_of_a_job() -> None:
    job = Job("inspect", 1.0, 1, 1, password=WORD)
    assert WORD not in repr(job)
    password.give(WORD)
    try:
        assert WORD not in repr(password._given)
        spelt = {WORD.encode(), WORD.encode("gb18030")}
        assert set(password.spellings()) == spelt
    finally:
        password.give("")


def test_a_password_of_an_old_chinese_program(pool: CellPool, keep: Keep) -> None:
    path = keep("a.pdf", locked_made.old_pdf("密码".encode("gb18030")))
    assert pool.inspect(path, "a.pdf").state == "encrypted"
    assert samples.TEXT in pool.with_password("密码").inspect(path, "a.pdf").text

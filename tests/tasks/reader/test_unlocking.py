"""Locked documents and the passwords that open them, in the real cell."""

from __future__ import annotations

import io

import msoffcrypto
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from tasks.reader import password
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack
from tasks.reader.job import Job
from tasks.reader.process import RefusedDocument
from tests.tasks.reader import locked_made, samples
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
    with pytest.raises(RefusedDocument, match="not supported"):
        opened.call("unlock", keep("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40)))


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

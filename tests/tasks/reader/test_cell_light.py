"""The light worker: what it keeps out, and that nobody who reads a document notices."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from tasks.reader import inspection
from tasks.reader.answer import RawCell
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack
from tasks.reader.heavy import HeavyReader
from tasks.reader.mediatype import media_type
from tasks.reader.source import Source
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep

_LARGE = {"PIL", "numpy", "openpyxl", "xlrd", "pypdfium2", "lxml", "chardet", "cv2", "openvino"}
_BIG5 = "證據清單與客戶名單，供應合約之技術參數及價格表".encode("big5")


@pytest.fixture(scope="module")
def fresh() -> Iterator[CellPool]:
    with CellPool(1) as pool:
        yield pool


def test_a_light_worker_holds_no_large_library() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from tasks.reader import light; light.preload(); print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[3],
    ).stdout.split()
    assert "tasks.reader.texts" in said
    assert _LARGE.isdisjoint(said)


def test_texts_start_no_full_worker(fresh: CellPool, keep: Keep) -> None:
    texts = {"a.txt": "客户名单".encode(), "b.html": b"<p>list</p>", "c.eml": samples.mail([])}
    assert {fresh.inspect(keep(n, data), n).state for n, data in texts.items()} == {"read"}
    assert len(fresh._all) == 1


def test_a_manifest_and_an_archive_start_no_full_worker(keep: Keep) -> None:
    packed = keep("a.zip", samples.archive({"a.txt": b"list"}))
    with CellPool(1) as pool:
        assert pool.manifest(keep("m.yaml", b"a: 1"), "m.yaml").header == (
            RawCell("a", "1", "line 1"),
        )
        assert [each.name for each in contents(pool, packed, "a.zip").members] == ["a.txt"]
        (taken,) = [b"".join(each.pieces()) for each in unpack(pool, packed, "a.zip", [0])]
        assert taken == b"list"
        # One among the pool's, and one beside it that unpacked.
        assert len(pool._all) == 2
        assert pool._idle["full"].get_nowait() is None


def test_a_container_that_needs_more_is_opened_by_a_full_worker(
    fresh: CellPool, keep: Keep
) -> None:
    mail = keep("a.eml", samples.mail([("a.txt", "text/plain", b"list")]))
    (taken,) = [b"".join(each.pieces()) for each in unpack(fresh, mail, "a.eml", [0])]
    assert taken == b"list"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (samples.pdf(["customer list"]), "application/pdf"),
        (samples.word(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (_BIG5, "text/plain"),
    ],
    ids=["pdf", "word", "big5"],
)
def test_a_document_under_a_light_name_is_read_by_a_full_worker(
    fresh: CellPool, keep: Keep, data: bytes, kind: str
) -> None:
    """The name only says whom to ask first; the content decides who reads."""
    hidden, plain = fresh.inspect(keep("a.txt", data), "a.txt"), fresh.inspect(keep("a", data), "a")
    assert hidden.media_type == plain.media_type == kind
    assert hidden.text == plain.text != ""


def test_what_a_mail_holds_may_need_a_full_worker(fresh: CellPool, keep: Keep) -> None:
    held = samples.mail([("list.pdf", "application/pdf", samples.pdf(["customer list"]))])
    seen = fresh.inspect(keep("a.eml", held), "a.eml")
    assert "customer list" in seen.text
    assert seen.media_type == "message/rfc822"


def test_every_heavy_reader_is_there() -> None:
    """The table names them by module and function, which no type checker sees."""
    named = {r for r in inspection._READERS.values() if isinstance(r, HeavyReader)}
    assert {each.module for each in named} == set(inspection.HEAVY)
    for each in named:
        assert callable(getattr(import_module(f"tasks.reader.{each.module}"), each.name))


def test_any_bytes_are_no_targa_picture() -> None:
    """Its header has no mark; a file without the pixels that it announces is of no known type."""
    junk = bytes(range(256)) * 4
    assert media_type(Source(junk)) == "application/octet-stream"
    assert media_type(Source(samples.image_bytes(Image.new("RGB", (9, 7)), "TGA"))) == "image/x-tga"

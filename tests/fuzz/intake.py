"""Parsers of intake: the manifest in both forms, its values, names, listings, the cell's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from storage.digest import fingerprint_bytes
from storage.errors import CustodyError
from storage.listing import ListedFile, listing_text, parse_listing
from storage.names import display, visible
from storage.spelling import spell, unspell
from tasks import partlist
from tasks.manifest import judge_manifest
from tasks.manifest_columns import ITEM
from tasks.manifest_values import parse_digests, parse_moment
from tasks.reader.answer import (
    Block,
    Cell,
    Contents,
    Line,
    Page,
    RawManifest,
    Table,
    Transcript,
    Word,
)
from tasks.reader.containers import frames, wanted
from tasks.reader.fields import read_fields
from tasks.reader.job import Job, Refused
from tasks.reader.manifest import read_manifest
from tasks.reader.manifest_xlsx import read_sheet
from tasks.reader.manifest_yaml import read_yaml
from tasks.reader.source import Source
from tasks.reader.strict import as_json, clean, loads, parse
from tests.faults.hostile import manifests
from tests.faults.hostile.case import TEXT, manifest
from tests.faults.hostile.folders import NAMES
from tests.fuzz.targets import Target, same
from tests.tasks import manifest_made as made

_LISTED = [
    ListedFile("good.txt", fingerprint_bytes(TEXT)),
    ListedFile("b.txt", fingerprint_bytes(b"")),
]
_LONGEST_SEED = 4096
COLUMNS = sorted({column.key for column in ITEM} | set(made.HEADER))
_ANSWERS = (Transcript, Page, RawManifest, Contents, Job)


def targets() -> Iterator[Target]:
    """Yield the targets of intake."""
    refused = (Refused, CustodyError)
    yield Target("manifest-yaml", _yaml, (), _yaml_seeds)
    yield Target(
        "manifest-xlsx", lambda data: _judged(read_sheet(Source(data))), refused, _xlsx_seeds
    )
    yield Target("manifest-any", lambda data: read_manifest(Source(data)), refused, _yaml_seeds)
    yield Target("manifest-judge", _cells, (), _cell_seeds)
    yield Target("manifest-values", _values, (CustodyError,), _value_seeds)
    yield Target("brief-fields", lambda data: read_fields(Source(data)), refused, _yaml_seeds)
    yield Target("names", _names, (), _name_seeds)
    yield Target("spelling", _spelling, (CustodyError,), _name_seeds)
    yield Target("listing", _listing, (CustodyError, UnicodeDecodeError), _listing_seeds)
    yield Target("cell-answer", _answer, (ValueError,), _answer_seeds)
    yield Target("transcript", _transcript, (ValueError,), _transcript_seeds)
    yield Target("cell-frames", _frames, (frames.FrameError,), _frame_seeds)
    yield Target("cell-wanted", _wanted, (ValueError,), _wanted_seeds)
    yield Target("part-listing", _parts, (ValueError,), _part_seeds)


def _judged(raw: RawManifest) -> None:
    judge_manifest(raw, _LISTED, unit="pudong-01")
    parse(RawManifest, as_json(raw))


def _yaml(data: bytes) -> None:
    _judged(read_yaml(data))


def _cells(data: bytes) -> None:
    """Put values into the columns of a good manifest: a byte that names one, then its value."""
    header, item = dict(made.HEADER), dict(made.MAIL)
    for piece in data.split(b"\x1f")[:20]:
        if not piece:
            continue
        key = COLUMNS[piece[0] % len(COLUMNS)]
        value = clean(piece[1:].decode("utf-8", "replace"))
        (header if key in header else item)[key] = value
    raw = made.raw(header=header, items=(item, made.PAPER))
    judge_manifest(raw, [*_LISTED, made.listed(made.PAPER["path"])])


def _cell_seeds() -> Iterable[bytes]:
    for at, key in enumerate(COLUMNS):
        for value in (made.OF_COPY.get(key, "x"), ",", "2026-02-31", "sha256:" + "0" * 64, "是"):
            yield bytes([at]) + value.encode()
    yield b"\x1f".join(bytes([at]) + b"1" for at in range(len(COLUMNS)))


def _values(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    parse_moment(text)
    parse_digests(text)


def _names(data: bytes) -> None:
    path = data.decode("utf-8", "surrogateescape")
    shown = display(path)
    shown.encode()
    same(visible(shown), shown)
    same(unspell(spell(path)), path)


def _spelling(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    same(spell(unspell(text)), text)


def _listing(data: bytes) -> None:
    text = data.decode()
    same(listing_text(parse_listing(text)), text)


def _answer(data: bytes) -> None:
    value = loads(data)
    last: ValueError | None = None
    for kind in _ANSWERS:
        try:
            found = parse(kind, value)
        except ValueError as error:
            last = error
            continue
        same(parse(kind, json.loads(json.dumps(as_json(found)))), found)
        return
    if last is not None:
        raise last


def _transcript(data: bytes) -> None:
    """Read a kept transcript, of this schema or the first, and write it again."""
    value = loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    found = Transcript.from_json(value)
    same(Transcript.from_json(json.loads(found.as_bytes())), found)


def _frames(data: bytes) -> None:
    chunks = (data[at : at + 7] for at in range(0, len(data), 7))
    whole = list(frames.frames(iter([data])))
    same(list(frames.frames(chunks)), whole)
    same(b"".join(frames.encode(*each) for each in whole), data)


def _wanted(data: bytes) -> None:
    data = data[:3000]
    numbers = sorted({int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)})
    for run in wanted.split(numbers):
        same(wanted.decode(wanted.encode(run)), frozenset(run))


def _parts(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    for line in lines[:1]:
        same(partlist.heading_line(partlist.read_heading(line)), line)
    for line in lines[1:]:
        same(partlist.part_line(partlist.read_part(line)), line)


def _yaml_seeds() -> Iterable[bytes]:
    good = manifest("seed", ["good.txt", "b.txt"])
    yield good
    for _, spoil, _ in (*manifests._YAML, *manifests._VALUES):
        # Long ones are slow, and nothing that they lead to needs their length.
        if len(data := spoil(good)) <= _LONGEST_SEED:
            yield data


def _xlsx_seeds() -> Iterable[bytes]:
    for _, build, _ in manifests._xlsx():
        yield build("seed")


def _value_seeds() -> Iterable[bytes]:
    digest = fingerprint_bytes(TEXT)
    yield from (b"2026-11-20", b"2026-11-20T09:30:00+08:00", "2026年11月20日 9:30".encode())
    yield f"sha256:{digest.sha256}; sm3:{digest.sm3}".encode()
    yield b"md5:d41d8cd98f00b204e9800998ecf8427e"


def _name_seeds() -> Iterable[bytes]:
    for names in NAMES.values():
        for name in names:
            yield name
            yield spell(name.decode("utf-8", "surrogateescape")).encode()


def _listing_seeds() -> Iterable[bytes]:
    yield listing_text(_LISTED).encode()
    odd = [
        ListedFile(n.decode("utf-8", "surrogateescape"), fingerprint_bytes(n))
        for n in NAMES["controls"]
    ]
    yield listing_text(odd).encode()


def _answer_seeds() -> Iterable[bytes]:
    page = Page(1, "text_layer", "文字")
    transcript = Transcript("text/plain", "text/plain", "read", pages=(page,))
    for value in (transcript, page, read_yaml(manifest("seed", ["a"])), Contents()):
        yield json.dumps(as_json(value)).encode()
    yield json.dumps(as_json(Job("inspect", 1.0, 1, 1))).encode()


def _transcript_seeds() -> Iterable[bytes]:
    words, blocks = (Word(1, 2, 3, 4, 0.5, "文字"),), (Block(1, 2, 3, 4, "table"),)
    lines = (Line(1, 2, 3, 4, 0.5, 0, 1, 0, "文字"),)
    cells = (Cell(0, 0, 1, 1, 1, 2, 3, 4, "文字"),)
    tables = (Table(1, 2, 3, 4, 1, 1, cells),)
    page = Page(1, "ocr", "文字", words=words, lines=lines, blocks=blocks, tables=tables)
    body = Transcript("image/png", "image/png", "read", pages=(page,)).as_json()
    yield json.dumps(body).encode()
    later = {"lines", "blocks", "tables", "angle", "language", "settings"}
    before = {key: value for key, value in body["pages"][0].items() if key not in later}
    yield json.dumps(body | {"schema": "zhenglian.transcript/1", "pages": [before]}).encode()


def _frame_seeds() -> Iterable[bytes]:
    kinds = frames.Kind
    yield b"".join(
        (
            frames.encode(kinds.BEGIN, 3),
            frames.encode(kinds.DATA, 3, b"data"),
            frames.encode(kinds.END, 3),
        )
    )
    yield (
        frames.encode(kinds.LIST, 0, b"{}")
        + frames.encode(kinds.FAIL, 9, b"why")
        + frames.encode(kinds.TICK)
    )


def _wanted_seeds() -> Iterable[bytes]:
    yield bytes(range(30))
    yield b"\0\0\1\xff\xff\xff"


def _part_seeds() -> Iterable[bytes]:
    heading = partlist.Heading("case/E0001", "0" * 64, "whole", "zip", 1, 3)
    part = partlist.Part("0", "a.txt", "read", fingerprint=fingerprint_bytes(b"abc"))
    yield partlist.heading_line(heading) + partlist.part_line(part)

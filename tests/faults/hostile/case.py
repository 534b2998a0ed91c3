"""A case: how a hostile bundle is laid down, and what intake must make of it.

Nothing here is random and nothing asks the clock: a case has the same bytes in every process.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from tests.house import CASE_NO, HEADER

Word = Literal["accept", "flags", "quarantine"]
Kind = Literal["file", "folder", "symlink", "hardlink", "fifo", "char", "block", "socket"]

TEXT = "轴承图纸说明：外圈公差 0.01 毫米。\n".encode()
PLAIN = {"good.txt": TEXT}


@dataclass(frozen=True)
class Expected:
    """The verdict, and marks of which each must be found in what was observed (a regex each)."""

    verdict: Word
    marks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.verdict, *self.marks))


@dataclass(frozen=True)
class Case:
    """A bundle that ``make`` lays down below a folder; it returns the bundle's path."""

    name: str
    make: Callable[[Path], Path]
    expected: Expected


@dataclass(frozen=True)
class Entry:
    """One entry of an archive or a folder, its name as bytes."""

    name: bytes
    data: bytes = b""
    kind: Kind = "file"
    target: bytes = b""


def accept(*marks: str) -> Expected:
    """Taken in, and every exhibit read without a doubt."""
    return Expected("accept", marks)


def flags(*marks: str) -> Expected:
    """Taken in, with these doubts on record."""
    return Expected("flags", marks)


def quarantine(*marks: str) -> Expected:
    """Kept apart, for these reasons."""
    return Expected("quarantine", marks)


ITEM = """\
- path: {path}
  kind: documentary
  form: original
  name: {name}
  source_holder: 某公司
  obtained_at: 2026-11-19T10:00:00+08:00
  obtained_place: 上海
  method: 调取
"""


def spelled(name: bytes) -> str:
    """Return a name as a manifest writes it: itself, or ``bytes://`` if it is not UTF-8."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return "bytes://" + quote(name, safe="/")
    # Blanks at the ends do not count where a path is written as it is.
    plain = text == text.strip() and not text.startswith("bytes://")
    return text if plain else "bytes://" + quote(name, safe="/")


def yaml_text(text: str) -> str:
    """Return a YAML double-quoted scalar; whatever YAML may not hold is written as an escape."""
    return '"' + "".join(map(_yaml_character, text)) + '"'


def _yaml_character(each: str) -> str:
    if each in '"\\':
        return "\\" + each
    if each.isascii() and each.isprintable():
        return each
    if unicodedata.category(each) == "Lo":
        return each
    point = ord(each)
    return f"\\x{point:02x}" if point < 0x100 else f"\\U{point:08x}"


def manifest(number: str, names: Iterable[str], case_no: str = CASE_NO) -> bytes:
    """Return a right manifest that names these paths."""
    text = HEADER.format(number=number, case_no=case_no)
    for at, name in enumerate(names, 1):
        text += ITEM.format(path=yaml_text(name), name=f"第{at}件")
    return text.encode()


def with_manifest(number: str, files: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the files with a manifest that names them."""
    named = manifest(number, [spelled(name) for name in files])
    return {b"manifest.yaml": named, **files}


def folder(place: Path, number: str, files: Mapping[bytes, bytes], **manifest_: bytes) -> Path:
    """Lay a folder down with a manifest for these files (or with ``raw`` as its manifest)."""
    root = place / number
    all_files = with_manifest(number, files)
    if "raw" in manifest_:
        all_files[b"manifest.yaml"] = manifest_["raw"]
    for name, data in all_files.items():
        path = root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def of_folder(name: str, files: Callable[[], Mapping[bytes, bytes]], expected: Expected) -> Case:
    """A folder that holds these files (made when they are needed) beside a right manifest."""
    return Case(name, lambda place: folder(place, name, files()), expected)


def of_exhibit(name: str, file: str, data: Callable[[], bytes], expected: Expected) -> Case:
    """A folder with a good text and one exhibit to doubt."""
    return of_folder(name, lambda: {b"good.txt": TEXT, file.encode(): data()}, expected)


def of_file(name: str, ending: str, data: Callable[[], bytes], expected: Expected) -> Case:
    """One archive that is dropped as it is."""

    def make(place: Path) -> Path:
        path = place / f"{name}{ending}"
        path.write_bytes(data())
        return path

    return Case(name, make, expected)


def bundle_entries(number: str, extra: Iterable[Entry] = ()) -> list[Entry]:
    """Return the entries of a good bundle with more beside; the manifest names every file."""
    entries = [Entry(b"good.txt", TEXT), *extra]
    names = list(dict.fromkeys(spelled(each.name) for each in entries if each.kind == "file"))
    return [Entry(b"manifest.yaml", manifest(number, names)), *entries]

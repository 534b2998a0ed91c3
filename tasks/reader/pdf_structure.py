"""What a PDF says about itself beside its pages: signatures, actions, locks, two sets of metadata.

By pypdf, because PDFium does not tell it. Everything is as claimed: no signature is validated,
no time is trusted. What is broken here costs its own line and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from tasks.reader import password
from tasks.reader.pdf_revisions import Revisions
from tasks.reader.pdf_xmp import compare, read_xmp
from tasks.reader.source import Source

MAX_SIGNATURES = 100
# PDFium gives these; other keys are a program's own.
_KNOWN = frozenset(
    {
        "Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate",
        "ModDate", "Trapped",
    }
)  # fmt: skip
FILES_ELSEWHERE = re.compile(rb"/(?:AF|FileAttachment)(?![A-Za-z])")
"""What points to a file outside the table of embedded files."""
_MAX_FIELDS = 20_000
_MAX_SCANNED = 64 << 20
_MAX_OBJECT_STREAMS = 4096
_SLACK = 2
_PERMISSIONS = (
    (1 << 2, "打印 print"),
    (1 << 3, "修改 modify"),
    (1 << 4, "复制 copy"),
    (1 << 5, "批注 annotate"),
    (1 << 8, "填表 fill forms"),
    (1 << 9, "辅助阅读 accessibility"),
    (1 << 10, "组装 assemble"),
    (1 << 11, "高质量打印 print well"),
)


@dataclass
class Structure:
    """Flags and lines of metadata, in the order in which they were found.

    ``elsewhere`` is whether something may point to a file outside the table of files.
    """

    flags: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    elsewhere: bool = True

    def flag(self, word: str) -> None:
        """Note a flag."""
        self.flags.append(word)

    def note(self, key: str, value: object) -> None:
        """Note a line of metadata, unless there is nothing to say."""
        if value is not None and str(value).strip():
            self.lines.append((key, str(value)))


@contextmanager
def opened(source: Source) -> Iterator[pypdf.PdfReader]:
    """Yield the file as pypdf reads it; an empty password is tried, as every viewer does."""
    with source.file() as file:
        reader = pypdf.PdfReader(file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            any(reader.decrypt(spelling) for spelling in password.spellings())
        yield reader


def examine(source: Source, revisions: Revisions) -> Structure:
    """Return what the structure of a PDF says; whatever is broken is left out."""
    found = Structure()
    with suppress(Exception), opened(source) as reader:
        for step in (_lock, _actions, _metadata, _special):
            _try(found, lambda step=step: step(reader, source, found))  # type: ignore[misc]
        _try(found, lambda: _signatures(reader, source, revisions, found))
    return found


def _try(found: Structure, step: Callable[[], None]) -> None:
    """Do one step; parsers raise anything on hostile input."""
    try:
        step()
    except Exception:  # noqa: BLE001 - one broken part of a file must not hide the others
        if "structure_not_read" not in found.flags:
            found.flag("structure_not_read")


def _lock(reader: pypdf.PdfReader, source: Source, found: Structure) -> None:
    lock = resolved(reader.trailer.get("/Encrypt"))
    if not isinstance(lock, DictionaryObject):
        return
    version, revision = lock.get("/V", 0), lock.get("/R", 0)
    filters = resolved(lock.get("/CF"))
    named = resolved(filters.get(lock.get("/StmF", "/StdCF"))) if filters else None
    method = str(named.get("/CFM", "")).strip("/") if named else "RC4"
    bits = lock.get("/Length", 256 if version == 5 else 40)
    text = f"{str(lock.get('/Filter', '')).strip('/')} V{version} R{revision} {method} {bits} bit"
    found.note("encryption", text)
    allowed = int(lock.get("/P", -1))
    found.note("permitted", "、".join(name for bit, name in _PERMISSIONS if allowed & bit) or "-")
    found.note("forbidden", "、".join(name for bit, name in _PERMISSIONS if not allowed & bit))


def _actions(reader: pypdf.PdfReader, source: Source, found: Structure) -> None:
    """Flag what a viewer might run, wherever in the file it stands."""
    left, elsewhere = dict(_PATTERNS), False
    for part in scanned(reader, source):
        elsewhere = elsewhere or bool(FILES_ELSEWHERE.search(part))
        for word in [word for word, pattern in left.items() if pattern.search(part)]:
            found.flag(word)
            del left[word]
    found.elsewhere = elsewhere
    opening = resolved(reader.root_object.get("/OpenAction"))
    # To open at a certain page is what most programs ask for, and does nothing else.
    acts = isinstance(opening, DictionaryObject) and opening.get("/S") != "/GoTo"
    if acts or "/AA" in reader.root_object:
        found.flag("open_action")


def _name(word: str) -> bytes:
    """Return a pattern for a name in which any character may be written as #xx (7.3.5)."""
    parts = (f"(?:{c}|#{ord(c):02x}|#{ord(c):02X})" for c in word)
    return ("/" + "".join(parts) + r"(?![A-Za-z])").encode()


_PATTERNS = {
    "javascript": re.compile(_name("JavaScript")),
    "launch_action": re.compile(_name("Launch")),
    "submit_form": re.compile(_name("SubmitForm")),
    "rich_media": re.compile(_name("RichMedia")),
}


def scanned(reader: pypdf.PdfReader, source: Source) -> Iterator[bytes]:
    """Yield where names stand: the file itself, and its object streams unpacked."""
    if source.size <= _MAX_SCANNED:
        yield source.whole()
    else:
        yield source.head(_MAX_SCANNED // 2)
        yield source.tail(_MAX_SCANNED // 2)
    left = _MAX_SCANNED
    streams = sorted({place[0] for place in reader.xref_objStm.values()})
    for number in streams[:_MAX_OBJECT_STREAMS]:
        with suppress(Exception):
            data = reader.get_object(number).get_data()  # type: ignore[union-attr]
            left -= len(data)
            if left < 0:
                return
            yield data


def _metadata(reader: pypdf.PdfReader, source: Source, found: Structure) -> None:
    info = {str(key).strip("/"): str(value) for key, value in (reader.metadata or {}).items()}
    for key, value in info.items():
        if key not in _KNOWN:
            found.note(key, value)
    holder = resolved(reader.root_object.get("/Metadata"))
    if holder is None:
        return
    xmp = read_xmp(holder.get_data())
    for key, value in xmp.items():
        found.note(f"xmp_{key}", value)
    different = compare(info, xmp)
    if different:
        found.flag("metadata_differs")
        found.note("metadata_differs", "、".join(different))


def _special(reader: pypdf.PdfReader, source: Source, found: Structure) -> None:
    root = reader.root_object
    if "/Collection" in root:
        found.flag("portfolio")
    form = resolved(root.get("/AcroForm"))
    if isinstance(form, DictionaryObject) and "/XFA" in form:
        found.flag("xfa")
    layers = resolved(root.get("/OCProperties"))
    if isinstance(layers, DictionaryObject):
        settings = resolved(layers.get("/D")) or {}
        if resolved(settings.get("/OFF")):
            found.flag("hidden_layers")
        names = [resolved(each).get("/Name", "") for each in resolved(layers.get("/OCGs")) or ()]
        found.note("layers", "、".join(str(name) for name in names[:50]))


def _signatures(
    reader: pypdf.PdfReader, source: Source, revisions: Revisions, found: Structure
) -> None:
    form = resolved(reader.root_object.get("/AcroForm"))
    if not isinstance(form, DictionaryObject):
        return
    signed = list(_signed_fields(resolved(form.get("/Fields")) or ArrayObject(), "", 0, [0]))
    if not signed:
        return
    found.flag("signed")
    found.note("signatures", len(signed))
    for number, (name, value) in enumerate(signed[:MAX_SIGNATURES], 1):
        covered = _covered(value, source, revisions)
        if "whole" not in covered and "signed_in_part" not in found.flags:
            found.flag("signed_in_part")
        said = [
            f"字段 field {name}",
            *(
                f"{label} {value.get(key)}"
                for key, label in (
                    ("/Name", "署名 name"),
                    ("/M", "时间 time"),
                    ("/Reason", "理由 reason"),
                    ("/Location", "地点 location"),
                )
                if value.get(key)
            ),
            *(f"证书 certificate {each}" for each in _certificate(value)),
            f"格式 format {str(value.get('/SubFilter', '')).strip('/')}",
            covered,
            "未验证 not validated",
        ]
        found.note(f"signature_{number}", "; ".join(said))


def _signed_fields(
    fields: Any, above: str, depth: int, seen: list[int]
) -> Iterator[tuple[str, DictionaryObject]]:
    """Yield the full name and the value of every signature field that was signed."""
    for each in fields:
        seen[0] += 1
        one = resolved(each)
        if seen[0] > _MAX_FIELDS or depth > 20 or not isinstance(one, DictionaryObject):
            return
        name = ".".join(x for x in (above, str(one.get("/T", ""))) if x)
        value = resolved(one.get("/V"))
        if isinstance(value, DictionaryObject) and "/ByteRange" in value:
            yield name, value
        kids = resolved(one.get("/Kids"))
        if isinstance(kids, ArrayObject):
            yield from _signed_fields(kids, name, depth + 1, seen)


def _covered(value: DictionaryObject, source: Source, revisions: Revisions) -> str:
    """Return what of the file a signature claims to cover, for people."""
    range_ = [int(each) for each in resolved(value.get("/ByteRange")) or ()]
    if len(range_) != 4 or min(range_) < 0 or range_[0]:
        return f"覆盖范围异常 odd byte range {range_[:8]}"
    end = range_[2] + range_[3]
    # What lies between the two ranges must be the signature itself, in hexadecimal.
    gap = source.at(range_[1], min(range_[2] - range_[1], 1 << 20))
    if not re.fullmatch(rb"[\s]*<[0-9A-Fa-f\s]*>?[\s]*", gap):
        return f"覆盖范围异常 odd byte range {range_}"
    if source.size - _SLACK <= end <= source.size:
        return "覆盖全文件 covers the whole file"
    for each in revisions.earlier:
        if each.end - _SLACK <= end <= each.end:
            return f"覆盖第 {each.number} 版 covers revision {each.number}, of {len(revisions.all)}"
    return f"仅覆盖前 {end} 字节 covers {end} of {source.size} bytes"


def _certificate(value: DictionaryObject) -> list[str]:
    """Return the names in the certificates of a signature, the signer's among them."""
    with suppress(Exception):
        from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

        data = bytes(resolved(value.get("/Contents")))
        certificates = load_der_pkcs7_certificates(_der(data))
        return [each.subject.rfc4514_string()[:200] for each in certificates[:3]]
    return []


def _der(data: bytes) -> bytes:
    """Return one DER value without the zeros that fill up its place."""
    if len(data) > 1 and data[1] & 0x80:
        count = data[1] & 0x7F
        return data[: 2 + count + int.from_bytes(data[2 : 2 + count], "big")]
    return data


def resolved(value: Any) -> Any:
    """Return what a reference points to, and anything else as it is."""
    return value.get_object() if isinstance(value, IndirectObject) else value

"""The listing of parts: what a container was expanded into, as one object of the store.

A listing is UTF-8 text, one JSON object a line (sorted keys, no blanks between), the heading
first and then every part, each container before its members::

    {"evidence":false,"exhibit":"2026-0123-9c1d44e0/E0003","format":"zip","member_bytes":812,
     "members":2,"parent_sha256":"...","problems":[],"roots":[],"schema":"zhenglian.parts/1",
     "scope":"whole"}
    {"claimed":402,"code":"","fingerprint":{...},"name":"a.txt","part":"0","state":"read",...}

``scope`` is ``whole`` for everything that an exhibit holds, or ``some`` for parts read again,
whose paths are ``roots``: each replaces what stood at and below its path. A transcript stands
in the line of its part; it is not evidence. Pure; the parser raises ``ValueError`` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from storage.catalogue.search import PageInput
from storage.digest import Fingerprint
from storage.objects import ObjectRef
from tasks.likeness.measure import checked
from tasks.reader.answer import Transcript
from tasks.reader.strict import loads

SCHEMA = "zhenglian.parts/1"


@dataclass(frozen=True)
class Heading:
    """What a listing is about; ``members`` and ``member_bytes`` are the exhibit's own claim."""

    exhibit: str
    parent_sha256: str
    scope: str
    format: str = ""
    members: int = 0
    member_bytes: int = 0
    problems: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One member of a container and what became of it.

    ``part`` is the path of indices from the exhibit, ``name`` the name as decoded in the cell
    and ``raw_name`` its bytes in hexadecimal. ``claimed`` and ``packed`` are bytes as the
    container says, -1 where it does not; the fingerprint is of what was really taken out.
    ``state`` and ``code`` are words of ``tasks.account``; ``reason`` is for people. ``members``
    is -1 for what is no container, else how many members it has, which are parts themselves
    if the state is ``expanded``.
    """

    part: str
    name: str
    state: str
    code: str = ""
    reason: str = ""
    kind: str = "file"
    raw_name: str = ""
    encoding: str = ""
    modified: str = ""
    target: str = ""
    claimed: int = -1
    packed: int = -1
    flags: tuple[str, ...] = ()
    format: str = ""
    members: int = -1
    member_bytes: int = 0
    fingerprint: Fingerprint | None = None
    media_type: str = ""
    transcript: Transcript | None = None
    likeness: Mapping[str, Any] = field(default_factory=dict)
    """What it looks like, as an image and as a file; a line has it only where there is any."""

    @property
    def parent(self) -> str:
        """The path of the container, empty for the exhibit itself."""
        return self.part.rpartition("/")[0]

    @property
    def size(self) -> int:
        """Bytes that were taken out, -1 if nothing was."""
        return -1 if self.fingerprint is None else self.fingerprint.size


@dataclass
class Read:
    """A line of a listing with where it stands: offset and length in bytes."""

    part: Part
    offset: int = 0
    length: int = 0


_DEEP = frozenset({"fingerprint", "transcript", "flags"})
_TEXTS = frozenset(
    {
        "part", "name", "state", "code", "reason", "kind", "raw_name", "encoding", "modified",
        "target", "format", "media_type",
    }
)  # fmt: skip
_NUMBERS = frozenset({"claimed", "packed", "members", "member_bytes"})


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def heading_line(heading: Heading) -> bytes:
    """Return the first line of a listing."""
    body = {f.name: getattr(heading, f.name) for f in fields(Heading)}
    body |= {"problems": list(heading.problems), "roots": list(heading.roots)}
    return _line({"schema": SCHEMA, "evidence": False, **body})


def part_line(part: Part) -> bytes:
    """Return the line of one part."""
    body: dict[str, Any] = {name: getattr(part, name) for name in _TEXTS | _NUMBERS}
    body["flags"] = list(part.flags)
    body["fingerprint"] = part.fingerprint.as_json() if part.fingerprint else None
    body["transcript"] = part.transcript.as_json() if part.transcript else None
    if part.likeness:
        body["likeness"] = part.likeness
    return _line(body)


def read_heading(untrusted_line: bytes) -> Heading:
    """Parse the first line; raise ``ValueError`` for anything else."""
    body = _object(untrusted_line)
    if body.pop("schema", None) != SCHEMA or body.pop("evidence", None) is not False:
        raise ValueError(f"not a {SCHEMA}")
    if body.keys() != {f.name for f in fields(Heading)}:
        raise ValueError("the heading has not its fields")
    for name in ("exhibit", "parent_sha256", "scope", "format"):
        _must(isinstance(body[name], str), name)
    for name in ("members", "member_bytes"):
        _must(type(body[name]) is int and body[name] >= 0, name)
    body["problems"], body["roots"] = _strings(body["problems"]), _strings(body["roots"])
    heading = Heading(**body)
    _must(heading_line(heading) == untrusted_line, "spelling")
    return heading


def read_part(untrusted_line: bytes) -> Part:
    """Parse the line of a part; raise ``ValueError`` for anything else."""
    body = _object(untrusted_line)
    likeness = checked(body.pop("likeness", {}))
    if body.keys() != _TEXTS | _NUMBERS | _DEEP:
        raise ValueError("a part has not its fields")
    for name in _TEXTS:
        _must(isinstance(body[name], str), name)
    for name in _NUMBERS:
        _must(type(body[name]) is int and body[name] >= -1, name)
    _must(all(each.isascii() and each.isdigit() for each in body["part"].split("/")), "part")
    body["flags"] = _strings(body["flags"])
    print_, transcript = body["fingerprint"], body["transcript"]
    try:
        body["fingerprint"] = None if print_ is None else Fingerprint.from_json(print_)
    except (KeyError, TypeError) as error:
        raise ValueError("a fingerprint has not its form") from error
    body["transcript"] = None if transcript is None else _transcript(transcript)
    part = Part(**body, likeness=likeness)
    _must(part_line(part) == untrusted_line, "spelling")
    return part


def read_lines(lines: Iterable[bytes], start: int) -> Iterator[Read]:
    """Parse the lines that follow the heading, which ends at byte ``start``."""
    for line in lines:
        yield Read(read_part(line), start, len(line))
        start += len(line)


def _transcript(value: Any) -> Transcript:
    _must(isinstance(value, dict), "transcript")
    return Transcript.from_json(value)


def _object(line: bytes) -> dict[str, Any]:
    value = loads(line)
    if not isinstance(value, dict):
        raise ValueError("a line is no object")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    _must(isinstance(value, list) and all(isinstance(each, str) for each in value), "a list")
    return tuple(value)


def _must(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"{what} has not its form")


def pages_of(part: Part) -> list[PageInput]:
    """Return what of a part is indexed: its name, and its pages under a label that says it."""
    label = f"{part.part} {part.name}"
    named = PageInput(0, "name", part.name, label, part.part)
    pages = part.transcript.pages if part.transcript else ()
    return [
        named,
        *(metadata_pages(part.transcript, label, part.part) if part.transcript else ()),
        *(
            PageInput(
                page.number,
                page.origin,
                page.text,
                f"{label} › {page.label}" if page.label else label,
                part.part,
            )
            for page in pages
        ),
    ]


def metadata_pages(transcript: Transcript, label: str, part: str) -> list[PageInput]:
    """Return every piece of metadata as a page 0 of its own, its key at the end of the label."""
    return [
        PageInput(0, "metadata", value, f"{label} › {key}" if label else key, part)
        for key, value in transcript.metadata.items()
    ]


def row_of(read: Read, exhibit: str, case: str, listing: dict[str, Any]) -> dict[str, Any]:
    """Return a part as the catalogue holds it; ``listing`` is the reference of its object."""
    part = read.part
    return {
        "exhibit_id": exhibit,
        "part": part.part,
        "parent": part.parent,
        "case_id": case,
        "name": part.name,
        "size": part.size,
        "claimed": part.claimed,
        "sha256": part.fingerprint.sha256 if part.fingerprint else "",
        "media_type": part.media_type,
        "state": part.state,
        "code": part.code,
        "pages": len(part.transcript.pages) if part.transcript else 0,
        "members": part.members,
        "member_bytes": part.member_bytes,
        "details": {
            "kind": part.kind,
            "raw_name": part.raw_name,
            "encoding": part.encoding,
            "modified": part.modified,
            "target": part.target,
            "packed": part.packed,
            "reason": part.reason,
            "flags": list(part.flags),
            "format": part.format,
            "fingerprint": part.fingerprint.as_json() if part.fingerprint else None,
            "listing": ObjectRef.from_json(listing).as_json(),
            "at": [read.offset, read.length],
        },
    }

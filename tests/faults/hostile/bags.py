"""BagIt bags (RFC 8493 and the drafts before it), dropped as folders and packed.

A bag carries our manifest at its root; its own lists are claims that are checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.hostile.case import (
    TEXT,
    Case,
    Entry,
    Expected,
    accept,
    manifest,
    of_file,
    quarantine,
)
from tests.faults.hostile.tar_bytes import FILTERS, tar_of
from tests.faults.hostile.zip_bytes import zip_of

DECLARATION = b"BagIt-Version: %s\nTag-File-Character-Encoding: UTF-8\n"
Bag = dict[bytes, bytes]


@dataclass(frozen=True)
class Made:
    """How a bag is made; whatever is not said is right."""

    version: bytes = b"1.0"
    payload: Bag = field(default_factory=lambda: {b"data/good.txt": TEXT, b"data/b.txt": TEXT * 2})
    algorithms: tuple[str, ...] = ("sha256",)
    spoil: Callable[[Bag], None] = lambda bag: None


def bag(name: str, made: Made) -> Bag:
    """Return the files of a bag."""
    files: Bag = {b"bagit.txt": DECLARATION % made.version}
    total = sum(map(len, made.payload.values()))
    files[b"bag-info.txt"] = b"Payload-Oxum: %d.%d\n" % (total, len(made.payload))
    files |= made.payload
    files[b"manifest.yaml"] = manifest(name, [each.decode() for each in made.payload])
    for algorithm in made.algorithms:
        files[f"manifest-{algorithm}.txt".encode()] = _lines(made.payload, algorithm)
        tags = {key: data for key, data in files.items() if not key.startswith(b"data/")}
        tags = {key: data for key, data in tags.items() if not key.startswith(b"tagmanifest")}
        files[f"tagmanifest-{algorithm}.txt".encode()] = _lines(tags, algorithm)
    made.spoil(files)
    return files


def cases() -> Iterator[Case]:
    """Yield every bag."""
    yield from _good()
    for label, spoil, mark in _SPOILT:
        yield _folder(f"bag-{label}", Made(spoil=spoil), quarantine(mark))
    made = Made(spoil=_set(b"data/good.txt", b"other bytes"))
    yield _packed("bag-zip-digest-wrong", ".zip", made, quarantine(_BAG))


def _good() -> Iterator[Case]:
    yield _folder("bag-1.0", Made(), accept())
    yield _folder("bag-0.97", Made(version=b"0.97"), accept())
    yield _folder("bag-md5", Made(version=b"0.97", algorithms=("md5",)), accept())
    yield _folder("bag-two-lists", Made(algorithms=("sha256", "sha512")), accept())
    odd = {
        b"data/good.txt": TEXT,
        b"data/100%25.txt": TEXT * 3,
        "data/合同 书.txt".encode(): TEXT * 4,
    }
    yield _folder("bag-odd-names", Made(payload=odd), accept())
    yield _packed("bag-zip", ".zip", Made(), accept())
    yield _packed("bag-tar-gz", ".tar.gz", Made(), accept())


def _folder(name: str, made: Made, expected: Expected) -> Case:
    def make(place: Path) -> Path:
        root = place / name
        for path, data in bag(name, made).items():
            target = root / path.decode()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return root

    return Case(name, make, expected)


def _packed(name: str, ending: str, made: Made, expected: Expected) -> Case:
    def data() -> bytes:
        entries = [
            Entry(name.encode() + b"/" + path, each) for path, each in bag(name, made).items()
        ]
        return zip_of(entries) if ending == ".zip" else FILTERS["gz"](tar_of(entries))

    return of_file(name, ending, data, expected)


def _lines(files: Bag, algorithm: str) -> bytes:
    made = b""
    for path, data in files.items():
        shown = path.replace(b"%", b"%25").replace(b"\n", b"%0A").replace(b"\r", b"%0D")
        made += hashlib.new(algorithm, data).hexdigest().encode() + b"  " + shown + b"\n"
    return made


def _set(path: bytes, data: bytes) -> Callable[[Bag], None]:
    return lambda files: files.__setitem__(path, data)


def _without(path: bytes) -> Callable[[Bag], None]:
    return lambda files: files.__delitem__(path) if path in files else None


def _more(path: bytes, data: bytes) -> Callable[[Bag], None]:
    def add(files: Bag) -> None:
        files[path] = files.get(path, b"") + data

    return add


_BAG = "(?i)bag"
_LIST = b"manifest-sha256.txt"
_ZERO = b"0" * 64
_SPOILT: tuple[tuple[str, Callable[[Bag], None], str], ...] = (
    ("digest-wrong", _set(b"data/good.txt", b"other bytes"), _BAG),
    ("tag-digest-wrong", _set(b"bag-info.txt", b"Payload-Oxum: 1.1\n"), _BAG),
    ("payload-missing", _without(b"data/b.txt"), "(?i)bag|listed_missing"),
    ("payload-unlisted", _more(b"data/more.txt", b"nobody listed me"), "(?i)bag|unlisted"),
    ("list-missing", _without(_LIST), _BAG),
    ("list-empty", _set(_LIST, b""), _BAG),
    ("list-garbage", _set(_LIST, b"\xff\xfe\x00 no list\n"), _BAG),
    ("list-parent", _more(_LIST, _ZERO + b"  data/../../outside/secret.txt\n"), _BAG),
    ("list-absolute", _more(_LIST, _ZERO + b"  /etc/passwd\n"), _BAG),
    ("list-outside-data", _more(_LIST, _ZERO + b"  bagit.txt\n"), _BAG),
    ("list-twice", _more(_LIST, _ZERO + b"  data/good.txt\n"), _BAG),
    ("fetch", _set(b"fetch.txt", b"http://127.0.0.1:9/x 1 data/fetched.txt\n"), _BAG),
    ("version-unknown", _set(b"bagit.txt", DECLARATION % b"9.9"), _BAG),
    ("declaration-garbage", _set(b"bagit.txt", b"\x00\x01\x02"), _BAG),
    ("oxum-wrong", _set(b"bag-info.txt", b"Payload-Oxum: 999999.9\n"), _BAG),
)  # fmt: skip

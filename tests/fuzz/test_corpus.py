"""What fuzzing was begun with and what it kept is read as it must be, in every run of the suite."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.targets import all_targets

DEEP = (b"[" * 100_000, b'{"a":' * 50_000, b"- " * 30_000, b"? " * 5000)
LONG = (b"9" * 6000, b" " * 60_000, b"\n" * 60_000, b"\0" * 5000, b"a: " * 20_000)
ODD = ("²".encode(), "٣".encode(), b'["\\ud800"]', b"1e999", b"\xff\xfe" + b"\0\xd8" * 500, b"")
HEADS = tuple(
    head + fill * 6000
    for head in (b"PK\x05\x06", b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\x00",
                 b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x78\x9f\x3e\x22\0\0", b"From a\n")
    for fill in (b"\0", b"\xff", b"\n")
)  # fmt: skip
"""What a fuzzer would need long to think of: great depth, long runs, and heads without a body."""


@pytest.mark.parametrize("name", sorted(all_targets()))
def test_nothing_escapes_a_parser(name: str) -> None:
    target = all_targets()[name]
    seeds = list(target.seeds())
    assert seeds
    for data in seeds:
        target.try_one(data)
        target.try_one(data[: len(data) // 2])
    for path in sorted((CORPUS / name).glob("*")):
        target.try_one(path.read_bytes())
    for data in (*DEEP, *LONG, *ODD, *HEADS):
        target.try_one(data)

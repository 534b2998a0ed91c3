"""What fuzzing was begun with and what it kept is read as it must be, in every run of the suite."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.targets import all_targets


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

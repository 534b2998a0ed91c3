"""What is fuzzed: one function a parser, the errors it may raise, and inputs to begin with.

A target is given bytes. Whatever it raises beyond its declared errors is a finding, and so is
what takes too long or too much memory. Where there is a formatter, what was parsed must be
written as the same bytes again: two spellings of one thing are a finding too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Seeds = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Target:
    """One parser: ``run`` takes bytes, ``allowed`` are the errors that it may raise."""

    name: str
    run: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]
    seeds: Seeds

    def try_one(self, data: bytes) -> None:
        """Run it; an error that it does not declare goes through."""
        try:
            self.run(data)
        except self.allowed:
            return


GROUPS = ("intake", "containers", "claimed", "documents", "pictures", "proofs", "agencies")


def targets_of(group: str) -> dict[str, Target]:
    """Return the targets of one module; importing it here lets a fuzzer instrument it first."""
    module = importlib.import_module(f"tests.fuzz.{group}")
    return {target.name: target for target in module.targets()}


def all_targets() -> dict[str, Target]:
    """Return every target by its name."""
    return {name: each for group in GROUPS for name, each in targets_of(group).items()}


class Unfaithful(AssertionError):
    """What was parsed is written in another way than it was read."""


def same(written: object, read: object) -> None:
    """Say that two spellings are one.

    Raises:
        Unfaithful: they are not.
    """
    if written != read:
        raise Unfaithful(f"read {read!r}, written {written!r}"[:500])

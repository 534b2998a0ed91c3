"""One target under atheris: ``python -m tests.fuzz.one GROUP TARGET [libFuzzer options]``.

Without atheris (it has wheels for Linux alone) mutations come from Hypothesis instead, which
sees no coverage but needs nothing else.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

ROOMS = ["storage", "tasks"]


def fuzz(group: str, name: str, options: list[str]) -> None:
    """Fuzz one target until libFuzzer ends this process."""
    import atheris  # type: ignore[import-untyped, unused-ignore]

    with atheris.instrument_imports(include=ROOMS):
        from tests.fuzz.targets import targets_of

        target = targets_of(group)[name]
    atheris.Setup([name, *options], target.try_one)
    atheris.Fuzz()


def without_coverage(group: str, name: str, options: list[str]) -> None:
    """Mutate the inputs of the folders given, for as long as ``-max_total_time`` says."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    from tests.fuzz.targets import targets_of

    target = targets_of(group)[name]
    folders = [Path(each) for each in options if not each.startswith("-")]
    inputs = [path.read_bytes() for each in folders for path in sorted(each.iterdir())]
    seconds = next(int(o.partition("=")[2]) for o in options if o.startswith("-max_total_time="))

    @settings(max_examples=500, deadline=10_000, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(inputs), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8))))
    def spoil(data: bytes, changes: list[tuple[float, bytes]]) -> None:
        for share, piece in changes:
            at = int(share * len(data))
            data = data[:at] + piece + data[at + len(piece) :]
        target.try_one(data)

    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        spoil()


if __name__ == "__main__":
    has_atheris = importlib.util.find_spec("atheris") is not None
    (fuzz if has_atheris else without_coverage)(sys.argv[1], sys.argv[2], sys.argv[3:])

"""Values held small: what an ingest keeps of every document from step to step.

A bundle of ten thousand documents has as many names, digests and lines of a manifest, each a
kilobyte or more as plain objects, and they are needed again and again until it is answered. Here
they lie in pickled and compressed blocks of which one is open at a time, a tenth of the room.
What is packed never leaves the process.
"""

from __future__ import annotations

import pickle
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeVar, overload

T = TypeVar("T")

_BLOCK = 200
"""Values in one block."""


class Packed(Sequence[T]):
    """A sequence that cannot be changed; equal to a tuple of equal values. Threads may share it.

    Values are equal to those that were packed, not the same objects. Going through it in order
    opens each block once; jumping about opens one for almost every value.
    """

    def __init__(self, values: Iterable[T] = ()) -> None:
        """Pack values as they come; no more than one block of them is held."""
        self._blocks: list[bytes] = []
        self._ends: list[int] = []
        self._open: tuple[int, list[T]] = (-1, [])
        left = iter(values)
        while block := list(islice(left, _BLOCK)):
            self._add(zlib.compress(pickle.dumps(block, pickle.HIGHEST_PROTOCOL), 1), len(block))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(map(self._unpacked, range(len(self._blocks))))

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(map(self._at, range(*place.indices(len(self)))))
        return self._at(range(len(self))[place])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | Packed):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} packed>"

    def _add(self, block: bytes, count: int) -> None:
        self._blocks.append(block)
        self._ends.append(len(self) + count)

    def _at(self, place: int) -> T:
        number = bisect_right(self._ends, place)
        opened, values = self._open
        if opened != number:
            values = self._unpacked(number)
            self._open = (number, values)
        return values[place - self._ends[number]]

    def _unpacked(self, number: int) -> list[T]:
        # Only what this process packed itself a moment ago is in the blocks.
        found: list[T] = pickle.loads(zlib.decompress(self._blocks[number]))  # noqa: S301
        return found


def joined(parts: Iterable[Sequence[T]]) -> Packed[T]:
    """Return sequences one after the other; what is packed is not packed again."""
    whole: Packed[T] = Packed()
    for part in parts:
        one = part if isinstance(part, Packed) else Packed(part)
        for block, end, start in zip(one._blocks, one._ends, [0, *one._ends], strict=False):
            whole._add(block, end - start)
    return whole


class PackedMap(Mapping[str, T]):
    """A mapping by SHA-256 or another string in hexadecimal; of equal keys the last one counts."""

    def __init__(self, pairs: Iterable[tuple[str, T]] = ()) -> None:
        """Pack pairs of key and value."""
        self.pairs: Packed[tuple[str, T]] = Packed(pairs)
        self._places: dict[bytes, int] | None = None

    def __getitem__(self, key: str) -> T:
        return self.pairs[self._index[bytes.fromhex(key)]][1]

    def __iter__(self) -> Iterator[str]:
        return (key.hex() for key in self._index)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def _index(self) -> dict[bytes, int]:
        if self._places is None:
            self._places = {bytes.fromhex(key): at for at, (key, _) in enumerate(self.pairs)}
        return self._places


def merged(maps: Iterable[PackedMap[Any]]) -> PackedMap[Any]:
    """Return one mapping of all; what is packed is not packed again."""
    whole: PackedMap[Any] = PackedMap()
    whole.pairs = joined(each.pairs for each in maps)
    return whole

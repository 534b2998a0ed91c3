"""Shares: values dealt out to one thread a core, each with a batch of the object store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from storage.custody import Custody
from storage.objects import Batch

T = TypeVar("T")
R = TypeVar("R")


def in_shares(custody: Custody, values: Sequence[T], act: Callable[[Batch, T], R]) -> list[R]:
    """Do something to every value with a batch of the store; results in the values' order.

    When this returns, everything that was taken or moved is durable; when it raises, some of it
    may be, and the whole may be repeated.
    """
    count = max(1, min(custody.settings.processes, len(values)))

    def share(first: int) -> list[R]:
        with custody.objects.batch() as batch:
            return [act(batch, each) for each in values[first::count]]

    with ThreadPoolExecutor(count, thread_name_prefix="share") as pool:
        shares = list(pool.map(share, range(count)))
    return [shares[place % count][place // count] for place in range(len(values))]

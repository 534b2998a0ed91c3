"""Several at once, in order: nothing lost, nothing twice, no more held than there is room for."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from storage.s3_lanes import Room, all_done, in_order
from storage.s3_stream import Hashed
from storage.s3_upload import Lying, Pace, ranges
from tests.contracts.stores import dripping

MB = 1 << 20
Many = Callable[..., Sequence[int]]


@dataclass
class Watched:
    """An act that notes what it did, how much was held meanwhile, and fails where it is told to."""

    room: Room
    fails: int = 0
    most: int = 0
    under_way: int = 0
    done: list[int] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, number: int, size: int) -> int:
        with self.guard:
            self.under_way += 1
            self.most = max(self.most, self.room.held)
        try:
            if number == self.fails:
                raise Cut
            time.sleep(0.0005 * (number % 3))
            with self.guard:
                self.done.append(number)
            return number * 1000 + size
        finally:
            with self.guard:
                self.under_way -= 1


class Cut(BaseException):
    """Something that no caller expects."""


def both(name: str) -> Many:
    if name == "all_done":
        return all_done
    return lambda *given, **named: list(in_order(*given, **named))


@pytest.mark.parametrize("name", ["all_done", "in_order"])
@given(
    sizes=st.lists(st.integers(0, 30), max_size=30),
    room=st.integers(1, 60),
    lanes=st.integers(1, 5),
    fails=st.integers(0, 30),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_results_come_in_order_within_the_room_and_a_failure_ends_it(
    name: str, sizes: list[int], room: int, lanes: int, fails: int
) -> None:
    space = Room(room)
    act = Watched(space, fails)
    if 1 <= fails <= len(sizes):
        with pytest.raises(Cut):
            both(name)(sizes, act, lambda size: size, room=space, lanes=lanes)
        assert len(act.done) < len(sizes)
    else:
        made = both(name)(sizes, act, lambda size: size, room=space, lanes=lanes)
        assert made == [number * 1000 + size for number, size in enumerate(sizes, 1)]
        assert sorted(act.done) == list(range(1, len(sizes) + 1))
    assert (space.held, act.under_way) == (0, 0)
    # What is larger than the room is let in alone.
    assert act.most <= max([room, *sizes])


@pytest.mark.parametrize("name", ["all_done", "in_order"])
def test_what_the_source_raises_comes_out_as_it_is(name: str) -> None:
    space, error = Room(4), OSError(5, "Input/output error")

    def breaks() -> Iterator[int]:
        yield from (1, 2, 3)
        raise error

    act = Watched(space)
    with pytest.raises(OSError, match="Input/output") as caught:
        both(name)(breaks(), act, lambda size: size, room=space, lanes=2)
    assert caught.value is error
    assert (space.held, act.under_way) == (0, 0)


def test_whoever_stops_early_leaves_nothing_held() -> None:
    space = Room(10)
    act = Watched(space)
    reading = in_order(range(1, 9), act, lambda _: 3, room=space, lanes=3)
    assert next(reading) == 1001
    reading.close()  # type: ignore[attr-defined]
    assert (space.held, act.under_way) == (0, 0)


def test_readers_and_senders_in_one_small_room_do_not_wait_for_each_other_for_ever() -> None:
    space = Room(5)
    ended: list[int] = []

    def many(name: str) -> None:
        made = both(name)(range(40), Watched(space), lambda _: 2, room=space, lanes=4)
        ended.append(len(made))

    threads = [
        threading.Thread(target=many, args=(name,), daemon=True)
        for name in ["all_done", "in_order"] * 3
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert ended == [40] * 6
    assert space.held == 0


def test_a_slow_one_holds_up_nobody_but_the_end() -> None:
    others = threading.Event()
    count = threading.Semaphore(0)

    def act(number: int, _: int) -> int:
        if number == 1:
            assert others.wait(10)
        else:
            count.release()
            if number == 20:
                others.set()
        return number

    assert all_done(range(20), act, lambda _: 1, Room(4), lanes=3) == list(range(1, 21))


@given(
    size=st.integers(0, 100),
    piece=st.integers(1, 40),
    part=st.integers(1, 30),
    limit=st.integers(1, 4),
)
@hypothesis_settings(max_examples=100, deadline=None)
def test_a_stream_is_cut_into_whole_parts_of_whole_objects(
    size: int, piece: int, part: int, limit: int
) -> None:
    data = bytes(range(size))
    hashed = Hashed(dripping(data, piece))
    objects: list[list[bytes]] = []
    first = hashed.read(part)
    while first:
        objects.append(list(hashed.parts(first, part, part * limit)))
        first = hashed.read(part)
    assert b"".join(each for parts in objects for each in parts) == data
    assert all(len(parts) == limit for parts in objects[:-1])
    assert all(len(each) == part for parts in objects for each in parts[:-1])
    assert (hashed.size, hashed.finish().size) == (size, size)


@given(
    objects=st.integers(1, 12),
    rest=st.integers(1, 64),
    step=st.sampled_from([1, 2, 8, 64]),
)
def test_ranges_cover_every_version_once_and_no_part_but_the_last_is_short(
    objects: int, rest: int, step: int
) -> None:
    lying = [Lying(str(n), "v", 64 * 1024) for n in range(objects)] + [Lying("last", "v", rest)]
    found = ranges(lying, step)
    assert len(found) <= 9000
    for each in lying:
        mine = [(start, end) for source, start, end in found if source is each]
        assert [start for start, _ in mine] == [0, *(end for _, end in mine[:-1])]
        assert mine[-1][1] == each.size
    assert len({end - start for _, start, end in found[:-1]}) == 1


def test_a_server_is_asked_to_copy_so_much_at_once_as_it_was_seen_to_do() -> None:
    pace = Pace()
    least = pace.limit
    pace.sent(1000 * MB, 2.0)
    assert least < pace.limit <= 2048 * MB
    pace.copied(1000 * MB, 0.5)
    assert pace.limit == 5 << 30
    pace.copied(1 * MB, 10.0)
    assert pace.limit == 5 << 30
    pace.copied(200 * MB, 100.0)
    assert pace.limit == least
    pace.copied(1000 * MB, 0.5)
    pace.failed()
    assert pace.limit == least
    fixed = Pace(5 * MB)
    fixed.sent(1000 * MB, 0.1)
    assert (fixed.limit, fixed.step) == (5 * MB, 5 * MB)

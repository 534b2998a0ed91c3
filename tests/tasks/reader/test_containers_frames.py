"""What comes out of the cell is distrusted: lies, crashes and half frames harm what they must."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import TransientError
from tasks.reader.answer import Contents, Member
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack
from tasks.reader.containers import wanted
from tasks.reader.containers.frames import MAX_FRAME, FrameError, Kind, Sender, encode, frames
from tasks.reader.failures import UnreadableError
from tasks.reader.limits import Limits
from tasks.reader.process import CellFailure
from tasks.reader.strict import as_json

Script = Callable[[frozenset[int]], list[bytes | CellFailure]]


class Scripted:
    """A pool whose cell says what the script says."""

    limits = Limits(max_file_bytes=1000, max_total_bytes=5000)

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.asked: list[frozenset[int]] = []

    def stream(
        self, kind: str, file: Any, name: str, limit: int, **values: Any
    ) -> Generator[bytes, None, None]:
        asked = wanted.decode(values.get("wanted", wanted.encode([])))
        self.asked.append(asked)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        for step in script(asked):
            if isinstance(step, CellFailure):
                raise step
            yield step


def pool(*scripts: Script) -> CellPool:
    return cast(CellPool, Scripted(*scripts))


def member(index: int, *data: bytes) -> bytes:
    out = encode(Kind.BEGIN, index) + b"".join(encode(Kind.DATA, index, d) for d in data)
    return out + encode(Kind.END, index)


def results(cells: CellPool, indices: list[int]) -> dict[int, bytes | str]:
    out: dict[int, bytes | str] = {}
    for each in unpack(cells, "x", "x", indices):
        assert each.index not in out
        try:
            out[each.index] = b"".join(each.pieces())
        except UnreadableError as error:
            out[each.index] = str(error)
    return out


@given(st.sets(st.integers(0, 200_000), max_size=300))
def test_the_wanted_numbers_survive_the_journey(numbers: set[int]) -> None:
    assert wanted.decode(wanted.encode(sorted(numbers))) == numbers


def test_many_wanted_numbers_are_split_into_jobs() -> None:
    # What no compression makes small: bits like noise.
    noisy = [i for i in range(1_500_000) if (i * 2654435761 >> 13) & 1]
    runs = list(wanted.split(noisy))
    assert [i for run in runs for i in run] == noisy
    assert all(len(wanted.encode(run)) < 50_000 for run in runs)
    assert list(wanted.split([])) == []


@given(st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=50))), st.integers(1, 40))
def test_frames_survive_any_cut_into_chunks(sent: list[tuple[Kind, bytes]], size: int) -> None:
    data = b"".join(encode(kind, 7, content) for kind, content in sent)
    chunks = iter(data[at : at + size] for at in range(0, len(data), size))
    assert [(f.kind, f.member, f.data) for f in frames(chunks)] == [(k, 7, d) for k, d in sent]


@given(st.binary(max_size=300))
def test_noise_is_no_frames_and_no_other_error(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        list(frames(iter([data])))


def test_small_pieces_are_sent_together() -> None:
    sent: list[bytes] = []
    sender = Sender(sent.append)
    for _ in range(1000):
        sender.data(3, b"x" * 10)
    sender.data(3, b"y" * (MAX_FRAME + 5))
    sender.send(Kind.END, 3)
    found = list(frames(iter(sent)))
    assert len(found) < 6
    content = b"".join(f.data for f in found if f.kind is Kind.DATA)
    assert content == b"x" * 10_000 + b"y" * (MAX_FRAME + 5)


def test_members_come_and_a_failed_one_harms_no_other() -> None:
    said = encode(Kind.BEGIN, 2) + encode(Kind.DATA, 2, b"half")
    said += encode(Kind.FAIL, 2, "坏了\x1b[2J".encode())
    cells = pool(lambda _: [encode(Kind.TICK) + member(1, b"a", b"b") + said + member(4)])
    out = results(cells, [4, 2, 1, 3, 9])
    assert out[1] == b"ab"
    assert out[2] == "坏了[2J"
    assert out[4] == b""
    assert "没有第 3 项" in str(out[3])
    assert "没有第 9 项" in str(out[9])


@pytest.mark.parametrize(
    "lie",
    [
        b"\xff" * 20,
        encode(Kind.DATA, 1, b"x"),
        encode(Kind.END, 1),
        encode(Kind.BEGIN, 7),
        encode(Kind.BEGIN, 1) + encode(Kind.DATA, 2, b"x"),
        encode(Kind.BEGIN, 1) + encode(Kind.DATA, 1, b"x" * 1001),
        encode(Kind.BEGIN, 1) + encode(Kind.DATA, 1, b"x"),
        encode(Kind.BEGIN, 1) + encode(Kind.BEGIN, 2),
        encode(Kind.LIST, 0, b"{}"),
        member(2) + member(1),
        encode(Kind.BEGIN, 1)[:5],
    ],
    ids=[
        "noise", "no_begin", "no_begin_end", "not_asked", "other_member", "too_large", "no_end",
        "begin_twice", "listing", "backwards", "half",
    ],
)  # fmt: skip
def test_a_lie_is_found_and_every_member_still_has_its_answer(lie: bytes) -> None:
    out = results(pool(lambda _: [lie]), [1, 2])
    assert sorted(out) == [1, 2]
    assert isinstance(out[1], str)


def test_all_members_together_keep_to_the_limit() -> None:
    out = results(
        pool(lambda asked: [member(i, b"x" * 900) for i in sorted(asked)]), list(range(9))
    )
    assert any(isinstance(each, str) for each in out.values())


def test_after_a_crash_the_pass_is_made_again_from_the_next_member() -> None:
    def poisoned(asked: frozenset[int]) -> list[bytes | CellFailure]:
        steps: list[bytes | CellFailure] = []
        for index in sorted(asked):
            if index == 2:
                return [*steps, encode(Kind.BEGIN, 2), CellFailure("crash", "signal 11")]
            steps.append(member(index, b"%d" % index))
        return steps

    cells = Scripted(poisoned)
    out = results(cast(CellPool, cells), [1, 2, 3])
    assert (out[1], out[3]) == (b"1", b"3")
    assert "崩溃" in str(out[2])
    assert cells.asked == [{1, 2, 3}, {3}]


def test_a_cell_that_always_fails_ends_it() -> None:
    cells = Scripted(lambda _: [CellFailure("timeout")])
    out = results(cast(CellPool, cells), [1, 2, 3])
    assert all("超时" in str(each) for each in out.values())
    assert len(cells.asked) == 1


def test_a_lost_host_is_nobodys_fault() -> None:
    with pytest.raises(TransientError):
        results(pool(lambda _: [CellFailure("lost")]), [1])
    with pytest.raises(TransientError):
        results(pool(lambda _: [encode(Kind.BEGIN, 1), CellFailure("lost")]), [1])


def test_a_member_can_be_taken_only_in_its_turn() -> None:
    turns = unpack(pool(lambda _: [member(1, b"a") + member(2, b"b")]), "x", "x", [1, 2])
    first = next(turns)
    second = next(turns)
    with pytest.raises(RuntimeError):
        list(first.pieces())
    assert list(second.pieces()) == [b"b"]
    with pytest.raises(RuntimeError):
        list(second.pieces())


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("format"),
        lambda body: body.update(more=1),
        lambda body: body["members"][0].update(index=1),
        lambda body: body["members"][0].update(kind="door"),
        lambda body: body["members"][0].update(size=1 << 60),
        lambda body: body["members"][0].update(name="\ud800"),
    ],
    ids=["missing", "more", "index", "kind", "size", "name"],
)
def test_a_listing_of_another_form_is_a_lie(change: Callable[[dict[str, Any]], object]) -> None:
    good = Contents("zip", (Member(0, "a", "61", "utf-8", "file", 1),), 1)
    listing = as_json(good)
    assert contents(pool(lambda _: [sent(listing)]), "x", "x") == good
    change(listing)
    with pytest.raises(UnreadableError):
        contents(pool(lambda _: [sent(listing)]), "x", "x")


def sent(listing: object) -> bytes:
    return encode(Kind.LIST, 0, json.dumps(listing).encode())

"""Custody events as leaves: one canonical spelling, everything else refused."""

import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InputError, IntegrityError
from storage.event import MAX_LEAF, Action, CustodyEvent, decode, encode, event_id
from storage.nouns import Person
from storage.order import BACK, CLOCKS, Link, Order, Orderer, clock_state, room_for

EVENT = CustodyEvent(
    event_id=event_id(Action.STORED, "A2026-000001", "1"),
    action=Action.STORED,
    occurred_at="2026-11-23T10:00:00+08:00",
    recorded_at="2026-11-23T10:00:01+08:00",
    actor=Person("张三", "0001", "某区市场监管局"),
    case="2026-0123-9c1d44e0",
    accession="A2026-000001",
    exhibits=("2026-0123-9c1d44e0/E0001",),
    place="上海",
    purpose="intake",
    details={"size": 3, "names": ["客户名单.xlsx"], "none": None, "yes": True},
    system={"tool": "zhenglian"},
)
LEAF = encode(EVENT)

plain = st.text(st.characters(exclude_categories=("Cs",)), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """An order as the sequencer gives it, somewhere in a log."""
    seq = draw(st.integers(0, 2**40))
    chains = {
        subject: Link(1, None, "")
        if draw(st.booleans())
        else Link(draw(st.integers(2, 99)), draw(st.integers(0, seq)), "ab" * 32)
        for subject in draw(st.lists(plain, max_size=3, unique=True))
    }
    return Order(seq, "2026-11-23T02:00:01+00:00", draw(st.sampled_from(CLOCKS)), "", chains)


events = st.builds(
    CustodyEvent,
    event_id=plain,
    action=st.sampled_from(Action),
    occurred_at=plain,
    recorded_at=plain,
    actor=st.builds(Person, plain, plain, plain, plain, plain),
    case=plain,
    accession=plain,
    exhibits=st.lists(plain, max_size=3).map(tuple),
    place=plain,
    purpose=plain,
    details=st.dictionaries(plain, values, max_size=4),
    system=st.dictionaries(plain, plain, max_size=2),
    order=st.none() | orders(),
)


def _with(**changes: object) -> bytes:
    value = json.loads(LEAF)
    value.update(changes)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _without(name: str) -> bytes:
    value = json.loads(LEAF)
    del value[name]
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


GOOD_ORDER = {
    "seq": 7,
    "at": "2026-11-23T02:00:01+00:00",
    "clock": "ok",
    "previous": "ab" * 32,
    "chains": {"x": {"count": 2, "seq": 3, "previous": "cd" * 32}},
}
SPOILED_ORDERS = [
    {**GOOD_ORDER, "seq": "7"},
    {**GOOD_ORDER, "seq": -1},
    {**GOOD_ORDER, "seq": True},
    {**GOOD_ORDER, "clock": "fine"},
    {**GOOD_ORDER, "at": None},
    {**GOOD_ORDER, "previous": 1},
    {**GOOD_ORDER, "more": 1},
    {**GOOD_ORDER, "chains": []},
    {**GOOD_ORDER, "chains": {"x": None}},
    {**GOOD_ORDER, "chains": {"x": {"count": 0, "seq": 3, "previous": ""}}},
    {**GOOD_ORDER, "chains": {"x": {"count": 2, "seq": None, "previous": ""}}},
    {**GOOD_ORDER, "chains": {"x": {"count": 1, "seq": 3, "previous": ""}}},
    {**GOOD_ORDER, "chains": {"x": {"count": 2, "seq": True, "previous": ""}}},
    {**GOOD_ORDER, "chains": {"x": {"count": 2, "seq": 3}}},
    {**GOOD_ORDER, "chains": {"x": {"count": 2, "seq": 3, "previous": None}}},
]


def test_the_good_order_is_accepted() -> None:
    assert decode(_with(order=GOOD_ORDER)).order == Order(
        7, GOOD_ORDER["at"], "ok", "ab" * 32, {"x": Link(2, 3, "cd" * 32)}
    )


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        LEAF[:-1],
        LEAF + b" ",
        b" " + LEAF,
        LEAF + b"\n",
        b"\xef\xbb\xbf" + LEAF,
        json.dumps(json.loads(LEAF)).encode(),
        json.dumps(json.loads(LEAF), ensure_ascii=False).encode(),
        LEAF.replace(b'"purpose":"intake"', b'"purpose":"x","purpose":"intake"'),
        LEAF.replace(b'"purpose":"intake"', b'"purpose":"\\u0069ntake"'),
        LEAF.replace(b'"size":3', b'"size":3.0'),
        LEAF.replace(b'"size":3', b'"size":3e0'),
        LEAF.replace(b'"size":3', b'"size":NaN'),
        LEAF.replace(b'"size":3', b'"size":1e999'),
        LEAF.replace(b'"size":3', b'"size":9007199254740993'),
        LEAF.replace(b'"size":3', b'"size":' + b"9" * 5000),
        LEAF.replace(b'"intake"', b'"\\ud800"'),
        LEAF.replace(b'"size":3', b'"size":' + b"[" * 20_000 + b"]" * 20_000),
        _with(schema="zhenglian.event/2"),
        _with(schema=None),
        _with(extra=1),
        _with(action="vanished"),
        _with(action=1),
        _with(case=1),
        _with(event_id=None),
        _with(exhibits="E0001"),
        _with(exhibits=[1]),
        _with(actor="张三"),
        _with(actor={"name": "张三", "shoe_size": "43"}),
        _with(actor={"name": 1}),
        _with(actor={"name": "张三", "unit": ""}),
        _with(details=[]),
        _with(system=[]),
        _with(order=[]),
        _with(order={}),
        *(_with(order=order) for order in SPOILED_ORDERS),
        *(_without(name) for name in json.loads(LEAF)),
    ],
)
def test_other_leaves_are_refused(leaf: bytes) -> None:
    assert leaf != LEAF
    with pytest.raises(IntegrityError):
        decode(leaf)


@pytest.mark.parametrize(
    "details",
    [
        {"x": 0.5},
        {"x": 3.0},
        {"x": float("nan")},
        {"x": float("inf")},
        {"x": 2**53 + 1},
        {"x": {1: 2}},
        {"x": b"bytes"},
        {"x": {1, 2}},
        {"x": "\ud800"},
        {"\udfff": 1},
    ],
)
def test_values_without_a_canonical_form_are_refused(details: dict[str, object]) -> None:
    with pytest.raises(InputError):
        encode(replace(EVENT, details=details))


def test_the_longest_leaf() -> None:
    room = MAX_LEAF - len(encode(replace(EVENT, purpose=""))) - room_for(EVENT.subjects)
    longest = replace(EVENT, purpose="x" * room)
    orderer = Orderer(2**50, b"x" * 32, "", {})
    order = orderer.place(EVENT.subjects, EVENT.recorded_at, "2026-11-23T02:00:01.123456+00:00")
    orderer.done(order, b"x" * 32)
    order = orderer.place(EVENT.subjects, EVENT.recorded_at, "2026-11-23T02:00:01.123456+00:00")
    assert len(encode(longest)) < len(encode(replace(longest, order=order))) <= MAX_LEAF
    with pytest.raises(InputError) as caught:
        encode(replace(EVENT, purpose="x" * (room + 1)))
    assert caught.value.remedy


@given(events)
def test_events_are_read_back(event: CustodyEvent) -> None:
    leaf = encode(event)
    again = decode(leaf)
    assert encode(again) == leaf
    assert again.event_id == event.event_id
    assert again.actor == event.actor
    assert again.exhibits == event.exhibits


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode(data)


@given(st.integers(0, len(LEAF) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_event(at: int, bits: int) -> None:
    changed = LEAF[:at] + bytes([LEAF[at] ^ bits]) + LEAF[at + 1 :]
    try:
        event = decode(changed)
    except IntegrityError:
        return
    assert encode(event) == changed


def test_the_leaf_is_canonical_json() -> None:
    value = json.loads(LEAF)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert text.encode() == LEAF


def test_identifiers_come_from_the_subject() -> None:
    assert event_id(Action.READ, "a", "b") == event_id(Action.READ, "a", "b")
    different = {
        event_id(Action.READ, "a", "b"),
        event_id(Action.STORED, "a", "b"),
        event_id(Action.READ, "ab"),
        event_id(Action.READ, "a", "b", ""),
        event_id(Action.READ, "b", "a"),
    }
    assert len(different) == 5
    assert len(event_id(Action.READ, "名\udcff")) == 32


def test_events_pickle() -> None:
    assert pickle.loads(pickle.dumps(EVENT)) == EVENT


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3, unique=True), max_size=20))
def test_every_subject_has_its_own_chain(log: list[list[str]]) -> None:
    orderer = Orderer()
    seen: dict[str, list[int]] = {}
    hashes: list[bytes] = []
    for seq, subjects in enumerate(log):
        order = orderer.place(subjects, EVENT.recorded_at, "2026-11-23T02:00:01+00:00")
        assert order.seq == seq
        assert order.previous == (hashes[-1].hex() if hashes else "")
        for subject in subjects:
            before = seen.setdefault(subject, [])
            link = order.chains[subject]
            assert link.count == len(before) + 1
            assert link.seq == (before[-1] if before else None)
            assert link.previous == (hashes[before[-1]].hex() if before else "")
            before.append(seq)
        hashes.append(seq.to_bytes(32, "big"))
        orderer.done(order, hashes[-1])


def test_a_clock_set_back_is_flagged() -> None:
    earlier, later = "2026-11-23T10:00:00+08:00", "2026-11-23T02:00:01+00:00"
    assert clock_state("", earlier, later) == "ok"
    assert clock_state(later, earlier, later) == "ok"
    assert clock_state(later, earlier, "2026-11-23T02:00:00+00:00") == BACK
    assert clock_state("", later, "2026-11-23T02:00:00+00:00") == "ahead"
    assert clock_state("", "yesterday", later) == "ahead"

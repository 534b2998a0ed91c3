"""The audit of a log's order: what a dishonest sequencer wrote into events is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.chains import ChainAudit
from storage.event import Action, CustodyEvent, encode
from storage.keyring import KeyRing, rotation_statement
from storage.merkle import leaf_hash
from storage.note import Signer
from storage.order import Orderer
from tests.storage.logs import SIGNER, VERIFIER, make_event, place

CASE = "2026-0123-9c1d44e0"
NEXT = Signer(SIGNER.name, bytes(range(1, 33)))


def make_log(count: int = 12) -> list[CustodyEvent]:
    """Events of one case and three exhibits, in order."""
    orderer = Orderer()
    return [place(orderer, about(number))[0] for number in range(count)]


def about(number: int) -> CustodyEvent:
    exhibits = (f"{CASE}/E000{number % 3 + 1}",) if number else ()
    return replace(make_event(number), case=CASE, accession="A2026-000001", exhibits=exhibits)


def audit(leaves: list[bytes], ring: KeyRing | None = None) -> ChainAudit:
    found = ChainAudit(ring or KeyRing.single(VERIFIER))
    for index, leaf in enumerate(leaves):
        assert found.take(index, leaf) is False
    return found


def resequenced(events: list[CustodyEvent], at: int, **changes: object) -> list[bytes]:
    """Leaves in which event ``at`` has a false order, and all that follow are built upon it."""
    orderer = Orderer()
    leaves = []
    for number, event in enumerate(events):
        order = orderer.place(event.subjects, event.recorded_at, "2026-11-23T02:00:01+00:00")
        told = replace(order, **changes) if number == at else order  # type: ignore[arg-type]
        leaf = encode(replace(event, order=told))
        orderer.done(order, leaf_hash(leaf))
        leaves.append(leaf)
    return leaves


def test_a_true_log_has_no_finding() -> None:
    found = audit([encode(event) for event in make_log()])
    assert (found.findings, found.clocks, found.entries, found.subjects) == ([], [], 12, 5)
    assert found.actions == {"accessed": 12}


def _without_chain(event: CustodyEvent) -> dict[str, object]:
    assert event.order
    return {"chains": dict(list(event.order.chains.items())[1:])}


def _with_chain(event: CustodyEvent) -> dict[str, object]:
    assert event.order
    link = next(iter(event.order.chains.values()))
    return {"chains": {**event.order.chains, "other": link}}


def _link(**changes: object) -> Callable[[CustodyEvent], dict[str, object]]:
    def spoil(event: CustodyEvent) -> dict[str, object]:
        assert event.order
        subject, link = next(iter(event.order.chains.items()))
        return {"chains": {**event.order.chains, subject: replace(link, **changes)}}  # type: ignore[arg-type]

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda event: {"seq": 5}, "says that it is entry 5"),
        (lambda event: {"previous": "ab" * 32}, "does not name the entry before"),
        (lambda event: {"previous": ""}, "does not name the entry before"),
        (_without_chain, "not exactly the chains"),
        (_with_chain, "not exactly the chains"),
        (_link(count=9), "does not follow"),
        (_link(seq=0), "does not follow"),
        (_link(previous="cd" * 32), "does not follow"),
    ],
)
def test_a_false_order_is_found(
    spoil: Callable[[CustodyEvent], dict[str, object]], said: str
) -> None:
    events = make_log()
    found = audit(resequenced(events, 7, **spoil(events[7])))
    assert found.findings[0].index == 7
    assert said in found.findings[0].message


def test_an_event_left_out_by_the_sequencer_is_found() -> None:
    """The tree over what is left is whole; the chains are not."""
    leaves = [encode(event) for event in make_log()]
    for left_out in range(len(leaves) - 1):
        found = audit(leaves[:left_out] + leaves[left_out + 1 :])
        assert found.findings[0].index == left_out


def test_what_is_no_event_is_found() -> None:
    leaves = [encode(event) for event in make_log()]
    for junk in (b"", b"{}", b"[]", b"null", b'{"order":null}', leaves[3] + b" "):
        found = audit([*leaves[:3], junk, *leaves[4:]])
        assert found.findings[0].index == 3
        assert "is no event" in found.findings[0].message


def test_an_event_without_order_is_found() -> None:
    leaves = [encode(event) for event in make_log(3)]
    found = audit([*leaves, encode(about(3))])
    assert [finding.index for finding in found.findings] == [3]


def test_a_damaged_log_is_said_to_be_unchecked_from_there() -> None:
    leaves = [encode(event) for event in make_log()]
    found = ChainAudit(KeyRing.single(VERIFIER))
    for index in (0, 1, 2, 6, 7):
        found.take(index, leaves[index])
    assert [finding.kind for finding in found.findings] == ["order_unchecked"]


def test_a_clock_set_back_is_named_and_no_fault() -> None:
    events = make_log()
    found = audit(resequenced(events, 4, clock="back"))
    assert found.findings == []
    assert [flag.index for flag in found.clocks] == [4]


def _rotating_log() -> list[bytes]:
    orderer = Orderer()
    events = [about(number) for number in range(4)]
    statement = rotation_statement(SIGNER, NEXT)
    events[2] = replace(events[2], action=Action.KEY_ROTATED, details={"statement": statement})
    return [place(orderer, event)[1] for event in events]


def test_a_rotation_must_be_the_policys() -> None:
    ring = KeyRing.single(VERIFIER)
    assert audit(_rotating_log(), ring.rotated(2, NEXT.verifier)).findings == []
    for other in (
        ring,
        ring.rotated(1, NEXT.verifier),
        ring.rotated(2, Signer(SIGNER.name, bytes(32)).verifier),
    ):
        assert [finding.kind for finding in audit(_rotating_log(), other).findings] == ["key"]


@given(st.lists(st.sampled_from("abc"), max_size=30), st.data())
def test_any_event_left_out_is_found(subjects: list[str], data: st.DataObject) -> None:
    orderer = Orderer()
    leaves = [
        place(orderer, replace(make_event(n), exhibits=(f"{CASE}/{name}",)))[1]
        for n, name in enumerate(subjects)
    ]
    assert audit(leaves).findings == []
    if len(leaves) > 1:
        left_out = data.draw(st.integers(0, len(leaves) - 2))
        assert audit(leaves[:left_out] + leaves[left_out + 1 :]).findings

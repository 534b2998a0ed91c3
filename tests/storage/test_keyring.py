"""Key rings: a key signs its own sizes and no others; a rotation needs both keys."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError
from storage.keyring import (
    KeyRing,
    KeyRingError,
    KeySpan,
    follow_rotations,
    rotation_statement,
    verify_rotation,
)
from storage.note import Signer, parse_note, sign_note

NAME = "example.org/custody"
KEYS = [Signer(NAME, bytes([number]) * 32) for number in range(1, 5)]
STRANGER = Signer(NAME, b"s" * 32)
OTHER = Signer("example.org/other", b"o" * 32)
FIRST, SECOND, THIRD = (key.verifier for key in KEYS[:3])
RING = KeyRing((KeySpan(FIRST, 1, 10), KeySpan(SECOND, 11, 20), KeySpan(THIRD, 21)))


def head(size: int, *signers: Signer) -> bytes:
    body = Checkpoint(signers[0].name, size, bytes(32)).body()
    return str(sign_note(body, signers)).encode()


@pytest.mark.parametrize(
    "spans",
    [
        (),
        (KeySpan(FIRST, 2),),
        (KeySpan(FIRST, 1, 10),),
        (KeySpan(FIRST, 1, 10), KeySpan(SECOND, 12)),
        (KeySpan(FIRST, 1, 10), KeySpan(SECOND, 10)),
        (KeySpan(FIRST, 1, None), KeySpan(SECOND, 11)),
        (KeySpan(FIRST, 1, 0), KeySpan(SECOND, 1)),
        (KeySpan(FIRST, 1, 10), KeySpan(OTHER.verifier, 11)),
    ],
)
def test_spans_that_contradict_each_other_are_refused(spans: tuple[KeySpan, ...]) -> None:
    with pytest.raises(KeyRingError):
        KeyRing(spans)


@pytest.mark.parametrize(
    ("size", "signer"),
    [(11, KEYS[0]), (10, KEYS[1]), (21, KEYS[1]), (20, KEYS[2]), (5, STRANGER), (5, OTHER)],
)
def test_a_key_signs_no_size_but_its_own(size: int, signer: Signer) -> None:
    with pytest.raises(IntegrityError):
        RING.open(head(size, signer))


def test_a_retired_key_is_called_so() -> None:
    with pytest.raises(KeyRingError) as caught:
        RING.open(head(30, KEYS[0]))
    assert "may not sign that size" in str(caught.value)


@given(st.integers(1, 40))
def test_every_size_has_one_key(size: int) -> None:
    signer = KEYS[0] if size <= 10 else KEYS[1] if size <= 20 else KEYS[2]
    assert RING.open(head(size, signer)).size == size
    assert RING.at(size) == signer.verifier
    assert RING.open(head(size, signer, STRANGER)).size == size


def test_rings_are_read_back() -> None:
    assert KeyRing.from_json(RING.as_json()) == RING
    for spoiled in (
        None,
        [],
        [{}],
        [1],
        [{"vkey": str(FIRST), "first": "1", "last": None}],
        [{"vkey": str(FIRST), "first": True, "last": None}],
        [{"vkey": "x", "first": 1, "last": None}],
    ):
        with pytest.raises(IntegrityError):
            KeyRing.from_json(spoiled)


def test_a_rotation_moves_the_ring() -> None:
    statements = [rotation_statement(KEYS[0], KEYS[1]), rotation_statement(KEYS[1], KEYS[2])]
    ring = follow_rotations(KeyRing.single(FIRST), [(9, statements[0]), (19, statements[1])])
    assert ring == RING
    assert ring.current == THIRD


def _signed(text: str, *signers: Signer) -> str:
    return str(sign_note(text, signers))


def _statements() -> dict[str, str]:
    good = rotation_statement(KEYS[0], KEYS[1])
    text = parse_note(good.encode()).text
    return {
        "signed by the new key alone": _signed(text, KEYS[1]),
        "signed by the old key alone": _signed(text, KEYS[0]),
        "signed by a stranger": _signed(text, KEYS[0], STRANGER),
        "of another old key": rotation_statement(KEYS[2], KEYS[1]),
        "of another log": rotation_statement(KEYS[0], OTHER),
        "to the same key": rotation_statement(KEYS[0], KEYS[0]),
        "with a line more": _signed(text + "more\n", KEYS[0], KEYS[1]),
        "of another form": _signed(text.replace("/1", "/2"), KEYS[0], KEYS[1]),
        "nothing": "x",
    }


@pytest.mark.parametrize("name", _statements())
def test_a_rotation_needs_both_keys(name: str) -> None:
    with pytest.raises(IntegrityError):
        verify_rotation(_statements()[name], FIRST)


def test_a_rotation_names_the_new_key() -> None:
    assert verify_rotation(rotation_statement(KEYS[0], KEYS[1]), FIRST) == SECOND
    assert replace(RING.spans[0], last=None).covers(10**9)

"""Checkpoints: one spelling, this log's alone, never of nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.checkpoint import (
    Checkpoint,
    CheckpointError,
    open_checkpoint,
    parse_body,
    parse_number,
)
from storage.errors import IntegrityError
from storage.merkle import MAX_SIZE
from storage.note import SignatureError, Signer, sign_note

ORIGIN = "example.org/log"
SIGNER = Signer(ORIGIN, bytes(range(32)))
ROOT = bytes(range(32))
GOOD = Checkpoint(ORIGIN, 20852163, ROOT)
BODY = GOOD.body()

lines = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs",)), min_size=1)


def test_the_form() -> None:
    assert BODY == "example.org/log\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert parse_body(BODY) == GOOD


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        BODY[:-1],
        BODY + "\n",
        BODY + "extension",
        BODY + "extension\n\n",
        BODY.replace("\n", "\r\n"),
        BODY.replace(ORIGIN, ""),
        BODY.replace("20852163", "0"),
        BODY.replace("20852163", ""),
        BODY.replace("20852163", "020852163"),
        BODY.replace("20852163", "+20852163"),
        BODY.replace("20852163", "-20852163"),
        BODY.replace("20852163", " 20852163"),
        BODY.replace("20852163", "20852163 "),
        BODY.replace("20852163", "20_852_163"),
        BODY.replace("20852163", "2e7"),
        BODY.replace("20852163", "0x10"),
        BODY.replace("20852163", "２０"),
        BODY.replace("20852163", str(MAX_SIZE + 1)),
        BODY.replace("20852163", "9" * 5000),
        BODY.replace("Hh8=", "Hh9="),
        BODY.replace("Hh8=", "Hh8"),
        BODY.replace("Hh8=", "Hh8= "),
        BODY.replace("AAEC", ""),
        BODY.replace("AAEC", "AAECAAEC"),
    ],
)
def test_other_forms_are_refused(body: str) -> None:
    with pytest.raises(CheckpointError):
        parse_body(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": ""},
        {"origin": "two\nlines"},
        {"origin": "a\tb"},
        {"size": 0},
        {"size": -1},
        {"size": MAX_SIZE + 1},
        {"root": bytes(31)},
        {"root": bytes(33)},
        {"root": b""},
        {"extensions": ("",)},
        {"extensions": ("a\nb",)},
    ],
)
def test_a_constructed_checkpoint_is_valid(wrong: dict[str, object]) -> None:
    with pytest.raises(CheckpointError):
        replace(GOOD, **wrong)  # type: ignore[arg-type]


@given(lines, st.integers(1, MAX_SIZE), st.binary(min_size=32, max_size=32), st.lists(lines))
def test_bodies_are_read_back(origin: str, size: int, root: bytes, more: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(more))
    assert parse_body(checkpoint.body()) == checkpoint


@given(st.text(max_size=100))
def test_arbitrary_text_is_refused_or_spelled_back(text: str) -> None:
    for body in (text, BODY + text):
        try:
            parsed = parse_body(body)
        except CheckpointError:
            continue
        assert parsed.body() == body


@given(st.text(alphabet="0123456789+- _e", max_size=25))
def test_numbers_have_one_spelling(text: str) -> None:
    try:
        number = parse_number(text)
    except CheckpointError:
        return
    assert str(number) == text


def test_signed_and_opened() -> None:
    text = GOOD.sign(SIGNER)
    assert text == GOOD.sign(SIGNER)
    assert open_checkpoint(text.encode(), [SIGNER.verifier]) == GOOD


def test_a_cosigned_checkpoint_opens_as_well() -> None:
    witness = Signer("witness.example", bytes(32))
    text = GOOD.sign(SIGNER) + str(witness.sign(BODY))
    assert open_checkpoint(text.encode(), [SIGNER.verifier]) == GOOD
    assert open_checkpoint(text.encode(), [witness.verifier, SIGNER.verifier]) == GOOD


def test_another_keys_checkpoint_is_refused() -> None:
    with pytest.raises(SignatureError):
        open_checkpoint(GOOD.sign(SIGNER).encode(), [Signer(ORIGIN, bytes(32)).verifier])


def test_the_origin_must_be_the_keys_name() -> None:
    text = replace(GOOD, origin="example.org/other").sign(SIGNER)
    with pytest.raises(CheckpointError):
        open_checkpoint(text.encode(), [SIGNER.verifier])


def test_a_signed_note_that_is_no_checkpoint_is_refused() -> None:
    text = str(sign_note("example.org/log\n0\nAA==\n", [SIGNER]))
    with pytest.raises(IntegrityError):
        open_checkpoint(text.encode(), [SIGNER.verifier])

"""The witness's rule: what it refuses, with which answer, and that it never cosigns a fork."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.checkpoint import Checkpoint
from storage.cosignature import Cosignature, parse_lines
from storage.merkle import consistency_proof
from storage.note import NoteError, Signer, encode_base64, parse_note, sign_note
from storage.witness import (
    MAX_PROOF,
    MAX_REQUEST,
    SIZE_TYPE,
    AddCheckpoint,
    Answer,
    RefusedError,
    RequestError,
    parse_logs,
    parse_request,
)
from storage.witness_key import make_witness
from storage.witness_state import (
    Witness,
)
from tests.storage.witnessed import LOG, LOGS, ORIGIN, Grown

HONEST = Grown(70)
FORKED = Grown(70, "forged", fork=20)
GOOD = HONEST.asks(8, 20)
OPEN = Callable[..., Witness]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_witness(tmp_path / "witness", "witness.example/w1")
    return tmp_path / "witness"


@pytest.fixture
def opened(folder: Path) -> Callable[..., Witness]:
    return lambda now=1_800_000_000.0: Witness(folder, LOGS, lambda: now)


def cosigned(witness: Witness, answer: Answer, checkpoint: Checkpoint) -> Cosignature:
    """The answer is a cosignature by this witness of exactly this checkpoint."""
    assert answer.status == 200, answer
    return witness.verifier.find(checkpoint.body(), parse_lines(answer.body.encode()))


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\n",
        b"\n\n",
        b"old 8\n",
        GOOD[:-1],
        GOOD[1:],
        GOOD + b"\n",
        GOOD + b"\xff",
        GOOD.replace(b"old 8", b"old 08"),
        GOOD.replace(b"old 8", b"old +8"),
        GOOD.replace(b"old 8", b"old  8"),
        GOOD.replace(b"old 8", b"old -1"),
        GOOD.replace(b"old 8", b"old 8 "),
        GOOD.replace(b"old 8", b"Old 8"),
        GOOD.replace(b"old 8", b"old"),
        GOOD.replace(b"old 8", b"old " + b"9" * 40),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"=\n", b"\n", 1),
        GOOD.replace(b"old 8\n", b"old 8\nAAAA\n"),
        GOOD.replace(b"old 8\n", b"old 8\n" + encode_base64(bytes(32)).encode() * 2 + b"\n"),
        GOOD.replace(b"old 8\n", b"old 8\n" + (encode_base64(bytes(32)) + "\n").encode() * 64),
        GOOD.partition(b"\n\n")[2],
        b"old 8\n" + GOOD.partition(b"\n\n")[2],
        GOOD + b"x" * MAX_REQUEST,
        f"old 0\n\n{sign_note(f'{ORIGIN}{chr(10)}0{chr(10)}AAAA{chr(10)}', [LOG])}".encode(),
        f"old 0\n\n{sign_note('no checkpoint' + chr(10), [LOG])}".encode(),
    ],
)
def test_other_forms_are_400(opened: OPEN, request_: bytes) -> None:
    assert opened().add_checkpoint(request_).status == 400


def test_the_specifications_request_is_read() -> None:
    text = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
        "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks"
        "+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
    )
    request = parse_request(text.encode())
    assert str(request) == text
    assert (request.old, len(request.proof), len(request.note.signatures)) == (20852014, 4, 2)


@given(st.integers(0, 1 << 62), st.lists(st.binary(min_size=32, max_size=32), max_size=MAX_PROOF))
def test_requests_are_read_back(old: int, proof: list[bytes]) -> None:
    request = AddCheckpoint(old, tuple(proof), parse_note(HONEST.signed(3).encode()))
    assert parse_request(str(request).encode()) == request


@given(st.binary(max_size=100))
def test_arbitrary_requests_are_refused_or_spelled_back(data: bytes) -> None:
    for untrusted in (data, GOOD[:6] + data + b"\n" + GOOD[6:], GOOD + data):
        try:
            request = parse_request(untrusted)
        except RequestError:
            continue
        assert str(request).encode() == untrusted


def test_an_unknown_log_is_404(opened: OPEN) -> None:
    other = Signer("example.org/other", LOG.seed)
    note = Checkpoint("example.org/other", 3, bytes(32)).sign(other)
    assert opened().add_checkpoint(f"old 0\n\n{note}".encode()).status == 404


def test_no_signature_of_a_known_key_is_403(opened: OPEN) -> None:
    witness = opened()
    stranger = HONEST.request(0, 5, Signer(ORIGIN, bytes(32)))
    assert witness.add_checkpoint(str(stranger).encode()).status == 403
    good = HONEST.request(0, 5)
    forged = replace(good.note.signatures[0], value=bytes(64))
    for signatures in ((forged,), (*good.note.signatures, forged)):
        spoiled = replace(good, note=replace(good.note, signatures=signatures))
        assert witness.add_checkpoint(str(spoiled).encode()).status == 403
    assert witness.rows() == {ORIGIN: None}


def test_signatures_of_strangers_are_ignored_and_not_kept(opened: OPEN) -> None:
    witness = opened()
    good = HONEST.request(0, 5)
    more = Signer("stranger.example", bytes(32)).sign(good.note.text)
    signatures = (more, *good.note.signatures)
    asked = replace(good, note=replace(good.note, signatures=signatures))
    cosigned(witness, witness.add_checkpoint(str(asked).encode()), HONEST.checkpoint(5))
    row = witness.rows()[ORIGIN]
    assert row is not None
    assert "stranger.example" not in row.text


def test_an_old_size_above_the_checkpoints_is_400(opened: OPEN) -> None:
    request = replace(HONEST.request(0, 5), old=6)
    assert opened().add_checkpoint(str(request).encode()).status == 400


def test_another_old_size_is_409_with_the_size(opened: OPEN) -> None:
    witness = opened()
    assert witness.add_checkpoint(HONEST.asks(3, 5)) == Answer(409, "0\n", SIZE_TYPE)
    witness.add_checkpoint(HONEST.asks(0, 5))
    for old, size in ((0, 5), (0, 9), (3, 9), (6, 9), (3, 4), (4, 4), (0, 1)):
        answer = witness.add_checkpoint(HONEST.asks(old, size))
        assert answer == Answer(409, "5\n", SIZE_TYPE)


def test_a_proof_that_does_not_verify_is_422(opened: OPEN) -> None:
    witness = opened()
    more = replace(HONEST.request(0, 5), proof=(bytes(32),))
    assert witness.add_checkpoint(str(more).encode()).status == 422
    witness.add_checkpoint(HONEST.asks(0, 30))
    right = HONEST.request(30, 60)
    for proof in ((), right.proof[:-1], right.proof[::-1], (*right.proof, bytes(32))):
        spoiled = replace(right, proof=proof)
        assert witness.add_checkpoint(str(spoiled).encode()).status == 422
    same = replace(HONEST.request(30, 30), proof=(bytes(32),))
    assert witness.add_checkpoint(str(same).encode()).status == 422
    row = witness.rows()[ORIGIN]
    assert row is not None
    assert row.checkpoint == HONEST.checkpoint(30)


def test_a_fork_is_refused_and_kept_as_evidence(opened: OPEN, folder: Path) -> None:
    witness = opened()
    witness.add_checkpoint(HONEST.asks(0, 30))
    same = witness.add_checkpoint(FORKED.asks(30, 30))
    assert same.status == 409
    assert same.content_type != SIZE_TYPE
    assert witness.add_checkpoint(FORKED.asks(0, 30)) == Answer(409, "30\n", SIZE_TYPE)
    assert witness.add_checkpoint(FORKED.asks(30, 60)).status == 422
    (name,) = witness.evidence()
    kept = (folder / "evidence" / name).read_text()
    assert FORKED.signed(30) in kept
    assert HONEST.signed(30) in kept


def test_every_step_of_a_log_is_cosigned(opened: OPEN) -> None:
    """By a new process each time: nothing lives in memory alone."""
    for step in (1, 7, 23):
        for size in range(step, 70, step):
            witness = opened()
            row = witness.rows()[ORIGIN]
            old = row.checkpoint.size if row else 0
            new = max(old, size)
            line = cosigned(
                witness, witness.add_checkpoint(HONEST.asks(old, new)), HONEST.checkpoint(new)
            )
            assert line.time == 1_800_000_000


def test_the_same_checkpoint_may_be_cosigned_again_later(opened: OPEN) -> None:
    first = opened()
    cosigned(first, first.add_checkpoint(HONEST.asks(0, 5)), HONEST.checkpoint(5))
    later = opened(1_800_000_060.0)
    line = cosigned(later, later.add_checkpoint(HONEST.asks(5, 5)), HONEST.checkpoint(5))
    assert line.time == 1_800_000_060


@pytest.mark.parametrize("text", ["", "\n", "x", f"{LOG.verifier}\n\n", LOG.private_text()])
def test_other_files_of_log_keys_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_logs(text)


def test_a_rotated_log_has_two_keys() -> None:
    newer = Signer(ORIGIN, bytes(32)).verifier
    logs = parse_logs(f"{LOG.verifier}\n{newer}\n")
    assert logs == {ORIGIN: [LOG.verifier, newer]}


def test_refusals_pickle() -> None:
    refused = RefusedError(Answer(409, "5\n", SIZE_TYPE), forked=True)
    again = pickle.loads(pickle.dumps(refused))
    assert (again.answer, again.forked) == (refused.answer, True)


def test_a_longer_proof_than_needed_never_helps(opened: OPEN) -> None:
    witness = opened()
    witness.add_checkpoint(HONEST.asks(0, 30))
    mixed = AddCheckpoint(
        30,
        tuple(consistency_proof(HONEST, 30, 60)),
        parse_note(FORKED.signed(60).encode()),
    )
    assert witness.add_checkpoint(str(mixed).encode()).status == 422

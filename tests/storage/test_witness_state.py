"""The witness's folder: contradictory requests at once, kills, damage, put-back rows, the key."""

import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from storage import witness_state
from storage.checkpoint import Checkpoint, parse_body
from storage.cosignature import Cosignature, parse_lines
from storage.errors import HostError, NotFoundError
from storage.note import Signer, parse_note
from storage.witness import (
    SIZE_TYPE,
    Answer,
)
from storage.witness_key import load_witness_key, make_witness, read_logs
from storage.witness_state import (
    MAX_EVIDENCE,
    Witness,
    WitnessStateError,
    origin_hash,
)
from tests.storage.witnessed import LOG, LOGS, ORIGIN, Grown

HONEST = Grown(70)
FORKED = Grown(70, "forged", fork=20)
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


def test_evidence_is_bounded(opened: OPEN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_state, "MAX_EVIDENCE", 3)
    witness = opened()
    witness.add_checkpoint(HONEST.asks(0, 30))
    for number in range(6):
        fork = Grown(30, str(number))
        assert witness.add_checkpoint(fork.asks(30, 30)).status == 409
    assert len(witness.evidence()) == 3 < MAX_EVIDENCE


def test_time_never_runs_back(opened: OPEN) -> None:
    opened().add_checkpoint(HONEST.asks(0, 5))
    little = opened(1_800_000_000.0 - 300)
    line = cosigned(little, little.add_checkpoint(HONEST.asks(5, 6)), HONEST.checkpoint(6))
    assert line.time == 1_800_000_000
    with pytest.raises(HostError):
        opened(1_800_000_000.0 - 301).add_checkpoint(HONEST.asks(6, 7))
    row = opened().rows()[ORIGIN]
    assert row is not None
    assert row.checkpoint.size == 6


def test_contradictory_requests_at_once(folder: Path) -> None:
    """Whatever the order, what was cosigned is one history, and the row is its newest."""
    processes = [Witness(folder, LOGS, lambda: 1_800_000_000.0) for _ in range(3)]
    logs = [Grown(65, name, fork=8) for name in ("", "a", "b", "c")]
    random = Random(7)
    given_out: list[tuple[Checkpoint, Answer]] = []
    guard = threading.Lock()

    def press(number: int) -> None:
        log, witness = logs[number % 4], processes[number % 3]
        for _ in range(12):
            old = 0
            size = random.randint(1, 64)
            for _ in range(2):
                answer = witness.add_checkpoint(log.asks(min(old, size), size))
                if answer.status == 200:
                    with guard:
                        given_out.append((log.checkpoint(size), answer))
                if answer.content_type != SIZE_TYPE:
                    break
                old = int(answer.body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(press, range(8)))
    heads = {checkpoint.head for checkpoint, _ in given_out}
    assert heads
    assert any(heads <= {(size, log.roots[size]) for size in range(1, 65)} for log in logs)
    for checkpoint, answer in given_out:
        cosigned(processes[0], answer, checkpoint)
    row = processes[0].rows()[ORIGIN]
    assert row is not None
    assert row.checkpoint.size == max(size for size, _ in heads)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_state_and_answer(folder: Path, opened: OPEN, moment: str) -> None:
    """The old row or the new one, never a part; and no cosignature without its row."""
    opened().add_checkpoint(HONEST.asks(0, 5))
    child = os.fork()
    if child == 0:
        real = witness_state.write_durably

        def dying(path: Path, data: bytes, mode: int = 0o644) -> None:
            if moment == "after":
                real(path, data, mode)
            os._exit(9)

        witness_state.write_durably = dying
        Witness(folder, LOGS, lambda: 1_800_000_000.0).add_checkpoint(HONEST.asks(5, 9))
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    size = 9 if moment == "after" else 5
    witness = opened()
    row = witness.rows()[ORIGIN]
    assert row is not None
    assert row.checkpoint == HONEST.checkpoint(size)
    if moment == "after":
        assert witness.add_checkpoint(HONEST.asks(5, 9)) == Answer(409, "9\n", SIZE_TYPE)
        assert witness.add_checkpoint(Grown(9, "other").asks(9, 9)).status == 409
    cosigned(witness, witness.add_checkpoint(HONEST.asks(size, 9)), HONEST.checkpoint(9))


def row_path(folder: Path) -> Path:
    return folder / "logs" / origin_hash(ORIGIN)


def test_a_damaged_row_stops_signing(folder: Path, opened: OPEN) -> None:
    running = opened()
    running.add_checkpoint(HONEST.asks(0, 5))
    good = row_path(folder).read_bytes()
    others = Grown(9, "other").signed(9).encode()
    for bad in (b"", good[:-1], good.replace(b"\n5\n", b"\n4\n"), good + b"x", others):
        row_path(folder).write_bytes(bad)
        with pytest.raises(WitnessStateError):
            opened()
        with pytest.raises(WitnessStateError):
            running.add_checkpoint(HONEST.asks(5, 9))
    row_path(folder).write_bytes(good)
    assert running.add_checkpoint(HONEST.asks(5, 9)).status == 200


def test_another_logs_or_another_witnesss_row_is_not_believed(
    folder: Path, opened: OPEN, tmp_path: Path
) -> None:
    make_witness(tmp_path / "other", "witness.example/w1")
    other = Witness(tmp_path / "other", LOGS, lambda: 1.0)
    other.add_checkpoint(HONEST.asks(0, 5))
    row_path(folder).write_bytes(row_path(tmp_path / "other").read_bytes())
    with pytest.raises(WitnessStateError):
        opened()
    row_path(folder).unlink()
    opened().add_checkpoint(HONEST.asks(0, 5))
    second = Signer("example.org/second", bytes(32))
    row_path(folder).rename(folder / "logs" / origin_hash(second.name))
    with pytest.raises(WitnessStateError):
        Witness(folder, {second.name: [second.verifier]}, lambda: 1.0)


def test_a_row_put_back_while_it_runs_is_refused(folder: Path, opened: OPEN) -> None:
    witness = opened()
    witness.add_checkpoint(HONEST.asks(0, 5))
    older = row_path(folder).read_bytes()
    witness.add_checkpoint(HONEST.asks(5, 9))
    newer = row_path(folder).read_bytes()
    row_path(folder).write_bytes(older)
    with pytest.raises(WitnessStateError, match="older than the 9"):
        witness.add_checkpoint(HONEST.asks(5, 12))
    row_path(folder).unlink()
    with pytest.raises(WitnessStateError):
        witness.add_checkpoint(HONEST.asks(0, 12))
    row_path(folder).write_bytes(newer)
    assert witness.add_checkpoint(HONEST.asks(9, 12)).status == 200


def test_a_row_put_back_while_it_does_not_run_goes_unnoticed_here(
    folder: Path, opened: OPEN
) -> None:
    """The limit that docs/witness.md states: only the log's records show it (test_witnessing)."""
    opened().add_checkpoint(HONEST.asks(0, 5))
    older = row_path(folder).read_bytes()
    opened().add_checkpoint(HONEST.asks(5, 30))
    row_path(folder).write_bytes(older)
    assert opened().add_checkpoint(Grown(30, "b", fork=5).asks(5, 30)).status == 200


def test_the_key_is_made_once_and_private(folder: Path) -> None:
    path = folder / "witness.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    again = make_witness(folder, "witness.example/another")
    assert path.read_bytes() == before
    assert again == load_witness_key(folder).verifier
    assert again.name == "witness.example/w1"


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb"])
def test_a_name_that_no_witness_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(HostError):
        make_witness(tmp_path / "w", name)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o644])
def test_a_key_that_others_may_read_is_refused(folder: Path, opened: OPEN, mode: int) -> None:
    (folder / "witness.key").chmod(mode)
    with pytest.raises(HostError, match="others"):
        opened()


def test_a_missing_linked_or_damaged_key_is_refused(folder: Path, opened: OPEN) -> None:
    path = folder / "witness.key"
    text = path.read_text()
    path.write_text(text.replace("w1", "w2"))
    with pytest.raises(HostError, match="damaged"):
        opened()
    path.rename(folder / "elsewhere")
    with pytest.raises(HostError, match="cannot be read"):
        opened()
    path.symlink_to(folder / "elsewhere")
    with pytest.raises(HostError):
        opened()
    with pytest.raises(HostError):
        make_witness(folder, "witness.example/w1")


def test_a_full_or_missing_disk_cosigns_nothing(
    opened: OPEN, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = opened()

    def full(path: Path, data: bytes, mode: int = 0o644) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(witness_state, "write_durably", full)
    with pytest.raises(HostError, match="No space"):
        witness.add_checkpoint(HONEST.asks(0, 5))
    monkeypatch.undo()
    assert witness.rows() == {ORIGIN: None}


def test_rows_by_the_name_that_monitors_use(opened: OPEN) -> None:
    witness = opened()
    with pytest.raises(NotFoundError):
        witness.row_named(origin_hash(ORIGIN))
    witness.add_checkpoint(HONEST.asks(0, 5))
    row = witness.row_named(origin_hash(ORIGIN))
    assert row.text.startswith(HONEST.signed(5))
    assert parse_body(parse_note(row.text.encode()).text) == HONEST.checkpoint(5)
    with pytest.raises(NotFoundError):
        witness.row_named("../witness.key")


def test_keys_from_several_files(tmp_path: Path) -> None:
    newer = Signer(ORIGIN, bytes(32)).verifier
    other = Signer("example.org/other", bytes(32)).verifier
    for name, key in (("a", LOG.verifier), ("b", newer), ("c", other)):
        (tmp_path / name).write_text(f"{key}\n")
    read = read_logs([tmp_path / name for name in "abc"])
    assert read == {ORIGIN: [LOG.verifier, newer], "example.org/other": [other]}
    (tmp_path / "a").write_bytes(b"\xff")
    for name in ("a", "missing"):
        with pytest.raises(HostError, match="log keys"):
            read_logs([tmp_path / name])

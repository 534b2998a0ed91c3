"""The log against kept checkpoints: rolled back, forked, split, tampered; then consistent."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.checkpoint import Checkpoint, parse_body
from storage.cosignature import CosignatureSigner
from storage.errors import InputError, IntegrityError
from storage.keyring import KeyRing, KeySpan
from storage.log import LogReader
from storage.merkle import verify_consistency
from storage.note import Signer, encode_base64, parse_note
from tasks.comparing import SAYS, Verdict, compare
from tasks.kept import TamperedError, find_note
from tests.storage.logs import ORIGIN, SIGNER, VERIFIER, MemoryLogStore, make_events, open_log

RING = KeyRing.single(VERIFIER)
ROOT = Path(__file__).parents[2]


class History:
    """A published log after each of some sizes: its store then, and its checkpoint."""

    def __init__(self, folder: Path, purpose: str = "", fork: int = 0) -> None:
        folder.mkdir()
        self.store = MemoryLogStore()
        self.states: dict[int, dict[str, bytes]] = {}
        log = open_log(folder, self.store)
        events = make_events(0, fork) + [
            replace(event, purpose=purpose) for event in make_events(fork, 300)
        ]
        start = 0
        for size in (5, 20, 260, 300):
            log.record(events[start:size])
            self.states[size] = dict(self.store.files)
            start = size

    def at(self, size: int) -> MemoryLogStore:
        """The store as it was, or was put back, at a size."""
        store = MemoryLogStore()
        store.files = dict(self.states[size])
        return store

    def text(self, size: int) -> str:
        return self.states[size]["checkpoint"].decode()


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("logs") / "honest")


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> History:
    """The same first ten entries, others afterwards."""
    return History(tmp_path_factory.mktemp("logs") / "forged", "forged", fork=10)


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Return a writer of kept files."""
    count = iter(range(100))

    def write(data: str | bytes) -> Path:
        path = tmp_path / f"kept-{next(count)}"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


Keep = Callable[[str | bytes], Path]


def verdicts(store: MemoryLogStore, *paths: Path, ring: KeyRing = RING) -> list[Verdict]:
    return [each.verdict for each in compare(store, ring, paths)]


def receipt(text: str, **changes: Any) -> str:
    checkpoint = parse_body(parse_note(text.encode()).text)
    root = encode_base64(checkpoint.root)
    log = {"origin": checkpoint.origin, "size": checkpoint.size, "root": root, "checkpoint": text}
    return json.dumps({"schema": "zhenglian.receipt/1", "log": {**log, **changes}})


def test_rolled_back(honest: History, keep: Keep) -> None:
    kept = keep(honest.text(300))
    for size in (5, 20, 260):
        assert verdicts(honest.at(size), kept) == [Verdict.ROLLED_BACK]
    assert verdicts(MemoryLogStore(), kept) == [Verdict.ROLLED_BACK]


def test_forked(honest: History, forged: History, keep: Keep) -> None:
    for size in (20, 260, 300):
        assert verdicts(forged.at(300), keep(honest.text(size))) == [Verdict.FORKED]
    assert verdicts(forged.at(300), keep(honest.text(5))) == [Verdict.CONSISTENT]


def test_rolled_back_and_written_on(honest: History, forged: History, keep: Keep) -> None:
    assert verdicts(forged.at(300), keep(honest.text(260))) == [Verdict.FORKED]


def test_a_split_view_is_shown_by_two_kept_checkpoints(
    honest: History, forged: History, keep: Keep
) -> None:
    first, second = keep(honest.text(260)), keep(receipt(forged.text(260)))
    found = compare(honest.at(300), RING, [first, second])
    assert [each.verdict for each in found] == [
        Verdict.CONSISTENT,
        Verdict.FORKED,
        Verdict.SPLIT_VIEW,
    ]
    assert str(first) in found[2].source
    assert str(second) in found[2].source
    # Even a log that was rolled back behind both cannot hide it.
    assert Verdict.SPLIT_VIEW in verdicts(honest.at(5), first, second)
    assert verdicts(honest.at(300), first, first) == [Verdict.CONSISTENT, Verdict.CONSISTENT]


def test_another_logs_checkpoint(honest: History, keep: Keep) -> None:
    other = Checkpoint("example.org/other", 5, bytes(32)).sign(
        Signer("example.org/other", b"x" * 32)
    )
    assert verdicts(honest.at(300), keep(other)) == [Verdict.OTHER_LOG]


def test_a_forged_checkpoint_proves_nothing_and_accuses_nobody(honest: History, keep: Keep) -> None:
    strangers = Checkpoint(ORIGIN, 900, bytes(32)).sign(Signer(ORIGIN, bytes(32)))
    edited = honest.text(260).replace("\n260\n", "\n261\n")
    for text in (strangers, edited):
        assert verdicts(honest.at(300), keep(text), keep(text)) == [Verdict.NOT_SIGNED] * 2


def test_a_tampered_receipt(honest: History, keep: Keep) -> None:
    text = honest.text(260)
    cases = {
        Verdict.TAMPERED: [
            receipt(text, size=250),
            receipt(text, size="260"),
            receipt(text, root=encode_base64(bytes(32))),
            receipt(text, origin="example.org/other"),
            receipt(text, checkpoint=text[:-1]),
            receipt(text, checkpoint="x"),
            receipt(text, checkpoint=None),
            receipt(text, checkpoint="\ud800"),
        ],
        Verdict.NOT_SIGNED: [
            receipt(text.replace("\n260\n", "\n261\n")),
            receipt(text.replace(text.splitlines()[2], encode_base64(bytes(32)))),
        ],
    }
    for verdict, receipts in cases.items():
        for each in receipts:
            assert verdicts(honest.at(300), keep(each)) == [verdict], each


@pytest.mark.parametrize(
    "data",
    [b"", b"hello\n", b"{", b"{}", b'{"log": 1}', b'{"log": {}}', b"{" * 100_000, b"\xff\xfe"],
)
def test_files_without_a_checkpoint(keep: Keep, data: bytes) -> None:
    with pytest.raises(InputError):
        find_note(keep(data))


def test_no_file_no_folder_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        with pytest.raises(InputError):
            find_note(path)


def test_a_damaged_log_is_told_from_a_fork(honest: History, keep: Keep) -> None:
    kept = keep(honest.text(260))
    store = honest.at(300)
    del store.files["tile/0/001.p/44"]
    assert verdicts(store, kept) == [Verdict.DAMAGED]
    store = honest.at(300)
    store.files["tile/0/001.p/44"] = bytes(44 * 32)
    assert verdicts(store, kept) == [Verdict.DAMAGED]


def test_a_published_checkpoint_that_cannot_be_trusted(honest: History, keep: Keep) -> None:
    store = honest.at(300)
    store.files["checkpoint"] = store.files["checkpoint"].replace(b"\n300\n", b"\n301\n")
    with pytest.raises(IntegrityError):
        compare(store, RING, [keep(honest.text(260))])


def test_consistent_in_every_form(honest: History, keep: Keep, tmp_path: Path) -> None:
    text = honest.text(260)
    checkpoint = parse_body(parse_note(text.encode()).text)
    witness = CosignatureSigner("witness.example/w1", bytes(32))
    package = tmp_path / "package"
    (package / "proofs").mkdir(parents=True)
    (package / "proofs/checkpoint").write_text(text)
    issued = tmp_path / "receipts"
    issued.mkdir()
    (issued / "receipt.json").write_text(receipt(text))
    proof = LogReader(honest.at(260), VERIFIER).prove(7)
    forms = [
        keep(text),
        keep(text + str(witness.cosign(checkpoint, 1_800_000_000))),
        keep(receipt(text)),
        keep("\n" + receipt(text)),
        keep(proof),
        package,
        package / "proofs/checkpoint",
        issued,
    ]
    found = compare(honest.at(300), RING, forms)
    assert [each.verdict for each in found] == [Verdict.CONSISTENT] * len(forms)
    assert len(found[0].proof) > 1
    newest = parse_body(parse_note(honest.text(300).encode()).text)
    for each in found:
        verify_consistency(260, 300, each.proof, checkpoint.root, newest.root)
    assert compare(honest.at(260), RING, [forms[0]])[0].proof == ()


def test_a_retired_keys_checkpoint_counts_for_its_own_sizes(honest: History, keep: Keep) -> None:
    newer = Signer(ORIGIN, b"n" * 32)
    ring = KeyRing((KeySpan(VERIFIER, 1, 270), KeySpan(newer.verifier, 271)))
    store = honest.at(300)
    head = parse_body(parse_note(store.files["checkpoint"]).text)
    store.files["checkpoint"] = head.sign(newer).encode()
    assert verdicts(store, keep(honest.text(260)), ring=ring) == [Verdict.CONSISTENT]
    late = Checkpoint(ORIGIN, 280, bytes(32)).sign(SIGNER)
    assert verdicts(store, keep(late), ring=ring) == [Verdict.NOT_SIGNED]


def test_every_verdict_is_said_in_both_languages() -> None:
    assert set(SAYS) == set(Verdict)
    for zh, en in SAYS.values():
        assert any("\u4e00" <= c <= "\u9fff" for c in zh)
        assert en.isascii()


def test_errors_of_kept_files_are_integrity_errors() -> None:
    assert issubclass(TamperedError, IntegrityError)


def test_the_command(tmp_path: Path) -> None:
    from storage.custody import init_custody
    from storage.settings import Settings

    home = tmp_path / "home"
    init_custody(Settings(home=home))
    published = home / "objects/log/checkpoint"
    good = tmp_path / "kept"
    good.write_bytes(published.read_bytes())
    bad = tmp_path / "tampered"
    bad.write_text(receipt(published.read_text(), size=7))
    (home / "custody.sqlite").unlink()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "portal.cli", "audit", *arguments], cwd=ROOT, text=True,
            env={**os.environ, "CUSTODY_HOME": str(home)}, capture_output=True, timeout=60,
            check=False,
        )  # fmt: skip

    fine = run("--against", str(good))
    assert fine.returncode == 0, fine.stderr
    assert "一致" in fine.stdout
    assert "consistent" in fine.stdout
    wrong = run("--against", str(good), "--against", str(bad), "--json")
    assert wrong.returncode == 4
    assert [each["verdict"] for each in json.loads(wrong.stdout)] == ["consistent", "tampered"]
    assert run("--against", str(tmp_path / "missing")).returncode == 2

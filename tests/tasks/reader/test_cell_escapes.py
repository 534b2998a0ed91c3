"""What a hostile document can do: harm itself, and nothing else.

Every attack is carried out from inside, in a cell with all walls and in a reduced one without
namespaces, and by both kinds of process: one that parses, and one that may start programs.
"""

from __future__ import annotations

import json
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.reader import process, sandbox
from tasks.reader.cell import CellPool
from tasks.reader.process import CellFailure
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep

ATTACKER = Path(__file__).with_name("attacker.py")
GOOD = "客户名单".encode()
NOT_PERMITTED = "refused: Operation not permitted"
# What a kernel without the filter would answer in another way than that it is not permitted.
FILTERED = (
    "io_uring", "bpf", "keyring", "userfaultfd", "perf", "memory of another", "file by handle",
    "set name space", "abstract socket", "netlink", "unix socket", "udp", "lock document",
    "flags of document", "memory file", "limit worker", "pin worker", "slow worker",
    "handle of worker", "own group", "new session", "new namespace",
)  # fmt: skip
# Attempts that only the walls refuse: the host would let them happen.
HARMLESS_OUTSIDE = 15


@pytest.fixture(scope="module")
def full() -> Iterator[CellPool]:
    """A pool whose one worker does the attacks as well as the real jobs."""
    binds = ((ATTACKER, f"{sandbox.APP}/attacker.py"),)
    with CellPool(1, worker=("-m", "attacker"), binds=binds, memory_bytes=768 << 20) as pool:
        yield pool


@pytest.fixture(scope="module")
def reduced() -> Iterator[CellPool]:
    """The same on a host that has no namespaces to give."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_candidates", tuple)
        sandbox.probed.cache_clear()
        worker = ("-m", "tests.tasks.reader.attacker")
        with CellPool(1, worker=worker, memory_bytes=768 << 20, reduced=True) as pool:
            with pool.borrow() as cell, pool.borrow("light") as light:
                assert cell.greeting["ready"]
                assert light.greeting["ready"]
            patch.undo()
            sandbox.probed.cache_clear()
            yield pool
    sandbox.probed.cache_clear()


@pytest.fixture(params=["full", "reduced"])
def hostile(request: pytest.FixtureRequest) -> CellPool:
    pool: CellPool = request.getfixturevalue(request.param)
    return pool


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside that everybody on this host may read and write."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    for path in (folder / "secret", folder / "secret.victim"):
        path.write_text("outside")
        path.chmod(0o666)
    return folder / "secret"


def unharmed(pool: CellPool, keep: Keep) -> bool:
    return pool.inspect(keep("good.txt", GOOD), "good.txt").text == "客户名单"


@pytest.mark.parametrize("kind", ["escapes", "escapes_as_program"])
def test_every_way_out_is_closed(hostile: CellPool, keep: Keep, secret: Path, kind: str) -> None:
    document = keep("doc.txt", GOOD)
    document.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = hostile.call(kind, document, name=str(secret), number=server.getsockname()[1])
    assert {name: said for name, said in seen.items() if not said.startswith("refused")} == {}
    assert {name: seen[name] for name in FILTERED} == dict.fromkeys(FILTERED, NOT_PERMITTED)
    assert document.read_bytes() == GOOD
    assert document.stat().st_mode & 0o777 == 0o666
    assert sorted(path.name for path in secret.parent.iterdir()) == ["secret", "secret.victim"]
    assert unharmed(hostile, keep)


def test_the_attempts_succeed_where_nothing_holds_them(secret: Path) -> None:
    """Else their failure in the cell would say nothing of its walls."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = [sys.executable, "-m", "tests.tasks.reader.attacker", "without-walls"]
        line += [str(secret), str(server.getsockname()[1])]
        done = subprocess.run(line, cwd=sandbox.CHECKOUT, capture_output=True, check=True)
    seen = json.loads(done.stdout)
    assert len(seen) >= HARMLESS_OUTSIDE
    assert {name: said for name, said in seen.items() if not said.startswith("done")} == {}


def test_a_parser_starts_nothing(hostile: CellPool, keep: Keep) -> None:
    seen = hostile.call("starts", keep("a", GOOD))
    assert seen == dict.fromkeys(seen, NOT_PERMITTED)


def test_a_program_is_started_from_the_system_only(hostile: CellPool, keep: Keep) -> None:
    seen = hostile.call("starts_as_program", keep("a", GOOD))
    assert seen["program"] == "done: 0"
    assert seen["own program"] == "refused: Permission denied"
    assert seen["namespace"] == NOT_PERMITTED
    assert unharmed(hostile, keep)


def test_the_worker_cannot_be_killed_from_inside(hostile: CellPool, keep: Keep) -> None:
    with hostile.borrow() as cell:
        before = cell._process.pid
    for kind in ("kill_worker", "kill_worker_as_program"):
        hostile.call(kind, keep("a", GOOD))
    with hostile.borrow() as cell:
        assert cell._process.pid == before


def test_nothing_stays_for_the_next_document(full: CellPool, keep: Keep) -> None:
    assert full.call("leave_behind_as_program", keep("a", GOOD)) == "left"
    assert full.call("fill_errors", keep("a", GOOD)) == full.call("fill_errors", keep("a", GOOD))
    seen = full.call("see_others_as_program", keep("b", GOOD))
    assert seen["files"] == []
    # The three standard ones lead nowhere; the others are the document and the answer.
    assert len(seen["open"]) == 5
    assert seen["processes"] == [1, seen["me"]]


def test_nothing_stays_where_there_are_no_namespaces(reduced: CellPool, keep: Keep) -> None:
    assert reduced.call("leave_behind_as_program", keep("a", GOOD)) == "left"
    with reduced.borrow() as cell:
        worker = cell._process.pid
        scratch = Path(cell._scratch or "")
    assert Path(f"/proc/{worker}/task/{worker}/children").read_text() == ""
    assert list(scratch.iterdir()) == []
    assert scratch.stat().st_mode & 0o777 == 0o700


def test_a_fork_bomb_is_small(hostile: CellPool, keep: Keep) -> None:
    assert hostile.call("fork_bomb", keep("a", GOOD)) == 0
    assert hostile.call("fork_bomb_as_program", keep("a", GOOD)) < 20
    assert unharmed(hostile, keep)


def test_memory_is_bounded(hostile: CellPool, keep: Keep) -> None:
    with pytest.raises(CellFailure) as caught:
        hostile.call("memory_bomb", keep("a", GOOD))
    assert caught.value.code == "memory"
    assert hostile.call("native_memory", keep("a", GOOD)) == "refused"
    assert unharmed(hostile, keep)


def test_a_hang_ends_at_the_limit(hostile: CellPool, keep: Keep) -> None:
    with pytest.raises(CellFailure) as caught:
        hostile.call("hang", keep("a", GOOD), seconds=0.3)
    assert caught.value.code == "timeout"
    assert unharmed(hostile, keep)


def test_a_trickle_is_no_progress(
    full: CellPool, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise ten times the processor's seconds, of which there are enough for no other end.
    monkeypatch.setattr(process, "_PATIENCE", 0)
    job = full._job("trickle", seconds=0.0, cpu_seconds=60, limit=1 << 30)
    with keep("a", GOOD).open("rb") as file, full.borrow() as cell:
        with pytest.raises(CellFailure) as caught:
            list(cell.stream(job, file.fileno(), 0.4))
        assert (caught.value.code, cell.alive) == ("timeout", False)
    assert unharmed(full, keep)


def test_the_scratch_space_is_bounded(full: CellPool, keep: Keep) -> None:
    assert full.call("fill_disk", keep("a", GOOD)) <= sandbox.TMP_BYTES
    assert full.call("see_others_as_program", keep("a", GOOD))["files"] == []


@pytest.mark.parametrize(
    ("attack", "name", "code"),
    [
        ("crash", "", "crash"),
        ("x32", "", "crash"),
        ("old_architecture", "", "crash"),
        ("huge_answer", "", "lie"),
        ("wide_answer", "", "lie"),
        ("lie", "", "lie"),
        ("lie", "{}", "lie"),
        ("lie", "[" * 900, "lie"),
        ("lie", '{"ok": 1, "failed": 2}', "lie"),
        ("lie", '{"failed": "x"}', "fault"),
        ("nonsense", "", "refused"),
    ],
)
def test_a_crash_or_a_lie_harms_one_document(
    full: CellPool, keep: Keep, attack: str, name: str, code: str
) -> None:
    if attack in ("x32", "old_architecture") and platform.machine() != "x86_64":
        pytest.skip("only this processor has them")
    with pytest.raises(CellFailure) as caught:
        full.call(attack, keep("a", GOOD), name=name)
    assert caught.value.code == code
    assert unharmed(full, keep)


def test_what_is_open_outside_does_not_move(full: CellPool, keep: Keep) -> None:
    with keep("a", GOOD).open("rb") as file:
        file.seek(3)
        assert full.call("move_document", file) == 5
        assert file.tell() == 3


def test_a_reduced_cell_reads_scans_too(reduced: CellPool, keep: Keep) -> None:
    """Tesseract runs behind Landlock and the list of calls alone."""
    scan = samples.scanned_pdf([samples.page_image(samples.CONTRACT[:2], height=700)])
    page = reduced.ocr_page(keep("a.pdf", scan), 1)
    assert (page.engine, page.flags, bool(page.text.strip())) == ("tesseract", (), True)

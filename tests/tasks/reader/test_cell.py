"""What a hostile document can do: harm itself, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.errors import HostError, TransientError
from tasks.reader import sandbox, seccomp
from tasks.reader.cell import CellPool, read_document
from tasks.reader.documents import NotAFileError
from tasks.reader.process import Cell, CellFailure
from tasks.reader.report import cell_report
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep

ATTACKER = Path(__file__).with_name("attacker.py")
GOOD = "客户名单".encode()


@pytest.fixture(scope="module")
def hostile() -> Iterator[CellPool]:
    """A pool whose one worker does the attacks as well as the real jobs."""
    binds = ((ATTACKER, f"{sandbox.APP}/attacker.py"),)
    with CellPool(1, worker=("-m", "attacker"), binds=binds, memory_bytes=1 << 30) as pool:
        yield pool


def unharmed(pool: CellPool, keep: Keep) -> bool:
    return pool.inspect(keep("good.txt", GOOD), "good.txt").text == "客户名单"


def test_every_way_out_is_closed(hostile: CellPool, keep: Keep, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("outside")
    document = keep("doc.txt", GOOD)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        seen = hostile.call("escapes", document, name=str(secret), number=port)
    allowed = {name: said for name, said in seen.items() if not said.startswith("refused")}
    # The folder above the interpreter may be there; nothing else in it is.
    assert allowed in ({}, {"list root's home": "done: []"})
    assert document.read_bytes() == GOOD
    assert document.stat().st_mode & 0o777 != 0o777
    assert unharmed(hostile, keep)


def test_the_worker_cannot_be_killed_from_inside(hostile: CellPool, keep: Keep) -> None:
    with hostile.borrow() as cell:
        before = cell._process.pid
    hostile.call("kill_worker", keep("a", GOOD))
    with hostile.borrow() as cell:
        assert cell._process.pid == before


def test_nothing_stays_for_the_next_document(hostile: CellPool, keep: Keep) -> None:
    assert hostile.call("leave_behind", keep("a", GOOD)) == "left"
    seen = hostile.call("see_others", keep("b", GOOD))
    assert seen["files"] == []
    assert seen["processes"] == [1, seen["me"]]


def test_a_fork_bomb_is_small(hostile: CellPool, keep: Keep) -> None:
    assert hostile.call("fork_bomb", keep("a", GOOD)) < 20
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


def test_the_scratch_space_is_bounded(hostile: CellPool, keep: Keep) -> None:
    assert hostile.call("fill_disk", keep("a", GOOD)) <= sandbox.TMP_BYTES
    assert hostile.call("see_others", keep("a", GOOD))["files"] == []


@pytest.mark.parametrize(
    ("attack", "name", "code"),
    [
        ("crash", "", "crash"),
        ("huge_answer", "", "lie"),
        ("lie", "", "lie"),
        ("lie", "{}", "lie"),
        ("lie", "[" * 900, "lie"),
        ("lie", '{"ok": 1, "failed": 2}', "lie"),
        ("lie", '{"failed": "x"}', "fault"),
        ("nonsense", "", "refused"),
    ],
)
def test_a_crash_or_a_lie_harms_one_document(
    hostile: CellPool, keep: Keep, attack: str, name: str, code: str
) -> None:
    with pytest.raises(CellFailure) as caught:
        hostile.call(attack, keep("a", GOOD), name=name)
    assert caught.value.code == code
    assert unharmed(hostile, keep)


def test_a_sandbox_killed_while_idle_is_replaced(pool: CellPool, keep: Keep) -> None:
    with pool.borrow() as cell:
        signal.pidfd_send_signal(cell._worker, signal.SIGKILL)
        cell._process.wait()
    assert {pool.inspect(keep("a.txt", GOOD), "a.txt").state for _ in range(4)} == {"read"}


def test_a_worker_killed_in_the_middle_costs_one_document(pool: CellPool, keep: Keep) -> None:
    big = keep("big.zip", samples.archive({"zeros": bytes(40 << 20)}))
    pieces = pool.extract(big, 0, 1 << 30)
    next(pieces)
    with pool._lock:
        for cell in pool._all:
            signal.pidfd_send_signal(cell._worker, signal.SIGKILL)
    with pytest.raises(TransientError):
        list(pieces)
    paths = [keep(f"{n}.txt", f"第{n}份".encode()) for n in range(6)]
    assert [pool.inspect(path, path.name).text for path in paths] == [f"第{n}份" for n in range(6)]


def test_workers_do_not_share_a_user(keep: Keep) -> None:
    """The kernel counts processes by user, so workers of one user would starve each other."""
    document = keep("a", GOOD)
    with CellPool(1) as one, CellPool(1) as other:
        users = {pool.call("probe", document)["uid"] for pool in (one, other)}
    assert len(users) == 2 if sandbox.mode() == "user" else users == {os.getuid()}


def test_threads_share_the_pool(pool: CellPool, keep: Keep) -> None:
    paths = [keep(f"{n}.txt", f"第{n}份客户名单".encode()) for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(lambda p: read_document(pool, p, p.name).text, paths))
    assert texts == [f"第{n}份客户名单" for n in range(40)]


def test_cells_outlive_the_thread_that_asked_first(keep: Keep) -> None:
    path = keep("a.txt", GOOD)
    with CellPool(1) as pool:
        asker = threading.Thread(target=pool.inspect, args=(path, "a.txt"))
        asker.start()
        asker.join()
        with pool.borrow() as cell:
            assert cell._process.poll() is None
        assert pool.inspect(path, "a.txt").state == "read"


def test_closing_ends_every_process(keep: Keep) -> None:
    with CellPool(1) as pool:
        pool.inspect(keep("a.txt", GOOD), "a.txt")
        with pool.borrow() as cell:
            process = cell._process
    assert process.poll() is not None


def test_only_regular_files_and_only_for_reading(pool: CellPool, tmp_path: Path) -> None:
    fifo, link, real = tmp_path / "fifo", tmp_path / "link", tmp_path / "real.txt"
    os.mkfifo(fifo)
    real.write_bytes(GOOD)
    link.symlink_to(real)
    for path in (fifo, tmp_path):
        with pytest.raises(NotAFileError):
            pool.inspect(path, "x")
    with pytest.raises(OSError, match="symbolic"):
        pool.inspect(link, "x")
    with real.open("r+b") as writable:
        assert pool.inspect(writable, "real.txt").text == "客户名单"
    with real.open("rb") as file:
        file.seek(3)
        assert pool.inspect(file, "real.txt").text == "客户名单"
        assert file.tell() == 3


def test_names_of_any_bytes(pool: CellPool, keep: Keep) -> None:
    path = keep("a.txt", GOOD)
    for name in (os.fsdecode(b"\xff\xfe.txt"), "a\nb\0.txt", "长" * 5000 + ".txt"):
        assert pool.inspect(path, name).claimed_type == "text/plain"


def test_the_walls_are_reported() -> None:
    report = cell_report()
    assert report.usable
    assert {m.name for m in report.mechanisms if m.needed} >= {
        "namespaces",
        "no_network",
        "rlimits",
    }
    assert not cell_report(languages="chi_sim+klingon").usable


def test_without_walls_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox.mode.cache_clear()
    try:
        with pytest.raises(HostError, match="sandbox cannot be made") as caught, CellPool(1):
            pass
        assert "bubblewrap" in caught.value.remedy
    finally:
        monkeypatch.undo()
        sandbox.mode.cache_clear()


def test_the_worker_refuses_to_run_outside() -> None:
    line = [sys.executable, "-m", "tasks.reader.worker", "3", "0", "1"]
    done = subprocess.run(line, cwd=sandbox.CHECKOUT, capture_output=True, check=False)
    assert done.returncode == 2


def test_the_filter_is_whole_on_both_architectures() -> None:
    for machine in ("x86_64", "aarch64"):
        steps = [
            seccomp.program(machine)[i : i + 8] for i in range(0, len(seccomp.program(machine)), 8)
        ]
        for at, step in enumerate(steps):
            assert at + 1 + max(step[2], step[3]) < len(steps) or step[0] == 0x06
    assert seccomp.program("mips") == b""


def test_a_checkout_below_tmp_is_seen_in_the_cell(tmp_path: Path) -> None:
    """Nothing of the cell's own must hide an interpreter that lies in /tmp."""
    (tmp_path / "file").write_text("seen")
    where = "/tmp/some/checkout/file"
    program = f"print(open({where!r}).read())"
    line = sandbox.command(sandbox.mode(), ["-c", program], extra=((tmp_path / "file", where),))
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("seen\n", 0), done.stderr


def test_a_lost_worker_is_the_hosts_fault_and_no_verdict(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle is not refused because this machine ended the process that read its manifest."""

    def lost(*_: object) -> object:
        raise CellFailure("lost", "the worker has gone")

    monkeypatch.setattr(Cell, "ask", lost)
    manifest = keep("manifest.yaml", b"a: 1")
    with CellPool(1) as pool:
        for ask in (pool.manifest, pool.fields):
            with pytest.raises(TransientError):
                ask(manifest, "manifest.yaml")
        with pytest.raises(TransientError):
            pool.list_zip(manifest)

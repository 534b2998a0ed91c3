"""The pool of cells: what is asked of it, what it survives, and what it says of its walls."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.errors import HostError, TransientError
from tasks.reader import sandbox
from tasks.reader.cell import CellPool, read_document
from tasks.reader.contained import unpack
from tasks.reader.documents import NotAFileError
from tasks.reader.job import Job
from tasks.reader.process import Cell, CellFailure, LostWorker
from tasks.reader.report import cell_report
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep

GOOD = "客户名单".encode()


def test_a_sandbox_killed_while_idle_is_replaced(pool: CellPool, keep: Keep) -> None:
    with pool.borrow() as cell:
        signal.pidfd_send_signal(cell._worker, signal.SIGKILL)
        cell._process.wait()
    assert {pool.inspect(keep("a.txt", GOOD), "a.txt").state for _ in range(4)} == {"read"}


def test_a_lost_worker_costs_a_second_try(
    pool: CellPool, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever loses its worker while it waits is given another; who loses two is told."""
    asked: list[str] = []
    ask = Cell.ask

    def lost_at_first(cell: Cell, job: Job, document: int, output: int = -1) -> object:
        asked.append(job.name)
        if len(asked) <= losses:
            signal.pidfd_send_signal(cell._worker, signal.SIGKILL)
        return ask(cell, job, document, output)

    monkeypatch.setattr(Cell, "ask", lost_at_first)
    losses = 1
    assert pool.inspect(keep("a.txt", GOOD), "a.txt").state == "read"
    assert len(asked) == 2
    asked.clear()
    losses = 2
    seen = pool.inspect(keep("b.txt", GOOD), "b.txt")
    assert (seen.state, seen.flags, len(asked)) == ("unreadable", ("cell_lost",), 2)
    assert pool.inspect(keep("c.txt", GOOD), "c.txt").state == "read"


def test_time_goes_with_size(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []

    def told(_: Cell, job: Job, *__: int) -> object:
        jobs.append(job)
        raise CellFailure("fault", "x")

    monkeypatch.setattr(Cell, "ask", told)
    with CellPool(1, document_seconds=10, document_seconds_per_mb=2.0) as pool:
        pool.inspect(keep("small", b""), "small")
        pool.inspect(keep("large", bytes(5_000_000)), "large")
    assert [job.seconds for job in jobs] == [10, 20]
    assert [job.cpu_seconds for job in jobs] == [12, 22]


def test_a_worker_killed_in_the_middle_costs_one_document(pool: CellPool, keep: Keep) -> None:
    big = keep("big.zip", samples.archive({"zeros": bytes(40 << 20)}))
    members = unpack(pool, big, "big.zip", [0])
    pieces = next(members).pieces()
    next(pieces)
    with pool._lock:
        for cell in pool._all:
            # One that another test has killed is replaced only when it is next needed.
            with contextlib.suppress(ProcessLookupError):
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


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_candidates", tuple)
    sandbox.probed.cache_clear()
    try:
        full, reduced = cell_report(), cell_report(reduced=True)
    finally:
        monkeypatch.undo()
        sandbox.probed.cache_clear()
    assert [(m.name, m.works, m.needed) for m in full.mechanisms] == [("sandbox", False, True)]
    assert reduced.usable
    missing = {m.name: m for m in reduced.mechanisms if not m.works}
    assert "namespaces" in missing
    assert all(m.meaning and not m.needed for m in missing.values())
    assert not any(m.meaning for m in reduced.mechanisms if m.works)


def test_without_walls_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox.probed.cache_clear()
    try:
        with pytest.raises(HostError, match="sandbox cannot be made") as caught, CellPool(1):
            pass
        assert "bubblewrap" in caught.value.remedy
    finally:
        monkeypatch.undo()
        sandbox.probed.cache_clear()


def test_the_worker_refuses_to_run_outside() -> None:
    line = [sys.executable, "-m", "tasks.reader.worker", "3", "0", "1", "/scratch", "user"]
    done = subprocess.run(line, cwd=sandbox.CHECKOUT, capture_output=True, check=False)
    assert done.returncode == 2


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
        raise LostWorker("the worker has gone")

    for how in ("ask", "stream"):
        monkeypatch.setattr(Cell, how, lost)
    manifest = keep("manifest.yaml", b"a: 1")
    with CellPool(1) as pool:
        for ask in (pool.manifest, pool.fields):
            with pytest.raises(TransientError):
                ask(manifest, "manifest.yaml")

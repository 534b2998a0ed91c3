"""The OCR worker: what a page can do to it, and that it harms no other page."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.reader import engine_pool, sandbox
from tasks.reader.answer import Page
from tasks.reader.engine.form import PixelJob, Told
from tasks.reader.engine_pool import EnginePool, NoEngineError, Recycling
from tasks.reader.process import CellFailure

FAKE = Path(__file__).with_name("fake_engine.py")
WORKER = ("-m", "fake_engine")
BINDS = ((FAKE, f"{sandbox.APP}/fake_engine.py"),)


def made(threads: int = 2, seconds: float = 20.0, **more: Recycling) -> EnginePool:
    return EnginePool(Told(threads), seconds, worker=WORKER, binds=BINDS, **more)


@pytest.fixture(scope="module")
def fakes() -> Iterator[EnginePool]:
    pool = made()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def reduced() -> Iterator[EnginePool]:
    """The same on a host that has no namespaces to give."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_candidates", tuple)
        sandbox.probed.cache_clear()
        worker = ("-m", "tests.tasks.reader.engine.fake_engine")
        pool = EnginePool(Told(2), 20.0, worker=worker, reduced=True)
        pool.greeting()
        patch.undo()
        sandbox.probed.cache_clear()
        yield pool
        pool.close()
    sandbox.probed.cache_clear()


def told(pool: EnginePool, order: str, job: PixelJob | None = None) -> Page:
    """Let the fake engine do what is written on a page."""
    data = order.encode()
    pixels = os.memfd_create("page")
    try:
        os.write(pixels, data)
        return pool.read(job or PixelJob(len(data), 1, 1, 300), pixels)
    finally:
        os.close(pixels)


def test_pages_are_read_at_the_same_time_by_one_process(fakes: EnginePool) -> None:
    told(fakes, "say x")
    started = fakes.started
    with ThreadPoolExecutor(2) as threads:
        names = {page.text for page in threads.map(lambda _: told(fakes, "thread"), range(2))}
    assert len(names) == 2
    assert fakes.started == started


@pytest.mark.parametrize("order", ["fault a/b.py", "memory"])
def test_a_fault_costs_its_page_and_the_worker_goes_on(fakes: EnginePool, order: str) -> None:
    told(fakes, "say x")
    started = fakes.started
    with pytest.raises(CellFailure) as failed:
        told(fakes, order)
    assert failed.value.code == order.split()[0]
    assert told(fakes, "say still here").text == "still here"
    assert fakes.started == started


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ("crash", "crash"),
        ("end", "crash"),
        ('lie {"ok": {"text": "x"}, "resident": 1}', "lie"),
        ('lie {"ok": {}, "failed": "x", "resident": 1}', "lie"),
        ('lie {"failed": "x"}', "lie"),
        ("lie [1, 2]", "lie"),
        ("lie \ud7ff\x00{", "lie"),
        ("garbage", "lie"),
    ],
)
def test_what_takes_the_worker_along_costs_one_page(
    fakes: EnginePool, order: str, code: str
) -> None:
    with pytest.raises(CellFailure) as failed:
        told(fakes, order)
    assert failed.value.code == code
    assert told(fakes, "say another").text == "another"


def test_a_page_that_hangs_costs_no_other() -> None:
    pool = made(seconds=1.5)
    try:
        with ThreadPoolExecutor(3) as threads:
            hanging = threads.submit(told, pool, "hang")
            time.sleep(0.2)
            others = [threads.submit(told, pool, f"say {n}") for n in range(4)]
            assert [each.result().text for each in others] == list("0123")
            with pytest.raises(CellFailure) as failed:
                hanging.result()
        assert failed.value.code == "timeout"
        assert told(pool, "say after").text == "after"
        assert pool.started == 2
    finally:
        pool.close()


def test_a_crash_beside_a_good_page_costs_the_bad_one_alone(fakes: EnginePool) -> None:
    with ThreadPoolExecutor(2) as threads:
        good = threads.submit(told, fakes, "thread")
        bad = threads.submit(told, fakes, "crash")
        assert good.result().origin == "ocr"
        with pytest.raises(CellFailure):
            bad.result()


@pytest.mark.parametrize(
    ("recycling", "order"),
    [(Recycling(pages=2), "say x"), (Recycling(share_bytes=100 << 20), "grow 300")],
)
def test_the_worker_is_replaced_in_time(recycling: Recycling, order: str) -> None:
    pool = made(threads=1, recycling=recycling)
    try:
        told(pool, "say x")
        told(pool, order)
        assert pool.started == 1
        told(pool, "say x")
        assert pool.started == 2
    finally:
        pool.close()


def test_a_worker_without_work_is_ended_and_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_pool, "IDLE_SECONDS", 0.05)
    pool = made(threads=1)
    try:
        told(pool, "say x")
        rest = pool._rest
        assert rest
        rest.join(20)
        assert pool._cell is None
        assert told(pool, "say again").text == "again"
        assert pool.started == 2
    finally:
        pool.close()


@pytest.mark.parametrize(
    "job",
    [
        PixelJob(5, 2, 1, 300),
        PixelJob(1, 1, 1, 300),
        PixelJob(0, 10, 1, 300),
        PixelJob(5, 1, 2, 300),
        PixelJob(60_000, 60_000, 3, 300),
        PixelJob(-5, -1, 1, 300),
    ],
)
def test_the_worker_takes_no_other_pixels_than_announced(fakes: EnginePool, job: PixelJob) -> None:
    with pytest.raises(CellFailure) as failed:
        told(fakes, "say x", job)
    assert failed.value.code == "fault"


def test_an_engine_that_does_not_start_is_not_tried_for_every_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = EnginePool(Told(1), worker=("-c", "raise SystemExit('no model')"))
    try:
        for _ in range(2):
            with pytest.raises(NoEngineError, match="no model"):
                told(pool, "say x")
        assert pool.started == 1
        monkeypatch.setattr(engine_pool, "_AGAIN_SECONDS", 0.0)
        with pytest.raises(NoEngineError):
            told(pool, "say x")
        assert pool.started == 2
    finally:
        pool.close()


@pytest.mark.parametrize("walls", ["fakes", "reduced"])
def test_the_engine_reaches_nothing(
    walls: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("outside")
    pool: EnginePool = request.getfixturevalue(walls)
    done = json.loads(told(pool, f"escape {secret}").text)
    if walls == "reduced":
        # A path of procfs is no place outside, and Landlock alone hides what is in it.
        assert pool.greeting()["landlock"]
    assert {name: said for name, said in done.items() if not said.startswith("refused")} == {}
    assert not (tmp_path / "secret.new").exists()
    assert pool.greeting()["seccomp"]

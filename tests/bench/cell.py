"""Small documents a second through the cell, beside the same parsing without it.

Run: ``.venv/bin/python -m tests.bench.cell [--documents 2000] [--processes 2]``. The documents
are texts, pages and messages of some hundred bytes to some kilobytes in several encodings: with
them it is the walls that cost, not the parsing. Without the cell the same parsers run in as
many ordinary processes, and their answers are read as strictly.

Processor time is printed too: on a machine that does other work, the wall clock mostly counts
the others, because a document passes through three processes.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from tasks.reader import inspection, jobs
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reader.source import Source
from tasks.reader.strict import as_json, loads, parse
from tests.bench.figures import Figure, keep
from tests.bench.sampling import section
from tests.tasks.reader.samples import CONTRACT

TARGET = 300
ROUNDS = 3


def documents(folder: Path, count: int) -> list[Path]:
    """Write so many small documents of four kinds and return where they are."""
    text = "，".join(CONTRACT)
    kinds: tuple[tuple[str, Callable[[int], bytes]], ...] = (
        ("txt", lambda n: f"第{n}份\n{text}".encode()),
        ("txt", lambda n: f"第{n}份\n{text}".encode("gb18030")),
        ("html", lambda n: f"<html><body><p>第{n}份</p><p>{text}</p></body></html>".encode()),
        ("eml", lambda n: f"Subject: no. {n}\nFrom: a@b.cn\n\n{'customer list ' * 20}\n".encode()),
    )
    paths = []
    for number in range(count):
        suffix, made = kinds[number % len(kinds)]
        path = folder / f"{number}.{suffix}"
        path.write_bytes(made(number))
        paths.append(path)
    return paths


def read_plainly(path: Path) -> bytes:
    """Parse one document in this process and return the answer as the cell would give it."""
    with path.open("rb") as file:
        found = inspection.inspect(Source(file.fileno(), path.name))
    return json.dumps({"ok": as_json(found)}).encode()


def without_cell(paths: Sequence[Path], pool: ProcessPoolExecutor) -> float:
    """Return documents a second of the parsers alone."""
    started = time.perf_counter()
    for answer in pool.map(read_plainly, paths, chunksize=4):
        parse(Transcript, loads(answer)["ok"])
    return len(paths) / (time.perf_counter() - started)


def with_cell(paths: Sequence[Path], pool: CellPool, threads: ThreadPoolExecutor) -> float:
    """Return documents a second through the cell; every one must be read."""
    started = time.perf_counter()
    states = set(threads.map(lambda path: pool.inspect(path, path.name).state, paths))
    spent = time.perf_counter() - started
    if states != {"read"}:
        raise SystemExit(f"not every document was read: {states}")
    return len(paths) / spent


def processor_ms(pool: CellPool) -> float:
    """Return the processor time of this process, of the workers and of all that they reaped."""
    ticks = 0
    for cell in pool._all:
        told = Path(f"/proc/self/fdinfo/{cell._worker}").read_text()
        number = next(row.split()[1] for row in told.splitlines() if row.startswith("Pid:"))
        ticks += sum(map(int, Path(f"/proc/{number}/stat").read_text().split()[13:17]))
    return 1000 * (time.process_time() + ticks / os.sysconf("SC_CLK_TCK"))


def main() -> None:
    """Measure both in turn, so that both meet the same load, and print the best of each."""
    parser = argparse.ArgumentParser(prog="tests.bench.cell", description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    count, walls, bare = chosen.processes, [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(count, initializer=jobs.preload) as plain,
        CellPool(count) as pool,
        ThreadPoolExecutor(count + 1) as threads,
    ):
        paths = documents(Path(folder), chosen.documents)
        without_cell(paths[:40], plain)
        with_cell(paths[:40], pool, threads)
        spent = 0.0
        for _ in range(ROUNDS):
            before = processor_ms(pool)
            with section("cell"):
                walls.append(with_cell(paths, pool, threads))
            spent += processor_ms(pool) - before
            bare.append(without_cell(paths, plain))
    load = os.getloadavg()[0]
    keep("cell", [Figure(
        "cell.documents", max(walls), "documents a second", TARGET,
        peer="the same readers without the cell", peer_value=max(bare),
        about=f"{spent / ROUNDS / len(paths):.2f} ms of processor a document",
    )])  # fmt: skip
    price = 1000 * count * (1 / max(walls) - 1 / max(bare))
    print(
        f"{count} processes, {os.cpu_count()} cores, load {load:.1f}, best of {ROUNDS}:\n"
        f"  through the cell    {max(walls):6.0f} documents/s  (target {TARGET})\n"
        f"  without the cell    {max(bare):6.0f} documents/s\n"
        f"  processor time      {spent / ROUNDS / len(paths):6.2f} ms a document\n"
        f"  price of the walls  {price:6.2f} ms a document"
    )


if __name__ == "__main__":
    main()

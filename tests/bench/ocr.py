"""Pages a minute, errors and memory of OCR through the cell, on pages rendered here.

Run: ``.venv/bin/python -m tests.bench.ocr [PAGES]``. Prints a line for each number of
processes, and documents a second for small texts, where nothing but the cell itself counts.
"""

from __future__ import annotations

import difflib
import os
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tasks.reader.cell import CellPool, read_document
from tests.tasks.reader.samples import CONTRACT, FONT, scanned_pdf

WORDS = "The supplier shall keep the customer list and the process parameters secret"
WIDTH, HEIGHT, SIZE = 2480, 3508, 46
DOCUMENTS = 2000


def page(seed: int) -> tuple[Image.Image, str]:
    """Return an A4 page at 300 dpi, two lines in three Chinese, and the text on it."""
    chance = random.Random(seed)
    image = Image.new("L", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, SIZE)
    lines = []
    for number in range(34):
        if number % 3 == 2:
            line = " ".join(chance.choices(WORDS.split(" "), k=10))
        else:
            line = "".join(chance.choices(CONTRACT, k=2))[:42]
        draw.text((220, 240 + number * 90), line, font=font, fill=20)
        lines.append(line)
    return image, "\n".join(lines)


def error_rate(seen: str, truth: str) -> float:
    """Return the share of characters, spaces aside, that are not in common in order."""
    seen, truth = "".join(seen.split()), "".join(truth.split())
    matcher = difflib.SequenceMatcher(None, seen, truth, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return (max(len(seen), len(truth)) - same) / len(truth)


class Memory:
    """Samples the proportional memory of this process's descendants."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, sum(proportional(pid) for pid in descendants(os.getpid())))


def descendants(root: int) -> list[int]:
    """Return the process numbers below ``root``."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        waiting += (below := children.get(waiting.pop(), []))
        found += below
    return found


def proportional(pid: int) -> int:
    """Return the memory of a process in bytes, shared pages divided among their users."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))


def bench_pages(folder: Path, count: int, processes: int) -> None:
    pages = [page(seed) for seed in range(count)]
    scan = folder / "scan.pdf"
    scan.write_bytes(scanned_pdf([image for image, _ in pages]))
    with CellPool(processes) as pool, Memory() as memory:
        warm(pool, processes, folder)
        started = time.monotonic()
        seen = read_document(pool, scan, "scan.pdf")
        spent = time.monotonic() - started
    errors = [error_rate(p.text, truth) for p, (_, truth) in zip(seen.pages, pages, strict=True)]
    print(
        f"{processes} processes: {count / spent * 60:5.1f} pages a minute, "
        f"error rate {sum(errors) / count:.2%}, peak memory {memory.peak / 1e6:.0f} MB"
    )


def bench_documents(folder: Path, processes: int) -> None:
    paths = []
    for number in range(DOCUMENTS):
        path = folder / f"{number}.txt"
        encoding = "gb18030" if number % 2 else "utf-8"
        path.write_bytes(f"第{number}份\n{'，'.join(CONTRACT)}".encode(encoding))
        paths.append(path)
    with CellPool(processes) as pool, Memory() as memory:
        warm(pool, processes, folder)
        started = time.monotonic()
        with ThreadPoolExecutor(processes + 1) as threads:
            states = list(threads.map(lambda p: pool.inspect(p, p.name).state, paths))
        spent = time.monotonic() - started
    assert set(states) == {"read"}
    print(
        f"{processes} processes: {DOCUMENTS / spent:5.0f} small texts a second, "
        f"peak memory {memory.peak / 1e6:.0f} MB"
    )


def warm(pool: CellPool, processes: int, folder: Path) -> None:
    """Start every worker before the clock."""
    path = folder / "warm.txt"
    path.write_text("warm")
    with ThreadPoolExecutor(processes) as threads:
        list(threads.map(lambda _: pool.inspect(path, "warm.txt"), range(processes * 4)))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        for processes in sorted({1, cores}):
            bench_pages(Path(folder), count, processes)
        for processes in sorted({1, cores}):
            bench_documents(Path(folder), processes)


if __name__ == "__main__":
    main()

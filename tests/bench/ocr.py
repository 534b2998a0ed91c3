"""Errors, pages a minute and memory of every OCR engine, on scans made here whose text is known.

Run: ``.venv/bin/python -m tests.bench.ocr [--pages N] [--engines rapid,tesseract]
[--against ocrmypdf] [--kinds ...] [--conditions ...] [--text N]``. All scans are one PDF, and
every engine reads that file, start included: ours through the cell, OCRmyPDF as a program.
``--text`` reads so many pages with a text layer instead, where no engine is needed.

The error rate is the least edits from what was read to what stands there, in reading order,
divided by its length (``tests.bench.errors`` says what is compared).
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tasks.reader.cell import CellPool, read_document
from tasks.reader.engines import Engines
from tests.bench import peers
from tests.bench.errors import errors
from tests.bench.figures import Figure, keep
from tests.bench.memory import Memory
from tests.bench.sampling import section
from tests.bench.scans import CONDITIONS, KINDS, Scan, scans
from tests.tasks.reader.samples import CONTRACT, pdf

ENGINES = ("rapid", "tesseract")
IN_COLOUR = {"seal"}
TEXT_TARGET = 5000
PAGE_SECONDS = 600.0
_LINES = 30
Wanted = Callable[[str, str], bool]


@dataclass(frozen=True)
class Known:
    """What stands on one page of the file, and where it is counted."""

    kind: str
    condition: str
    texts: tuple[str, ...]


@dataclass
class Result:
    """How one engine did: per kind and condition the edits and the characters."""

    name: str
    seconds: float = 0.0
    peak: int = 0
    pages: int = 0
    counts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def add(self, known: Known, seen: str) -> None:
        """Count what one page said."""
        edits, length = errors(seen, known.texts)
        before = self.counts.get((known.kind, known.condition), (0, 0))
        self.counts[known.kind, known.condition] = (before[0] + edits, before[1] + length)
        self.pages += 1

    def rate(self, wanted: Wanted) -> float | None:
        """Return the error rate over the chosen kinds and conditions, None without any."""
        some = [count for key, count in self.counts.items() if wanted(*key)]
        length = sum(each[1] for each in some)
        return sum(each[0] for each in some) / length if length else None


# What issue 5 sets as the goal, in per cent.
GOALS: tuple[tuple[str, float, Wanted], ...] = (
    ("Chinese, 300 dpi", 0.3, lambda kind, condition: (kind, condition) == ("chinese", "300dpi")),
    ("Chinese, photographed", 0.6, lambda kind, cond: (kind, cond) == ("chinese", "photo")),
    (
        "Chinese, all but turned",
        0.3,
        lambda kind, condition: kind == "chinese" and not condition.startswith("turned"),
    ),
    ("tables", 1.0, lambda kind, condition: kind.endswith("table")),
    (
        "tables, skewed",
        1.0,
        lambda kind, condition: kind.endswith("table") and condition.startswith("skew"),
    ),
    ("turned pages", 1.0, lambda _, condition: condition.startswith("turned")),
)


def write_scans(path: Path, chosen: Iterable[Scan]) -> list[Known]:
    """Write scans as the pages of one PDF, packed as a scanner packs; return what they say."""
    canvas, known = Canvas(str(path)), []
    for scan in chosen:
        image = scan.image if scan.kind in IN_COLOUR else scan.image.convert("L")
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=92)
        size = (image.width * 72 / scan.dpi, image.height * 72 / scan.dpi)
        canvas.setPageSize(size)
        canvas.drawImage(ImageReader(packed), 0, 0, *size)
        canvas.showPage()
        known.append(Known(scan.kind, scan.condition, scan.texts))
    canvas.save()
    return known


def measure(name: str, path: Path, known: Sequence[Known], processes: int) -> Result:
    """Read the file with one engine and compare every page."""
    result = Result(name)
    with Memory() as memory, section(f"ocr.{name}"):
        started = time.monotonic()
        texts = _texts(name, path, processes)
        result.seconds = time.monotonic() - started
    result.peak = memory.peak
    for one, text in zip(known, texts, strict=True):
        result.add(one, text)
    return result


def _texts(name: str, path: Path, processes: int) -> list[str]:
    if name == "ocrmypdf":
        program = peers.ocrmypdf()
        assert program is not None
        return peers.read_by_ocrmypdf(program, path, processes)
    # On a machine that does other work a page out of time would count as an error.
    engines = Engines(
        "rapid" if name == "rapid" else "tesseract", threads=processes, seconds=PAGE_SECONDS
    )
    with CellPool(processes, engines=engines) as pool:
        return [page.text for page in read_document(pool, path, path.name).pages]


def report(results: Sequence[Result]) -> None:
    """Print what was measured, an engine a column."""
    keys = list(dict.fromkeys(key for result in results for key in result.counts))
    print(f"{'error rate in per cent':32}" + "".join(f"{r.name:>12}" for r in results))
    for kind, condition in keys:
        _row(f"{kind}, {condition}", results, _just(kind, condition))
    for title, goal, wanted in GOALS:
        if any(wanted(*key) for key in keys):
            _row(f"= {title} (goal {goal})", results, wanted)
    speeds = "".join(f"{r.pages / r.seconds * 60:12.1f}" for r in results)
    print(f"{'pages a minute':32}{speeds}")
    print(f"{'peak memory in MB':32}" + "".join(f"{r.peak / 1e6:12.0f}" for r in results))
    keep_results(results)


def keep_results(results: Sequence[Result]) -> None:
    """Keep error rates, speed and memory; the goals are those of the first engine alone."""
    peer = next((each for each in results if each.name == "ocrmypdf"), None)
    beside = peer.pages / peer.seconds * 60 if peer else None
    for number, each in enumerate(results):
        found = []
        for title, goal, wanted in GOALS:
            if (rate := each.rate(wanted)) is None:
                continue
            theirs = peer.rate(wanted) if peer else None
            found.append(
                Figure(
                    f"ocr.{each.name}.errors.{title}",
                    100 * rate,
                    "%",
                    None if number else goal,
                    "less",
                    peer="OCRmyPDF, the same file" if theirs is not None else "",
                    peer_value=None if theirs is None else 100 * theirs,
                )
            )
        speed = Figure(
            f"ocr.{each.name}.speed",
            each.pages / each.seconds * 60,
            "pages a minute",
            None if number else 45,
            peer="OCRmyPDF, the same file" if peer else "",
            peer_value=beside,
            about=f"{each.pages} pages in one file, start included",
        )
        memory = Figure(
            f"ocr.{each.name}.memory",
            each.peak / 1e6,
            "MB",
            None if number else 1200,
            "less",
            about="all reading processes together, shared pages divided",
        )
        keep("ocr", [*found, speed, memory])


def _just(kind: str, condition: str) -> Wanted:
    return lambda other, in_condition: (other, in_condition) == (kind, condition)


def _row(title: str, results: Sequence[Result], wanted: Wanted) -> None:
    rates = [result.rate(wanted) for result in results]
    print(f"{title:32}" + "".join("           -" if r is None else f"{r:12.2%}" for r in rates))


def text_layers(count: int, processes: int) -> None:
    """Print pages a minute of PDFs with a text layer, as many files as processes."""
    page = "\n".join(CONTRACT[at % len(CONTRACT)] for at in range(_LINES))
    each = max(1, count // processes)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.pdf" for number in range(processes)]
        for path in paths:
            path.write_bytes(pdf([page] * each))
        with CellPool(processes) as pool, ThreadPoolExecutor(processes) as threads:
            started = time.monotonic()
            with section("ocr.text_layer"):
                seen = list(threads.map(lambda path: pool.inspect(path, path.name), paths))
            spent = time.monotonic() - started
    assert all(len(one.pages) == each and CONTRACT[0] in one.pages[-1].text for one in seen)
    rate = each * processes / spent * 60
    print(f"{each * processes} pages with a text layer: {rate:.0f} a minute (goal {TEXT_TARGET})")
    about = f"{each * processes:,} pages in {processes} files, each read by a process of its own"
    keep("ocr", [
        Figure("ocr.text_layer.speed", rate, "pages a minute", TEXT_TARGET, about=about)
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.ocr", description=__doc__)
    parser.add_argument("--pages", type=int, default=1, help="of each kind in each condition")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--kinds", default="", help=", ".join(KINDS))
    parser.add_argument("--conditions", default="", help=", ".join(CONDITIONS))
    parser.add_argument("--against", choices=("ocrmypdf",))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--text", type=int, nargs="?", const=2000, default=0, metavar="PAGES")
    chosen = parser.parse_args()
    if chosen.text:
        text_layers(chosen.text, chosen.processes)
        return
    names = [name for name in chosen.engines.split(",") if name]
    if chosen.against and peers.ocrmypdf() is None:
        print(peers.MISSING)
    elif chosen.against:
        names.append("ocrmypdf")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scans.pdf"
        wanted = scans(chosen.pages, _split(chosen.kinds), _split(chosen.conditions))
        known = write_scans(path, wanted)
        print(f"{len(known)} pages, {path.stat().st_size / 1e6:.0f} MB, {chosen.processes} cores")
        report([measure(name, path, known, chosen.processes) for name in names])


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(",") if name)


if __name__ == "__main__":
    main()

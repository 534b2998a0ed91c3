"""Rebuild: events a second and GB an hour from log and objects alone, and peak memory.

Run: ``.venv/bin/python -m tests.bench.rebuild [--exhibits 10000] [--database URL]``. A house is
made with so many exhibits, each stored and read (a transcript of some kilobytes of Chinese), then
its database is thrown away and made again in a process of its own, whose memory is measured.
"""

from __future__ import annotations

import argparse
import io
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from storage.custody import Custody, init_custody, open_custody
from storage.digest import fingerprint_bytes
from storage.event import Action, CustodyEvent
from storage.settings import Settings
from tasks.reader.answer import Page, Transcript
from tests.bench.figures import Figure, keep

CASE = "2026-0999-00000000"
ACCESSION = "A2026-000001"
BATCH = 500
TEXT = "甲方客户名单及报价单，真空钎焊升温曲线，夹具热膨胀补偿槽的位置和尺寸。" * 20


def _kept(custody: Custody, key: str, data: bytes) -> dict[str, Any]:
    print_ = fingerprint_bytes(data)
    ref = custody.objects.put(key + print_.sha256, io.BytesIO(data), print_)
    return {"fingerprint": print_.as_json(), "object": ref.as_json()}


def _opening(custody: Custody, exhibits: int) -> list[CustodyEvent]:
    manifest = {
        "case_no": "0999", "cause": "", "unit": "u", "secrecy": "内部", "bundle_no": "B",
        "officers": [{"name": "张三", "id": "310001"}],
    }  # fmt: skip
    received = {
        "unit": "u", "bundle_name": "b", "kind": "folder", "files": exhibits, "bytes": 0,
        "received_digest": "0" * 64,
    }  # fmt: skip
    accessioned = {
        "manifest": manifest, "bundle_digest": "0" * 64, "first_exhibit": 1, "exhibits": exhibits,
    }  # fmt: skip
    return [
        custody.event(Action.RECEIVED, [ACCESSION], accession=ACCESSION, details=received),
        custody.event(
            Action.ACCESSIONED, [ACCESSION], case=CASE, accession=ACCESSION, details=accessioned
        ),
    ]


def _exhibit(custody: Custody, number: int) -> list[CustodyEvent]:
    exhibit = f"{CASE}/E{number:04d}"
    common: dict[str, Any] = {"case": CASE, "accession": ACCESSION, "exhibits": [exhibit]}
    page = Page(1, "document", f"{TEXT}{number}")
    transcript = Transcript("text/plain", "text/plain", "read", pages=(page,))
    stored = {
        "number": number,
        "item": {
            "name": f"{number}.txt",
            "path": f"{number}.txt",
            "kind": "documentary",
            "form": "original",
            "obtained_at": "2026-11-19T10:00:00+08:00",
            "source_holder": "某公司",
            "obtained_place": "上海",
            "method": "调取",
        },
        **_kept(custody, f"cases/{CASE}/originals/", str(number).encode()),
    }
    read = {
        "state": "read", "media_type": "text/plain", "pages": 1, "confidence": None,
        **_kept(custody, f"cases/{CASE}/derivatives/", transcript.as_bytes()),
    }  # fmt: skip
    return [
        custody.event(Action.STORED, [exhibit], details=stored, **common),
        custody.event(Action.READ, [exhibit], details=read, **common),
    ]


def fill(home: Path, exhibits: int, database: str) -> None:
    """Make a house with so many exhibits."""
    chosen = Settings(home=home, database=database)
    init_custody(chosen)
    custody = open_custody(chosen)
    custody.record(_opening(custody, exhibits))
    for first in range(1, exhibits + 1, BATCH):
        numbers = range(first, min(first + BATCH, exhibits + 1))
        custody.record([event for number in numbers for event in _exhibit(custody, number)])
    custody.database.close()


def measure(home: Path, database: str) -> None:
    """Rebuild in this process and print what it took."""
    from tasks.rebuilding import rebuild

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = rebuild(Settings(home=home, database=database), replace_existing=True)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rate, about = made.events / made.seconds, f"{made.events} events, {made.pages} pages"
    keep("rebuild", [
        Figure("rebuild.events", rate, "events a second", about=about),
        Figure("rebuild.memory", after / 1024, "MB", 400, "less", about=about),
    ])  # fmt: skip
    print(
        f"{made.events} events, {made.pages} pages, {made.bytes / 1e6:.0f} MB in "
        f"{made.seconds:.1f} s: {made.events / made.seconds:.0f} events/s, "
        f"{made.bytes * 3600 / made.seconds / 1e9:.2f} GB/h, "
        f"{(after - before) / 1024:.0f} MB more memory at the peak ({after / 1024:.0f} MB)"
    )


def main() -> None:
    """Fill, then rebuild in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exhibits", type=int, default=10_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(Path(chosen.measure), chosen.database)
        return
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        started = time.monotonic()
        fill(home, chosen.exhibits, chosen.database)
        print(f"made in {time.monotonic() - started:.1f} s", flush=True)
        command = [sys.executable, "-m", "tests.bench.rebuild", "--measure", str(home)]
        subprocess.run([*command, "--database", chosen.database], check=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Search: pages indexed a second, and how long a question takes among 100 thousand pages.

Run: ``.venv/bin/python -m tests.bench.search [--pages 100000] [--database URL]``. The pages are
made of the characters and words below, the frequent ones as frequent as in prose (Zipf's law),
with a fixed seed. One in ten texts is made; each stands in ten cases, so that the index has all of
them. Every question is asked three times; the fastest is printed, with the time until all hits
and their snippets are there (100 at most).
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from storage.catalogue import search
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade

SEED = 5
CASES = 10
BATCH = 500
COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法"
    "所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政"
    "四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最"
)
RARE = "钎焊真空曲线夹具补偿槽膨胀图纸客户名单报价配方催化剂图谱询价渠道密点鉴定委托检材芯片算法"
WORDS = (
    "customer",
    "list",
    "lists",
    "listing",
    "price",
    "Orion",
    "thermal",
    "report",
    "1200",
    "A4",
)
QUESTIONS = (
    "客户名单", "的", "客户名单 AND 报价", "密点 OR 鉴定", "的 AND 一 AND 是", "客戶名單 NOT 的",
    "customers", '"price lists"', "NOT 的", "钎焊曲线夹具",
    "(客户 OR 渠道) AND (报价 OR 询价) NOT listing",
)  # fmt: skip


def texts(count: int, length: int) -> Iterator[str]:
    """Yield made pages: mostly single characters by frequency, some rare words and English."""
    chosen = random.Random(SEED)
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(COMMON))))
    for _ in range(count):
        pieces = chosen.choices(COMMON, cum_weights=weights, k=length)
        for _ in range(length // 60):
            at = chosen.randrange(len(RARE) - 4)
            pieces[chosen.randrange(length)] = RARE[at : at + chosen.randint(2, 4)]
            pieces[chosen.randrange(length)] = f" {chosen.choice(WORDS)} "
            pieces[chosen.randrange(length)] = "，"
        yield "".join(pieces)


def fill(database: Database, pages: int, length: int) -> float:
    """Index the pages and return the seconds it took."""
    made = list(texts(-(-pages // CASES), length))
    started = time.monotonic()
    for at in range(0, len(made), BATCH):
        some = made[at : at + BATCH]
        inputs = [search.PageInput(at + n + 1, "ocr", each) for n, each in enumerate(some)]
        rows: list[dict[str, Any]] = search.page_rows("", "", inputs)
        named = [
            {
                **row,
                "case_id": f"c{case}",
                "exhibit_id": f"c{case}/E{row['page'] // 20:04}",
                "grams": row["grams"] + f"c{case}",
            }
            for case in range(CASES)
            for row in rows
        ]
        with database.write() as session:
            search.add_pages(session, named)
    return time.monotonic() - started


def ask(database: Database, case: str, question: str) -> tuple[float, int]:
    """Return the fastest of three answers in milliseconds, and its hits."""
    best, hits = 1e9, 0
    for _ in range(3):
        with database.read() as session:
            started = time.perf_counter()
            hits = len(search.search(session, case, question))
            best = min(best, time.perf_counter() - started)
    return 1000 * best, hits


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.search", description=__doc__)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--characters", type=int, default=300)
    parser.add_argument("--database", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "search.sqlite"
        database = Database.open(chosen.database or f"sqlite:///{file}")
        upgrade(database)
        seconds = fill(database, chosen.pages, chosen.characters)
        stored = sum(each.stat().st_size for each in file.parent.iterdir())
        size = f", {stored / chosen.pages / 1000:.1f} kB a page" if stored else ""
        print(
            f"{chosen.pages:,} pages of {chosen.characters} characters indexed in {seconds:.1f} s:"
        )
        print(f"  {chosen.pages / seconds:,.0f} pages a second{size}")
        print(f"{'one case':>14} {'all cases':>14}  hits  question")
        for question in QUESTIONS:
            one, _ = ask(database, "c3", question)
            every, hits = ask(database, "", question)
            print(f"{one:11.1f} ms {every:11.1f} ms  {hits:4}  {question}")
        database.close()


if __name__ == "__main__":
    main()

"""Pages as an office writes them, made up: what the bench of search asks its questions about.

Texts are words of a made lexicon, the frequent ones as frequent as in prose (Zipf's law), with
names of people, English words and marks among them, all by a fixed seed. So characters and pairs
of them are as unevenly frequent as real ones: some stand on most pages, most on few. An exhibit
has twenty pages, and the first case a fifth of all. So many texts are distinct (see ``DISTINCT``),
and further pages repeat them, which makes what is rare among the texts as rare among the pages.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import insert, text

from storage.catalogue import search, tables
from storage.catalogue.database import Database

SEED = 5
CASES = 100
DISTINCT = 200_000
OF_EXHIBIT = 20
UNITS = ("浦东", "闵行", "徐汇", "静安", "长宁")
KINDS = ("documentary", "electronic_data", "audiovisual")
FIRST_DAY = date(2026, 1, 5)
COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法"
    "所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政"
    "四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最"
)
KNOWN = (
    "客户名单", "报价", "询价", "渠道", "密点", "鉴定", "委托", "检材", "芯片", "算法", "配方",
    "催化剂", "图谱", "钎焊", "真空", "夹具", "补偿槽", "图纸",
)  # fmt: skip
ENGLISH = (
    "customer", "list", "lists", "listing", "price", "report", "thermal", "Orion", "contract",
    "drawing", "1200", "A4", "v2",
)  # fmt: skip
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹"
_BATCH = 500
_PAGE = (
    "exhibit_id", "case_id", "part", "page", "label", "origin", "text", "tokens", "words", "grams",
)  # fmt: skip


class Language:
    """A lexicon and names, with how frequent each is."""

    def __init__(self, chosen: random.Random) -> None:
        """Make them."""
        rare = [chr(0x4E00 + chosen.randrange(0x51A5)) for _ in range(3000)]
        letters = [*COMMON, *rare]
        weights = zipf(len(letters))
        made = [
            "".join(chosen.choices(letters, cum_weights=weights, k=chosen.choice((2, 2, 2, 3, 4))))
            for _ in range(30_000)
        ]
        self.words: list[str] = [*COMMON[:60], *made[:200], *KNOWN, *made[200:]]
        self.names = sorted(
            {
                chosen.choice(SURNAMES) + "".join(chosen.choices(letters, k=chosen.choice((1, 2))))
                for _ in range(5000)
            }
        )
        chosen.shuffle(self.names)
        self._words, self._names = zipf(len(self.words)), zipf(len(self.names))

    def page(self, chosen: random.Random, length: int) -> str:
        """Return a page of about so many characters."""
        pieces = chosen.choices(self.words, cum_weights=self._words, k=length * 10 // 17)
        for at in range(0, len(pieces), 40):
            (name,) = chosen.choices(self.names, cum_weights=self._names)
            pieces[chosen.randrange(at, min(at + 40, len(pieces)))] = name
            pieces[chosen.randrange(len(pieces))] = f" {chosen.choice(ENGLISH)} "
            pieces[chosen.randrange(len(pieces))] = "，"
            pieces[chosen.randrange(len(pieces))] = "。\n"
        return "".join(pieces)


def zipf(count: int) -> list[float]:
    """Return the summed weights of so many things, each as frequent as its rank allows."""
    return list(accumulate(1 / (rank + 2) for rank in range(count)))


def language() -> Language:
    """Return the language of the pages."""
    return Language(random.Random(SEED))


def fill(database: Database, pages: int, length: int) -> float:
    """Put so many pages, their exhibits, bundles and cases into an empty database.

    The rows of pages are made by the code that indexes what was read. Returns the seconds that an
    index took which was made at the end, 0 for one that grew with the pages.
    """
    exhibits = [_exhibit(number) for number in range(-(-pages // OF_EXHIBIT))]
    with database.write() as session:
        session.execute(insert(tables.Case), list(_cases()))
        for at in range(0, len(exhibits), _BATCH):
            some = exhibits[at : at + _BATCH]
            session.execute(insert(tables.Accession), [each[0] for each in some])
            session.execute(insert(tables.Exhibit), [each[1] for each in some])
    if not database.embedded:
        return _copy(database, _rows(min(pages, DISTINCT), length, grams=True), pages)
    rows = _rows(min(pages, DISTINCT), length, grams=False)
    first: list[dict[str, Any]] = []
    while lot := list(islice(rows, 20 * _BATCH)):
        with database.write() as session:
            search.add_pages(session, lot)
        first += lot if pages > DISTINCT else []
    for at in range(DISTINCT, pages, 20 * _BATCH):
        numbers = range(at, min(pages, at + 20 * _BATCH))
        with database.write() as session:
            search.add_pages(
                session, [{**first[each % DISTINCT], **_place(each)} for each in numbers]
            )
    return 0.0


def _copy(database: Database, rows: Iterator[dict[str, Any]], pages: int) -> float:
    """Copy rows into PostgreSQL, repeat them there, and make the index afterwards."""
    with database.write() as session:
        session.execute(text(f"DROP INDEX {search.GRAMS}"))
        # In the transaction that emptied it, a table of a server without replicas needs no log.
        session.execute(text("TRUNCATE page_text"))
        driver = session.connection().connection.driver_connection
        assert driver is not None
        with driver.cursor().copy(f"COPY page_text ({', '.join(_PAGE)}) FROM STDIN") as copy:
            for row in rows:
                grams = f"{{{','.join(map(str, row['grams']))}}}"
                copy.write_row([row[name] for name in _PAGE[:-1]] + [grams])
        for first in range(DISTINCT, pages, DISTINCT):
            session.execute(
                text(_AGAIN), {"first": first // OF_EXHIBIT, "rows": min(DISTINCT, pages - first)}
            )
    print("the pages are there; the index is made", flush=True)
    started = time.monotonic()
    with database.write() as session:
        search.make_index(session)
    seconds = time.monotonic() - started
    with database.connected() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return seconds


_AGAIN = (
    "INSERT INTO page_text (exhibit_id, case_id, part, page, label, origin, text, tokens, words,"
    " grams) SELECT e.exhibit_id, e.case_id, p.part, p.page, p.label, p.origin, p.text, p.tokens,"
    " p.words, p.grams FROM page_text p JOIN exhibit o ON o.exhibit_id = p.exhibit_id"
    " JOIN exhibit e ON e.number = o.number + :first"
    f" WHERE o.number < {DISTINCT // OF_EXHIBIT} ORDER BY p.id LIMIT :rows"
)
"""The first pages once more, as those of later exhibits of the same cases."""


def _cases() -> Iterator[dict[str, Any]]:
    for number in range(CASES):
        name = case_of(number)
        yield {"case_id": name, "case_no": name, "cause": "", "unit": "", "secrecy": "",
               "opened_at": ""}  # fmt: skip


def case_of(number: int) -> str:
    """Return a case's identifier."""
    return f"c{number:03}"


def _exhibit(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows of a bundle and of the exhibit in it."""
    case = case_of(0 if number % 5 == 0 else number % CASES)
    name = f"{case}/E{number:06}"
    day = FIRST_DAY + timedelta(days=number % 300)
    bundle = {"accession": f"A{name}", "case_id": case, "unit": UNITS[number * 7 % 5],
              "bundle_name": "", "bundle_no": "", "bundle_digest": "", "state": "accepted",
              "files": 1, "bytes": 1, "received_at": f"{day}T09:30:00+08:00",
              "details": {}}  # fmt: skip
    exhibit = {"exhibit_id": name, "case_id": case, "number": number, "accession": f"A{name}",
               "event_index": number, "name": "", "kind": KINDS[number % 3], "size": 1,
               "sha256": "", "item": {}, "fingerprint": {}, "object": {}}  # fmt: skip
    return bundle, exhibit


def _place(at: int) -> dict[str, Any]:
    """Return where a page stands: its exhibit, its case and its number."""
    exhibit = _exhibit(at // OF_EXHIBIT)[1]
    return {**{name: exhibit[name] for name in ("exhibit_id", "case_id")},
            "page": at % OF_EXHIBIT + 1}  # fmt: skip


def _rows(pages: int, length: int, *, grams: bool) -> Iterator[dict[str, Any]]:
    """Yield rows of pages of which no text is that of another."""
    chosen, spoken = random.Random(SEED + 1), language()
    for at in range(pages):
        place = _place(at)
        one = search.PageInput(place["page"], "ocr", spoken.page(chosen, length))
        yield from search.page_rows(place["case_id"], place["exhibit_id"], [one], grams=grams)

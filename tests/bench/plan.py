"""``docs/scale.md``: ``python -m tests.bench scale [--write] [--kept FOLDER]``.

The tables are computed, the prose between them is written by hand: a table stands between
``<!-- table NAME -->`` and ``<!-- end -->`` and is replaced there. The costs that it was computed
from are kept beside it (``docs/scale/costs.json``), so that a test can say whether text and numbers
agree. Without ``--write`` the tables are printed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from tests.bench import costs as sources
from tests.bench import queueing
from tests.bench.drawing import Course, courses
from tests.bench.page import number
from tests.bench.scale import (
    DAY,
    YEAR,
    Costs,
    Latency,
    Province,
    components,
    course,
    divided,
    entry_bytes,
    events,
    knee,
    partial_bytes,
    partials_written,
    tiles,
)

PAGE = Path("docs/scale.md")
COSTS = Path("docs/scale/costs.json")
PLOT = Path("docs/scale/latency.svg")
_SHARES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.05)
_TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: str, rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def costs_table(province: Province, costs: Costs) -> str:
    """Return what everything is computed from."""
    rows = [
        [name, f"{number(each.value)} {each.unit}", each.source] for name, each in costs.items()
    ]
    return table("| cost | value | where from |", rows)


def assumed_table(province: Province, costs: Costs) -> str:
    """Return what is assumed of the province."""
    rows = [
        ["originals", f"{province.bytes / 1e15:g} PB"],
        ["documents", f"{province.documents / 1e6:g} million"],
        ["years in which they come", f"{province.years:g}"],
        ["pages a document; of them scans", f"{province.pages_a_document:g}; "
         f"{province.scanned_share:.0%}"],
        ["documents a bundle", f"{province.documents_a_bundle:g}"],
        ["working time", f"{province.days_a_year:g} days of {province.hours_a_day:g} hours a year"],
        ["events at the peak", f"{province.events_a_second:,.0f} a second"],
        ["later events a document (sent, read, audited, given back)",
         f"{province.later_events_a_document:g}"],
        ["fixity sweep reads everything in", f"{province.sweep_days:g} days"],
        ["copies that the object store keeps", f"{province.copies:g}"],
        ["agencies, each asking every", f"{province.agencies:g}, {province.poll_seconds:g} s"],
        ["people, each asking",
         f"{province.people:,.0f}, {province.questions_a_person_hour:g} times an hour"],
    ]  # fmt: skip
    return table("| assumption | value |", rows)


def storage_table(province: Province, costs: Costs) -> str:
    """Return what lies where after all years."""
    entries = events(province, costs)
    derived = province.pages * costs["derived_page"].value
    log, left = entries * entry_bytes(costs), partial_bytes(province, costs)
    database = {
        "log's journal": entries * costs["database_event"].value,
        "page texts and search": province.pages * costs["database_page"].value,
        "the rest": province.documents * costs["database_document"].value,
    }
    objects = province.documents * costs["objects"].value
    whole = province.bytes + derived + log + left
    millions = province.documents / 1e6
    rows = [
        ["originals", f"{province.bytes / 1e12:,.0f} TB", f"{millions:,.0f} million"],
        ["derivatives (transcripts)", f"{derived / 1e12:,.1f} TB",
         f"{objects / 1e6 - millions:,.0f} million"],
        ["log, published", f"{log / 1e12:,.2f} TB", f"{tiles(entries) / 1e6:,.1f} million tiles"],
        ["log, partial tiles, at most", f"{left / 1e9:,.2f} GB", "two tiles of a level"],
        ["log, partial tiles written and removed again",
         f"{partials_written(province, costs) / 1e12:,.1f} TB", "in all years"],
        [f"object store with {province.copies:g} copies",
         f"{whole * province.copies / 1e12:,.0f} TB", ""],
        *[[f"database: {name}", f"{size / 1e12:,.2f} TB", ""] for name, size in database.items()],
        ["database, whole", f"{sum(database.values()) / 1e12:,.1f} TB",
         f"{province.documents * costs['rows_a_document'].value / 1e9:,.1f} thousand million rows"],
    ]  # fmt: skip
    return table("| what | bytes | pieces |", rows)


def work_table(province: Province, costs: Costs) -> str:
    """Return the processor time of everything that is done to each byte, page and document."""
    hours = {
        "digests (SM3, the slowest)": (province.bytes / 1e6 / costs["sm3"].value, "bytes / rate"),
        "read-back (BLAKE3)": (province.bytes / 1e6 / costs["blake3"].value, "bytes / rate"),
        "the cell": (province.documents / costs["cell"].value * 2, "documents / rate × 2 cores"),
        "text layers": (
            province.pages * (1 - province.scanned_share) / costs["text"].value * 60 * 2,
            "pages / rate × 2 cores",
        ),
        "OCR": (
            province.pages * province.scanned_share / costs["ocr"].value * 60 * 2,
            "scanned pages / rate × 2 cores",
        ),
        "one audit of the whole log": (
            events(province, costs) * costs["audit"].value / 1e6,
            "entries × cost of one, on one core",
        ),
        "one sweep of all originals": (
            province.bytes / 1e6 / costs["blake3"].value, "bytes / rate, each 90 days"
        ),
    }  # fmt: skip
    seconds = province.years * YEAR
    rows = [
        [name, f"{spent / 3600:,.0f}", f"{spent / seconds:,.2f}", how]
        for name, (spent, how) in hours.items()
    ]
    return table("| work | core-hours | cores, day and night over all years | how |", rows)


def saturation_table(province: Province, costs: Costs) -> str:
    """Return the components at the peak, the most loaded first."""
    rows = [
        [each.name, f"{number(each.demand)} {each.unit}", f"{number(each.capacity)} ({each.of})",
         f"{each.load:,.2f}", f"{each.units:,}" if each.can_grow else f"**{each.units:,}**",
         each.how, each.then]
        for each in components(province, costs)
    ]  # fmt: skip
    head = "| component | asked at the peak | one unit does | load | units at 70% | how | then |"
    return table(head, rows)


def first_sentences(province: Province, costs: Costs) -> str:
    """Return which component is first, at the peak, on a mean day, and of what cannot be bought."""
    found = components(province, costs)
    mean = next(
        each for each in found if "mean day" in each.name or each.name.startswith("reading")
    )
    fixed = next(each for each in found if not each.can_grow)
    return (
        f"- At the peak: **{found[0].name}**, asked {found[0].load:,.1f} times.\n"
        f"- On a mean working day: **{mean.name}**, asked {mean.load:,.1f} times.\n"
        f"- Of what more machines do not help: **{fixed.name}**, asked {fixed.load:,.1f} times; "
        f"{divided(province, costs)} logs carry the peak.\n"
    )


def raid_table(province: Province, costs: Costs) -> str:
    """Return what bundles wait for on a day with ten minutes of the peak."""
    rows = []
    for name, peak in (("for the peak", True), ("for three mean days", False)):
        way = queueing.stations(province, costs, queueing.sized(province, costs, peak=peak))
        for each in queueing.simulate(queueing.raid(province, costs), way):
            rows.append([
                name, each.station.name, f"{each.station.units:,}", f"{each.busy:.0%}",
                queueing.told(each.p50), queueing.told(each.p99), f"{each.longest:,}",
                queueing.told(each.until),
            ])  # fmt: skip
    head = "| sized | part | units | busy at the peak | p50 waits | p99 waits | longest queue, "
    return table(f"{head}bundles | empty after |", rows)


def division_table(province: Province, costs: Costs) -> str:
    """Return what dividing the log gives."""
    entries, audit = events(province, costs), costs["audit"].value / 1e6
    needed = divided(province, costs)
    rows = []
    for parts in sorted({1, 2, 5, needed, 100}):
        each = entries / parts
        rows.append([
            f"{parts}{' (needed)' if parts == needed else ''}",
            f"{province.events_a_second / parts:,.0f}",
            f"{each / 1e6:,.0f} million",
            f"{each * entry_bytes(costs) / 1e9:,.0f} GB",
            f"{each * audit / 3600:,.1f} h",
            f"{each * costs['database_event'].value / 1e9:,.0f} GB",
        ])  # fmt: skip
    head = "| logs | events/s each at the peak | entries each | published | audit on one core | "
    return table(head + "journal |", rows)


def simulated(costs: Costs) -> dict[str, tuple[float, list[Latency]]]:
    """Return the capacity of each sequencer and what waits at shares of it."""
    return {
        name: (each.capacity, course(each, [share * each.capacity for share in _SHARES]))
        for name, each in sources.sequencers(costs).items()
    }


def latency_table(province: Province, costs: Costs) -> str:
    """Return p50 and p99 against the load, of every sequencer."""
    rows = []
    for name, (capacity, found) in simulated(costs).items():
        for each in found:
            rows.append([
                name, f"{each.load:,.0f}", f"{each.load / capacity:.0%}", f"{each.p50:,.1f}",
                f"{each.p99:,.1f}", "yes" if each.keeps_up else "**no**",
            ])  # fmt: skip
        rows.append([f"{name}: knee", f"**{knee(found):,.0f}**", "", "", "", ""])
    return table("| sequencer | events/s | of capacity | p50 ms | p99 ms | keeps up |", rows)


def prefect_table(province: Province, costs: Costs) -> str:
    """Return how Prefect's tables grow, and what stays with pruning."""
    bundles = province.documents / province.documents_a_bundle / province.years
    rows = []
    for name, days in (("kept for ever", 5 * 365.25), ("kept 90 days", 90.0), ("kept 7 days", 7.0)):
        kept = bundles * days / 365.25
        rows.append([
            name, f"{kept:,.0f}", f"{kept * costs['prefect_rows'].value / 1e6:,.1f} million",
            f"{kept * costs['prefect_bytes'].value / 1e9:,.1f} GB",
        ])  # fmt: skip
    deleted = bundles * costs["prefect_rows"].value * DAY / YEAR
    rows.append(["grows a day", f"{bundles / 365.25:,.0f}", f"{deleted / 1e6:,.2f} million", ""])
    return table("| Prefect's tables | bundles | rows | bytes |", rows)


TABLES: dict[str, Callable[[Province, Costs], str]] = {
    "assumed": assumed_table,
    "costs": costs_table,
    "storage": storage_table,
    "work": work_table,
    "first": first_sentences,
    "saturation": saturation_table,
    "division": division_table,
    "raid": raid_table,
    "latency": latency_table,
    "prefect": prefect_table,
}


def filled(text: str, costs: Costs) -> str:
    """Return a document with its tables computed; what is around them stays."""
    return _TABLE.sub(
        lambda found: found[1] + "\n" + TABLES[found[2]](Province(), costs) + "\n" + found[3], text
    )


def main(given: list[str]) -> int:
    """Print the tables, or put them into the document."""
    parser = argparse.ArgumentParser(prog="tests.bench scale", description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--kept", type=Path, default=Path("var/bench"))
    chosen = parser.parse_args(given)
    costs = sources.find(chosen.kept)
    if not chosen.write:
        for name, made in TABLES.items():
            print(f"== {name}\n{made(Province(), costs)}")
        return 0
    sources.write(COSTS, costs)
    rows = [
        Course(name, tuple((each.load, each.p99) for each in found))
        for name, (_, found) in simulated(costs).items()
    ]
    axes = ("events a second", "p99 of waiting, ms")
    PLOT.write_text(courses("How long an event waits for its checkpoint", axes, rows))
    PAGE.write_text(filled(PAGE.read_text(), costs))
    return 0

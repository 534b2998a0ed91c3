"""A model of what a province needs: arithmetic over measured costs, and a simulated sequencer.

Pure: costs, the province and the seed are arguments; the same give the same numbers. Where a cost
comes from stands in it (``tests.bench.costs`` finds them), and ``tests.bench.plan`` writes
``docs/scale.md`` from what is here. Units stand in the names; MB, GB, TB and PB are powers of ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from storage.log import AT_ONCE, BATCH, PUBLISH_AFTER
from storage.tiles import WIDTH as FULL

DAY, YEAR = 86_400.0, 365.25 * 86_400


@dataclass(frozen=True)
class Cost:
    """A measured number, its unit, and where it was measured."""

    value: float
    unit: str
    source: str


Costs = Mapping[str, Cost]


@dataclass(frozen=True)
class Province:
    """What is assumed; ``events_a_second`` at the peak, the rest over all years together."""

    bytes: float = 1e15
    documents: float = 1e8
    events_a_second: float = 10_000.0
    years: float = 5.0
    pages_a_document: float = 10.0
    scanned_share: float = 0.3
    documents_a_bundle: float = 100.0
    days_a_year: float = 250.0
    hours_a_day: float = 8.0
    later_events_a_document: float = 3.0
    sweep_days: float = 90.0
    copies: float = 3.0
    agencies: float = 500.0
    poll_seconds: float = 25.0
    people: float = 5_000.0
    questions_a_person_hour: float = 20.0

    @property
    def pages(self) -> float:
        """Pages of all documents."""
        return self.documents * self.pages_a_document

    @property
    def busy_seconds(self) -> float:
        """Working seconds of all years."""
        return self.years * self.days_a_year * self.hours_a_day * 3600


@dataclass(frozen=True)
class Component:
    """One part of the system at its peak: what is asked of one unit, and what one unit does.

    Attributes:
        name: what it is.
        demand: what is asked at the peak.
        capacity: what one unit does, in the same unit a second.
        unit: of both.
        of: what one unit is.
        how: the arithmetic of the demand, in words.
        then: what is changed when one unit is not enough.
        can_grow: whether more units simply help; where not, the software must be divided.
    """

    name: str
    demand: float
    capacity: float
    unit: str
    of: str
    how: str
    then: str
    can_grow: bool = True

    @property
    def load(self) -> float:
        """How many times the capacity of one unit is asked."""
        return self.demand / self.capacity

    @property
    def units(self) -> int:
        """Units that are needed, loaded to 70% at most."""
        return max(1, math.ceil(self.load / 0.7))


def events(province: Province, costs: Costs) -> float:
    """Return the entries of the log after all years."""
    each = costs["events_a_document"].value + province.later_events_a_document
    return province.documents * each


def tiles(entries: float) -> float:
    """Return the full tiles and entry bundles of a log (C2SP tlog-tiles: 256 a tile)."""
    total, level = entries / FULL, entries / FULL
    while level >= 1:
        total += level
        level /= FULL
    return total


def entry_bytes(costs: Costs) -> float:
    """Return the bytes of one entry in full bundles and tiles: leaf, its length, its hashes."""
    return costs["leaf"].value + 2 + 32 * (1 + 1 / (FULL - 1))


def partial_bytes(province: Province, costs: Costs) -> float:
    """Return the most bytes of partial tiles at any moment (``storage.outgrown``).

    Two tiles of a level have any, at most one of each width: of entries and leaf hashes, and of
    each level above, whose hashes alone are counted.
    """
    widths = FULL * (FULL - 1) / 2
    above = math.log(max(events(province, costs), FULL), FULL) - 1
    return 2 * widths * (costs["leaf"].value + 2 + 32 * (1 + above))


def partials_written(province: Province, costs: Costs) -> float:
    """Return the bytes of all partial tiles that are written in all years, and removed again.

    Each checkpoint publishes the last bundle and tile as far as they go, half full on average.
    What is taken in comes a bundle of documents at a time; what happens later comes alone.
    """
    taken = events(province, costs) - province.documents * province.later_events_a_document
    checkpoints = taken / (province.documents_a_bundle * costs["events_a_document"].value)
    checkpoints += province.documents * province.later_events_a_document
    return checkpoints * FULL / 2 * entry_bytes(costs)


def components(province: Province, costs: Costs) -> list[Component]:
    """Return every component at the peak, the most loaded unit first."""
    peak = province.events_a_second / costs["events_a_document"].value
    mean = province.documents / province.busy_seconds
    size = province.bytes / province.documents / 1e6
    cores = 2.0
    bundles = mean / province.documents_a_bundle
    asked = province.agencies / province.poll_seconds
    asked += province.people * province.questions_a_person_hour / 3600
    later = province.documents * province.later_events_a_document / province.busy_seconds
    found = [
        Component("S3: the log's requests at the peak",
                  province.events_a_second * costs["log_bulk_requests"].value,
                  1000 / costs["s3_request_ms"].value * AT_ONCE, "requests/s",
                  f"{AT_ONCE} at once by one publisher",
                  "the peak × requests an event, many at once", "larger checkpoints; more logs",
                  can_grow=False),
        Component("S3: the log's requests, mean day", later * costs["log_requests"].value,
                  costs["s3_rate"].value, "requests/s", "one gateway on two shared cores",
                  "later events, each alone / working seconds × requests an event",
                  "record events together; more gateways"),
        Component("log: sequencer", province.events_a_second, costs["sequenced"].value, "events/s",
                  "one log", "the peak itself", "larger batches; one log a bureau or a year",
                  can_grow=False),
        Component("catalogue: rows written", peak * costs["rows_a_document"].value,
                  costs["sequenced"].value * costs["rows_a_document"].value
                  / costs["events_a_document"].value, "rows/s", "one PostgreSQL",
                  "documents at the peak × rows a document; written in the sequencer's transaction",
                  "goes with the log: divide it by bureau; read replicas do not help here",
                  can_grow=False),
        Component("intake: documents at the peak", peak, costs["taken"].value, "documents/s",
                  f"a worker of {cores:.0f} cores", "the peak / events a document",
                  "more workers, or let drops wait in their folders: nothing is lost"),
        Component("intake: documents, mean day", mean, costs["taken"].value, "documents/s",
                  f"a worker of {cores:.0f} cores", "documents / working seconds",
                  "more workers"),
        Component("intake: bytes, mean day", mean * size, costs["stored"].value, "MB/s",
                  f"a worker of {cores:.0f} cores", "all bytes / working seconds",
                  "more workers; SM3 bounds one stream, files go side by side"),
        Component("reading: OCR", mean * province.pages_a_document * province.scanned_share * 60,
                  costs["ocr"].value, "pages/min", f"a worker of {cores:.0f} cores",
                  "scanned pages / working minutes", "more workers; let it run at night: ÷ 3"),
        Component("reading: text layers",
                  mean * province.pages_a_document * (1 - province.scanned_share) * 60,
                  costs["text"].value, "pages/min", f"a worker of {cores:.0f} cores",
                  "other pages / working minutes", "more workers"),
        Component("fixity: sweep", province.bytes / 1e6 / (province.sweep_days * DAY),
                  costs["blake3"].value, "MB/s", "one core with its disk or link",
                  f"all bytes / {province.sweep_days:.0f} days", "more audit workers by prefix"),
        Component("S3: requests at the peak", peak * costs["s3_requests"].value,
                  costs["s3_rate"].value, "requests/s", "one gateway on two shared cores",
                  "documents at the peak × requests a document", "more gateways"),
        Component("S3: requests, mean day", mean * costs["s3_requests"].value,
                  costs["s3_rate"].value, "requests/s", "one gateway on two shared cores",
                  "documents / working seconds × requests a document", "more gateways"),
        Component("S3: network, mean day", mean * size * (1 + 1 + province.copies), 1_150.0,
                  "MB/s", "10 Gbit/s", "written once, read back once, copied by the cluster",
                  "more hosts; 25 Gbit/s"),
        Component("portal", asked, costs["portal"].value, "requests/s", "one process",
                  "agencies / poll + people × questions", "more processes behind the proxy"),
        Component("Prefect: bundles", bundles, 1 / costs["prefect_seconds"].value, "bundles/s",
                  "one worker process", "documents / working seconds / documents a bundle",
                  "more workers; larger bundles"),
    ]  # fmt: skip
    return sorted(found, key=lambda each: -each.load)


def divided(province: Province, costs: Costs, share: float = 0.7) -> int:
    """Return into how many logs the peak must be divided, each loaded to ``share`` at most."""
    return max(1, math.ceil(province.events_a_second / costs["sequenced"].value / share))


@dataclass(frozen=True)
class Sequencer:
    """What the leader of a log costs, in seconds.

    Attributes:
        a_batch: one transaction, whatever it holds.
        an_event: one event more in it, its rows in the catalogue included.
        a_publish: writing the partial tiles, signing, publishing and noting a checkpoint.
        a_tile: writing one more tile or entry bundle.
        batch: events that one transaction takes at most.
        publish_after: events after which a checkpoint is due.
    """

    a_batch: float
    an_event: float
    a_publish: float
    a_tile: float
    batch: int = BATCH
    publish_after: int = PUBLISH_AFTER

    def cycle(self, taken: int) -> float:
        """Return the seconds from the first transaction to the checkpoint over so many events."""
        batches = max(1, math.ceil(taken / self.batch))
        return batches * self.a_batch + taken * self.an_event + self.publish(taken)

    def publish(self, taken: int) -> float:
        """Return the seconds of publishing so many new entries."""
        return self.a_publish + 2 * (taken // FULL) * self.a_tile

    @property
    def capacity(self) -> float:
        """The events a second when the inbox is never empty."""
        return self.publish_after / self.cycle(self.publish_after)


@dataclass(frozen=True)
class Latency:
    """How long events waited at a load, in milliseconds; above capacity the inbox only grows."""

    load: float
    p50: float
    p99: float
    keeps_up: bool


def simulate(sequencer: Sequencer, load: float, seconds: float, seed: int) -> Latency:
    """Let events come at random (Poisson) and return what their writers waited.

    An event waits from when it is in the inbox until a published checkpoint covers it, as
    ``CustodyLog.record`` does. The first fifth is not counted: the inbox fills meanwhile.
    """
    draw = np.random.default_rng(seed)
    count = max(1, int(load * seconds))
    arrivals = np.cumsum(draw.exponential(1 / load, count))
    waited = np.empty(count)
    now, done = 0.0, 0
    while done < count:
        now = max(now, float(arrivals[done]))
        taken, got = 0, sequencer.batch
        while got == sequencer.batch and taken < sequencer.publish_after:
            waiting = int(np.searchsorted(arrivals, now, side="right")) - done - taken
            got = min(sequencer.batch, waiting)
            now += sequencer.a_batch + got * sequencer.an_event
            taken += got
        now += sequencer.publish(taken)
        waited[done : done + taken] = now - arrivals[done : done + taken]
        done += taken
    counted = waited[count // 5 :] * 1000
    p50, p99 = (float(each) for each in np.percentile(counted, (50, 99)))
    return Latency(load, p50, p99, load <= sequencer.capacity)


def course(sequencer: Sequencer, loads: Sequence[float], seed: int = 7) -> list[Latency]:
    """Simulate every load for as long as two hundred thousand events take, 5 to 60 seconds."""
    return [simulate(sequencer, load, min(60.0, max(5.0, 200_000 / load)), seed) for load in loads]


def knee(found: Sequence[Latency]) -> float:
    """Return the load up to which waiting stays within ten times the idle one; 0 if none does."""
    if not found:
        return 0.0
    limit, last = 10 * found[0].p99, 0.0
    for each in found:
        if not each.keeps_up or each.p99 > limit:
            break
        last = each.load
    return last

"""A day on which a province raids: bundles wait at one part of the system after the other.

Pure: the arrivals come from a seed, the costs and the numbers of units are arguments. Averages say
whether a part is asked too much; here stands what somebody waits for, and how long what piled up
takes to be worked off. Each part is a queue, first come first served, with so many units that each
work on one bundle at a time; what leaves one part arrives at the next.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.bench.scale import Component, Costs, Province, components

Moments = NDArray[np.float64]
_HOUR = 3600.0
_AT_ONCE = 1.0
"""Seconds; who waits no longer does not wait."""


@dataclass(frozen=True)
class Station:
    """One part: its units, and the seconds that one unit needs for an ordinary bundle."""

    name: str
    units: int
    seconds: float


@dataclass(frozen=True)
class Waited:
    """What happened at a station.

    Attributes:
        station: which.
        p50: seconds that half of the bundles waited, before anybody worked on them.
        p99: the same of 99 in 100.
        longest: bundles that waited at once, at most.
        until: seconds from the end of the peak to the moment at which nobody waited any more.
        busy: how much of the peak's time its units worked; 1 is all of it.
    """

    station: Station
    p50: float
    p99: float
    longest: int
    until: float
    busy: float


@dataclass(frozen=True)
class Raid:
    """How bundles come: all day as ever, and for some minutes at the peak; seconds of the day."""

    mean: float
    peak: float
    begins: float = 2 * _HOUR
    lasts: float = 600.0
    day: float = 8 * _HOUR

    def arrivals(self, seed: int) -> Moments:
        """Return when bundles come (Poisson), in order."""
        draw = np.random.default_rng(seed)
        ever = draw.uniform(0, self.day, draw.poisson(self.mean * self.day))
        raid = draw.uniform(0, self.lasts, draw.poisson(self.peak * self.lasts)) + self.begins
        return np.sort(np.concatenate([ever, raid]))


def raid(province: Province, costs: Costs) -> Raid:
    """Return the mean working day of a province, with ten minutes of its peak."""
    bundle = province.documents_a_bundle
    events = bundle * costs["events_a_document"].value
    mean = province.documents / province.busy_seconds / bundle
    return Raid(mean, province.events_a_second / events)


def stations(province: Province, costs: Costs, found: Sequence[Component]) -> list[Station]:
    """Return the way of a bundle, each part with as many units as the components say."""
    units = {each.name: each.units for each in found}
    bundle = province.documents_a_bundle
    scans = bundle * province.pages_a_document * province.scanned_share
    return [
        Station("intake", units["intake: documents"], bundle / costs["taken"].value),
        Station("S3", units["S3: requests"],
                bundle * costs["s3_requests"].value / costs["s3_rate"].value),
        Station("log", units["log: sequencer"],
                bundle * costs["events_a_document"].value / costs["sequenced"].value),
        Station("OCR", units["reading: OCR"], scans / costs["ocr"].value * 60),
    ]  # fmt: skip


def sized(province: Province, costs: Costs, *, peak: bool) -> list[Component]:
    """Return the components of the way of a bundle, sized for the peak or for three mean days."""
    whole = {each.name: each for each in components(province, costs)}
    times = 3.0
    pairs = {
        "intake: documents": ("intake: documents at the peak", "intake: documents, mean day"),
        "S3: requests": ("S3: requests at the peak", "S3: requests, mean day"),
        "log: sequencer": ("log: sequencer", "intake: documents, mean day"),
        "reading: OCR": ("reading: OCR", "reading: OCR"),
    }
    found = []
    for name, (high, low) in pairs.items():
        part = whole[high]
        demand = part.demand if peak else times * whole[low].demand
        if name == "log: sequencer" and not peak:
            demand *= costs["events_a_document"].value
        if name == "reading: OCR":
            demand = part.demand
        found.append(Component(name, demand, part.capacity, part.unit, part.of, "", ""))
    return found


def pass_through(arrivals: Moments, station: Station, sizes: Moments) -> tuple[Moments, Moments]:
    """Return when work on each bundle begins and ends, in the order in which they come."""
    free = [0.0] * station.units
    begun, ended = np.empty(len(arrivals)), np.empty(len(arrivals))
    for number, at in enumerate(arrivals):
        begun[number] = max(at, free[0])
        ended[number] = begun[number] + station.seconds * sizes[number]
        heapq.heapreplace(free, float(ended[number]))
    return begun, ended


def simulate(day: Raid, way: Sequence[Station], seed: int = 7) -> list[Waited]:
    """Send every bundle of the day along its way; their sizes vary (log-normal, mean one)."""
    arrivals = day.arrivals(seed)
    spread = 0.8
    sizes = np.random.default_rng(seed + 1).lognormal(-spread * spread / 2, spread, len(arrivals))
    found = []
    for station in way:
        begun, ended = pass_through(arrivals, station, sizes)
        found.append(_waited(day, station, arrivals, begun, ended))
        order = np.argsort(ended, kind="stable")
        arrivals, sizes = ended[order], sizes[order]
    return found


def _waited(
    day: Raid, station: Station, arrivals: Moments, begun: Moments, ended: Moments
) -> Waited:
    waits = begun - arrivals
    p50, p99 = (float(each) for each in np.percentile(waits, (50, 99)))
    # How many had come and were not begun, each time that one came.
    come, under_way = np.arange(1, len(arrivals) + 1), np.searchsorted(begun, arrivals, "right")
    longest = int(np.max(come - under_way))
    over = day.begins + day.lasts
    within = np.clip(ended, day.begins, over) - np.clip(begun, day.begins, over)
    busy = float(within.sum()) / day.lasts / station.units
    return Waited(station, p50, p99, longest, max(0.0, _cleared(waits, arrivals) - over), busy)


def _cleared(waits: Moments, arrivals: Moments) -> float:
    """Return when, after the longest wait, one came who need not wait; if none, the end."""
    worst = int(np.argmax(waits))
    if waits[worst] <= _AT_ONCE:
        return 0.0
    at_once = np.flatnonzero(waits[worst:] <= _AT_ONCE)
    if len(at_once):
        return float(arrivals[worst + int(at_once[0])])
    return float(arrivals[-1] + waits[-1])


def told(seconds: float) -> str:
    """Return a time as a person says it."""
    for size, name in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:,.1f} s" if not math.isclose(seconds, 0, abs_tol=0.05) else "0"

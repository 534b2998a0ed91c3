"""The model of a province holds together, and the document says what the model computes."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.tiles import WIDTH
from tests.bench import costs as sources
from tests.bench import queueing
from tests.bench.figures import Figure
from tests.bench.plan import COSTS, PAGE, PLOT, TABLES, filled
from tests.bench.scale import (
    Province,
    Sequencer,
    components,
    divided,
    events,
    knee,
    partial_bytes,
    partials_written,
    simulate,
    tiles,
)

WRITTEN = sources.find(Path("nowhere"))
SEQUENCER = Sequencer(0.003, 0.0001, 0.003, 0.0002)


def test_the_document_says_what_its_costs_lead_to() -> None:
    text = PAGE.read_text()
    assert set(re.findall(r"<!-- table (\w+) -->", text)) == set(TABLES)
    assert filled(text, sources.read(COSTS)) == text
    assert f"]({PLOT.relative_to(PAGE.parent)})" in text


def test_every_cost_says_where_it_is_from_and_a_figure_takes_the_place_of_an_old_one(
    tmp_path: Path,
) -> None:
    assert all(each.value > 0 and each.source and each.unit for each in WRITTEN.values())
    sources.write(tmp_path / "costs.json", WRITTEN)
    assert sources.read(tmp_path / "costs.json") == WRITTEN
    assert Figure("s3.requests", 9, "").met is None


@given(st.floats(1, 1e6), st.integers(1, 20))
def test_what_is_asked_grows_with_the_peak_and_units_are_enough(peak: float, times: int) -> None:
    few = {each.name: each for each in components(Province(events_a_second=peak), WRITTEN)}
    many = components(Province(events_a_second=peak * times), WRITTEN)
    assert [each.load for each in many] == sorted((each.load for each in many), reverse=True)
    for each in many:
        assert each.load >= few[each.name].load * (1 - 1e-9)
        assert each.units * each.capacity * 0.7 >= each.demand * (1 - 1e-9)
        least = (each.units - 1) * each.capacity * 0.7
        assert each.units == 1 or least < each.demand * (1 + 1e-9)
    logs = divided(Province(events_a_second=peak), WRITTEN)
    assert peak / logs <= 0.7 * WRITTEN["sequenced"].value * (1 + 1e-9)


@given(st.integers(0, 10**10))
def test_a_tree_has_a_tile_for_every_256_of_the_level_below(entries: int) -> None:
    level, counted = entries / WIDTH, entries / WIDTH
    while level >= 1:
        counted += level
        level /= WIDTH
    assert math.isclose(tiles(entries), counted)
    twice = replace(Province(), documents=2 * Province().documents)
    assert math.isclose(events(twice, WRITTEN), 2 * events(Province(), WRITTEN))


@settings(max_examples=30)
@given(st.floats(0.02, 0.95), st.integers(0, 99))
def test_nobody_waits_less_than_a_checkpoint_takes(share: float, seed: int) -> None:
    load = share * SEQUENCER.capacity
    found = simulate(SEQUENCER, load, 2.0, seed)
    assert found == simulate(SEQUENCER, load, 2.0, seed)
    assert found.keeps_up
    assert 1000 * SEQUENCER.cycle(1) <= found.p50 <= found.p99


def test_waiting_grows_with_the_load_and_without_end_above_the_capacity() -> None:
    shares = (0.1, 0.5, 0.9, 1.2)
    found = [simulate(SEQUENCER, each * SEQUENCER.capacity, 10.0, 7) for each in shares]
    waits = [each.p99 for each in found]
    assert waits == sorted(waits)
    assert [each.keeps_up for each in found] == [True, True, True, False]
    longer = simulate(SEQUENCER, 1.2 * SEQUENCER.capacity, 20.0, 7)
    assert longer.p99 > 1.5 * found[-1].p99
    assert knee(found) in [each.load for each in found[:3]]


@given(st.integers(1, 8192))
def test_a_larger_batch_never_lowers_what_a_sequencer_can_do(batch: int) -> None:
    larger = replace(SEQUENCER, batch=2 * batch)
    assert larger.capacity >= replace(SEQUENCER, batch=batch).capacity * (1 - 1e-9)


def test_partial_tiles_are_bounded_by_two_tiles_and_not_by_the_years() -> None:
    longer = replace(Province(), documents=100 * Province().documents)
    assert partial_bytes(longer, WRITTEN) < 1.05 * partial_bytes(Province(), WRITTEN) < 1e9
    written = partials_written(longer, WRITTEN), partials_written(Province(), WRITTEN)
    assert math.isclose(written[0], 100 * written[1])


_COME = st.lists(st.floats(0, 100), min_size=1, max_size=60).map(sorted)


@given(_COME, st.integers(1, 4), st.floats(0.01, 5), st.integers(0, 9))
def test_no_part_works_on_more_than_it_has_units_for_and_none_is_idle_while_one_waits(
    come: list[float], units: int, seconds: float, seed: int
) -> None:
    sizes = np.random.default_rng(seed).lognormal(0, 0.5, len(come))
    station = queueing.Station("a", units, seconds)
    begun, ended = queueing.pass_through(np.array(come), station, sizes)
    assert np.all(begun >= np.array(come))
    assert np.all(np.diff(begun) >= 0), "first come, first served"
    assert np.allclose(ended - begun, seconds * sizes)
    for number, at in enumerate(begun):
        # Whoever came earlier began earlier, so only those can be at work.
        working = int(np.sum(ended[:number] > at + 1e-9))
        assert working < units
        if at > come[number]:
            assert int(np.sum(ended[:number] >= at - 1e-9)) >= units
    more, _ = queueing.pass_through(np.array(come), replace(station, units=units + 1), sizes)
    assert np.all(more <= begun + 1e-9)


def test_a_raid_piles_up_where_units_are_few_and_is_worked_off() -> None:
    day = queueing.Raid(mean=0.02, peak=2.0, lasts=300.0)
    few, many = (queueing.Station("intake", units, 4.0) for units in (1, 12))
    (narrow,), (wide,) = queueing.simulate(day, [few]), queueing.simulate(day, [many])
    assert queueing.simulate(day, [few]) == [narrow]
    # Six hundred bundles of four seconds each, less what was done meanwhile.
    assert 0.8 * (600 - 75) < narrow.longest < 1.2 * 600
    assert 1500 < narrow.until < 3600
    assert narrow.busy > 0.95
    assert wide.p99 < narrow.p50
    assert wide.until < 5


def test_parts_sized_for_the_peak_carry_it() -> None:
    costs, province = WRITTEN, Province()
    way = queueing.stations(province, costs, queueing.sized(province, costs, peak=True))
    day = queueing.raid(province, costs)
    found = {each.station.name: each for each in queueing.simulate(day, way)}
    for name in ("intake", "S3", "log"):
        assert found[name].busy < 0.9
        assert found[name].p99 < 5


def test_a_profile_beside_the_figures_is_none(tmp_path: Path) -> None:
    (tmp_path / "begin.profile.json").write_text('{"command": "python -m tests.bench.begin"}')
    assert sources.find(tmp_path) == WRITTEN

"""The model of a province holds together, and the document says what the model computes."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.tiles import WIDTH
from tests.bench import costs as sources
from tests.bench.figures import Figure
from tests.bench.plan import COSTS, PAGE, PLOT, TABLES, filled
from tests.bench.scale import (
    Province,
    Sequencer,
    components,
    divided,
    events,
    knee,
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
        assert each.units == 1 or (each.units - 1) * each.capacity * 0.7 < each.demand
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

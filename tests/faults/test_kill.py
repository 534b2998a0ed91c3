"""SIGKILL in the middle of an ingest: started again, it ends as if nothing had happened.

A child process takes one bundle in, through the watcher or the command line and the flow's own
function, and dies at a chosen write. Whatever starts next must end in the state of an undisturbed
run: the same numbers, objects, events, rows, answers and folders, with nothing there twice and
nothing left over. ``python -m tests.faults`` tries every write.
"""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.faults.bundles import FILES, VARIANTS
from tests.faults.running import Driver, Drivers, Undisturbed, failures, fresh_home, undisturbed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
STEPS = [
    "claim", "take_batch", "receive", "judge", "store_batch", "settle", "read_batch", "close_claim",
]  # fmt: skip
"""The steps of the flow that write, in its order; ``look`` only reads."""
TRIALS = dict.fromkeys(VARIANTS, 2) | {"dropped folder": 6, "dropped zip": 4}
"""At how many points each way of coming in is interrupted."""

Made = dict[str, Undisturbed]


@pytest.fixture(scope="module")
def calm(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An undisturbed run of each variant."""

    fresh = fresh_home(tmp_path_factory.mktemp("fresh"))

    def make(driver: Driver, name: str) -> Undisturbed:
        return undisturbed(driver, VARIANTS[name], fresh, tmp_path_factory.mktemp("calm"))

    return dict(zip(VARIANTS, drivers.each(make, VARIANTS), strict=True))


def spread(total: int, count: int) -> list[int]:
    """Choose so many points of a run, evenly, the first and the last among them."""
    return [1 + (total - 1) * each // (count - 1) for each in range(count)]


def before(calm: Undisturbed, step: str, what: str) -> int:
    """Return the first point of a step at which something is about to be done."""
    pattern = f"{step}: {what}*"
    return next(n for n, each in enumerate(calm.points, 1) if fnmatchcase(each, pattern))


def test_the_undisturbed_run_is_the_flow(calm: Made) -> None:
    """What is killed below is what runs in earnest, step by step, and it is whole."""
    points = calm["dropped folder"].points
    assert list(dict.fromkeys(each.partition(":")[0] for each in points)) == STEPS
    assert len(points) > 150
    state = calm["dropped folder"].state
    actions = [event["action"] for event in state["events"]]
    items = len(FILES)
    assert actions[: 4 + items] == [
        "opened", "received", "accessioned", *["stored"] * items, "receipted",
    ]  # fmt: skip
    # One of the documents is an archive, whose members are on record too.
    assert sorted(actions[4 + items :]) == ["expanded", *["read"] * items]
    # An empty file has no page; the member of the archive has one of its own.
    pages = [row["origin"] for row in state["rows"]["page_text"] if row["page"]]
    assert len(pages) == items - 1
    # Names and metadata are indexed beside.
    assert len(state["rows"]["page_text"]) > items


@pytest.mark.parametrize("name", VARIANTS)
def test_an_undisturbed_run_leaves_nothing_behind(calm: Made, name: str) -> None:
    files = calm[name].state["files"]
    for folder in ("claimed", "work", "objects/.incoming"):
        assert not any(path.startswith(f"home/{folder}/") for path in files)
    answers = {path.split("/")[3] for path in files if path.startswith("home/drop/pudong-01/")}
    assert len(answers) == 1
    assert answers <= {"receipts", "rejected"}
    (claim,) = calm[name].state["rows"]["accession_intent"][-1:]
    assert claim["state"] == "done"
    assert calm[name].state["rows"]["log_inbox"] == []


@pytest.mark.parametrize("name", VARIANTS)
def test_killed_and_started_again_it_ends_in_the_same_state(
    calm: Made, drivers: Drivers, tmp_path: Path, name: str
) -> None:
    points = spread(len(calm[name].points), TRIALS[name])
    assert failures(drivers, tmp_path, [(calm[name], (point,)) for point in points]) == []


KNOWN = [
    ("dropped folder, marked as complete", "claim", "rename"),
    ("dropped folder", "receive", "replace .last-head"),
    ("dropped folder", "receive", "replace .checkpoint"),
    ("dropped folder", "take_batch", "link"),
    ("dropped zip", "judge", "link"),
    ("dropped zip", "judge", "before commit"),
    ("dropped folder", "store_batch", "link"),
    ("dropped folder", "settle", "unlink"),
    ("dropped folder", "settle", "replace .receipt.json"),
    ("dropped folder", "read_batch", "before commit"),
    ("dropped folder", "read_batch", "replace ."),
    ("dropped folder, refused", "settle", "replace .REJECTED"),
    ("dropped folder, known already", "settle", "replace .DUPLICATE"),
    ("dropped folder", "settle", "rmdir originals"),
    ("dropped folder", "settle", "rmdir A"),
    ("dropped folder", "settle", "rmdir [0-9]"),
    ("dropped folder", "close_claim", "before commit"),
]
"""Moments at which something once went wrong, or would if two writes changed places."""


def test_the_moments_that_matter_most(calm: Made, drivers: Drivers, tmp_path: Path) -> None:
    trials = [(calm[name], (before(calm[name], step, what),)) for name, step, what in KNOWN]
    assert failures(drivers, tmp_path, trials) == []


def test_killed_twice_and_three_times(calm: Made, drivers: Drivers, tmp_path: Path) -> None:
    """The start after a kill is killed too, at writes that only a start after a kill makes."""
    name = "dropped folder"
    settling = before(calm[name], "settle", "before commit")
    kills = [(30, 20), (settling + 3, 12, 20), (settling + 30, 30, 5)]
    assert failures(drivers, tmp_path, [(calm[name], each) for each in kills]) == []

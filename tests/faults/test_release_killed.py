"""SIGKILL while a refused bundle is released: it ends as a release that was not disturbed.

Whoever is killed before the decision is on record decides again; after it the watcher goes on.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from storage.event import Action
from tests.faults.bundles import FILES, UNIT, VARIANTS
from tests.faults.running import Driver, Drivers, Ended, Undisturbed, fresh_home
from tests.faults.state import check_log, differences, events_of, state_of
from tests.house import make_bundle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("faults")]
FIRST = "A2026-000001"
STEPS = ["take_batch", "receive", "judge", "store_batch", "settle", "read_batch", "close_claim"]
MOMENTS = ["claim: before commit", "claim: link", "claim: replace .checkpoint"]
"""Writes of the decision itself, at which a release is killed besides those spread over it."""


def released(driver: Driver, root: Path, **more: Any) -> Ended:
    """Release the refused bundle with a manifest that names all of its files."""
    return driver.run(root, path=root / "hand/manifest.yaml", do="release", release=FIRST, **more)


@pytest.fixture(scope="module")
def calm(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A refused bundle, and what its release leaves."""
    folder = tmp_path_factory.mktemp("calm")
    before, after = folder / "before", folder / "after"
    fresh_home(before)
    VARIANTS["dropped folder, refused"].lay(before / "home/drop" / UNIT)
    made = make_bundle(folder / "named", files={**FILES, "unlisted.txt": b"nobody named me"})
    (before / "hand").mkdir()
    shutil.copy(made / "manifest.yaml", before / "hand")
    ended = drivers.first.run(before)
    assert ended.code == 0, ended.said
    assert "REJECTED.md" in ended.said
    shutil.copytree(before, after, symlinks=True)
    ended = released(drivers.first, after)
    assert ended.code == 0, ended.said
    return Undisturbed(before, "", ended.points, state_of(after))


def killed(driver: Driver, calm: Undisturbed, root: Path, at: int) -> list[str]:
    """Kill a release at a point, and do what the watcher and the person then do."""
    shutil.copytree(calm.template, root, symlinks=True)
    try:
        ended = released(driver, root, kill_at=at)
        assert (ended.code, ended.orphans) == (-9, 0), ended.said
        check = check_log(root / "home")
        assert check.ok, check.findings
        ended = driver.run(root)
        assert (ended.code, ended.orphans) == (0, 0), ended.said
        assert "✗" not in ended.said, ended.said
        if all(event.action is not Action.DECIDED for event in events_of(root / "home")):
            ended = released(driver, root)
            assert (ended.code, ended.orphans) == (0, 0), ended.said
        return differences(calm.state, state_of(root))
    except AssertionError as error:
        return [str(error)]


def test_the_undisturbed_release_is_accepted_under_a_new_number(calm: Undisturbed) -> None:
    actions = [event["action"] for event in calm.state["events"]]
    assert actions[1:5] == ["received", "quarantined", "decided", "received"], actions
    assert actions.count("stored") == len(FILES) + 1
    assert {each.partition(":")[0] for each in calm.points} >= {"claim", *STEPS[1:]}


def test_killed_at_any_step_a_release_ends_in_the_same_state(
    calm: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    count = len(calm.points)
    points = [1 + (count - 1) * each // 3 for each in range(4)]
    for begins in MOMENTS:
        points += [n for n, what in enumerate(calm.points, 1) if what.startswith(begins)][:1]

    def trial(driver: Driver, at: int) -> list[str]:
        wrong = killed(driver, calm, tmp_path / str(at), at)
        return [f"killed at {at}, before '{calm.points[at - 1]}':", *wrong[:10]] if wrong else []

    assert [wrong for wrong in drivers.each(trial, sorted(set(points))) if wrong] == []

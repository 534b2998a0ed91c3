"""A whole ingest into an S3 server that fails, hangs or breaks off, or whose client is killed."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.custody import init_custody
from storage.settings import Settings
from tests.contracts.stores import s3_settings
from tests.faults.bundles import UNIT, VARIANTS
from tests.faults.running import Driver, Drivers, Ended, Undisturbed
from tests.faults.s3_faults import BREAKS, SECONDS, Fault, Plan, faulty_proxy
from tests.faults.state import check_log, differences, state_of
from tests.services.rgw import Rgw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("s3")]
KILLS = ["take_batch: after PutObject", "store_batch: after CopyObject"]
"""Requests after which the client is killed; the answer was its last one."""

ONE_AT_A_TIME = threading.Lock()
"""Migrations work on one database of a process at a time."""


class OnceEach(Plan):
    """Lets a fault befall each kind of request once, however often it is repeated."""

    def for_request(self, kind: str) -> Fault | None:
        """Return what befalls this request."""
        with self.guard:
            if self.only not in kind or kind in self.befell:
                return None
            self.befell.append(kind)
            return self.fault


@dataclass(frozen=True)
class House:
    """A house whose originals and whose log are in a bucket of their own."""

    root: Path
    chosen: Settings
    bucket: str

    def run(self, driver: Driver, address: str, **more: Any) -> Ended:
        """Watch once, with the server at an address."""
        env = {
            "CUSTODY_STORE": f"s3://{self.bucket}?endpoint={address}",
            "CUSTODY_S3_ACCESS_KEY": self.chosen.s3_access_key,
            "CUSTODY_S3_SECRET_KEY": self.chosen.s3_secret_key.get_secret_value(),
        }
        # Nothing is to be waited for before a step is repeated.
        self.root.with_suffix(".failed-go").touch()
        return driver.run(self.root, env=env, requests=SECONDS, retries=True, **more)


def house(rgw: Rgw, root: Path) -> House:
    """Make a house with a bundle in its drop folder."""
    bucket = f"b{secrets.token_hex(6)}"
    chosen = s3_settings(rgw, home=root / "home", store=rgw.store_url(bucket))
    with ONE_AT_A_TIME:
        init_custody(chosen)
    VARIANTS["dropped folder"].lay(root / "home/drop" / UNIT)
    return House(root, chosen, bucket)


@pytest.fixture(scope="module")
def calm(rgw: Rgw, drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    made = house(rgw, tmp_path_factory.mktemp("calm") / "root")
    ended = made.run(drivers.first, rgw.endpoint)
    assert ended.code == 0, ended.said
    assert "✓" in ended.said, ended.said
    return Undisturbed(made.root, "", ended.points, state_of(made.root, made.chosen))


@contextmanager
def ends_as(calm: Undisturbed, made: House) -> Iterator[None]:
    """Compare what a block leaves with the undisturbed run."""
    yield
    assert differences(calm.state, state_of(made.root, made.chosen)) == []


def broken(rgw: Rgw, calm: Undisturbed, driver: Driver, root: Path, name: str) -> None:
    """Let a fault befall each kind of request once; the end is that of the undisturbed run."""
    made = house(rgw, root)
    plan = OnceEach(BREAKS[name])
    with ends_as(calm, made), faulty_proxy(rgw.endpoint, plan) as address:
        for _ in range(8):
            ended = made.run(driver, address)
            assert ended.orphans == 0
            assert "Traceback" not in ended.said, ended.said
            if "✓" in ended.said:
                break
        assert "✓" in ended.said, ended.said
    assert len(plan.befell) >= 3, plan.befell


def test_what_a_server_breaks_once_is_made_good(
    rgw: Rgw, calm: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    """Two at a time: an ingest into a server is waiting more than work.

    Every other fault befalls every kind of request in ``test_s3_store``.
    """
    names = ["503", "done-and-silent", "half"]
    drivers.each(lambda driver, name: broken(rgw, calm, driver, tmp_path / name, name), names)


def killed(rgw: Rgw, calm: Undisturbed, driver: Driver, root: Path, begins: str) -> None:
    """Kill the client after its second request of a kind; the next start ends as undisturbed."""
    made = house(rgw, root)
    at = [n for n, what in enumerate(calm.points, 1) if what.startswith(begins)][1]
    ended = made.run(driver, rgw.endpoint, kill_at=at)
    assert (ended.code, ended.orphans) == (-9, 0), ended.said
    check = check_log(made.root / "home", made.chosen)
    assert check.ok, check.findings
    with ends_as(calm, made):
        ended = made.run(driver, rgw.endpoint)
        assert (ended.code, ended.orphans) == (0, 0), ended.said


def test_killed_at_a_request_it_ends_as_if_it_had_not_been(
    rgw: Rgw, calm: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    numbered = list(enumerate(KILLS))
    drivers.each(
        lambda driver, each: killed(rgw, calm, driver, tmp_path / str(each[0]), each[1]), numbered
    )

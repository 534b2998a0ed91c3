"""A process of its own that answers a commission at the same moment as another one."""

import sys
import time
from pathlib import Path
from typing import Any

from appraisal.agency_desk import AgencyDesk
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.step import Transition
from storage.custody import open_custody
from storage.errors import CustodyError
from storage.nouns import Person
from storage.settings import Settings


class Meeting(Desk):
    """A desk that has read the commission, and waits for another one to have read it too."""

    def __init__(self, custody: Any, mine: Path, other: Path) -> None:
        super().__init__(custody)
        self._mine, self._other = mine, other

    def _record(self, before: Commission | None, transition: Transition) -> Commission:
        self._mine.touch()
        until = time.monotonic() + 60
        while not self._other.exists():
            if time.monotonic() > until:
                raise TimeoutError("the other process did not come")
            time.sleep(0.001)
        return super()._record(before, transition)


def main(home: str, number: str, answer: str, name: str, mine: str, other: str) -> None:
    """Answer a commission, and print what the person is told."""
    custody = open_custody(Settings(home=Path(home)))
    desk = AgencyDesk(
        Meeting(custody, Path(mine), Path(other)), "SJ", Person(name, unit="申江鉴定中心")
    )
    digest = desk.commission(number).package_digest
    try:
        if answer == "accept":
            found = desk.accept(number, digest)
        else:
            found = desk.decline(number, "业务繁忙")
        print(f"done {found.state.value} {found.steps}")
    except CustodyError as error:
        print(f"refused {type(error).__name__} {error.message} → {error.remedy}")


if __name__ == "__main__":
    main(*sys.argv[1:])

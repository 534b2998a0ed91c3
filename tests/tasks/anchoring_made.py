"""A house of its own with authorities to ask, and a log that grows."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from storage.custody import Custody, open_custody
from storage.errors import CustodyError
from storage.event import Action, CustodyEvent, decode
from storage.settings import Settings
from tasks.anchoring import obtain, plan_anchor, record_stamps
from tests.house import lay_out

Entry = dict[str, Any]


def entry(url: str, certificates: Path, name: str = "tsa", **more: Any) -> Entry:
    """One authority of CUSTODY_TIMESTAMP_AUTHORITIES."""
    return {"name": name, "url": url, "certificates": str(certificates), **more}


@dataclass
class Anchored:
    """An open house, and what a run of the flow does there without its engine."""

    custody: Custody

    def grow(self, count: int = 1) -> None:
        """Record events that anchoring did not make."""
        self.custody.record(
            [
                self.custody.event(Action.ACCESSED, [str(time.monotonic_ns()), str(number)])
                for number in range(count)
            ]
        )

    def run(self) -> list[CustodyEvent]:
        """Anchor once; return the events of this run."""
        plan = plan_anchor(self.custody)
        return record_stamps(self.custody, [(order, self._attempt(order)) for order in plan.orders])

    def _attempt(self, order: Any) -> Any:
        try:
            return obtain(self.custody, order)
        except CustodyError as error:
            return error

    def failure(self) -> CustodyEvent:
        """Anchor once; return the only event, which is a failure."""
        (event,) = self.run()
        assert event.action is Action.ANCHOR_FAILED
        return event

    def recorded(self, action: Action) -> list[CustodyEvent]:
        """Return the events of one kind, in the order of the log."""
        found = (decode(leaf) for _, leaf in self.custody.log.reader().entries())
        return [event for event in found if event.action is action]

    def at(self, moment: datetime) -> "Anchored":
        """Return the same house with another clock."""
        return Anchored(replace(self.custody, clock=lambda: moment))


Opener = Callable[..., Anchored]


@contextmanager
def opener(home: Path, **settings: Any) -> Iterator[Opener]:
    """Yield how to open one house with these authorities configured."""
    lay_out(Settings(home=home, **settings))
    with ExitStack() as stack:

        def open_(*entries: Entry) -> Anchored:
            text = json.dumps(entries) if entries else ""
            chosen = Settings(home=home, timestamp_authorities=text, **settings)
            custody = open_custody(chosen)
            stack.callback(custody.database.close)
            return Anchored(custody)

        yield open_

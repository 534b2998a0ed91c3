"""The board of the whole house: what is under way, what waits, what is stuck and why."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from storage.catalogue import doing, intents
from storage.catalogue.intents import Claim
from storage.custody import Custody
from storage.names import display
from tasks.drop import DropScanner
from tasks.unit_board import told


@dataclass(frozen=True)
class Waiting:
    """A bundle that nobody works on now.

    ``why`` is ``growing`` (in the drop folder, not known to be complete), ``claimed`` (taken
    from the drop folder, its ingest has not begun or was interrupted) or ``reading`` (answered,
    some documents are not read yet).
    """

    unit: str
    name: str
    accession: str
    why: str

    @property
    def text(self) -> str:
        """What that means, Chinese and English."""
        return _WHY[self.why]


_WHY = {
    "growing": "在投递目录，等待复制完成或监视程序运行 / in the drop folder, waits for its copy "
    "to end or for the watcher",
    "claimed": "已取走，等待处理；运行 custody watch 继续 / taken, waits; 'custody watch' goes on",
    "reading": "已回执，识读未完；运行 custody watch 继续 / answered, not all read; "
    "'custody watch' goes on",
}


def board(custody: Custody, unit: str = "") -> tuple[list[dict[str, Any]], list[Waiting]]:
    """Return the ingests under way and the bundles that wait, of one unit if it is named."""
    now = time.time()
    with custody.read() as session:
        rows = doing.everything(session, unit)
        claims = intents.open_claims(session)
    under_way = [told(row, now, custody.settings.timezone) for row in rows]
    known = {each["accession"] for each in under_way}
    waiting = [
        _claimed(each) for each in claims if each.accession not in known and unit in ("", each.unit)
    ]
    taken = {each.source for each in claims}
    for each in DropScanner(custody.workspace.drop).scan():
        if unit in ("", each.unit) and str(each.path) not in taken:
            waiting.append(Waiting(each.unit, display(each.path.name), "", "growing"))
    return under_way, waiting


def _claimed(claim: Claim) -> Waiting:
    why = "reading" if claim.state == "answered" else "claimed"
    return Waiting(claim.unit, display(claim.name), claim.accession, why)

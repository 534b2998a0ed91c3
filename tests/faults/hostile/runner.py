"""Takes every hostile bundle in, in one house, and holds each against its verdict and the rules.

The flow's own function runs in this process; Prefect's tasks are replaced by their bodies, as
the fault tests do, because the engine keeps no record of evidence and takes seconds to start.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from storage.custody import Custody
from storage.event import CustodyEvent
from tasks import claims, settling
from tests.faults.hostile.case import TEXT, Case, accept, folder
from tests.faults.hostile.observed import VERDICTS, doubts, lines, new_events
from tests.faults.hostile.rules import MAX_MEMORY, MAX_SECONDS, Memory, Watch, digests, tree
from tests.faults.state import check_log
from tests.house import opened_house

LIMITS = {
    "MAX_ENTRIES": "60",
    "MAX_FILE_BYTES": str(4 << 20),
    "MAX_TOTAL_BYTES": str(10 << 20),
    "MAX_PATH_BYTES": "2000",
    "MAX_MANIFEST_BYTES": str(256 << 10),
    "MAX_DEPTH": "4",
    "CELL_PROCESSES": "2",
    "CELL_MEMORY_BYTES": str(1 << 30),
    "DOCUMENT_SECONDS": "15",
    "PAGE_SECONDS": "10",
}
"""Small limits, so that what goes beyond them is small."""
SECRET = b"what lies beside the drop and must never be read\n"
UNRECORDED = ("begin_progress", "advance", "report_failures")


@dataclass
class Outcome:
    """What became of a case; ``faults`` are the expectations and rules that did not hold."""

    case: Case
    verdict: str = "none"
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything is as it must be."""
        return not self.faults

    def told(self) -> str:
        """Return the case with all that was seen, for whoever looks into it."""
        about = f"{self.case.name}: {self.verdict}, expected {self.case.expected}"
        return "\n    ".join(
            [about, *self.faults, *(f"saw {each}"[:200] for each in self.seen[:8])]
        )


class Intake:
    """One house that takes hostile bundles in, one after the other."""

    def __init__(self, root: Path, custody: Custody) -> None:
        """Work in a house whose home lies in ``root``; drops are laid beside it."""
        from flows import ingest

        self.root, self.custody = root, custody
        self._flow: Any = ingest.ingest_bundle.fn
        self._watch = Watch(root / "home")
        self._drops = root / "drops"
        self._good = 0
        outside = self._drops / "outside"
        outside.mkdir(parents=True)
        (outside / "secret.txt").write_bytes(SECRET)

    def run(self, case: Case) -> Outcome:
        """Lay a case down, take it in, and say what does not hold."""
        place = self._drops / case.name
        place.mkdir()
        outcome = Outcome(case)
        try:
            bundle = case.make(place)
            self._take(bundle, outcome)
        finally:
            shutil.rmtree(place)
        outcome.faults += list(_unexpected(outcome))
        return outcome

    def run_good(self) -> Outcome:
        """Take the next good bundle in: whatever came before it, it goes through."""
        self._good += 1
        name = f"good-{self._good}"
        return self.run(Case(name, lambda at: folder(at, name, {b"good.txt": TEXT}), accept()))

    def log_findings(self) -> Sequence[Any]:
        """Return what is wrong with the log as a whole."""
        return check_log(self.root / "home").findings

    def _take(self, bundle: Path, outcome: Outcome) -> None:
        dropped, before = digests(bundle), tree(self._drops)
        start, memory, began = self.custody.log.head().size, Memory(), time.monotonic()
        accession = ""
        with self._watch.watching() as forbidden, self._paper(outcome.case):
            try:
                claim = claims.claim_bundle(self.custody, bundle, "pudong-01", in_place=True)
                accession = claim.accession
                self._flow(accession)
            except Exception as error:  # noqa: BLE001 - a case that raises is what is looked for
                outcome.faults.append(f"raised {error!r} {traceback.format_exc()[-700:]}")
        outcome.seconds = time.monotonic() - began
        outcome.faults += forbidden[:5]
        if outcome.seconds > MAX_SECONDS:
            outcome.faults.append(f"took {outcome.seconds:.0f} s")
        if memory.grown() > MAX_MEMORY:
            outcome.faults.append(f"memory grew by {memory.grown() >> 20} MB")
        if tree(self._drops) != before:
            outcome.faults.append("something was changed beside the workspace")
        events = [e for e in new_events(self.custody, start) if e.accession == accession]
        verdicts = [VERDICTS[event.action] for event in events if event.action in VERDICTS]
        outcome.verdict = "+".join(verdicts) or "none"
        outcome.seen = list(lines(self.custody, events))
        outcome.faults += self._stored(accession, dropped, events)

    @staticmethod
    def _paper(case: Case) -> contextlib.AbstractContextManager[object]:
        """Spare the printed receipt, a third of the work, where no name on it is hostile."""
        if case.name.startswith(("name-", "good-")):
            return contextlib.nullcontext()
        return patch.object(settling, "printed", lambda receipt: b"%PDF-")

    def _stored(
        self, accession: str, dropped: dict[bytes, str], events: Sequence[CustodyEvent]
    ) -> Iterator[str]:
        """Yield every dropped file whose bytes are not kept as they were, and any secret."""
        cases = {event.case for event in events if event.case}
        shelves = [f"quarantine/{accession}/originals", *(f"cases/{c}/originals" for c in cases)]
        for path, digest in dropped.items():
            if path.endswith(b"/.done"):
                continue
            kept = [
                ref for shelf in shelves if (ref := self.custody.objects.find(f"{shelf}/{digest}"))
            ]
            if not kept:
                yield f"{path!r} is not kept"
                continue
            with self.custody.objects.open(kept[0]) as stream:
                if hashlib.sha256(stream.read()).hexdigest() != digest:
                    yield f"{path!r} is kept with other bytes"
        secret = hashlib.sha256(SECRET).hexdigest()
        if any(self.custody.objects.find(f"{shelf}/{secret}") for shelf in shelves):
            yield "what lies beside the drop was taken in"


def _unexpected(outcome: Outcome) -> Iterator[str]:
    expected = outcome.case.expected
    wanted = "quarantine" if expected.verdict == "quarantine" else "accept"
    if outcome.verdict != wanted:
        yield f"verdict {outcome.verdict}"
        return
    for mark in expected.marks:
        if not any(re.search(mark, line) for line in outcome.seen):
            yield f"nothing seen matches {mark!r}"
    if expected.verdict == "accept":
        yield from (f"doubt: {line}"[:160] for line in doubts(outcome.seen)[:3])


def _bodies() -> dict[str, Any]:
    """Return what stands for each task of the flow: its body, and nothing for Prefect's pages."""
    import prefect

    from flows import ingest

    found = {
        name: value.fn for name, value in vars(ingest).items() if isinstance(value, prefect.Task)
    }
    return found | {name: lambda *_: None for name in UNRECORDED}


@contextlib.contextmanager
def intake(root: Path) -> Iterator[Intake]:
    """Open a house with small limits and one pool of cells, for as long as the block lasts."""
    # Prefect must not bring up a server for what is only imported.
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    from flows import ingest
    from tasks import reading

    environment = {f"CUSTODY_{key}": value for key, value in LIMITS.items()}
    with (
        patch.dict(os.environ, environment),
        opened_house(root / "home") as custody,
        patch.dict(vars(ingest), _bodies()),
    ):
        reading.shared_pool.cache_clear()
        try:
            yield Intake(root, custody)
        finally:
            reading.shared_pool().close()
            reading.shared_pool.cache_clear()

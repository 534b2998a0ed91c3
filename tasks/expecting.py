"""Expecting: what an ingest may take, from how long this machine has taken before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from storage.catalogue import doing
from storage.custody import Custody
from tasks.pace import Pace
from tasks.stages import STAGES


def expected(custody: Custody, documents: int, size: int) -> dict[str, float]:
    """Return the seconds that each stage may take, without those that nobody has seen yet."""
    with custody.read() as session:
        known = doing.paces(session)
    found = {}
    for stage in STAGES:
        if stage in known:
            seconds = Pace(**known[stage]).seconds(documents, size)
            if seconds is not None:
                found[stage] = round(seconds, 3)
    return found


def learn(custody: Custody, spent: Mapping[str, tuple[int, int, float]]) -> None:
    """Add what each stage of an ingest took: documents, bytes and seconds."""
    # Judging and settling have no documents of their own; they go with those that came in.
    taken = spent.get("taking", (0, 0, 0.0))[:2]
    if taken == (0, 0):
        return
    with custody.write(durable=False) as session:
        known = doing.paces(session)
        for stage, (_, _, seconds) in spent.items():
            pace = Pace(**known[stage]) if stage in known else Pace()
            doing.put_pace(session, stage, asdict(pace.after(*taken, seconds)))

"""Fifty agencies that wait for news: requests a second, and how soon they learn of a step.

Three times: nobody waits and all ask as fast as they can (what the server takes at most); all wait
and nothing happens (what waiting costs); all wait while steps are recorded by another process, as
by the bureau. The delay is from a step's place in the log to the waiter's answer; the server looks
once in ``CUSTODY_POLL_SECONDS``, half of which is the least that it can be on average.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

from appraisal import acts
from appraisal.commission import Commission
from appraisal.desk import Desk
from storage.catalogue import commissions as rows
from storage.custody import Custody
from tests.bench.figures import Figure, keep
from tests.bench.queue_pages import at, kind_of
from tests.bench.queue_rows import THEIRS
from tests.bench.queue_serving import IDLE, People, Server

_LATEST = 2**53 - 1
"""Asked for what is newer, the queue answers where its log ends."""
_WAIT = 5


class Noting(Desk):
    """A desk that notes when its steps have their place in the log."""

    def __init__(self, custody: Custody) -> None:
        """Use an installation."""
        super().__init__(custody)
        self.recorded: dict[str, float] = {}

    def follow_up(self, commission: Commission) -> None:
        """Note the moment; then as ever."""
        self.recorded.setdefault(commission.commission_no, time.monotonic())
        super().follow_up(commission)


class Waiting:
    """One agency's program: it asks, waits, and asks again."""

    def __init__(self, server: Server, agency: str, token: str, wait: int) -> None:
        """Have a connection of its own."""
        self._client = server.client(Authorization=f"Bearer {token}")
        self._wait, self.agency = wait, agency
        self.asked = 0
        self.told: dict[str, float] = {}
        self.failed: list[str] = []

    def run(self, end: threading.Event) -> None:
        """Ask until the end."""
        try:
            since = self._ask(_LATEST, 0)["cursor"]
            while not end.is_set():
                found = self._ask(since, self._wait)
                self.asked += 1
                since, now = found["cursor"], time.monotonic()
                for each in found["commissions"]:
                    self.told.setdefault(each["commission_no"], now)
        except (RuntimeError, OSError) as error:
            self.failed.append(f"{self.agency}: {error}")
        finally:
            self._client.close()

    def _ask(self, since: int, wait: int) -> dict[str, Any]:
        told = self._client.get(f"/api/v1/changes?since={since}&wait={wait}")
        found: dict[str, Any] = json.loads(told)
        return found


def measure(custody: Custody, server: Server, people: People, seconds: float) -> None:
    """Print all three."""
    print(
        f"  {len(people.tokens) - 1} agencies for {seconds:.0f} s each time; the server looks every"
        f" {custody.settings.poll_seconds} s"
    )
    phase("asking without a pause", custody, server, people, seconds, wait=0)
    phase("waiting, nothing happens", custody, server, people, seconds, wait=_WAIT)
    phase("waiting, steps happen", custody, server, people, seconds, wait=_WAIT, steps=True)


def phase(
    name: str,
    custody: Custody,
    server: Server,
    people: People,
    seconds: float,
    *,
    wait: int,
    steps: bool = False,
) -> None:
    """Let all agencies ask for some seconds, and print what it took."""
    waiting = [
        Waiting(server, agency, token, wait)
        for agency, token in people.tokens.items()
        if agency != IDLE
    ]
    end = threading.Event()
    threads = [threading.Thread(target=each.run, args=(end,)) for each in waiting]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    before, used, started = sum(each.asked for each in waiting), server.used(), time.monotonic()
    desk = Noting(custody)
    if steps:
        take_steps(desk, [each.agency for each in waiting], started + seconds)
    else:
        time.sleep(seconds)
    passed = time.monotonic() - started
    asked = sum(each.asked for each in waiting) - before
    cpu, many, memory = server.used() - used, server.threads(), server.holds()
    if steps:
        time.sleep(2.0)
    end.set()
    for thread in threads:
        thread.join(wait + 30)
    print(
        f"  {name:28} {asked / passed:7.1f} requests/s, {100 * cpu / passed:4.0f}% of a core,"
        f" {many} threads, {memory / 1e6:.0f} MB"
    )
    keep("queue", [Figure(
        f"queue.{kind_of(custody)}.{name}", asked / passed, "requests a second",
        about=f"{len(waiting)} agencies, {100 * cpu / passed:.0f}% of a core",
    )])  # fmt: skip
    for problem in [line for each in waiting for line in each.failed][:3]:
        print(f"    failed: {problem}")
    if steps:
        _delays(desk, waiting)


def take_steps(desk: Noting, agencies: list[str], end: float) -> None:
    """Begin work on accepted commissions of the agencies in turn, until the end."""
    with desk.custody.read() as session:
        mine = defaultdict(list)
        for agency in agencies:
            wanted = rows.Wanted(agency, standing="accepted", today="0001-01-01")
            for row in rows.page(session, wanted, "", 50)[0]:
                mine[agency].append(row["commission_no"])
    turns = [number for place in range(50) for each in mine.values() for number in each[place:][:1]]
    for number in turns:
        if time.monotonic() > end:
            return
        desk.step(number, acts.start(THEIRS, desk.custody.now(), ["陈工", "何工"]))
        with suppress(ValueError):
            time.sleep(min(0.1, end - time.monotonic()))
    time.sleep(max(0.0, end - time.monotonic()))


def _delays(desk: Noting, waiting: list[Waiting]) -> None:
    told = {number: at for each in waiting for number, at in each.told.items()}
    delays = sorted(
        max(0.0, told[number] - recorded) * 1000
        for number, recorded in desk.recorded.items()
        if number in told
    )
    print(
        f"    {len(desk.recorded)} steps, {len(delays)} learnt of; delay"
        f" p50 {at(delays, 0.5):.0f} ms, p99 {at(delays, 0.99):.0f} ms"
    )

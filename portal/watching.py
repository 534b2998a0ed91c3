"""Watching the drop folders: every complete bundle is taken in, and nothing ends the watch.

Whatever goes wrong with one bundle or one unit's folder is told and tried again later, after
longer and longer waits; it harms no other bundle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from portal.running import run_ingest, tell
from portal.show import cell, line
from storage.custody import Custody, current
from storage.errors import CustodyError, InputError
from storage.settings import settings
from tasks import claims
from tasks.drop import DropScanner, Waiting
from tasks.settling import refuse_loose_file

_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3600.0
"""Seconds before what failed is tried again; each further wait is twice as long."""


def watch_drop(*, once: bool, seconds: float) -> None:
    """Scan until stopped; what an earlier process left unfinished comes first.

    With ``once`` two scans are made, which is what it takes to see that a bundle has not
    changed; a bundle that is still growing is named and left.

    Raises:
        HostError: there is no workspace, or its drop folder cannot be read at the start.
    """
    custody, pause = current(), settings().scan_seconds
    watch = Watch(custody)
    ends = time.monotonic() + seconds if seconds else float("inf")
    line(f"监视 watching [bold]{cell(custody.workspace.drop)}[/]，每 {pause:g} 秒")
    watch.begin()
    while True:
        left = ends - time.monotonic()
        time.sleep(max(0.0, min(pause, left)))
        growing = watch.look()
        if once:
            for bundle in growing:
                line(f"[yellow]…[/] {cell(bundle.path.name)} 尚未到齐，未取 still growing, left")
        if once or left <= pause:
            return


@dataclass
class Pace:
    """When what failed may be tried again."""

    _next: dict[str, tuple[float, float]] = field(default_factory=dict)

    def due(self, key: str) -> bool:
        """Say whether something may be tried: it never failed, or its wait is over."""
        return key not in self._next or time.monotonic() >= self._next[key][0]

    def failed(self, key: str) -> None:
        """Note a failure; the next wait is twice the last."""
        wait = min(2 * self._next[key][1], _LONGEST_WAIT) if key in self._next else _FIRST_WAIT
        self._next[key] = time.monotonic() + wait, wait

    def forget(self, key: str) -> None:
        """Note that nothing is left to be tried."""
        self._next.pop(key, None)

    def waiting(self) -> list[str]:
        """Return what failed and is due."""
        return [key for key in self._next if self.due(key)]


class Watch:
    """What a watcher remembers: the last scan, and what failed when."""

    def __init__(self, custody: Custody) -> None:
        """Begin with no scan made."""
        self._custody = custody
        self._scanner = DropScanner(custody.workspace.drop)
        self._bundles, self._claims = Pace(), Pace()
        self._told: set[str] = set()

    def begin(self) -> None:
        """Finish what an earlier process left open, then take what is marked as complete."""
        waiting = self._scanner.scan()
        claims.sweep(self._custody)
        for claim in claims.unfinished(self._custody):
            self._ingest(claim.accession)
        self._take_complete(waiting)

    def look(self) -> list[Waiting]:
        """Scan once and take in what is complete; return what is still growing."""
        try:
            waiting = self._scanner.scan()
        except CustodyError as error:
            self._tell_new({"": f"{error.message} → {error.remedy}"})
            return []
        self._tell_new(self._scanner.unreadable)
        self._take_complete(waiting)
        for accession in self._claims.waiting():
            self._ingest(accession)
        return [bundle for bundle in waiting if not bundle.complete]

    def _tell_new(self, reasons: dict[str, str]) -> None:
        """Tell a fault of a folder when it appears, not at every scan while it lasts."""
        for name in reasons.keys() - self._told:
            line(f"[red]✗[/] {cell(name)} {cell(reasons[name])}")
        self._told = set(reasons)

    def _take_complete(self, waiting: list[Waiting]) -> None:
        for bundle in waiting:
            key = str(bundle.path)
            if bundle.complete and self._bundles.due(key):
                _guard(self._bundles, key, lambda each=bundle: self._take(each))  # type: ignore[misc]

    def _take(self, bundle: Waiting) -> None:
        try:
            claim = claims.claim_bundle(self._custody, bundle.path, bundle.unit, in_place=False)
        except InputError as error:
            # What is gone since the scan was withdrawn, or taken on with an open claim.
            if os.path.lexists(bundle.path) and refuse_loose_file(
                self._custody, bundle.unit, bundle.path, error
            ):
                line(f"[red]✗[/] {cell(bundle.path.name)}: {cell(error.message)}")
            return
        self._ingest(claim.accession)

    def _ingest(self, accession: str) -> None:
        """Ingest one claim; when it fails, the claim stays open unless its bundle is gone."""
        if _guard(self._claims, accession, lambda: tell(run_ingest(accession))):
            return
        if claims.give_up_if_gone(self._custody, accession):
            self._claims.forget(accession)


def _guard(pace: Pace, key: str, act: Callable[[], None]) -> bool:
    """Do something; a failure of whatever kind is told and noted. Return whether it went well."""
    try:
        act()
    except CustodyError as error:
        message, remedy = error.message, error.remedy
    except Exception as error:  # noqa: BLE001 - one bundle must not end the watch for all others
        message, remedy = f"internal error: {type(error).__name__}: {error}", ""
    else:
        pace.forget(key)
        return True
    pace.failed(key)
    line(f"[red]✗[/] {cell(key)}: {cell(message)}")
    line(f"  → {cell(remedy or '稍后重试 it is tried again later')}")
    return False

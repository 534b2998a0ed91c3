"""Watching the drop folders: every complete bundle is taken in, and nothing ends the watch.

Whatever goes wrong with one bundle or one unit's folder is told and tried again later, after
longer and longer waits; it harms no other bundle. Several watchers may look at one folder: a
claim that somebody works on is left alone, and one whose worker has died is taken up.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flows.engine import was_told_to_end
from portal.logs import say
from portal.running import hand_over, run_ingest, tell, why_failed
from portal.show import cell, told
from portal.stopping import Stop, stoppable
from storage.custody import Custody, current
from storage.errors import (
    BusyError,
    CustodyError,
    InputError,
    IntegrityError,
    NotFoundError,
    TransientError,
)
from storage.names import display
from storage.settings import settings
from tasks import claims
from tasks.alerting import alert_event
from tasks.drop import DropScanner, Waiting
from tasks.settling import refuse_loose_file

_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3600.0
"""Seconds before what failed is tried again; each further wait is twice as long."""
_LONGEST_AWAY = 120.0
"""The same for a service that is away: when it is back nobody waits as long again as it was."""
_TRIES = 3
"""How often an ingest may fail before somebody is called."""


def watch_drop(*, once: bool, seconds: float) -> None:
    """Scan until stopped; what an earlier process left unfinished comes first.

    With ``once`` the scans last as long as it takes to see that a bundle has not changed; one
    that is still growing then is named and left. SIGTERM ends the watch after the bundle at
    hand, or in it: its claim is then left for the next start.

    Raises:
        HostError: there is no workspace, or its drop folder cannot be read at the start.
    """
    custody = current()
    pause = settings().scan_seconds
    say("started", f"监视 watching [bold]{cell(custody.workspace.drop)}[/]，每 {pause:g} 秒")
    try:
        with stoppable() as stop:
            _watch(Watch(custody, stop), once=once, seconds=seconds)
    except BaseException as error:
        if not was_told_to_end(error):
            raise
        say("stopped", "■ 已停止，未完成的证据包下次启动时继续 stopped; the next start goes on")


def _watch(watch: Watch, *, once: bool, seconds: float) -> None:
    pause = settings().scan_seconds
    ends = time.monotonic() + seconds if seconds else float("inf")
    watch.begin()
    settled = time.monotonic() + settings().settle_seconds
    while not watch.stop.asked:
        left = ends - time.monotonic()
        watch.stop.sleep(max(0.0, min(pause, left)))
        last = once and time.monotonic() >= settled
        growing = watch.look()
        if last:
            _tell_growing(growing)
        if last or left <= pause:
            return
    say("stopped", "■ 已停止 stopped")


def _tell_growing(growing: list[Waiting]) -> None:
    for bundle in growing:
        name, why = cell(bundle.path.name), cell(bundle.why)
        text = f"[yellow]…[/] {name} 尚未到齐，未取 still growing, left: {why}"
        say("bundle.growing", text, unit=bundle.unit, bundle=display(bundle.path.name))


@dataclass
class Pace:
    """When what failed may be tried again."""

    _next: dict[str, tuple[float, float]] = field(default_factory=dict)

    def due(self, key: str) -> bool:
        """Say whether something may be tried: it never failed, or its wait is over."""
        return key not in self._next or time.monotonic() >= self._next[key][0]

    def failed(self, key: str, longest: float = _LONGEST_WAIT) -> None:
        """Note a failure; the next wait is twice the last, up to the longest."""
        wait = min(2 * self._next[key][1], longest) if key in self._next else _FIRST_WAIT
        self._next[key] = time.monotonic() + wait, wait

    def keep(self, keys: set[str]) -> None:
        """Forget all but these: nothing is left to be tried of the others."""
        self._next = {key: wait for key, wait in self._next.items() if key in keys}


class Watch:
    """What a watcher remembers: the last scan, and what failed when."""

    def __init__(self, custody: Custody, stop: Stop | None = None) -> None:
        """Begin with no scan made."""
        self.stop = stop or Stop()
        self._custody = custody
        self._patience = custody.settings.patience_seconds
        self._scanner = DropScanner(custody.workspace.drop, custody.settings.settle_seconds)
        self._bundles, self._claims = Pace(), Pace()
        self._told: set[str] = set()
        self._lasting: set[str] = set()
        self._alerted: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._handed: Counter[str] = Counter()
        self._hands_over = custody.settings.runs == "workers"

    def begin(self) -> None:
        """Finish what an earlier process left open, then take what is marked as complete.

        Raises:
            HostError: the drop folder cannot be read.
        """
        waiting = self._scanner.scan()
        self._step("claimed/", self._clear_away)
        self._work_through(waiting)

    def look(self) -> list[Waiting]:
        """Scan once and take in what is complete; return what is still growing."""
        self._told, self._lasting = self._lasting, set()
        try:
            waiting = self._scanner.scan()
        except CustodyError as error:
            self._tell_once("", f"{error.message} → {error.remedy}")
            return []
        for unit, why in self._scanner.unreadable.items():
            self._tell_once(unit, why)
        self._work_through(waiting)
        return [bundle for bundle in waiting if not bundle.complete]

    def _work_through(self, waiting: list[Waiting]) -> None:
        self._step("claims", lambda: self._take_up(waiting))
        for bundle in waiting:
            key = str(bundle.path)
            if self.stop.asked:
                return
            # A scan may be long ago by now, with other bundles taken in since then.
            if bundle.complete and self._bundles.due(key) and self._scanner.unchanged(bundle.path):
                _guard(self._bundles, key, lambda each=bundle: self._take(each))  # type: ignore[misc]
        self._bundles.keep({str(bundle.path) for bundle in waiting})
        self._step("alerts", lambda: self._lose_patience(waiting))

    def _clear_away(self) -> None:
        for error in claims.sweep(self._custody):
            text = f"[red]✗[/] {told(error.message)} → {cell(error.remedy)}"
            say("claim.left", text, level="error")

    def _step(self, name: str, act: Callable[[], None]) -> None:
        """Do a part of every scan; what is wrong with it is told when it begins."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - nothing ends the watch
            self._tell_once(name, *_told_of(error))

    def _tell_once(self, name: str, *reasons: str) -> None:
        """Tell a fault when it appears, not at every scan while it lasts."""
        new = name not in self._told | self._lasting
        self._lasting.add(name)
        if new:
            text = f"[red]✗[/] {cell(name)} {cell(' → '.join(filter(None, reasons)))}"
            say("scan.failed", text, level="error", what=display(name))

    def _take_up(self, waiting: list[Waiting]) -> None:
        """Go on with claims on which nobody works; what still lies in the drop waits its turn."""
        there = {str(claims.source_of(bundle.path)) for bundle in waiting}
        left = claims.unfinished(self._custody)
        self._claims.keep({claim.accession for claim in left})
        for claim in left:
            if self.stop.asked:
                return
            dropped = claim.state == "open" and not claim.in_place and claim.source in there
            if self._claims.due(claim.accession) and not dropped:
                self._ingest(claim.accession)

    def _take(self, bundle: Waiting) -> None:
        taking = claims.taking(self._custody, bundle.path, bundle.unit, in_place=False)
        try:
            with taking as claim:
                if not self._hands_over:
                    self._ingest(claim.accession)
            if self._hands_over:
                self._ingest(claim.accession)
        except NotFoundError as error:
            text = f"[yellow]…[/] {cell(bundle.path.name)}: {told(error.message)}"
            say("bundle.gone", text, unit=bundle.unit, bundle=display(bundle.path.name))
        except InputError as error:
            # What is gone since the scan was withdrawn, or taken by another watcher.
            if os.path.lexists(bundle.path) and refuse_loose_file(
                self._custody, bundle.unit, bundle.path, error
            ):
                text = f"[red]✗[/] {cell(bundle.path.name)}: {told(error.message)}"
                about: dict[str, Any] = {"unit": bundle.unit, "bundle": display(bundle.path.name)}
                say("bundle.refused", text, level="warning", **about)

    def _ingest(self, accession: str) -> None:
        """Ingest one claim; when it fails, the claim stays open unless its bundle is gone."""
        if not claims.is_open(self._custody, accession):
            return
        act = self._hand if self._hands_over else self._run
        _guard(self._claims, accession, lambda: act(accession))

    def _hand(self, accession: str) -> None:
        """Ask a worker to ingest a claim on which nobody works, and look again later.

        A run whose worker died is asked for anew: the claim's lock ended with the worker.
        """
        if not claims.is_worked_on(self._custody, accession):
            if claims.give_up_if_gone(self._custody, accession):
                return
            if hand_over(accession):
                text = f"[blue]▶[/] {accession} 交给工作进程 handed to the workers"
                say("bundle.handed_over", text, accession=accession)
                self._handed[accession] += 1
                if self._handed[accession] > 1:
                    reason = why_failed(accession) or "the worker ended without a word"
                    self._call_somebody(accession, TransientError(reason))
        self._claims.failed(accession, _FIRST_WAIT)

    def _run(self, accession: str) -> None:
        with claims.working(self._custody, accession):
            if not claims.is_open(self._custody, accession):
                return  # Whoever worked on it ended in the same moment.
            try:
                tell(run_ingest(accession))
            except Exception as error:
                if not claims.give_up_if_gone(self._custody, accession):
                    self._call_somebody(accession, error)
                raise

    def _call_somebody(self, accession: str, error: Exception) -> None:
        """Raise an alert, once, about an ingest that no further try will end.

        Bytes that are not what they were, and defects, are such at once; all else when it has
        failed again and again.
        """
        self._failures[accession] += 1
        for_good = isinstance(error, IntegrityError) or not isinstance(error, CustodyError)
        if not for_good and self._failures[accession] < _TRIES:
            return
        message = f"{accession} 未能完成接收 cannot be taken in: {'; '.join(_told_of(error))}"
        # What keeps the alert from being recorded is told with the failure itself.
        with suppress(CustodyError):
            event = alert_event(self._custody, "intake", accession, message)
            if event is not None:
                self._custody.record([event])

    def _lose_patience(self, waiting: list[Waiting]) -> None:
        """Raise an alert, once, about what has been incomplete for too long."""
        late = {
            f"{bundle.unit}/{display(bundle.path.name)}": bundle
            for bundle in waiting
            if not bundle.complete and bundle.waited >= self._patience
        }
        for subject in late.keys() - self._alerted:
            why = late[subject].why
            message = (
                f"长时间未到齐，仍在等候 still growing or unfinished: {why}; when it is complete, "
                "put an empty file .done into it"
            )
            self._alerted.add(subject)
            text = f"[yellow]![/] {cell(late[subject].path.name)} {told(message)}"
            say("bundle.late", text, level="warning", unit=late[subject].unit, bundle=subject)
            event = alert_event(self._custody, "intake", subject, f"{subject}: {message}")
            if event is not None:
                self._custody.record([event])
        self._alerted &= late.keys()


def _guard(pace: Pace, key: str, act: Callable[[], None]) -> None:
    """Do something; a failure of whatever kind is told, and noted for its next turn."""
    try:
        act()
    except BusyError:
        return  # Another process is at it; the next scan looks again.
    except Exception as error:  # noqa: BLE001 - one bundle must not end the watch for all others
        message, remedy = _told_of(error)
        away = isinstance(error, CustodyError) and error.transient
        pace.failed(key, _LONGEST_AWAY if away else _LONGEST_WAIT)
        about = "bundle" if "/" in key else "accession"
        what: dict[str, Any] = {about: display(key), "error": type(error).__name__}
        say("bundle.failed", f"[red]✗[/] {cell(key)}: {told(message)}", level="error", **what)
        remedy = remedy or "稍后重试 it is tried again later"
        say("bundle.later", f"  → {told(remedy)}", **what)


def _told_of(error: Exception) -> tuple[str, str]:
    if isinstance(error, CustodyError):
        return error.message, error.remedy
    return f"internal error: {type(error).__name__}: {error}", ""

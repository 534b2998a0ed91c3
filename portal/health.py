"""``custody doctor``: what was seen to work, what is enforced, what is missing. Nothing assumed."""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from portal.show import table
from storage.clock import clock_source
from storage.custody import Custody, open_custody
from storage.errors import CustodyError, IntegrityError
from storage.settings import Settings, settings

State = Literal["ok", "weak", "missing"]
_NEARLY_FULL = 0.1
"""Share of a disk; with less of it free, whoever is on call hears of it too."""
_NO_ROOM = 16 << 20
"""Bytes; with less of them free, no event is sure to be recorded."""
_MARK = {"ok": "[green]✓[/]", "weak": "[yellow]![/]", "missing": "[red]✗[/]"}


@dataclass(frozen=True)
class HealthFinding:
    """One thing examined: ``weak`` works with a caveat, ``missing`` stops something."""

    area: str
    name: str
    state: State
    seen: str

    @property
    def failed(self) -> bool:
        """Whether something cannot work."""
        return self.state == "missing"

    def as_json(self) -> dict[str, Any]:
        """Return the finding for programs."""
        return asdict(self)


def examine() -> list[HealthFinding]:
    """Try everything and return what was seen."""
    chosen = settings()
    return [*_programs(), *_cell(), *_engine(chosen), *_disks(chosen), *_store(chosen)]


def _programs() -> Iterator[HealthFinding]:
    for name, why in (
        ("tesseract", "reading scans"),
        ("bwrap", "the cell"),
        ("openssl", "timestamps"),
    ):
        path = shutil.which(name)
        state: State = "ok" if path else "missing"
        yield HealthFinding("programs", name, state, path or f"not found; needed for {why}")
    for package in ("prefect", "pypdfium2", "pytesseract", "blake3"):
        yield HealthFinding("packages", package, "ok", importlib.metadata.version(package))


def _cell() -> Iterator[HealthFinding]:
    from tasks.reader.report import cell_report

    chosen = settings()
    reduced = chosen.cell == "reduced"
    seen = "reduced: namespaces are not insisted on" if reduced else "full"
    yield HealthFinding("cell", "CUSTODY_CELL", "weak" if reduced else "ok", seen)
    for each in cell_report(chosen.ocr_languages, reduced=reduced).mechanisms:
        state: State = "ok" if each.works else "missing" if each.needed else "weak"
        seen = each.seen if each.works else f"{each.seen}; {each.meaning}"
        yield HealthFinding("cell", each.name, state, seen)


def _engine(chosen: Settings) -> Iterator[HealthFinding]:
    """Say who reads pages, with which models, or why it is not the engine that was chosen."""
    from tasks.reader.engine_report import engine_report

    found = engine_report(chosen.ocr_engine, reduced=chosen.cell == "reduced")
    state: State = "weak" if found.degraded else "ok"
    yield HealthFinding("ocr", found.engine, state if found.usable else "missing", found.seen)


def _disks(chosen: Settings) -> Iterator[HealthFinding]:
    """Say how full the disks are on which an installation writes, each once."""
    seen = set[int]()
    paths = {"home": chosen.home, "store": chosen.home / "objects"}
    for name, path in {**paths, "temporary": Path(tempfile.gettempdir())}.items():
        if not path.exists() or path.stat().st_dev in seen:
            continue
        seen.add(path.stat().st_dev)
        usage = shutil.disk_usage(path)
        free = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free ({path})"
        state: State = "weak" if usage.free < usage.total * _NEARLY_FULL else "ok"
        if usage.free < _NO_ROOM:
            state, free = "missing", f"{free}: nothing more can be taken in (docs/runbook.md)"
        yield HealthFinding("disk", name, state, free)


def _store(chosen: Settings) -> Iterable[HealthFinding]:
    try:
        custody = open_custody(chosen)
        report = custody.objects.probe()
    except CustodyError as error:
        return [HealthFinding("store", "open", "missing", f"{error.message}; {error.remedy}")]
    opened = HealthFinding("store", "store", "ok", report.description)
    head = custody.log.checkpoint_text().splitlines()
    return [
        opened,
        *(
            HealthFinding("store", each.name, "ok" if each.enforced else "weak", each.seen)
            for each in report.capabilities
        ),
        HealthFinding("log", "checkpoint", "ok", f"{head[0]}, {head[1]} entries"),
        *_anchors(custody),
        *_handovers(custody),
        *_notices(custody),
    ]


def _notices(custody: Custody) -> Iterator[HealthFinding]:
    """Say by which channels notices go out, what waits, and when the clocks were last chased."""
    from tasks.chasing import standing
    from tasks.posting import examine_channels

    for channel, usable, seen in examine_channels(custody.settings):
        yield HealthFinding("notices", channel.value, "ok" if usable else "weak", seen)
    found = standing(custody)
    waits = f"last chased: {found['last_run'] or 'never'}; {found['waiting']} waiting"
    weak = not found["current"] or found["waiting"]
    yield HealthFinding("notices", "chasing", "weak" if weak else "ok", waits)


def _handovers(custody: Custody) -> Iterator[HealthFinding]:
    """Say which hand-overs wait too long for their receipt, and what the clock is steered by."""
    from tasks.open_handovers import open_handovers

    days = custody.settings.handover_days
    late = open_handovers(custody, days)
    names = "、".join(f"{row['handover_no']} ({row['days']} d)" for row in late[:5])
    more = f" +{len(late) - 5}" if len(late) > 5 else ""
    seen = f"{len(late)} without receipt after {days} days: {names}{more}"
    yield HealthFinding(
        "custody", "hand-overs", "weak" if late else "ok", seen if late else "none overdue"
    )
    source = clock_source()
    yield HealthFinding("clock", "source", "ok" if source.startswith("ntp") else "weak", source)


def _anchors(custody: Custody) -> Iterator[HealthFinding]:
    """Say how each timestamp authority stands, and whether a day's records got no timestamp."""
    from tasks.anchored import listing

    try:
        found = listing(custody, 1)
    except CustodyError as error:
        yield HealthFinding("anchor", "authorities", "missing", f"{error.message}; {error.remedy}")
        return
    if not found["authorities"]:
        yield HealthFinding(
            "anchor", "authorities", "weak", "none is configured: nobody says when the log was so"
        )
        return
    for each in found["authorities"]:
        name = f"{each['name']} {each['algorithm']}"
        seen = f"{each['size']} entries at {each['gen_time']}" if each["size"] else "no timestamp"
        state: State = "ok" if each["size"] and not each["exit_code"] else "weak"
        if each["exit_code"]:
            state = "missing" if each["exit_code"] == IntegrityError.exit_code else "weak"
            seen = f"failed at {each['failed_at']}: {each['failure']}; before that: {seen}"
        yield HealthFinding("anchor", name, state, seen)
    days = [each["day"] for each in found["days"]]
    late = f"{len(days)} not stamped in time, the last {days[-1]}" if days else "all in time"
    yield HealthFinding("anchor", "days", "weak" if days else "ok", late)


def print_health(findings: list[HealthFinding]) -> None:
    """Print the findings as a table."""
    from portal.show import line

    rows = [(each.area, each.name, each.state, each.seen) for each in findings]
    table("检查 doctor", ("范围", "项目", "状态", "所见 seen"), rows)
    for each in findings:
        if each.state != "ok":
            line(f"{_MARK[each.state]} {each.area}: {each.name} — {each.seen}")

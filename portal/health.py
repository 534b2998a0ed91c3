"""``custody doctor``: what was seen to work, what is enforced, what is missing. Nothing assumed."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from portal.show import table
from storage.custody import open_custody
from storage.errors import CustodyError
from storage.settings import Settings, settings

State = Literal["ok", "weak", "missing"]
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
    return [*_programs(), *_cell(), *_store(chosen)]


def _programs() -> Iterator[HealthFinding]:
    for name, why in (
        ("tesseract", "reading scans"),
        ("bwrap", "the cell"),
    ):
        path = shutil.which(name)
        state: State = "ok" if path else "missing"
        yield HealthFinding("programs", name, state, path or f"not found; needed for {why}")
    for package in ("prefect", "pypdfium2", "pytesseract", "blake3"):
        yield HealthFinding("packages", package, "ok", importlib.metadata.version(package))


def _cell() -> Iterator[HealthFinding]:
    from tasks.reader.report import cell_report

    for each in cell_report(settings().ocr_languages).mechanisms:
        state: State = "ok" if each.works else "missing" if each.needed else "weak"
        yield HealthFinding("cell", each.name, state, each.seen)


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
    ]


def print_health(findings: list[HealthFinding]) -> None:
    """Print the findings as a table."""
    from portal.show import line

    rows = [(each.area, each.name, each.state, each.seen) for each in findings]
    table("检查 doctor", ("范围", "项目", "状态", "所见 seen"), rows)
    for each in findings:
        if each.state != "ok":
            line(f"{_MARK[each.state]} {each.area}: {each.name} — {each.seen}")

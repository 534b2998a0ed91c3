"""Where the costs of the model come from: kept figures, or numbers written down before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.log import AT_ONCE
from tests.bench.figures import Kept, load
from tests.bench.scale import Cost, Costs, Sequencer

TRIAL = "a trial before the first line was written, two shared cores"


@dataclass(frozen=True)
class _Wanted:
    """A cost: which figure gives it, how, and what is used until there is one."""

    figure: str
    unit: str
    value: float
    source: str
    of: Callable[[Kept], float | None] = lambda kept: kept.figure.value


_PREFECT = "`tests.bench prefect_tables`, on PostgreSQL, before the first report"
_LOG = "`tests.bench log_store`, before the first report"
_CPU = "processor time of client and PostgreSQL, one after the other, before the first report"
_ROWS = "`tests.bench rows`, 200 PDF files of 3 pages on PostgreSQL, before the first report"
_WANTED = {
    "sm3": _Wanted("ingest.large.share", "MB/s", 280, TRIAL, lambda kept: kept.figure.peer_value),
    "blake3": _Wanted("verify.blake3.rate", "MB/s", 3_800, TRIAL),
    "stored": _Wanted("ingest.large.rate", "MB/s", 240, "85% of SM3 in that trial"),
    "taken": _Wanted("ingest.documents.rate", "documents/s", 300, "the goal, not yet measured"),
    "ocr": _Wanted("ocr.rapid.speed", "pages/min on two cores", 45.4, "`docs/layout.md`"),
    "text": _Wanted("ocr.text_layer.speed", "pages/min on two cores", 35_285, "`docs/layout.md`"),
    "cell": _Wanted("cell.documents", "documents/s on two cores", 325, "`docs/cell.md`"),
    "events_a_document": _Wanted("rows.events", "events", 2.03, _ROWS),
    "rows_a_document": _Wanted("rows.rows", "rows", 59.1, _ROWS),
    "database_event": _Wanted("rows.database.log", "bytes an event", 3_773, _ROWS),
    "database_page": _Wanted("rows.database.text", "bytes a page", 9_039, _ROWS),
    "database_document": _Wanted("rows.database.rest", "bytes a document", 14_664, _ROWS),
    "leaf": _Wanted("rows.leaf", "bytes an event", 2_349, _ROWS),
    "objects": _Wanted("rows.objects", "objects a document", 2.01, _ROWS),
    "derived_page": _Wanted("rows.derivatives", "bytes a page", 1_900, _ROWS),
    "sequenced": _Wanted("log.postgresql.bulk", "events/s", 3_400, _CPU),
    "one_more": _Wanted("log.postgresql.one_more", "ms", 6.0, "assumed: two flushes of 3 ms"),
    "audit": _Wanted("log.audit", "µs an event", 17, TRIAL),
    "s3_requests": _Wanted(
        "s3.requests", "requests a document", 13, "`tests.bench s3`, before the first report"
    ),
    "s3_rate": _Wanted("s3.rate", "requests/s", 130, f"small puts, 8 at once, in {TRIAL}"),
    "s3_request_ms": _Wanted("s3.request", "ms", 8, "assumed until measured"),
    "log_requests": _Wanted("log.s3.requests", "requests an event alone", 8, _LOG),
    "log_bulk_requests": _Wanted("log.s3.bulk_requests", "requests an event", 0.0248, _LOG),
    "log_flushes": _Wanted("log.folder.flushes", "flushes an event alone", 8, _LOG),
    "prefect_rows": _Wanted("prefect.rows", "rows a bundle", 168, _PREFECT),
    "prefect_bytes": _Wanted("prefect.bytes", "bytes a bundle", 147_456, _PREFECT),
    "prefect_seconds": _Wanted("prefect.seconds", "s a bundle", 2.0, "the goal, not measured"),
    "portal": _Wanted(
        "queue.postgresql.asking without a pause", "requests/s", 300, "assumed until measured"
    ),
}


def find(folder: Path) -> dict[str, Cost]:
    """Return every cost, from the figures of a folder where they are kept."""
    kept = {
        each.figure.name: each
        for path in sorted(folder.glob("*.json"))
        if path.stem != "runs" and path.suffixes == [".json"]  # A profile lies beside its figures.
        for each in load(path)
    }
    return {name: _cost(wanted, kept.get(wanted.figure)) for name, wanted in _WANTED.items()}


def _cost(wanted: _Wanted, kept: Kept | None) -> Cost:
    value = wanted.of(kept) if kept else None
    if kept is None or not value:
        return Cost(wanted.value, wanted.unit, wanted.source)
    return Cost(value, wanted.unit, f"`{wanted.figure}`, {kept.at[:10]}")


def write(path: Path, costs: Costs) -> None:
    """Keep the costs that a document was computed from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {name: asdict(each) for name, each in costs.items()}
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def read(path: Path) -> dict[str, Cost]:
    """Return the costs that a document was computed from."""
    return {name: Cost(**each) for name, each in json.loads(path.read_text()).items()}


def sequencers(costs: Costs) -> dict[str, Sequencer]:
    """Return the sequencers that are compared: in a folder, on S3, and on S3 as it once was.

    A transaction's own cost is half of what one more event takes alone, the checkpoint the other
    half; an event's share is what is left of the bulk rate. On S3 a file of the log is asked for,
    written and read back, several files side by side; the checkpoint, written and read back, comes
    after them.
    """
    one = costs["one_more"].value / 1000
    each = max(1e-6, 1 / costs["sequenced"].value - one / 2 / 1024)
    request = costs["s3_request_ms"].value / 1000
    return {
        "log in a folder": Sequencer(one / 2, each, one / 2, 0.0002),
        "log in S3": Sequencer(one / 2, each, one / 2 + 5 * request, 3 * request / AT_ONCE),
        "log in S3, one file after another": Sequencer(
            one / 2, each, one / 2 + 8 * request, 3 * request
        ),
    }

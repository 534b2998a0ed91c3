"""The unit's board: ``status.json`` and ``status.txt`` in its drop folder while work goes on.

Both are replaced whole by a rename, so that nobody reads half of one; nothing that the unit
drops is touched. When nothing is under way they say so.
"""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.catalogue import doing
from storage.clock import stamp
from storage.custody import Custody
from storage.names import visible
from storage.workspace import temporary_name
from tasks.stages import STAGES, Doing

BOARDS = ("status.json", "status.txt")
ALIVE_SECONDS = 30.0
"""A process that has said nothing for so long has probably ended."""


def post_board(custody: Custody, unit: str) -> None:
    """Write down what is under way for a unit, if it has a drop folder."""
    folder = custody.workspace.drop / unit
    if not unit or not folder.is_dir():
        return
    with custody.read() as session:
        rows = doing.everything(session, unit)
    now = time.time()
    lines = [told(row, now, custody.settings.timezone) for row in rows]
    data = {"schema": "zhenglian.status/1", "as_of": custody.now(), "ingests": lines}
    text = "".join(f"{each['text_zh']}\n{each['text_en']}\n\n" for each in lines)
    head = f"截至 as of {data['as_of']}\n\n"
    _replace(folder / BOARDS[0], json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    _replace(folder / BOARDS[1], head + (text or "没有正在处理的证据包。 Nothing is under way.\n"))


def clear_board(custody: Custody, unit: str) -> None:
    """Write the board again without what has ended; a unit that never had one gets none."""
    if (custody.workspace.drop / unit / BOARDS[0]).exists():
        with contextlib.suppress(OSError):
            post_board(custody, unit)


def _replace(path: Path, text: str) -> None:
    """Replace a file whole; it need not survive a power loss, so nothing waits for the disk."""
    temporary = temporary_name(path)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def told(row: dict[str, Any], now: float, zone: str) -> dict[str, Any]:
    """Return one ingest for people and programs; ``seconds_left`` is null where unknown."""
    values = dict(row)
    alive = float(values.pop("alive"))
    state = Doing(**values)
    left = state.left(now)
    gone = now - alive > ALIVE_SECONDS
    zh, en = STAGES[state.stage]
    return {
        "accession": state.accession,
        "bundle": state.name,
        "unit": state.unit,
        "stage": state.stage,
        "stage_zh": zh,
        "done": state.done,
        "total": state.total,
        "bytes_done": state.size_done,
        "bytes": state.size,
        "percent": round(100 * state.share),
        "item": state.item,
        "page": state.page,
        "pages": state.pages,
        "began_at": _at(state.began, zone),
        "last_progress_at": _at(state.moved, zone),
        "seconds_without_progress": max(0, round(now - state.moved)),
        "seconds_left": None if left is None or gone else round(left),
        "working": not gone,
        "text_zh": _text_zh(state, zh, left, now, gone),
        "text_en": _text_en(state, en, left, now, gone),
    }


def _at(seconds: float, zone: str) -> str:
    return stamp(datetime.fromtimestamp(seconds, UTC), zone)


def _text_zh(state: Doing, stage: str, left: float | None, now: float, gone: bool) -> str:
    counted = f"，{state.done}/{state.total} 件" if state.total else ""
    page = f"，第 {state.page}/{state.pages} 页" if state.pages else ""
    ending = "处理进程已停止，重新启动监视后继续" if gone else _left_zh(left)
    quiet = round(now - state.moved)
    return (
        f"{visible(state.name)}（{state.accession}）：{stage}{counted}{page}，"
        f"{round(100 * state.share)}%，{quiet} 秒前有进展；{ending}"
    )


def _text_en(state: Doing, stage: str, left: float | None, now: float, gone: bool) -> str:
    counted = f", {state.done} of {state.total}" if state.total else ""
    page = f", page {state.page} of {state.pages}" if state.pages else ""
    ending = "its process has ended; it goes on once the watcher runs" if gone else _left_en(left)
    quiet = round(now - state.moved)
    return (
        f"{visible(state.name)} ({state.accession}): {stage}{counted}{page}, "
        f"{round(100 * state.share)}%, progress {quiet} s ago; {ending}"
    )


def _left_zh(left: float | None) -> str:
    return "所需时间未知" if left is None else f"预计还需 {span_zh(left)}"


def _left_en(left: float | None) -> str:
    return "time to expect unknown" if left is None else f"about {span_en(left)} left"


def span_zh(seconds: float) -> str:
    """Return a span as people say it in Chinese."""
    if seconds < 90:
        return f"{max(1, round(seconds))} 秒"
    minutes = seconds / 60
    return f"{round(minutes)} 分钟" if minutes < 90 else f"{minutes / 60:.1f} 小时"


def span_en(seconds: float) -> str:
    """Return a span as people say it in English."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{round(minutes)} min" if minutes < 90 else f"{minutes / 60:.1f} h"

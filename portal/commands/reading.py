"""The command ``read``: what was read of an exhibit, its tables, its readings and their changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portal.commands.cases import STATES, EngineNames, Json, ReadName, Stages
from portal.commands.copying import copy_pdf

if TYPE_CHECKING:
    from tasks.reader.answer import Page
    from tasks.readings import PageChange
    from tasks.rereading import Selection

_BESIDE = 12
"""Characters of what agrees that are shown before and after what does not."""


Two = Annotated[
    tuple[int, int],
    typer.Option(
        "--diff",
        metavar="OLD NEW",
        show_default=False,
        help="Show what two readings differ in.",
    ),
]


def read(
    name: ReadName,
    again: Annotated[bool, typer.Option("--again", help="Read again, and record it.")] = False,
    part: Annotated[str, typer.Option(help="One part of the exhibit, as 2/0.")] = "",
    media_type: Annotated[
        str, typer.Option("--type", help="With --again: only this type, or its beginning.")
    ] = "",
    stage: Annotated[Stages | None, typer.Option(help="With --again: repeat only this.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="With --again: only what was not wholly read.")
    ] = False,
    engine: Annotated[
        EngineNames | None, typer.Option(help="With --again: who reads pages by OCR.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the tables on its pages.")] = False,
    boxes: Annotated[
        bool,
        typer.Option("--boxes", help="As JSON, with the places of a PDF's own words."),
    ] = False,
    readings: Annotated[
        bool, typer.Option("--readings", help="List every reading on record.")
    ] = False,
    diff: Two = (0, 0),
    pdf: Annotated[bool, typer.Option("--pdf", help="Write a searchable copy of a scan.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", show_default=False, help="With --pdf: the new file.")
    ] = None,
    json: Json = False,
) -> None:
    """Print the text that was read from an exhibit (not evidence), or read it again."""
    from tasks.rereading import Selection
    from tasks.transcribing import Stage

    compared = diff != (0, 0)
    _check_alone(
        {"--again": again, "--csv": csv, "--readings": readings, "--diff": compared}
        | {"--pdf": pdf or out is not None, "--boxes": boxes},
        selected=bool(media_type or failed or stage or engine),
        part=part,
    )
    if again:
        chosen = Stage(stage.value) if stage else Stage.ALL
        by = engine.value if engine else ""
        _read_again(name, Selection(media_type, failed, part, chosen), by, json=json)
    elif pdf or out is not None:
        copy_pdf(name, part, out)
    elif csv:
        _print_tables(name, part)
    elif readings:
        _print_readings(name, json=json)
    elif compared:
        _print_changes(name, diff, json=json)
    else:
        _print_reading(name, part, json=json or boxes, boxes=boxes)


def _check_alone(ways: dict[str, bool], *, selected: bool, part: str) -> None:
    """Refuse options that do not go together."""
    from storage.errors import InputError

    given = [way for way, is_given in ways.items() if is_given]
    if selected and not ways["--again"]:
        raise InputError(
            "--type、--failed、--stage、--engine 须与 --again 同用 they choose what is read again",
            remedy="add --again",
        )
    if len(given) > 1:
        raise InputError(
            f"{'、'.join(given)} 不能同用 only one at a time", remedy="run the command twice"
        )
    if part and (ways["--readings"] or ways["--diff"]):
        raise InputError(
            "部分的各次识读不单独列出 the readings of a part are those of its exhibit",
            remedy="leave --part out",
        )


def _read_again(name: str, selection: Selection, engine: str, *, json: bool) -> None:
    from dataclasses import asdict

    from portal.show import as_json, line, table
    from storage.custody import current
    from tasks.reading import pool_with
    from tasks.rereading import read_again

    with pool_with(engine) as pool:
        results = read_again(current(), pool, name, selection)
    if json:
        as_json([asdict(each) for each in results])
    elif not results:
        line("没有符合条件的项目 / nothing was chosen")
    else:
        rows = [
            (
                each.exhibit_id,
                each.name,
                STATES.get(each.state, each.state),
                each.pages,
                each.reason,
            )
            for each in results
        ]
        table("已重新识读 read again", ("编号", "名称", "状态", "页", "说明"), rows)


def _print_reading(name: str, part: str, *, json: bool, boxes: bool) -> None:
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.placing import with_boxes
    from tasks.reading import shared_pool, text_of

    kind, state, transcript = text_of(current(), name, part)
    if boxes:
        transcript = with_boxes(current(), shared_pool(), name, part, transcript)
    if json:
        as_json(transcript.as_json())
        return
    line(f"[dim]{cell(kind)}，{STATES.get(state, state)} · 识读文本，非证据 not evidence[/]")
    if transcript.reason:
        line(f"[yellow]![/] {cell(transcript.reason)}")
    for page in transcript.pages:
        label = f"{cell(page.label)} " if page.label else ""
        line(f"[bold]— {page.number} {label}({page.origin})[/]")
        line("\n".join(_shown(row) for row in page.text.splitlines()))


def _shown(row: str) -> str:
    """Return a line of text as a terminal shows it; what parts cells is space there."""
    from portal.show import cell

    return cell(row.replace("\t", "    "))


def _print_tables(name: str, part: str) -> None:
    """Write CSV as a file has it: with the mark by which spreadsheets know UTF-8."""
    from storage.custody import current
    from storage.errors import NotFoundError
    from tasks.reading import text_of
    from tasks.tables import tables_csv

    _, _, transcript = text_of(current(), name, part)
    text = tables_csv(transcript)
    if not text:
        raise NotFoundError(
            "识读文本中没有表格 no table was seen on its pages",
            remedy="see its text: custody read EXHIBIT",
        )
    sys.stdout.write(text if sys.stdout.isatty() else f"\ufeff{text}")


def _print_readings(name: str, *, json: bool) -> None:
    from dataclasses import asdict

    from portal.show import as_json, table
    from storage.custody import current
    from tasks.readings import readings

    found = readings(current(), name)
    if json:
        as_json([{**asdict(each), "place": each.place.as_json()} for each in found])
        return
    rows = [
        (
            each.number,
            each.at,
            STATES.get(each.state, each.state),
            f"{each.pages} ({each.ocr_pages})",
            "" if each.confidence is None else f"{each.confidence / 10:.1f}%",
            "、".join(each.engines) or "—",
            "，".join(f"{key} {value}" for key, value in sorted(each.settings.items())),
            each.sha256,
        )
        for each in found
    ]
    heads = ("次", "时间", "状态", "页 (OCR)", "置信度", "引擎 engine", "设置", "文本 SHA-256")
    table(f"识读记录（非证据） readings of {name}, not evidence", heads, rows)


def _print_changes(name: str, numbers: tuple[int, int], *, json: bool) -> None:
    from portal.show import as_json, line
    from storage.custody import current
    from tasks import readings

    custody = current()
    found = readings.readings(custody, name)
    old, new = (readings.chosen(found, number) for number in numbers)
    told = [readings.transcript_of_reading(custody, each) for each in (old, new)]
    changes = list(readings.changes(*told))
    if json:
        as_json([readings.as_json(each) for each in changes])
        return
    if not changes:
        line(f"第 {old.number} 次与第 {new.number} 次识读逐页相同 / both say the same")
    for each in changes:
        _print_change(each)


def _print_change(change: PageChange) -> None:
    from portal.show import line

    share = f"相同 same {change.permille / 10:.1f}%"
    line(f"[bold]— {change.number} ({_by(change.old)} → {_by(change.new)})[/] {share}")
    for text in _marked(change):
        line(text)


def _by(page: Page | None) -> str:
    from portal.show import cell

    if page is None:
        return "无此页 not there"
    return cell(" ".join(filter(None, (page.origin, page.engine, page.version))))


def _marked(change: PageChange) -> Iterator[str]:
    """Yield what differs, old then new, each between a little of what agrees around it."""
    old, new = change.texts
    for run in change.runs:
        if run.same:
            continue
        before = old[max(0, run.start - _BESIDE) : run.start]
        after = old[run.end : run.end + _BESIDE]
        for sign, colour, text in (
            ("-", "red", old[run.start : run.end]),
            ("+", "green", new[run.other_start : run.other_end]),
        ):
            yield f"{sign} {_flat(before)}[{colour}]⟦{_flat(text)}⟧[/]{_flat(after)}"


def _flat(text: str) -> str:
    return _shown(text.replace("\n", "↵"))

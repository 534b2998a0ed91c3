"""The hand-over sheet (交接单) on paper: what changed hands, and both acknowledgements.

Made from the recorded events alone, so that it can be made again, under
``packages/handovers/<number>.pdf``. It carries the newest checkpoint: whoever keeps the paper
can show later that the log was rolled back. (RULES CU-02, CU-03, CU-06.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appraisal.paper import Cell, Document, Label, Line, Mono, Signature, Strong
from storage.catalogue import handovers, queries
from storage.custody import Custody
from storage.event import Action, CustodyEvent, decode
from storage.names import display
from storage.nouns import Person, exhibit_no
from storage.workspace import write_durably

Placed = tuple[int, CustodyEvent]


@dataclass(frozen=True)
class Sheet:
    """Everything that a sheet prints."""

    number: str
    case_no: str
    issuer: str
    exhibits: Sequence[Mapping[str, Any]]
    released: Sequence[Placed]
    received: Sequence[Placed]
    checkpoint: str


def keep_sheet(custody: Custody, row: Mapping[str, Any]) -> Path:
    """Write the sheet of a received hand-over and return where it lies."""
    with custody.read() as session:
        case = queries.find_case(session, row["case_id"])
        names = set(row["exhibits"])
        every = queries.each_exhibit(session, row["case_id"])
        listed = [each for each in every if each["exhibit_id"] in names]
        actions = (Action.RELEASED, Action.ACKNOWLEDGED)
        indexes = handovers.action_indexes(session, row["case_id"], actions)
        entries = handovers.leaves(session, indexes)
        ends = ((index, decode(leaf)) for index, leaf in entries)
        own = [each for each in ends if each[1].details.get("handover_no") == row["number"]]
    sheet = Sheet(
        row["number"],
        case["case_no"],
        custody.receiver().unit,
        listed,
        [each for each in own if each[1].action is Action.RELEASED],
        [each for each in own if each[1].action is Action.ACKNOWLEDGED],
        custody.log.checkpoint_text(),
    )
    folder = custody.workspace.packages / "handovers"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row['number']}.pdf"
    write_durably(path, render_sheet(sheet))
    return path


def render_sheet(sheet: Sheet) -> bytes:
    """Return the printable sheet; equal sheets give equal bytes.

    Raises:
        HostError: a font is missing.
    """
    title = ("证据交接单", "Hand-over of evidence")
    paper = Document(title, sheet.number, issuer=sheet.issuer)
    released, received = sheet.released[0], sheet.received[0]
    facts: list[tuple[Label, Cell]] = [
        (("案号", "Case number"), Strong(sheet.case_no)),
        (("事由", "Purpose"), released[1].purpose),
        (("件数", "Items"), str(len(sheet.exhibits))),
    ]
    if returns := released[1].details.get("returns"):
        facts.append((("系归还", "Return of"), str(returns)))
    paper.section("一、基本情况", "Facts").keyvalues(facts, 0.24)
    paper.section("二、移交", "Release").keyvalues(
        _end(sheet.released, "移交人", "Released by"), 0.24
    )
    addressee = Person.from_json(released[1].details["to"])
    paper.keyvalues([(("接收人", "Addressee"), _person(addressee))], 0.24)
    paper.section("三、签收", "Receipt").keyvalues(
        _end(sheet.received, "签收人", "Received by"), 0.24
    )
    _items(paper, sheet)
    _proof(paper, sheet)
    paper.signatures(
        _signature(("移交人", "Released by"), released[1].actor),
        _signature(("签收人", "Received by"), received[1].actor),
    )
    return paper.render()


def _end(placed: Sequence[Placed], zh: str, en: str) -> list[tuple[Label, Cell]]:
    """Return the facts of one end; many exhibits are several entries that say the same."""
    event = placed[0][1]
    details = event.details
    rows: list[tuple[Label, Cell]] = [
        ((zh, en), _person(event.actor)),
        (("时间", "Time"), event.occurred_at.replace("T", " ", 1)),
        (("地点", "Place"), display(event.place)),
        (("状况", "Condition"), display(str(details.get("condition", "")))),
        (("代签事由", "On behalf"), display(str(details.get("on_behalf", "")))),
        (("文书", "Document"), display(str(details.get("document_ref", "")))),
        (("记录序号", "Log entry"), Mono("、".join(str(index) for index, _ in placed))),
    ]
    return [row for row in rows if row[1]]


def _person(person: Person) -> str:
    parts = (person.unit, person.name, person.id, person.phone)
    return "  ".join(display(part) for part in parts if part)


def _items(paper: Document, sheet: Sheet) -> None:
    before = _values(sheet.released, "seal_before")
    after = _values(sheet.received, "seal_after")
    digests = _values(sheet.received, "digest_after")
    rows: list[list[Cell]] = []
    for each in sheet.exhibits:
        name = each["exhibit_id"]
        seals = [f"交 {before.get(name) or '无'}", f"收 {after.get(name) or '无'}"]
        what: list[Line] = [Strong(each["name"]), Mono(digests.get(name, ""), "SHA-256")]
        rows.append([exhibit_no(each["number"]), what, list[Line](seals)])
    headings = (("编号", "No."), ("证据", "Exhibit"), ("封条", "Seal"))
    paper.section("四、证据", "Exhibits").table(headings, rows, (0.8, 6, 1.8))


def _values(events: Iterable[Placed], key: str) -> dict[str, str]:
    return {name: value for _, event in events for name, value in event.details[key].items()}


def _proof(paper: Document, sheet: Sheet) -> None:
    lines = [Mono(line) for line in sheet.checkpoint.split("\n") if line]
    paper.section("五、保管日志检查点", "Checkpoint of the custody log")
    paper.keyvalues([(("检查点", "Checkpoint"), list[Line](lines))], 0.24)


def _signature(role: Label, person: Person) -> Signature:
    return Signature(role, ((("单位", "Unit"), person.unit), (("姓名", "Name"), person.name)))

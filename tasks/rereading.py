"""Reading again: an item, a type, a stage, or what failed, and nothing else.

The new reading stands beside the old one in the log, and the newest counts. Parts that are read
again are taken out of their container once more and recorded together, one listing an exhibit;
what was not asked for stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from storage.catalogue import parts, queries
from storage.custody import Custody
from storage.errors import CustodyError, InputError, NotFoundError, StateError
from storage.objects import ObjectRef
from tasks.account import FAILED, State
from tasks.accounting import exhibit_state
from tasks.bundle import batches
from tasks.expanded import listed, record_listing, transcript_of
from tasks.expanding import PoolOpener
from tasks.kept_files import opened
from tasks.partlist import Heading, Part
from tasks.reader.answer import UNLOCKED, Transcript
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents
from tasks.reading import ReadResult, after, new_expander, read_exhibits
from tasks.transcribing import Stage


@dataclass(frozen=True)
class Selection:
    """What is read again; all that is given must hold.

    ``media_type`` is a whole type or its beginning (``image/``); ``part`` the path of one part;
    ``unlocked`` says who gave the password that the pool has.
    """

    media_type: str = ""
    failed: bool = False
    part: str = ""
    stage: Stage = Stage.ALL
    unlocked: Mapping[str, Any] | None = None

    @property
    def narrow(self) -> bool:
        """Whether parts are chosen one by one, and not by the exhibit that holds them."""
        return bool(self.media_type or self.failed or self.part) or self.stage in _OWN_TEXT


_OWN_TEXT = frozenset({Stage.TEXT, Stage.OCR})
_BY_OCR = frozenset({State.OCR, State.PARTLY_READ})


def read_again(
    custody: Custody, pool: CellPool, name: str, selection: Selection
) -> list[ReadResult]:
    """Read what is selected of an exhibit or a case again, and record it.

    Raises:
        InputError: a part is asked for, and no exhibit.
        NotFoundError: there is no such case, exhibit or part.
    """
    exhibits, case = _named(custody, name)
    if selection.part and len(exhibits) != 1:
        raise InputError(
            "部分属于某一件证据 a part is one of an exhibit", remedy="name it as CASE/E0001"
        )
    whole = [] if selection.part else [e for e in exhibits if _wanted(e, selection)]
    locked = [] if pool.has_password else _locked(custody, whole, alone=len(exhibits) == 1)
    names = [each["exhibit_id"] for each in whole if each not in locked]
    results = [_left_as_it_is(each) for each in locked]
    results += [
        result
        for some in batches(names, custody.settings.batch_size)
        for result in read_exhibits(
            custody, pool, some, again=True, stage=selection.stage, unlocked=selection.unlocked
        )
    ]
    if selection.narrow:
        # What an expansion just made again is not done twice.
        made = set(names) if selection.stage not in _OWN_TEXT else set()
        rows = _parts(custody, exhibits, case, selection)
        if not pool.has_password:
            kept = [row for row in rows if row["code"] == UNLOCKED]
            if kept and selection.part:
                raise _needs_password(kept[0]["exhibit_id"], f" --part {selection.part}")
            rows = [row for row in rows if row not in kept]
        results += _again(custody, pool, exhibits, rows, made, selection)
    return results


def _locked(
    custody: Custody, exhibits: Sequence[dict[str, Any]], *, alone: bool
) -> list[dict[str, Any]]:
    """Return those that were read, or hold what was read, with a password that is not here.

    Read again without it they would be locked again, and what was found in them be lost.
    """
    with custody.read() as session:
        found = [
            each
            for each in exhibits
            if (each["reading"] and each["reading"]["details"].get("unlocked"))
            or any(row["code"] == UNLOCKED for row in parts.of_exhibit(session, each["exhibit_id"]))
        ]
    if found and alone:
        raise _needs_password(found[0]["exhibit_id"])
    return found


def _needs_password(exhibit: str, part: str = "") -> StateError:
    return StateError(
        f"{exhibit}{part} 曾用密码打开，须再次给出密码 was read with a password and needs it again",
        remedy=f"custody unlock {exhibit}{part}",
    )


def _left_as_it_is(exhibit: dict[str, Any]) -> ReadResult:
    reading = exhibit["reading"]
    why = "需再次给出密码，未重新识读 needs its password again; left as it is"
    return ReadResult(
        exhibit["exhibit_id"], exhibit["name"], reading["state"], reading["pages"], why
    )


def _named(custody: Custody, name: str) -> tuple[list[dict[str, Any]], str]:
    """Return the exhibits that a name means, each with its reading, and their case."""
    with custody.read() as session:
        try:
            case = queries.find_case(session, name)["case_id"]
            only = ""
        except NotFoundError:
            found = queries.find_exhibit(session, name)
            case, only = found["case_id"], found["exhibit_id"]
        rows = queries.list_exhibits(session, case)
        wholes = parts.whole_of_case(session, case)
    return [
        {**row, "whole": wholes.get(row["exhibit_id"])}
        for row in rows
        if not only or row["exhibit_id"] == only
    ], case


def _wanted(exhibit: dict[str, Any], selection: Selection) -> bool:
    """Whether an exhibit itself is read again; what was never read is no failure."""
    reading = exhibit["reading"]
    media_type = reading["media_type"] if reading else ""
    state, _ = exhibit_state(reading, exhibit["whole"])
    held = reading is not None and _is_container(reading["details"])
    return (
        media_type.startswith(selection.media_type)
        and (not selection.failed or state in FAILED)
        and (selection.stage is not Stage.OCR or state in _BY_OCR or _has_ocr(reading))
        and (selection.stage is not Stage.EXPAND or held)
    )


def _has_ocr(reading: dict[str, Any] | None) -> bool:
    """Whether pages were read by OCR, as those of a scan that holds earlier revisions are."""
    return bool(reading and reading["details"].get("ocr_pages"))


def _is_container(details: dict[str, Any]) -> bool:
    return bool(details.get("container") or details.get("refused"))


def _parts(
    custody: Custody, exhibits: Sequence[dict[str, Any]], case: str, selection: Selection
) -> list[dict[str, Any]]:
    """Return the parts that are read again, a container before what it holds."""
    with custody.read() as session:
        if selection.part:
            return [parts.find(session, exhibits[0]["exhibit_id"], selection.part)]
        states = FAILED if selection.failed else None
        if len(exhibits) == 1:
            rows = parts.of_exhibit(session, exhibits[0]["exhibit_id"])
        else:
            rows = parts.of_case(session, case, states)
    return [row for row in rows if _chosen(row, selection)]


def _chosen(row: dict[str, Any], selection: Selection) -> bool:
    stage = selection.stage
    # A container's own words are read with what it holds.
    own_text = row["members"] < 0 and bool(row["pages"])
    return (
        row["media_type"].startswith(selection.media_type)
        and (not selection.failed or row["state"] in FAILED)
        and (stage is not Stage.TEXT or own_text)
        and (stage is not Stage.OCR or (own_text and row["state"] in _BY_OCR))
        and (stage is not Stage.EXPAND or bool(row["details"]["format"]))
    )


def _again(
    custody: Custody,
    pool: CellPool,
    exhibits: Sequence[dict[str, Any]],
    rows: Sequence[dict[str, Any]],
    made: set[str],
    selection: Selection,
) -> list[ReadResult]:
    by_exhibit: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["exhibit_id"] not in made:
            by_exhibit.setdefault(row["exhibit_id"], []).append(row)
    known = {each["exhibit_id"]: each for each in exhibits}
    return [
        result
        for exhibit, some in by_exhibit.items()
        for result in _read_parts(custody, pool, known[exhibit], some, selection)
    ]


def _read_parts(
    custody: Custody,
    pool: CellPool,
    exhibit: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    selection: Selection,
) -> list[ReadResult]:
    """Read some parts of an exhibit again, in one pass, and record them as one listing."""
    roots = _outermost([row["part"] for row in rows])
    earlier = {row["part"]: row for row in rows}
    keep = Stage.ALL if selection.stage is Stage.EXPAND else selection.stage

    def before(part: str) -> Transcript | None:
        row = earlier.get(part)
        # What a container holds is found by looking at all of it.
        whole = row is None or row["members"] >= 0 or keep is Stage.ALL
        return None if row is None or whole else _transcript(custody, row)

    heading = Heading(exhibit["exhibit_id"], exhibit["sha256"], "some", roots=roots)
    chosen = frozenset(map(parts.place, roots))
    name = exhibit["item"]["path"]
    with custody.read() as session:
        newest = parts.newest(session, exhibit["exhibit_id"])
    results: list[ReadResult] = []
    with (
        opened(custody, ObjectRef.from_json(exhibit["object"])) as file,
        ThreadPoolExecutor(custody.settings.processes, thread_name_prefix="part") as readers,
    ):
        expander = new_expander(custody, PoolOpener(pool, keep, before), readers)
        held = contents(pool, file, name)
        found = _noted(exhibit, expander.members(file, name, held, chosen=chosen), results)
        with listed(custody, heading, found) as listing:
            record_listing(custody, exhibit, listing, after(newest), selection.unlocked)
    return results


def _noted(
    exhibit: dict[str, Any], found: Iterator[Part], results: list[ReadResult]
) -> Iterator[Part]:
    """Pass parts on, and keep what to tell of each."""
    for part in found:
        pages = len(part.transcript.pages) if part.transcript else 0
        label = f"{exhibit['exhibit_id']}/{part.part}"
        results.append(ReadResult(label, part.name, part.state, pages, part.reason))
        yield part


def _outermost(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths that lie below no other one, in order."""
    kept: list[str] = []
    for path in sorted(set(paths), key=parts.place):
        if not kept or not f"{path}/".startswith(f"{kept[-1]}/"):
            kept.append(path)
    return tuple(kept)


def _transcript(custody: Custody, row: dict[str, Any]) -> Transcript | None:
    """Return what an earlier reading said, None where it cannot be built upon."""
    try:
        return transcript_of(custody, row)
    except CustodyError:
        return None

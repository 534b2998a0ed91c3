"""The judge of manifests: raw cells and the files of a bundle in, a valid manifest out.

Every mistake is found at once, each with its line or cell; nothing is corrected in silence.
What is taken as meant: spellings of words and columns, a time without a zone (Beijing time), a
day without a time (its first second, marked ``obtained_at_precision: day``), a path in another
Unicode normal form (kept as ``path_written``). In order:

1. the header is complete, with at least two distinct officers (IN-01);
2. every item has a path, one of the eight kinds, a form, and what its kind and form ask for
   (IN-03 to IN-07); a kind is never changed because of the file's type (IN-04);
3. listed and present files are the same set (IN-02);
4. supplied check values are those of the files (FP-02); MD5 or SHA-1 alone only with a reason,
   and then as an extra (FP-03).

Pure: no I/O, no time of day. A weak check value can only be compared if the caller hands in a
way to compute it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from storage.listing import ListedFile
from storage.nouns import Item, Manifest, Person
from tasks import manifest_mistakes as wrong
from tasks.manifest_columns import HEADER, OFFICER
from tasks.manifest_items import ItemJudge
from tasks.manifest_mistakes import Mistake
from tasks.manifest_rows import Row, Rows
from tasks.manifest_values import Moment, parse_moment
from tasks.manifest_words import HEADER_WORDS, OFFICER_WORDS, SECRECIES, STATE_SECRET, folded
from tasks.reader.answer import RawManifest

__all__ = ["LEAST_OFFICERS", "Mistake", "judge_manifest"]

SCHEMA = "zhenglian.manifest/1"
LEAST_OFFICERS = 2
MOST_OFFICERS = 50
ORDINARY = "一般"


def judge_manifest(
    raw: RawManifest,
    listing: Sequence[ListedFile],
    unit: str | None = None,
    other_digest: Callable[[str, str], str] | None = None,
) -> Manifest | tuple[Mistake, ...]:
    """Judge a manifest against the files that came with it, the manifest itself left out.

    Args:
        raw: the cells as the cell read them.
        listing: the files present, without the manifest.
        unit: name of the drop folder, if the bundle came through one.
        other_digest: computes the digest of a file by its path and an algorithm that
            fingerprints lack (md5, sha1); without it such a value is kept uncompared.

    Returns:
        The manifest, or every mistake in it.
    """
    mistakes = [
        Mistake("form", each.where, each.text_zh, each.text_en, *_FORM_REMEDY)
        for each in raw.problems
    ]
    if mistakes and not (raw.header or raw.items or raw.officers):
        return tuple(mistakes)
    header = _Header(raw, mistakes, unit)
    items = ItemJudge(listing, mistakes, header.submitted, other_digest).judge(raw.items)
    if mistakes:
        return tuple(mistakes)
    return header.manifest(items)


_FORM_REMEDY = (
    "请更正该处；可运行 custody manifest new 文件夹 生成新的清单对照",
    "correct it; 'custody manifest new FOLDER' writes a fresh manifest to compare with",
)


class _Header:
    """What stands above the items."""

    def __init__(self, raw: RawManifest, mistakes: list[Mistake], unit: str | None) -> None:
        self._mistakes = mistakes
        self._row = Rows(HEADER, HEADER_WORDS, mistakes).read(raw.header, placed=False)
        self._row.require_always()
        self._judge_schema()
        self._judge_unit(unit)
        self.submitted = self._judge_submitted()
        self._secrecy = self._judge_secrecy()
        self._officers = _officers(raw, mistakes)

    def manifest(self, items: Sequence[Item]) -> Manifest:
        """Return the manifest; only called when no mistake was found."""
        row = self._row
        return Manifest(
            bundle_no=row["bundle_no"],
            case_no=row["case_no"],
            cause=row["cause"],
            unit=row["unit"],
            officers=self._officers,
            submitted_by=row["submitted_by"],
            submitted_at=self.submitted.text if self.submitted else "",
            secrecy=self._secrecy,
            items=items,
            note=row["note"],
        )

    def _judge_schema(self) -> None:
        written = self._row["schema"]
        if written and written not in (SCHEMA, "1"):
            zh, en = f"请写 {SCHEMA} 或删除该栏", f"write {SCHEMA}, or leave it out"
            self._row.bad("schema", zh, en)

    def _judge_unit(self, unit: str | None) -> None:
        written = self._row["unit"]
        if written and unit and folded(written) != folded(unit):
            self._mistakes.append(wrong.other_unit(self._row.where("unit"), written, unit))

    def _judge_submitted(self) -> Moment | None:
        if not self._row["submitted_at"]:
            return None
        moment = parse_moment(self._row["submitted_at"])
        if moment is None or moment.day_only:
            zh, en = "请写日期和时间，例如 2026-11-20 09:30", "write day and time: 2026-11-20 09:30"
            self._row.bad("submitted_at", zh, en)
            return None
        return moment

    def _judge_secrecy(self) -> str:
        written = self._row["secrecy"]
        if not written:
            return ORDINARY
        if folded(written) in {folded(each) for each in STATE_SECRET}:
            self._mistakes.append(wrong.state_secret(self._row.where("secrecy")))
            return ORDINARY
        return self._row.word("secrecy", SECRECIES) or ORDINARY


def _officers(raw: RawManifest, mistakes: list[Mistake]) -> tuple[Person, ...]:
    rows = Rows(OFFICER, OFFICER_WORDS, mistakes)
    read = [row for cells in raw.officers if (row := rows.read(cells)).filled]
    for row in read[:MOST_OFFICERS]:
        row.require_always()
    _refuse_same(read, mistakes)
    found = [Person(row["name"], row["id"], "", row["title"], row["phone"]) for row in read]
    whole = len([each for each in found if each.name and each.id])
    if whole < LEAST_OFFICERS:
        where = read[0].place if read else ""
        mistakes.append(wrong.few_officers(where, whole, LEAST_OFFICERS))
    if len(found) > MOST_OFFICERS:
        mistakes.append(wrong.many_officers(read[MOST_OFFICERS].place, len(found), MOST_OFFICERS))
    return tuple(found)


def _refuse_same(rows: Sequence[Row], mistakes: list[Mistake]) -> None:
    seen: set[str] = set()
    for row in rows:
        number = folded(row["id"])
        if number and number in seen:
            mistakes.append(wrong.same_officer(row.where("id"), row["id"]))
        seen.add(number)

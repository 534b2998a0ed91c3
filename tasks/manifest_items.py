"""The items of a manifest: what each kind and form asks for, and the files they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath

from storage.digest import WEAK, SuppliedDigest, equal
from storage.errors import InputError
from storage.listing import ListedFile
from storage.nouns import EvidenceForm, EvidenceKind, Item
from storage.spelling import spell
from tasks import manifest_mistakes as wrong
from tasks.manifest_columns import COUNTS, ITEM
from tasks.manifest_mistakes import Mistake
from tasks.manifest_rows import Row, Rows
from tasks.manifest_values import Moment, Paths, parse_digests, parse_moment, path_fault, strong
from tasks.manifest_words import FORMS, ITEM_WORDS, KINDS, YES_NO
from tasks.packed import Packed
from tasks.reader.answer import RawCell

OF_COPIES = ("copy_reason", "original_location", "checked_by", "checked_at", "annotation")
_TEXTS = (
    "no_digest_reason",
    "category",
    "copy_reason",
    "original_location",
    "checked_by",
    "annotation",
    "made_by",
    "medium",
    "seal_no",
    "witness",
    "description",
    "note",
)
_MOST_HINTS = 50
_MOST_CANDIDATES = 2000


@dataclass(frozen=True)
class _Digests:
    """Supplied check values: the one that counts, the others, and whether they were compared."""

    main: str
    extra: dict[str, str]


class ItemJudge:
    """Judges the lines of one manifest against the files of its bundle."""

    def __init__(
        self,
        listing: Sequence[ListedFile],
        mistakes: list[Mistake],
        submitted: Moment | None,
        other_digest: Callable[[str, str], str] | None,
    ) -> None:
        """Judge against ``listing``, adding what is wrong to ``mistakes``."""
        self._listing = listing
        self._files = {each.path: at for at, each in enumerate(listing)}
        self._paths = Paths(list(self._files))
        self._mistakes = mistakes
        self._submitted = submitted
        self._other_digest = other_digest
        self._named: dict[str, str] = {}
        self._hints = 0

    def judge(self, lines: Iterable[Sequence[RawCell]]) -> Sequence[Item]:
        """Return the items; they are only whole if no mistake was added."""
        # What is wrong with a cell by itself is told of all lines before all else.
        told, self._mistakes = self._mistakes, []
        rows = Rows(ITEM, ITEM_WORDS, self._mistakes)

        def read() -> Iterator[Row]:
            for cells in lines:
                rows.mistakes = told
                row = rows.read(cells)
                rows.mistakes = self._mistakes
                if row.filled:
                    yield row

        items = Packed(self._item(seq, row) for seq, row in enumerate(read(), 1))
        told += self._mistakes
        self._mistakes = told
        if not items:
            self._mistakes.append(wrong.no_items())
        for path in self._files:
            self._judge_present(path)
        return items

    def _judge_present(self, path: str) -> None:
        if path not in self._named:
            self._mistakes.append(wrong.unlisted(path))

    def _item(self, seq: int, row: Row) -> Item:
        row.require_always()
        path = self._path(row)
        kind, form = row.word("kind", KINDS), row.word("form", FORMS)
        extra = {key: row[key] for key in _TEXTS if row[key]}
        obtained = self._obtained(row, extra)
        self._counts(row, extra)
        self._yes_no(row, extra)
        self._days(row, extra)
        self._of_form(row, form)
        self._of_kind(row, kind, form, path, extra)
        digests = self._digests(row, kind, path)
        spelled = spell(path)
        if path and spelled != row["path"]:
            extra["path_written"] = row["path"]
        return Item(
            seq=seq,
            path=spelled,
            kind=EvidenceKind(kind or EvidenceKind.DOCUMENTARY),
            form=EvidenceForm(form or EvidenceForm.ORIGINAL),
            name=row["name"],
            source_holder=row["source_holder"],
            obtained_at=obtained,
            obtained_place=row["obtained_place"],
            method=row["method"],
            fact_to_prove=row["fact_to_prove"],
            digest=digests.main,
            extra=extra | digests.extra,
        )

    def _path(self, row: Row) -> str:
        written, where = row["path"], row.where("path")
        if not written:
            return ""
        path = self._paths.find(written)
        if path is None:
            fault = path_fault(written)
            if fault is not None:
                self._mistakes.append(wrong.unsafe_path(written, where, fault.zh, fault.en))
            else:
                near = self._nearest(written)
                self._mistakes.append(wrong.listed_missing(written, where, near))
            return ""
        if path in self._named:
            self._mistakes.append(wrong.listed_twice(path, where, self._named[path]))
        self._named.setdefault(path, where)
        return path

    def _nearest(self, written: str) -> str:
        """Return the file most like a path; asked a few times only, for it is slow."""
        self._hints += 1
        if self._hints > _MOST_HINTS or len(self._files) > _MOST_CANDIDATES:
            return ""
        folded = {path.casefold(): path for path in self._files}
        ends = [path for path in self._files if PurePosixPath(path).name == written]
        near = get_close_matches(written.casefold()[:200], folded, 1, 0.6)
        return ends[0] if len(ends) == 1 else folded[near[0]] if near else ""

    def _obtained(self, row: Row, extra: dict[str, str]) -> str:
        moment = self._moment(row, "obtained_at")
        if moment is None:
            return ""
        if moment.day_only:
            extra["obtained_at_precision"] = "day"
        if self._submitted is not None and moment.at > self._submitted.at:
            late = wrong.obtained_late(
                row.where("obtained_at"), moment.shortest, self._submitted.text
            )
            self._mistakes.append(late)
        return moment.text

    def _moment(self, row: Row, key: str) -> Moment | None:
        if not row[key]:
            return None
        moment = parse_moment(row[key])
        if moment is None:
            zh, en = "请写成 2026-11-20 或 2026-11-20 09:30", "write 2026-11-20 or 2026-11-20 09:30"
            row.bad(key, zh, en)
        return moment

    def _counts(self, row: Row, extra: dict[str, str]) -> None:
        for key in COUNTS:
            if not row[key]:
                continue
            # A spreadsheet may hand a whole number over as 3.0.
            number = row[key].removesuffix(".0")
            if len(number) <= 6 and number.isascii() and number.isdigit() and int(number):
                extra[key] = str(int(number))
            else:
                row.bad(key, "请写正整数", "write a whole number, at least 1")

    def _yes_no(self, row: Row, extra: dict[str, str]) -> None:
        if answer := row.word("is_digitised", YES_NO):
            extra["is_digitised"] = answer

    def _days(self, row: Row, extra: dict[str, str]) -> None:
        for key in ("checked_at", "made_at"):
            if moment := self._moment(row, key):
                extra[key] = moment.shortest

    def _of_form(self, row: Row, form: str) -> None:
        if form and form != EvidenceForm.ORIGINAL:
            for key in OF_COPIES:
                row.require(key, "不是原件", "it is not the original")

    def _of_kind(self, row: Row, kind: str, form: str, path: str, extra: dict[str, str]) -> None:
        copy = bool(form) and form != EvidenceForm.ORIGINAL
        if copy and kind in (EvidenceKind.AUDIOVISUAL, EvidenceKind.ELECTRONIC_DATA):
            for key in ("fact_to_prove", "made_by"):
                row.require(key, "视听资料、电子数据的复制件", "a copy of such material")
        if kind != EvidenceKind.ELECTRONIC_DATA:
            return
        row.require("category", "电子数据", "electronic data")
        ending = PurePosixPath(spell(path) or row["path"]).suffix.removeprefix(".").lower()
        if row["file_format"] or ending:
            extra["file_format"] = row["file_format"] or ending
        else:
            row.require("file_format", "文件没有扩展名", "the file has no ending")

    def _digests(self, row: Row, kind: str, path: str) -> _Digests:
        if not row["digest"]:
            if kind == EvidenceKind.ELECTRONIC_DATA and not row["no_digest_reason"]:
                row.require("digest", "电子数据，且未说明原因", "electronic data, no reason given")
            return _Digests("", {})
        try:
            supplied = parse_digests(row["digest"])
        except InputError:
            zh = "请写成 算法:十六进制值，例如 sha256:… 或 sm3:…（64 位）"
            row.bad("digest", zh, "write algorithm:hex, for example sha256: or sm3: and 64 digits")
            return _Digests("", {})
        main = strong(supplied)
        if main is None and not row["no_digest_reason"]:
            weak = wrong.weak_only(row.where("digest"), supplied[0].algorithm)
            self._mistakes.append(weak)
        extra = self._compare(row, path, supplied, main)
        return _Digests(f"{main.algorithm}:{main.value}" if main else "", extra)

    def _compare(
        self, row: Row, path: str, supplied: Sequence[SuppliedDigest], main: SuppliedDigest | None
    ) -> dict[str, str]:
        """Compare every value with the file; return the extras with whether they were."""
        extra: dict[str, str] = {}
        for each in supplied:
            computed = self._computed(path, each.algorithm)
            if computed and not equal(computed, each.value):
                shown = (each.algorithm, each.value, computed)
                differs = wrong.digest_differs(path, row.where("digest"), *shown)
                self._mistakes.append(differs)
            if each is not main:
                compared = "compared" if computed else "not_compared"
                extra[f"digest_{each.algorithm}"] = f"{each.value} {compared}"
        return extra

    def _computed(self, path: str, algorithm: str) -> str:
        if path not in self._files:
            return ""
        if algorithm in WEAK:
            return self._other_digest(path, algorithm) if self._other_digest else ""
        return self._listing[self._files[path]].fingerprint.digests[algorithm]

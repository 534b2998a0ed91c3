"""Handing out: what was sent to an agency, in ranges, each byte checked before it leaves.

The files of a commission lie as working copies apart from the originals, under the digests that
its record names. A large file has a list of the digests of its pieces, itself on record by its
digest: a piece is read whole and compared before any of it is handed out, so a range can be
resumed anywhere and nothing altered ever leaves. (RULES: AP-07, CU-05, ST-05; docs/package.md.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from blake3 import blake3

from appraisal.access import require_access
from appraisal.desk import Desk
from storage.catalogue import commissions
from storage.custody import Custody
from storage.digest import Fingerprint, digest_stream, fingerprint_bytes
from storage.errors import ConflictError, HostError, IntegrityError, NotFoundError
from storage.event import Action, event_id
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.workspace import remove_leftovers, write_durably
from tasks.alerting import alert_event
from tasks.filing import PIECE

_MAX_LIST = 64 << 20


@dataclass(frozen=True)
class PackageFile:
    """One file of a commission that an agency may fetch.

    ``which`` is how it is asked for: ``package``, ``letter``, ``encrypted``, ``S1`` ...;
    ``case_id`` the case that it is of.
    """

    which: str
    name: str
    fingerprint: Fingerprint
    case_id: str
    _read: Callable[[int, int], Iterator[bytes]]
    _link: Callable[[int], str | None]

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        return self.fingerprint.size

    @property
    def sha256(self) -> str:
        """Return the digest on record, lower-case hex."""
        return self.fingerprint.sha256

    def as_json(self) -> dict[str, Any]:
        """Return what an event says of it."""
        return {"file": self.which, "name": self.name, "sha256": self.sha256, "size": self.size}

    def open_range(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to before ``end``, each piece checked before it leaves.

        Nothing is read before the first piece is asked for.

        Raises:
            IntegrityError: what is stored is not what was sent; an alert is raised, and no byte
                of the piece in question was yielded.
            NotFoundError: it is not stored any more.
        """
        last = self.size if end is None else min(end, self.size)
        return self._read(max(0, start), last)

    def presigned_url(self, seconds: int) -> str | None:
        """Return an address at which the S3 server hands it out itself; None where it does not.

        Whoever fetches it there must compare the digest: those bytes do not pass through here.
        """
        return self._link(seconds)


def files_of(custody: Custody, number: str, *, everything: bool = False) -> list[dict[str, Any]]:
    """Return the files of a commission as recorded: which, name, fingerprint, key, pieces.

    What an agency gets: where a package is encrypted to its key, the encrypted file stands in
    its place. ``everything`` lists both under their own names, for the bureau.

    Raises:
        NotFoundError: there is no such commission.
    """
    with custody.read() as session:
        steps = commissions.steps(session, number)
    folder = Desk(custody).commission(number).brief.commission_id
    found = {each["which"]: each for step in steps for each in _files(step["data"], folder)}
    return list((found if everything else _for_agency(found)).values())


def _for_agency(found: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what leaves the house by name: of a package that is encrypted, the encrypted file."""
    sealed = {_sealed(which) for which in found}
    return {
        which: {**found.get(_sealed(which), each), "which": which}
        for which, each in found.items()
        if which not in sealed
    }


def _files(data: Mapping[str, Any], folder: str) -> Iterator[dict[str, Any]]:
    if "files" in data:
        for each in data["files"]:
            digest = each["fingerprint"]["digests"]["sha256"]
            yield {"pieces": "", **each, "key": f"{folder}/{digest}"}
    elif "letter_sha256" in data:
        # Dispatched before working copies had their store: the names were their keys.
        name = f"{folder}.zip"
        yield {
            "which": "package",
            "name": name,
            "fingerprint": data["package"],
            "key": f"{folder}/{name}",
            "pieces": "",
        }


def open_package(
    custody: Custody, number: str, which: str = "package", *, agency_id: str = ""
) -> PackageFile:
    """Find one file of a commission; nothing of it is read yet.

    Args:
        custody: the installation.
        number: the commission's number.
        which: which of its files; ``files_of`` lists them. An agency that has a key of its own
            gets the encrypted file where it asks for a package.
        agency_id: whoever asks for an agency; empty: the bureau itself.

    Raises:
        NotFoundError: there is no such commission or file, or it is another agency's.
        StateError: it was not sent yet, or the agency's access is over.
    """
    commission = Desk(custody).commission(number)
    if agency_id and commission.agency_id != agency_id:
        raise _unknown(number)
    if agency_id:
        today = date.fromisoformat(custody.now()[:10])
        require_access(commission, today, custody.settings.access_days)
    return _opened(custody, number, which, leaves=bool(agency_id))


def _opened(custody: Custody, number: str, which: str, *, leaves: bool) -> PackageFile:
    """Find one file; of what leaves the house the encrypted one, where the agency has a key."""
    files = {each["which"]: each for each in files_of(custody, number, everything=True)}
    row = files.get(_sealed(which) if leaves and _sealed(which) in files else which)
    if row is None:
        raise NotFoundError(
            f"委托书{number}没有文件“{which}” the commission has no file {which!r}",
            remedy="请查看其文件清单 see the list of its files",
        )
    case = Desk(custody).commission(number).brief.case_id
    reader = _Reader(custody, number, case, row)
    print_ = Fingerprint.from_json(row["fingerprint"])
    return PackageFile(row["which"], row["name"], print_, case, reader.read, reader.link)


def _sealed(which: str) -> str:
    """Return what an agency with a key gets in place of a package: the encrypted file."""
    return "encrypted" if which == "package" else f"{which}-encrypted"


def _unknown(number: str) -> NotFoundError:
    return NotFoundError(
        f"没有委托书{number} there is no commission {number}",
        remedy="请查看您的委托清单 see the list of your commissions",
    )


class _Reader:
    """Reads one stored file in pieces, each compared before it is given on."""

    def __init__(self, custody: Custody, number: str, case: str, row: dict[str, Any]) -> None:
        self._custody, self._number, self._case, self._row = custody, number, case, row
        self._print = Fingerprint.from_json(row["fingerprint"])

    def link(self, seconds: int) -> str | None:
        return self._custody.working.link(self._ref(), seconds, self._row["name"])

    def read(self, start: int, end: int) -> Iterator[bytes]:
        if start >= end:
            return
        ref = self._ref()
        digests = self._digests(ref)
        first = start - start % PIECE
        with self._custody.working.open_range(ref, first, _up(end, self._print.size)) as stream:
            for at in range(first, end, PIECE):
                piece = stream.read(min(PIECE, self._print.size - at))
                if digests and blake3(piece).hexdigest() != digests[at // PIECE]:
                    raise self._altered(f"piece {at // PIECE}")
                yield piece[max(0, start - at) : end - at]

    def _ref(self) -> ObjectRef:
        ref = self._custody.working.find(self._row["key"])
        if ref is None:
            raise NotFoundError(
                f"委托书{self._number}的文件{self._row['name']}已不在库 the file is not stored any "
                "more",
                remedy="请告知委托书上的联系人 tell the client's contact named in the letter",
            )
        if ref.size != self._print.size:
            raise self._altered(f"{ref.size} bytes, not {self._print.size}")
        return ref

    def _digests(self, ref: ObjectRef) -> list[str]:
        """Return the digest of every piece; of a file without a list the whole is read first."""
        if self._print.size <= PIECE:
            return [self._print.blake3]
        if not self._row["pieces"]:
            with self._custody.working.open(ref) as stream:
                if digest_stream(stream, "blake3") != self._print.blake3:
                    raise self._altered("the whole")
            return []
        found = self._custody.working.find(f"{self._row['key'].rpartition('/')[0]}/{self._listed}")
        if found is None:
            raise self._altered("the list of its pieces is gone")
        with self._custody.working.open(found) as stream:
            text = stream.read(min(found.size, _MAX_LIST))
        if fingerprint_bytes(text).sha256 != self._listed:
            raise self._altered("the list of its pieces")
        return text.decode().split()

    @property
    def _listed(self) -> str:
        return str(self._row["pieces"])

    def _altered(self, what: str) -> IntegrityError:
        name = self._row["name"]
        alert = alert_event(
            self._custody,
            "package",
            f"{self._number} {self._row['which']}",
            f"{name}: what is stored is not what was sent ({what})",
            case=self._case,
            details={"commission_no": self._number, "sha256": self._print.sha256},
        )
        if alert is not None:
            self._custody.record([alert])
        return IntegrityError(
            f"委托书{self._number}的文件{name}与发出时不一致，已停止提供 the stored file is not "
            f"what was sent ({what}); it is not handed out",
            remedy="已发出警报；请从备份恢复该文件 "
            "an alert was raised; restore the file from the backup",
            file=name,
            recorded=self._print.sha256,
        )


def _up(end: int, size: int) -> int:
    """Return the end of the piece in which a range ends."""
    return min(-(-end // PIECE) * PIECE, size)


def record_download(
    custody: Custody,
    number: str,
    actor: Person,
    *,
    file: PackageFile,
    first: int = 0,
    last: int | None = None,
    whole: bool = False,
    session: str = "",
) -> bool:
    """Put on record that somebody fetches a file: before its first byte leaves, and at its end.

    Call it before a range is handed out (``whole=False``), and again when the last byte of the
    file has left (``whole=True``). All ranges of one download are one event begun and one event
    ended, however often it is resumed: a person begins a new download of a file only after the
    last one has ended, from its first byte, or in another ``session``. Repeating a call changes
    nothing.

    Args:
        custody: the installation.
        number: the commission's number.
        actor: who fetches it.
        file: what is fetched.
        first: the first byte of the range, from 0.
        last: the last byte of the range; None: to the end.
        whole: the last byte has left, so the download is complete.
        session: what keeps downloads of one person apart (a sign-in, a token); empty: the day.

    Returns whether an event was recorded.
    """
    now = custody.now()
    who = actor.id or f"{actor.unit} {actor.name}"
    subject = [number, file.which, file.sha256, who, session or now[:10]]
    turn = _turn(custody, subject, anew=first == 0 and not whole)
    phase = "ended" if whole else "begun"
    wanted = [*subject, str(turn), phase]
    if _on_record(custody, wanted):
        return False
    event = custody.event(
        Action.DOWNLOADED,
        wanted,
        actor=actor,
        case=file.case_id,
        purpose="appraisal",
        details={
            "commission_no": number,
            **file.as_json(),
            "access": event_id(Action.DOWNLOADED, *subject, str(turn))[:12],
            "mode": "download",
            "phase": phase,
            **({"outcome": "given"} if whole else {}),
            "first": first,
            "last": file.size - 1 if last is None else last,
            "turn": turn,
        },
    )
    custody.record([event])
    return True


def _turn(custody: Custody, subject: list[str], *, anew: bool) -> int:
    """Return which download of a session this is: the one under way, or the next."""
    turn = 1
    while _on_record(custody, [*subject, str(turn), "ended"]):
        if not anew and not _on_record(custody, [*subject, str(turn + 1), "begun"]):
            break
        turn += 1
    return turn


def _on_record(custody: Custody, subject: list[str]) -> bool:
    return custody.log.index_of(event_id(Action.DOWNLOADED, *subject)) is not None


def write_files(custody: Custody, number: str, folder: Path, by: Person) -> list[Path]:
    """Write every file of a commission to a folder, for an agency that gets them by hand.

    Where the agency has a key the package is the encrypted one: a stick gets lost.

    Raises:
        ConflictError: a file of such a name is there; nothing was written.
        IntegrityError: what is stored is not what was sent; that file is not written.
        HostError: the folder cannot be written.
    """
    rows = files_of(custody, number)
    files = [_opened(custody, number, row["which"], leaves=True) for row in rows]
    for target in (folder / file.name for file in files):
        if os.path.lexists(target):
            raise ConflictError(f"{target} 已存在 exists already", remedy="name a new folder")
    written = []
    for file in files:
        record_download(custody, number, by, file=file)
        target = folder / file.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                write_durably(target, file.open_range())
            finally:
                remove_leftovers(target)
        except OSError as error:
            raise HostError(
                f"{target} cannot be written: {error.strerror}",
                remedy="请另选文件夹 name another folder",
            ) from error
        record_download(custody, number, by, file=file, whole=True)
        written.append(target)
    return written

"""Uploads: an opinion comes in piece by piece, survives every cut, and is taken in when whole.

An agency announces size and SHA-256, sends bytes from the offset that it is told, as often as it
takes, and asks for the end (``tasks.spool`` keeps the bytes meanwhile). The end compares the
digest and hands the document to ``tasks.returning.collect``; killed anywhere and asked again, it
ends the same. What is refused stays until it expires. (RULES: AP-08, AP-09.)
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, timedelta
from typing import Any

from appraisal.agency_desk import AgencyDesk
from appraisal.commission import Commission
from appraisal.opinion import Opinion
from storage.catalogue import uploads
from storage.catalogue.uploads import DONE, EXPIRED, FINISHING, LIVE, OPEN, REFUSED, Upload
from storage.custody import Custody
from storage.digest import equal
from storage.errors import (
    BusyError,
    ConflictError,
    CustodyError,
    HostError,
    InputError,
    IntegrityError,
    NotFoundError,
    StateError,
)
from storage.nouns import Person
from storage.workspace import remove_tree
from tasks.filled import read_fields
from tasks.reading import shared_pool
from tasks.returning import collect
from tasks.spool import Spool, alone, folder_of, host_error, make_folder, opened, received

SPOOL_ERRORS = (InputError, HostError)
"""What writing raises, after which no more is written."""
_SPARE_BYTES = 256 << 20
"""Left free whatever is announced: the log and the database go on."""
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def begin(
    custody: Custody,
    desk: AgencyDesk,
    upload_id: str,
    number: str,
    *,
    name: str,
    size: int,
    sha256: str,
    particulars: str,
) -> Upload:
    """Announce an opinion; the same announcement again is the upload that it began.

    Args:
        custody: the installation.
        desk: the agency that sends it.
        upload_id: 32 hexadecimal digits, drawn at random.
        number: the commission.
        name: the document's file name, for people only.
        size: its length in bytes.
        sha256: its digest, 64 hexadecimal digits.
        particulars: YAML or JSON text of what the opinion states.

    Raises:
        NotFoundError: the agency has no such commission.
        StateError: the commission does not wait for an opinion, or too many are under way.
        ConflictError: another document is being sent for it; ``facts["upload_id"]`` names it.
        InputError: too large, or the particulars are malformed.
        HostError: the disk has no room for it.
    """
    commission = desk.commission(number)
    drop_expired(custody)
    _require_size(custody, size)
    try:
        file = make_folder(custody, upload_id, particulars)
        _require_waiting(commission, Opinion.parse(read_fields(shared_pool(), file)))
        announced = Upload(
            upload_id,
            desk.agency_id,
            commission.commission_no,
            desk.actor.as_json(),
            name,
            size,
            sha256.lower(),
            hashlib.sha256(particulars.encode()).hexdigest(),
            OPEN,
            _utc(custody),
            _utc(custody, custody.settings.upload_days),
        )
        return _announce(custody, announced)
    except BaseException:
        remove_tree(folder_of(custody, upload_id))
        raise


def _announce(custody: Custody, announced: Upload) -> Upload:
    with custody.write() as session:
        known = uploads.of_commission(session, announced.commission_no, announced.agency_id)
        under_way = [each for each in known if each.state in LIVE]
        live = uploads.live(session)
        count = sum(each.agency_id == announced.agency_id for each in live)
        if not under_way and count < custody.settings.uploads_at_once:
            _require_room(custody, [*live, announced])
            uploads.add(session, announced)
            return announced
    if not under_way:
        raise StateError(
            f"同时进行的上传已达{count}个 {count} uploads of this agency are under way",
            remedy="请先完成或删除其中一个 finish or remove one of them first",
            code="too_many_uploads",
        )
    remove_tree(folder_of(custody, announced.upload_id))
    first = under_way[0]
    if not first.announces(announced):
        raise ConflictError(
            "该委托已有另一份意见书正在上传 another document is being uploaded for this commission",
            remedy="请先完成或删除那个上传，再发送另一份 "
            "finish that upload, or remove it, before you send another document",
            code="upload_open",
            upload_id=first.upload_id,
        )
    return first


def find(custody: Custody, desk: AgencyDesk, upload_id: str) -> Upload:
    """Return an agency's upload.

    Raises:
        NotFoundError: there is none of that name, or it is another agency's.
    """
    found = None
    if _UPLOAD_ID.fullmatch(upload_id):
        with custody.read() as session:
            found = uploads.find(session, upload_id, desk.agency_id)
    if found is None:
        raise NotFoundError(
            "没有这个上传 there is no such upload",
            remedy="请重新申报上传 announce the opinion again",
        )
    return found


def offset(custody: Custody, upload: Upload) -> int:
    """Return how many bytes have come; all of them once the opinion was taken in."""
    return upload.size if upload.state == DONE else received(custody, upload.upload_id)


@contextmanager
def writing(custody: Custody, upload: Upload, at: int) -> Iterator[Spool]:
    """Write an upload on from an offset; at the end, however it comes, all is on the disk.

    Raises:
        ConflictError: it has another offset; ``facts["offset"]`` is the true one.
        BusyError: somebody else is writing or finishing it.
        StateError: it is finished, refused or expired.
        InputError: what came is no PDF, and the upload is refused; or it is too much.
        HostError: the disk is full.
    """
    with alone(custody, upload.upload_id):
        _require_open(custody, upload)
        here = received(custody, upload.upload_id)
        if here != at:
            raise ConflictError(
                f"续传位置应为{here} the upload goes on at offset {here}, not {at}",
                remedy="请查询偏移量，从该处续传 ask for the offset and send the rest from there",
                code="wrong_offset",
                offset=here,
            )
        try:
            with opened(custody, upload.upload_id, upload.size) as spool:
                yield spool
        except InputError as error:
            if error.facts.get("code") == "wrong_type":
                _refuse(custody, upload, error)
            raise
        finally:
            if received(custody, upload.upload_id) > here:
                _extend(custody, upload)


def _extend(custody: Custody, upload: Upload) -> None:
    """Give an upload more time, for bytes came; also when the connection was cut after them."""
    with custody.write() as session:
        expiry = _utc(custody, custody.settings.upload_days)
        uploads.set_expiry(session, upload.upload_id, expiry)


def finish(custody: Custody, desk: AgencyDesk, upload_id: str) -> Upload:
    """Compare the digest and take the opinion in; asked again, it answers the same.

    Raises:
        ConflictError: bytes are missing; ``facts["offset"]`` says from where.
        IntegrityError: they are not what was announced; the upload is refused and kept.
        StateError: the commission does not wait for an opinion any more.
        BusyError: another process is finishing it.
    """
    upload = find(custody, desk, upload_id)
    if upload.state == DONE:
        return upload
    with alone(custody, upload.upload_id):
        upload = find(custody, desk, upload_id)
        if upload.state == DONE:
            return upload
        _require_open(custody, upload)
        _require_whole(custody, upload)
        _set_state(custody, upload, FINISHING)
        outcome = _collected(custody, upload)
        _set_state(custody, upload, DONE, outcome)
    remove_tree(folder_of(custody, upload_id))
    return find(custody, desk, upload_id)


def _collected(custody: Custody, upload: Upload) -> dict[str, Any]:
    folder = folder_of(custody, upload.upload_id)
    try:
        return collect(
            custody,
            upload.commission_no,
            str(folder / "opinion.pdf"),
            str(folder / "particulars.yaml"),
            by=Person.from_json(dict(upload.actor)),
            at=None,
        )
    except InputError as error:
        # Its bytes are in quarantine with the reasons, if they were taken at all.
        _refuse(custody, upload, error)
        raise
    except CustodyError as error:
        _set_state(custody, upload, OPEN, _told(error))
        raise


def abandon(custody: Custody, desk: AgencyDesk, upload_id: str) -> None:
    """Give an upload up; its bytes go. One that was taken in stays.

    Raises:
        StateError: the opinion was taken in already.
        BusyError: somebody is writing or finishing it.
    """
    upload = find(custody, desk, upload_id)
    if upload.state == uploads.ABANDONED:
        return
    with alone(custody, upload.upload_id):
        upload = find(custody, desk, upload_id)
        if upload.state in (DONE, FINISHING):
            raise StateError(
                "意见书已接收，不能取消 the opinion was taken in and cannot be removed",
                remedy="如有错误，请委托人退回 if it is wrong, ask the client to send it back",
            )
        _set_state(custody, upload, uploads.ABANDONED)
    remove_tree(folder_of(custody, upload_id))


def drop_expired(custody: Custody) -> int:
    """Remove the bytes of uploads that nobody goes on with or no row knows; return how many."""
    now = _utc(custody)
    with custody.read() as session:
        found = uploads.past_expiry(session, now)
    dropped = _drop_strays(custody)
    for each in found:
        with suppress(BusyError), alone(custody, each.upload_id):
            with custody.write() as session:
                expired = uploads.expire(session, each.upload_id, now)
            if expired:
                remove_tree(folder_of(custody, each.upload_id))
                dropped += 1
    return dropped


def _drop_strays(custody: Custody) -> int:
    """Remove folders that were made before their row was, or outlived it in a rebuild."""
    root = custody.workspace.uploads
    if not root.is_dir():
        return 0
    old = custody.clock().timestamp() - custody.settings.upload_days * 86_400
    found = [each for each in root.iterdir() if each.stat().st_mtime < old]
    with custody.read() as session:
        strays = [each for each in found if not uploads.is_known(session, each.name)]
    for each in strays:
        remove_tree(each)
    return len(strays)


def _require_open(custody: Custody, upload: Upload) -> None:
    with custody.read() as session:
        now = uploads.find(session, upload.upload_id, upload.agency_id)
    state = now.state if now else EXPIRED
    if state == EXPIRED or (state == OPEN and upload.expires_at <= _utc(custody)):
        raise StateError(
            "该上传已过期 the upload has expired",
            remedy="请重新申报并上传意见书 announce the opinion again and send it anew",
            code="expired",
        )
    if state not in LIVE:
        raise StateError(
            f"该上传已结束（{state}）the upload has ended: it is {state}",
            remedy="请重新申报意见书 announce the opinion again",
            code="upload_ended",
            state=state,
        )


def _require_whole(custody: Custody, upload: Upload) -> None:
    here = received(custody, upload.upload_id)
    if here < upload.size:
        raise ConflictError(
            f"尚缺{upload.size - here}字节 {upload.size - here} bytes are still missing",
            remedy="请从所告知的偏移量续传 send the rest from the offset that is told",
            code="incomplete",
            offset=here,
        )
    with (folder_of(custody, upload.upload_id) / "opinion.pdf").open("rb") as file:
        seen = hashlib.file_digest(file, "sha256").hexdigest()
    if not equal(seen, upload.sha256):
        error = IntegrityError(
            f"收到的内容与所声明的校验值不一致 what came has the SHA-256 "
            f"{seen}, not {upload.sha256}",
            remedy="请以真实的校验值重新申报并上传 "
            "announce the document again with its true digest and send it anew",
            code="digest_mismatch",
            seen=seen,
            stated=upload.sha256,
        )
        _refuse(custody, upload, error)
        raise error


def _require_waiting(commission: Commission, opinion: Opinion) -> None:
    """Refuse what nobody waits for; whether a correction is one is seen when it is taken in."""
    if not commission.awaits_opinion and not opinion.correction_of:
        raise StateError(
            f"委托书{commission.commission_no}当前不等待意见书 the commission does not wait for an "
            f"opinion: it is {commission.state.value}",
            remedy="请查看委托的状态和下一步 look at the commission's state and next step",
        )


def _require_size(custody: Custody, size: int) -> None:
    most = custody.settings.max_upload_bytes
    if size > most:
        raise InputError(
            f"文件超过{most}字节的上限 the document has {size} bytes, more than the {most} allowed",
            remedy="请缩小意见书及附件，或与委托人联系 "
            "send the opinion and its annexes in fewer bytes, or ask the client",
            code="too_large",
        )


def _require_room(custody: Custody, announced: Iterable[Upload]) -> None:
    """Refuse what would leave no room for all that is announced, and for the record itself."""
    # Kept in folders of this machine, the exhibit is a second copy until the upload goes.
    copies = 2 if custody.settings.store == "directory" else 1
    needed = sum(each.size * copies - received(custody, each.upload_id) for each in announced)
    if shutil.disk_usage(custody.workspace.root).free < needed + _SPARE_BYTES:
        raise host_error(OSError(errno.ENOSPC, "no room for the announced document"))


def _refuse(custody: Custody, upload: Upload, error: CustodyError) -> None:
    _set_state(custody, upload, REFUSED, _told(error))


def _told(error: CustodyError) -> dict[str, Any]:
    code = str(error.facts.get("code", ""))
    return {"problem": {"code": code, "detail": error.message, "remedy": error.remedy}}


def _set_state(
    custody: Custody, upload: Upload, state: str, outcome: Mapping[str, Any] | None = None
) -> None:
    with custody.write() as session:
        uploads.set_state(session, upload.upload_id, state, outcome)


def _utc(custody: Custody, days: float = 0.0) -> str:
    moment = custody.clock().astimezone(UTC) + timedelta(days=days)
    return moment.isoformat(timespec="milliseconds")

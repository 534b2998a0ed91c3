"""Taking an agency's answer from the file that it filled in (AP-07).

The file is kept beside the originals, and the receipt names its digest. What it says is compared
with the record before anything is done, and every mistake is named at once; the step itself is
taken by the same desk as at every other door.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from appraisal.agency_desk import AgencyDesk
from appraisal.answer_file import AgencyAnswer, Answer, read_answer
from appraisal.commission import STATE_NAMES, Commission
from appraisal.desk import Desk
from appraisal.states import State
from storage.clock import stamp
from storage.custody import Custody
from storage.digest import Fingerprint, equal, fingerprint_bytes
from storage.errors import InputError, NotFoundError
from storage.nouns import Person
from tasks.handing_out import files_of


def take_answer(custody: Custody, untrusted: bytes) -> dict[str, Any]:
    """Read an answer and do what it says: acknowledge, accept or decline.

    Raises:
        InputError: every mistake is listed; nothing was recorded.
        StateError: the commission is not in a state for that answer.
    """
    answer = read_answer(untrusted)
    desk = Desk(custody)
    commission = _commission(desk, answer)
    mistakes = list(_mistakes(custody, desk, commission, answer))
    if mistakes:
        raise _refused(mistakes)
    kept = _kept(custody, commission, untrusted)
    actor, at = Person(answer.name, unit=answer.agency), _moment(custody, commission, answer)
    acting = AgencyDesk(desk, commission.agency_id, actor, at)
    after = _step(acting, answer, kept, commission.state)
    zh, en = STATE_NAMES[after.state]
    return {
        "commission_no": after.commission_no,
        "answer": answer.answer.value,
        "state": after.state.value,
        "state_zh": zh,
        "state_en": en,
        "name": answer.name,
        "answer_sha256": kept,
    }


def _commission(desk: Desk, answer: AgencyAnswer) -> Commission:
    try:
        found = desk.commission(answer.commission_no)
    except NotFoundError as error:
        raise _refused(
            [f"没有委托书{answer.commission_no} there is no commission {answer.commission_no}"]
        ) from error
    if found.state is State.DRAFTED:
        raise _refused([f"委托书{answer.commission_no}尚未发出 the commission was not sent yet"])
    return found


def _mistakes(
    custody: Custody, desk: Desk, commission: Commission, answer: AgencyAnswer
) -> Iterator[str]:
    agency = desk.agency(commission.agency_id)
    if answer.agency not in (agency.name, agency.agency_id):
        yield (
            f"鉴定机构“{answer.agency}”不是受托的“{agency.name}” the agency is not the one "
            "commissioned"
        )
    number = answer.supplement
    if number > len(commission.supplements):
        yield f"没有第{number}次补充材料 there is no supplement {number}"
    elif 0 < number < len(commission.supplements):
        yield f"第{number}次补充材料已签收，其后另有补充 supplement {number} was received before"
    elif number and answer.answer is not Answer.RECEIVED:
        yield "补充材料只有签收 a supplement is received, nothing else"
    else:
        yield from _digest_mistakes(custody, commission, answer)
    sent = (
        commission.supplements[number - 1].supplied_at
        if 0 < number <= len(commission.supplements)
        else commission.sent_at
    )
    if answer.date > custody.now()[:10]:
        yield f"日期{answer.date}在今天之后 the date is in the future"
    elif sent and answer.date < sent[:10]:
        yield f"日期{answer.date}早于发出日{sent[:10]} the date is before the day it was sent"


def _digest_mistakes(
    custody: Custody, commission: Commission, answer: AgencyAnswer
) -> Iterator[str]:
    number = answer.supplement
    package = commission.supplements[number - 1].package if number else commission.package
    if package is None:
        yield "没有发出过材料包 no package was sent for it"
        return
    if equal(package.sha256, answer.package_digest):
        return
    for row in files_of(custody, commission.commission_no, everything=True):
        other = Fingerprint.from_json(row["fingerprint"])
        if equal(other.sha256, answer.package_digest):
            yield (
                f"所填为文件{row['name']}的校验值，不是材料包的 the digest is that of "
                f"{row['name']}, not of the package"
            )
            return
    yield (
        f"材料包校验值不一致：收到的不是发出的 the digest {answer.package_digest} is not that "
        "of the package sent: what was received is not what was sent"
    )


def _moment(custody: Custody, commission: Commission, answer: AgencyAnswer) -> str:
    """Return when the agency acted: the clocks run from its day, not from that of the post.

    A day has no time; of an earlier one it is the end, but never before the step before it.
    """
    if answer.date == custody.now()[:10]:
        return custody.now()
    zone = ZoneInfo(custody.settings.timezone)
    ended = datetime.combine(date.fromisoformat(answer.date), time(23, 59, 59), zone)
    return stamp(max(ended, datetime.fromisoformat(commission.last_at)), zone.key)


def _kept(custody: Custody, commission: Commission, untrusted: bytes) -> str:
    print_ = fingerprint_bytes(untrusted)
    key = f"answers/{commission.brief.commission_id}/{print_.sha256}"
    custody.objects.put(key, io.BytesIO(untrusted), print_)
    return print_.sha256


def _step(desk: AgencyDesk, answer: AgencyAnswer, kept: str, state: State) -> Commission:
    number, digest = answer.commission_no, answer.package_digest
    document = f"回执 {answer.date} SHA-256 {kept}"
    if answer.answer is Answer.DECLINE:
        return desk.decline(number, answer.reason, document)
    if answer.supplement:
        return desk.receive_supplement(number, document, digest)
    if answer.answer is Answer.RECEIVED or state is State.DISPATCHED:
        received = desk.receive(number, digest, document)
        if answer.answer is Answer.RECEIVED:
            return received
    return desk.accept(number, digest, document)


def _refused(mistakes: list[str]) -> InputError:
    return InputError(
        f"回执有{len(mistakes)}处与记录不符 the answer differs from the record in {len(mistakes)} "
        f"place(s): {'; '.join(mistakes)}",
        remedy="clear it up with the agency; nothing was recorded",
        problems=mistakes,
    )

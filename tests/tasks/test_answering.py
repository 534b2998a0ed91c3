"""An agency without our software answers by one file; what it says is compared and then done."""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from appraisal.commission import State
from appraisal.desk import Desk
from storage.custody import Custody
from storage.errors import InputError, StateError
from storage.event import Action
from tasks.answering import take_answer
from tests.appraisal.test_answer_file import filled
from tests.house import events
from tests.tasks.sent import NUMBER, case_house, send


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[tuple[Custody, str]]:
    with case_house(tmp_path, {"a.txt": b"a", "b.txt": b"b"}) as custody:
        yield custody, send(custody)["package_digest"]


def answer(custody: Custody, digest: str, **values: str) -> bytes:
    package = next(custody.workspace.packages.glob("*/*.zip"))
    with zipfile.ZipFile(package) as archive:
        form = archive.read(f"{package.stem}/answer.txt")
    return filled(form, package=digest, **{"date": custody.now()[:10], **values}).encode()


def test_ap_07_a_receipt_repeats_the_digest_and_is_kept(sent) -> None:
    custody, digest = sent
    done = take_answer(custody, answer(custody, digest, answer="签收"))
    assert done["state"] == "received"
    (event,) = events(custody, Action.ACKNOWLEDGED)
    assert event.actor.name == "周静"
    assert event.actor.unit
    step = events(custody, Action.COMMISSION)[-1].details["transition"]["data"]
    assert done["answer_sha256"] in step["document"]
    (key,) = custody.objects.keys("answers")
    assert key.endswith(done["answer_sha256"])
    accepted = answer(custody, digest, answer="受理")
    done = take_answer(custody, accepted)
    assert done["state"] == "accepted"
    step = events(custody, Action.COMMISSION)[-1].details["transition"]["data"]
    assert done["answer_sha256"] in step["document"], "the acceptance names its paper too"
    assert Desk(custody).commission(NUMBER).effective_date
    recorded = len(events(custody, Action.COMMISSION))
    assert take_answer(custody, accepted)["state"] == "accepted", "handed in twice"
    assert len(events(custody, Action.COMMISSION)) == recorded


def test_an_acceptance_without_an_earlier_receipt_is_both(sent) -> None:
    custody, digest = sent
    assert take_answer(custody, answer(custody, digest))["state"] == "accepted"
    found = Desk(custody).commission(NUMBER)
    assert found.received_at
    assert found.decided_at


def test_tt_01_the_clocks_run_from_the_day_of_the_answer_and_not_from_that_of_the_post(
    sent,
) -> None:
    """TT-01, TT-02: what was received and accepted in time is not late for having been mailed."""
    custody, digest = sent
    now = datetime.fromisoformat(custody.now())
    later = replace(custody, clock=lambda: now + timedelta(days=20))
    day = (now + timedelta(days=1)).date().isoformat()
    take_answer(later, answer(later, digest, answer="签收", date=custody.now()[:10]))
    take_answer(later, answer(later, digest, date=day))
    found = Desk(later).commission(NUMBER)
    assert found.received_at.startswith(custody.now()[:10])
    assert found.received_at >= found.sent_at
    assert (found.decided_at[:10], found.effective_date, found.late_since) == (day, day, "")
    event = events(later, Action.COMMISSION)[-1]
    assert event.occurred_at[:10] == day
    assert event.recorded_at[:10] == later.now()[:10], "when it was handed in is on record too"


def test_a_refusal_needs_no_second_file(sent) -> None:
    custody, digest = sent
    said = answer(custody, digest, answer="不予受理", reason="超出业务范围")
    take_answer(custody, said)
    found = Desk(custody).commission(NUMBER)
    assert (found.state, found.end_reason) == (State.DECLINED, "超出业务范围")
    with pytest.raises(StateError):
        take_answer(custody, answer(custody, digest))


def test_ap_07_every_difference_from_the_record_is_named_and_nothing_recorded(sent) -> None:
    custody, digest = sent
    said = answer(custody, "0" * 64, date="2199-01-01").replace("申江知识产权".encode(), b"X")
    with pytest.raises(InputError) as caught:
        take_answer(custody, said)
    assert len(caught.value.facts["problems"]) == 3, caught.value
    letter = next(custody.workspace.packages.glob("*/*.letter.pdf")).read_bytes()
    good = answer(custody, digest)
    for wrong, words in (
        (answer(custody, hashlib.sha256(letter).hexdigest()), "letter.pdf"),
        (answer(custody, digest, date="2020-01-01"), "before the day"),
        (
            answer(custody, digest).replace(NUMBER.encode(), "鉴〔2026〕9号".encode()),
            "no commission",
        ),
        (good.replace(NUMBER.encode(), f"{NUMBER}/S1".encode()), "supplement 1"),
    ):
        with pytest.raises(InputError, match=words):
            take_answer(custody, wrong)
    assert events(custody, Action.ACKNOWLEDGED) == []
    assert list(custody.objects.keys("answers")) == []
    assert Desk(custody).commission(NUMBER).state is State.DISPATCHED

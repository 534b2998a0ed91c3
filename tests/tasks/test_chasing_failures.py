"""Chasing when things fail: no mailbox, no server, two at once, killed anywhere, bad templates."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from appraisal.chasing import BUREAU, Stage, Watched
from appraisal.rules import Unit
from storage.catalogue import kept
from storage.catalogue import notices as rows
from storage.custody import Custody
from storage.event import Action, CustodyEvent
from storage.log import Recorded
from tasks import chasing
from tasks.chasing import Chased, chase_notices, notices_for, retry_notices
from tasks.delivery import Ending, Outcome
from tasks.watched import DueDates
from tasks.wording import examine_templates, template
from tests.house import events
from tests.services.mail import Hooked, Mailbox, mail_server, webhook_server
from tests.services.postgres import Postgres
from tests.tasks.chased import (
    AGENCY,
    DUE,
    FILES,
    accept,
    at,
    copied,
    mailing,
    make_house,
    recipients,
    states,
)
from tests.tasks.sent import NUMBER, case_house

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_house(tmp_path_factory.mktemp("made"))


@pytest.fixture
def custody(made: Path, tmp_path: Path) -> Iterator[Custody]:
    with copied(made, tmp_path) as opened:
        yield opened


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hooked]:
    with webhook_server() as server:
        yield server


def test_a_mailbox_that_does_not_exist_is_given_up_and_told_to_a_person(
    custody: Custody, box: Mailbox
) -> None:
    box.refuse["agency@a.example"] = "550 no such mailbox"
    done = chase_notices(at(custody, date(2026, 10, 10), **mailing(box)))
    assert (done.counts["given_up"], done.counts["sent"]) == (1, 1)
    with custody.read() as session:
        (alert,) = [each for each in kept.list_alerts(session) if each["kind"] == "notice"]
    assert "agency@a.example" in json.dumps(alert, ensure_ascii=False)
    assert retry_notices(at(custody, date(2026, 10, 12), **mailing(box))).counts["sent"] == 0


def test_what_fails_is_tried_again_after_growing_waits_and_then_given_up(
    custody: Custody, box: Mailbox
) -> None:
    box.refuse["agency@a.example"] = "450 later"
    now = datetime.fromisoformat("2026-10-10T08:00:00+08:00")
    chase_notices(at(custody, now.isoformat(), **mailing(box)))
    for wait in chasing.WAITS:
        early = at(custody, (now + wait - timedelta(seconds=1)).isoformat(), **mailing(box))
        assert retry_notices(early).counts == Counter(void=0)
        now += wait
        last = retry_notices(at(custody, now.isoformat(), **mailing(box)))
        assert last.counts["failed"] + last.counts["given_up"] == 1
    assert last.counts["given_up"] == 1
    assert recipients(box) == ["officer@b.example"]


def test_what_fails_for_a_while_arrives_later(custody: Custody, box: Mailbox) -> None:
    box.refuse["agency@a.example"] = "450 later"
    chase_notices(at(custody, date(2026, 10, 10), **mailing(box)))
    box.refuse.clear()
    assert retry_notices(at(custody, date(2026, 10, 11), **mailing(box))).counts["sent"] == 1
    assert sorted(recipients(box)) == ["agency@a.example", "officer@b.example"]
    assert states(custody, state="waiting") == Counter()


def test_a_dead_mail_server_is_asked_once_a_run_and_harms_no_webhook(
    custody: Custody, box: Mailbox, hook: Hooked
) -> None:
    asked: list[str] = []

    def give(house: Custody, row: Mapping[str, Any]) -> Outcome:
        asked.append(row["channel"])
        return chasing.deliver(house, row)

    more = {
        **mailing(box),
        "smtp_port": 1,
        "notice_webhook": hook.url,
        "notice_webhook_secret": SecretStr(SECRET),
    }
    done = chase_notices(at(custody, date(2026, 10, 10), **more), give=give)
    assert (done.counts["sent"], done.counts["failed"]) == (1, 2)
    assert sorted(asked) == ["email", "webhook"]
    assert len(hook.got) == 1


def test_a_defect_in_one_channel_is_seen_and_harms_no_other(
    custody: Custody, box: Mailbox, hook: Hooked
) -> None:
    def give(house: Custody, row: Mapping[str, Any]) -> Outcome:
        if row["channel"] == "email":
            raise ZeroDivisionError
        return chasing.deliver(house, row)

    more = {"notice_webhook": hook.url, "notice_webhook_secret": SecretStr(SECRET)}
    day = at(custody, date(2026, 10, 10), **mailing(box), **more)
    with pytest.raises(ZeroDivisionError):
        chase_notices(day, give=give)
    assert (len(hook.got), states(custody, state="waiting")) == (1, Counter(waiting=2))
    assert chase_notices(day).counts["sent"] == 2


# Templates


def test_a_bureaus_own_words_are_used_and_wrong_ones_are_named_and_left_aside(
    custody: Custody, box: Mailbox
) -> None:
    folder = custody.workspace.templates
    folder.mkdir()
    (folder / "before.zh.txt").write_text("本局：$number\n\n请于$due前办结。\n")
    (folder / "overdue.zh.txt").write_text("本局：$number\n\n当事人$party\n")
    (folder / "note.txt").write_text("x")
    found = {each.name: each.mistakes for each in examine_templates(custody)}
    assert found["before.zh.txt"] == ()
    assert "$party" in found["overdue.zh.txt"][0][1]
    assert found["note.txt"]
    chase_notices(at(custody, date(2026, 10, 10), **mailing(box)))
    assert {str(each["Subject"]) for each in box.got} == {f"本局：{NUMBER}"}
    assert b"$party" not in template(custody, "overdue", "zh")
    box.got.clear()
    chase_notices(at(custody, date(2026, 10, 17), language="en", **mailing(box)))
    assert all(str(each["Subject"]).startswith("Overdue") for each in box.got)


# At once, and cut short


def test_two_at_once_send_nothing_twice(custody: Custody) -> None:
    sent: list[str] = []
    others: list[Chased] = []

    def give(house: Custody, row: Mapping[str, Any]) -> Outcome:
        other = threading.Thread(target=lambda: others.append(chase_notices(day)))
        other.start()
        other.join()
        sent.append(row["key"])
        return Outcome(Ending.SENT, "ok")

    day = at(custody, date(2026, 10, 10), smtp_host="127.0.0.1", notice_email="o@b.example")
    chase_notices(day, give=give)
    assert len(sent) == len(set(sent)) == 2
    assert all(each.busy for each in others)


def test_whoever_is_cut_between_sending_and_recording_sends_the_same_mail_again(
    custody: Custody, box: Mailbox
) -> None:
    def give(house: Custody, row: Mapping[str, Any]) -> Outcome:
        chasing.deliver(house, row)
        raise Cut

    with pytest.raises(Cut):
        chase_notices(at(custody, date(2026, 10, 10), **mailing(box)), give=give)
    assert retry_notices(at(custody, date(2026, 10, 11), **mailing(box))).counts["sent"] == 2
    (again,) = [each for each, count in Counter(box.ids).items() if count == 2]
    one, two = [each for each in box.got if each["Message-ID"] == again]
    assert one.as_bytes() == two.as_bytes()
    assert len(set(box.ids)) == 2


@pytest.mark.slow
def test_on_a_server_too_one_chases_alone_and_each_is_given_once(
    tmp_path: Path, postgres: Postgres
) -> None:
    sent: list[str] = []
    with case_house(tmp_path, FILES, AGENCY, database=postgres.new_database()) as house:
        accept(house)
        day = at(house, date(2026, 10, 10), smtp_host="127.0.0.1", notice_email="o@b.example")

        def give(_: Custody, row: Mapping[str, Any]) -> Outcome:
            sent.append(row["key"])
            assert chase_notices(day).busy
            return Outcome(Ending.SENT if len(sent) > 1 else Ending.LATER, "ok")

        assert chase_notices(day, give=give).counts == Counter(due=4, sent=1, failed=1)
        later = at(house, date(2026, 10, 11), smtp_host="127.0.0.1")
        assert retry_notices(later, give=give).counts["sent"] == 1
        assert states(house) == Counter(sent=2, shown=2)
        assert len(notices_for(house, BUREAU)) == 1


class Cut(Exception):
    """The machine stops here."""


class Cutting(Custody):
    """A house whose recording stops before or after the events are on record, when told to."""

    def record(self, events: Sequence[CustodyEvent]) -> list[Recorded]:
        _cut("before")
        found = super().record(events)
        _cut("after")
        return found


SCRIPT: list[str] = []
NUMBERS = itertools.count()


def _cut(where: str) -> None:
    """Stop here if this is what the script says next."""
    if SCRIPT and SCRIPT.pop(0) == where:
        raise Cut


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Custody]:
    with case_house(tmp_path_factory.mktemp("cut"), FILES) as opened:
        yield opened


RUNS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.lists(st.sampled_from(["", "before", "after", "unsent", "sent"]), max_size=6),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(RUNS, st.booleans())
def test_however_often_it_is_cut_short_only_what_left_unrecorded_leaves_again(
    shared: Custody, runs: list[tuple[int, list[str]]], moves: bool
) -> None:
    values = {each.name: getattr(shared, each.name) for each in fields(Custody)}
    house, sent = Cutting(**values), Counter[str]()
    first, subject = date(2026, 10, 9), f"鉴{next(NUMBERS)}号"

    def give(custody: Custody, row: Mapping[str, Any]) -> Outcome:
        _cut("unsent")
        sent[row["key"]] += 1
        _cut("sent")
        return Outcome(Ending.SENT, "ok")

    def run(day: int, script: list[str]) -> None:
        today = first + timedelta(days=day)
        due = DUE + timedelta(days=3) if moves and day > 4 else DUE
        watched = Watched(
            subject,
            "",
            "completion",
            ("完成", "completion"),
            due,
            Stage.CLOCK,
            "c",
            "案1号",
            subject,
            "a1",
            Unit.WORKING_DAY,
        )
        SCRIPT[:] = script
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chasing, "due_dates", lambda *_: DueDates((watched,), {}))
            here = at(house, today, smtp_host="x", notice_email="o@b.example,p@b.example")
            try:
                chase_notices(here, give=give)
            except Cut:
                pass
            finally:
                SCRIPT.clear()

    for day, script in sorted(runs, key=lambda each: each[0]):
        run(day, script)
    last = max(day for day, _ in runs)
    run(last, [])
    run(last, [])
    with shared.read() as session:
        known = {row["key"]: row for row in rows.listed(session, commission=subject, limit=500)}
    outcomes = Counter(
        each.details["key"]
        for each in events(shared, Action.NOTICE)
        if each.details["state"] == "sent" and each.details["key"] in known
    )
    assert set(sent) <= set(known)
    assert all(row["state"] != "waiting" for row in known.values())
    for key, row in known.items():
        if row["channel"] == "email":
            assert (row["state"] == "sent") == (outcomes[key] == 1)
            assert outcomes[key] <= 1
            scripts = sum(script.count(each) for _, script in runs for each in ("sent", "before"))
            assert sent[key] <= 1 + scripts
            if not any(each for _, script in runs for each in script):
                assert sent[key] == (row["state"] == "sent")

"""Chasing on a real record: who is told what on which day, each once, and whom nobody tells."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appraisal import acts
from appraisal.accounts import Role, new_account
from appraisal.chasing import BUREAU, Audience
from appraisal.commission import NoticeKind
from appraisal.desk import Desk
from appraisal.rules import Limit, Unit
from storage.custody import Custody
from storage.errors import InputError, NotFoundError
from storage.event import Action
from storage.settings import Settings
from storage.story import tell
from tasks import case_clock_steps, sweeping
from tasks.accounts import Accounts
from tasks.case_clocks import running_clocks
from tasks.chasing import chase_notices, notices_for, retry_notices
from tasks.notice_contacts import name_contact
from tasks.rebuilding import rebuild
from tasks.watched import AddressBook, due_dates, unreached
from tests.appraisal.made import opinion
from tests.house import events
from tests.services.mail import Mailbox, mail_server
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
from tests.tasks.life import rows_of
from tests.tasks.proof_made import CASE_NO
from tests.tasks.sent import CLERK, NUMBER, OFFICER, case_house

OURS = ("notice", "notice_run", "notice_contact")


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


def test_each_is_sent_once_and_says_the_date_the_clock_and_nothing_of_the_parties(
    custody: Custody, box: Mailbox
) -> None:
    (clock,) = running_clocks(custody, date(2026, 9, 1))
    assert clock.due == DUE
    day = at(custody, date(2026, 10, 10), **mailing(box))
    assert chase_notices(at(custody, date(2026, 10, 9), **mailing(box))).counts["due"] == 0
    done = chase_notices(day)
    assert done.counts == Counter(due=4, sent=2, skipped=0, void=0)
    assert chase_notices(day).counts["sent"] == 0
    assert retry_notices(day).counts["sent"] == 0
    assert sorted(recipients(box)) == ["agency@a.example", "officer@b.example"]
    for mail in box.got:
        text = f"{mail['Subject']}\n{mail.get_content()}"
        for word in (NUMBER, "2026-10-16", "https://queue.example/"):
            assert word in text
        brief = Desk(custody).commission(NUMBER).brief
        for secret in (CASE_NO, brief.client, brief.facts_summary, "a.txt", *brief.parties):
            assert secret not in text
    (seen,) = notices_for(custody, clock.agency_id)
    assert (seen["commission_no"], seen["due"]) == (NUMBER, "2026-10-16")
    assert NUMBER in seen["zh"]
    assert len(notices_for(custody, BUREAU)) == 1
    assert notices_for(custody, "another") == []


def test_the_life_of_a_notice_is_two_events_and_a_rebuild_gives_the_same_rows(
    custody: Custody, box: Mailbox
) -> None:
    chase_notices(at(custody, date(2026, 10, 10), **mailing(box)))
    name_contact(custody, NUMBER, "escalation", "boss@b.example", name="局长", by=OFFICER)
    told = events(custody, Action.NOTICE)
    assert Counter(each.details["state"] for each in told) == Counter(
        due=4, sent=2, chased=1, contact=1
    )
    assert all(tell(each) for each in told)
    assert any(NUMBER in tell(each) for each in told)
    before = {name: rows_of(custody.settings)[name] for name in OURS}
    assert all(before.values())
    custody.database.close()
    rebuild(Settings(home=custody.settings.home), replace_existing=True)
    assert {name: rows_of(custody.settings)[name] for name in OURS} == before


def test_tt_08_day_5_warns_and_day_7_says_that_it_lifts_by_itself(
    custody: Custody, box: Mailbox
) -> None:
    """TT-08: preserved on 2026-09-07; the fifth working day is 09-14, the seventh 09-16."""
    case_clock_steps.start(
        at(custody, date(2026, 9, 7)), CASE_NO, "preservation", when="2026-09-07", document="保1号"
    )
    for day, words in (
        (11, None),
        (14, "【期限提醒】"),
        (16, "【自动解除】"),
        (17, "【已自动解除】"),
    ):
        box.got.clear()
        chase_notices(at(custody, date(2026, 9, day), **mailing(box)))
        assert [str(each["Subject"])[:6] for each in box.got] == (
            [] if words is None else [words[:6]] * len(box.got)
        )
        assert bool(box.got) == (words is not None)
    case_clock_steps.end(
        at(custody, date(2026, 9, 18)),
        CASE_NO,
        "preservation",
        when="2026-09-17",
        document="解1号",
        outcome="解除",
    )
    box.got.clear()
    chase_notices(at(custody, date(2026, 9, 19), **mailing(box)))
    assert box.got == []


def test_overdue_is_told_to_somebody_above_whom_the_case_may_name(
    custody: Custody, box: Mailbox
) -> None:
    name_contact(custody, CASE_NO, "escalation", "case@b.example", by=OFFICER)
    name_contact(custody, CASE_NO, "escalation", "case@b.example", by=OFFICER)
    told = [each for each in events(custody, Action.NOTICE) if each.details["state"] == "contact"]
    assert len(told) == 1, "the same name again changes nothing"
    chase_notices(at(custody, date(2026, 10, 19), **mailing(box)))
    assert sorted(recipients(box)) == ["agency@a.example", "case@b.example", "officer@b.example"]
    name_contact(custody, CASE_NO, "escalation", "", by=OFFICER)
    box.got.clear()
    chase_notices(at(custody, date(2026, 10, 23), **mailing(box)))
    assert "head@b.example" in recipients(box)


def test_the_officer_is_the_account_with_the_contacts_identifier_or_else_the_name(
    custody: Custody,
) -> None:
    book = Accounts(custody)
    for login, name, person in (
        ("himself", "李明", "31000101"),
        ("renamed", "李小明", "31000101"),
        ("namesake", "李明", "31000999"),
        ("unnumbered", "李明", ""),
    ):
        email = f"{login}@b.example"
        book.add(new_account(login, name, Role.OFFICER, email=email, person_id=person))
    today = at(custody, date(2026, 10, 1))
    (clock,) = due_dates(today, date(2026, 10, 1), Desk(today).calendar).watched
    for contact, told in (
        (OFFICER, {"himself", "renamed", "unnumbered"}),
        (replace(OFFICER, id=""), {"himself", "namesake", "unnumbered"}),
    ):
        found = AddressBook(today, {NUMBER: contact}).reached(clock)[Audience.OFFICER]
        assert {each.split("@")[0] for each in found} == told


def test_whom_no_mail_can_reach_is_named_before_anybody_waits_for_it(
    custody: Custody, box: Mailbox
) -> None:
    named = mailing(box) | {"notice_email": "", "escalation_email": ""}
    empty = at(custody, date(2026, 10, 1), **named)
    assert unreached(empty) == {Audience.OFFICER: (NUMBER,), Audience.ESCALATION: (NUMBER,)}
    name_contact(custody, CASE_NO, "officer", "mine@b.example", by=OFFICER)
    assert unreached(empty) == {Audience.ESCALATION: (NUMBER,)}
    assert unreached(at(custody, date(2026, 10, 1), **mailing(box))) == {}


def test_who_cannot_be_named(custody: Custody) -> None:
    with pytest.raises(InputError):
        name_contact(custody, NUMBER, "escalation", "nobody", by=OFFICER)
    with pytest.raises(InputError):
        name_contact(custody, NUMBER, "king", "a@b.example", by=OFFICER)
    with pytest.raises(NotFoundError):
        name_contact(custody, "鉴0号", "officer", "a@b.example", by=OFFICER)


def test_no_notice_for_what_was_returned_and_what_waited_is_void(
    custody: Custody, box: Mailbox
) -> None:
    box.refuse = dict.fromkeys(("agency@a.example", "officer@b.example"), "450 later")
    assert chase_notices(at(custody, date(2026, 10, 14), **mailing(box))).counts["failed"] == 2
    desk = Desk(at(custody, date(2026, 10, 14)))
    back = acts.return_opinion(
        opinion(commission_no=NUMBER), "x/E0003", [], CLERK, "2026-10-14T10:00:00+08:00"
    )
    desk.step(NUMBER, back)
    box.refuse.clear()
    done = chase_notices(at(custody, date(2026, 10, 15), **mailing(box)))
    assert done.counts["void"] == 2
    assert {each["template"] for each in done.notices} == {"party_result"}
    assert all("鉴定结果告知书" in str(each["Subject"]) for each in box.got)


def test_ap_12_the_notice_of_the_period_is_asked_for_until_it_is_on_record(
    tmp_path: Path,
) -> None:
    """AP-12: of the officer, on the first, third and seventh day, then weekly."""
    with case_house(tmp_path, FILES, AGENCY) as house:
        accept(house, told=False)
        (told,) = chase_notices(at(house, date(2026, 9, 1))).notices
        assert (told["template"], told["recipient"]) == ("party_period", BUREAU)
        assert chase_notices(at(house, date(2026, 9, 2))).notices == []
        assert len(chase_notices(at(house, date(2026, 9, 3))).notices) == 1
        notice = acts.notify(
            NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, "2026-09-04T09:00:00+08:00"
        )
        Desk(at(house, date(2026, 9, 4))).step(NUMBER, notice)
        assert chase_notices(at(house, date(2026, 9, 7))).notices == []


def test_a_date_that_moved_is_told_anew_and_the_old_one_no_more(
    custody: Custody, box: Mailbox
) -> None:
    box.refuse["agency@a.example"] = "450 later"
    chase_notices(at(custody, date(2026, 10, 14), **mailing(box)))
    desk = Desk(at(custody, date(2026, 10, 14)))
    found, moment = desk.commission(NUMBER), "2026-10-14T10:00:00+08:00"
    rules, limit = desk.rules(found), Limit(30, Unit.WORKING_DAY)
    granted = acts.extend(
        found, limit, "所长", date(2026, 10, 14), rules, desk.calendar, CLERK, moment, "复杂"
    )
    desk.step(NUMBER, granted)
    box.refuse.clear()
    box.got.clear()
    done = chase_notices(at(custody, date(2026, 10, 15), **mailing(box)))
    assert (done.counts["void"], box.got) == (1, [])
    (clock,) = running_clocks(custody, date(2026, 10, 15))
    assert clock.due > DUE
    chase_notices(at(custody, clock.due, **mailing(box)))
    assert all(clock.due.isoformat() in str(each.get_content()) for each in box.got)
    assert box.got


def test_a_supplement_under_way_is_no_time_for_reminders(custody: Custody, box: Mailbox) -> None:
    desk = Desk(at(custody, date(2026, 9, 20)))
    desk.step(NUMBER, acts.request_supplement("往来邮件", CLERK, "2026-09-20T10:00:00+08:00"))
    for day in (date(2026, 10, 14), DUE, date(2026, 10, 20)):
        assert chase_notices(at(custody, day, **mailing(box))).notices == []
    assert box.got == []


def test_days_without_a_run_are_on_record_as_skipped(custody: Custody, box: Mailbox) -> None:
    chase_notices(at(custody, date(2026, 10, 10), **mailing(box)))
    done = chase_notices(at(custody, date(2026, 10, 17), **mailing(box)))
    assert (done.counts["sent"], done.counts["skipped"]) == (2, 3 * 4)
    assert states(custody) == Counter(sent=4, shown=4, skipped=12)
    skipped = [each for each in events(custody, Action.NOTICE) if "skipped" in str(each.details)]
    assert all("newer notice" in each.details["reason"] for each in skipped)


def test_a_look_at_another_day_or_a_dry_run_records_and_sends_nothing(
    custody: Custody, box: Mailbox
) -> None:
    day = at(custody, date(2026, 10, 10), **mailing(box))
    size = len(events(custody, Action.NOTICE))
    for done in (
        chase_notices(day, date(2026, 10, 20)),
        chase_notices(day, date(2026, 9, 1)),
        chase_notices(day, dry_run=True),
    ):
        assert not done.recorded
    assert len(chase_notices(day, dry_run=True).notices) == 4
    assert (len(events(custody, Action.NOTICE)), box.got) == (size, [])


def test_the_daily_sweep_reads_what_is_open_and_records_what_a_crash_left_out(
    custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CU-03: whoever dies between a step and its custody event finds the event made next day."""
    old, now = "鉴委〔2026〕1号", date(2026, 10, 20)
    accept(custody, old, ["E0002"])
    withdrawn = acts.withdraw("撤回", OFFICER, "2026-09-01T09:00:00+08:00")
    Desk(at(custody, date(2026, 9, 1))).step(old, withdrawn)
    sweeping.chase(at(custody, date(2026, 9, 2)), "")
    chase_notices(at(custody, date(2026, 10, 19)))
    followed: list[str] = []
    follow_up = Desk.follow_up

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "follow_up", killed)
        back = acts.return_opinion(
            opinion(commission_no=NUMBER), "x/E0003", [], CLERK, "2026-10-19T10:00:00+08:00"
        )
        with pytest.raises(KeyboardInterrupt):
            Desk(at(custody, date(2026, 10, 19))).step(NUMBER, back)
    assert events(custody, Action.RETURNED) == []
    monkeypatch.setattr(
        Desk,
        "follow_up",
        lambda self, one: followed.append(one.commission_no) or follow_up(self, one),
    )
    chase_notices(at(custody, now))
    sweeping.chase(at(custody, now), "")
    assert followed == [NUMBER]
    assert len(events(custody, Action.RETURNED)) == 1


def test_access_that_ends_is_told_days_ahead_and_in_time(custody: Custody, box: Mailbox) -> None:
    """AP-07: fourteen, seven and one day before, and on the day; after it nothing."""
    desk = Desk(at(custody, date(2026, 9, 1)))
    end = acts.terminate("设备损坏", CLERK, "2026-09-01T09:00:00+08:00")
    desk.step(NUMBER, end)
    told = {}
    for day in (1, 2, 16, 17, 18, 24, 30, 31, 32, 44):
        box.got.clear()
        when = date(2026, 9, 1) + timedelta(days=day - 1)
        chase_notices(at(custody, when, **mailing(box)))
        if box.got:
            told[when.isoformat()] = recipients(box)
    assert sorted(told) == ["2026-09-01", "2026-09-17", "2026-09-24", "2026-09-30", "2026-10-01"]
    assert all(each == ["agency@a.example"] for each in told.values())


def test_access_that_ended_with_the_step_itself_is_not_told_as_if_it_went_on(
    custody: Custody, box: Mailbox
) -> None:
    desk = Desk(at(custody, date(2026, 9, 1)))
    desk.step(NUMBER, acts.withdraw("案件撤销", OFFICER, "2026-09-01T09:00:00+08:00"))
    chase_notices(at(custody, date(2026, 9, 1), **mailing(box)))
    assert box.got == []

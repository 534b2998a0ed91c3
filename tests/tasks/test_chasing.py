"""Chasing on a real record: each notice once, whatever is run twice, cut short or left out."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from appraisal import acts
from appraisal.chasing import BUREAU, Stage, Watched
from appraisal.commission import NoticeKind
from appraisal.desk import Desk
from appraisal.rules import Limit, Unit
from storage.catalogue import kept
from storage.catalogue import notices as rows
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import InputError, NotFoundError
from storage.event import Action, CustodyEvent
from storage.log import Recorded
from storage.settings import Settings
from storage.story import tell
from tasks import case_clock_steps, chasing, sweeping
from tasks.case_clocks import running_clocks
from tasks.chasing import Chased, chase_notices, notices_for, retry_notices
from tasks.delivery import Ending, Outcome
from tasks.notice_contacts import name_contact
from tasks.rebuilding import rebuild
from tasks.watched import DueDates
from tasks.wording import examine_templates, template
from tests.appraisal.made import opinion
from tests.house import events
from tests.services.mail import Hooked, Mailbox, mail_server, webhook_server
from tests.services.postgres import Postgres
from tests.tasks.life import rows_of
from tests.tasks.proof_made import CASE_NO
from tests.tasks.sent import CLERK, NUMBER, OFFICER, case_house, draft

OURS = ("notice", "notice_run", "notice_contact")
FILES = {"a.txt": b"one", "b.txt": b"two"}
AGENCY = {"contacts": [{"name": "周静", "email": "agency@a.example"}]}
SENT = "2026-08-30T10:00:00+08:00"
ACCEPTED = "2026-08-31T09:00:00+08:00"
DUE = date(2026, 10, 16)
SECRET = "0123456789abcdef0123456789abcdef"


def at(custody: Custody, moment: str | date, **more: Any) -> Custody:
    """Return the house as it is when its clock says so, with other settings."""
    text = f"{moment.isoformat()}T08:00:00+08:00" if isinstance(moment, date) else moment
    chosen = custody.settings.model_copy(update=more)
    return replace(custody, clock=lambda: datetime.fromisoformat(text), settings=chosen)


def mailing(box: Mailbox) -> dict[str, Any]:
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_security": "none",
        "smtp_from": "notices@bureau.example",
        "notice_email": "officer@b.example",
        "escalation_email": "head@b.example",
        "public_url": "https://queue.example",
    }


@pytest.fixture
def custody(tmp_path: Path) -> Iterator[Custody]:
    """A house with a case, an agency and a commission that was accepted."""
    with case_house(tmp_path, FILES, AGENCY) as opened:
        accept(opened)
        yield opened


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hooked]:
    with webhook_server() as server:
        yield server


def accept(custody: Custody, number: str = NUMBER, exhibits: Sequence[str] = ()) -> Desk:
    then = at(custody, "2026-08-29T09:00:00+08:00")
    draft(then, *exhibits, number=number)
    desk, package = Desk(then), fingerprint_bytes(b"a package")
    desk.step(number, acts.dispatch(package, OFFICER, SENT))
    desk.step(number, acts.accept(CLERK, ACCEPTED, package.sha256))
    desk.step(number, acts.notify(NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, ACCEPTED))
    return desk


def states(custody: Custody, **wanted: str) -> Counter[str]:
    with custody.read() as session:
        return Counter(row["state"] for row in rows.listed(session, **wanted, limit=1000))


def recipients(box: Mailbox) -> list[str]:
    return [str(each["To"]) for each in box.got]


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
        then = at(house, "2026-08-29T09:00:00+08:00")
        draft(then)
        desk, package = Desk(then), fingerprint_bytes(b"a package")
        desk.step(NUMBER, acts.dispatch(package, OFFICER, SENT))
        desk.step(NUMBER, acts.accept(CLERK, ACCEPTED, package.sha256))
        (told,) = chase_notices(at(house, date(2026, 9, 1))).notices
        assert (told["template"], told["recipient"]) == ("party_period", BUREAU)
        assert chase_notices(at(house, date(2026, 9, 2))).notices == []
        assert len(chase_notices(at(house, date(2026, 9, 3))).notices) == 1
        notice = acts.notify(
            NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, "2026-09-04T09:00:00+08:00"
        )
        desk.step(NUMBER, notice)
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
    desk = accept(custody, old, ["E0002"])
    desk.step(old, acts.withdraw("撤回", OFFICER, "2026-09-01T09:00:00+08:00"))
    sweeping.chase(at(custody, date(2026, 9, 2)), "")
    chase_notices(at(custody, date(2026, 10, 19)))
    followed: list[str] = []
    follow_up = Desk.follow_up

    def killed(*_: Any) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(Desk, "follow_up", killed)
        back = acts.return_opinion(
            opinion(commission_no=NUMBER), "x/E0003", [], CLERK, "2026-10-19T10:00:00+08:00"
        )
        with pytest.raises(Cut):
            desk.step(NUMBER, back)
    assert events(custody, Action.RETURNED) == []
    monkeypatch.setattr(
        Desk,
        "follow_up",
        lambda self, one: followed.append(one.commission_no) or follow_up(self, one),
    )
    sweeping.chase(at(custody, now), "")
    assert followed == [NUMBER]
    assert len(events(custody, Action.RETURNED)) == 1


# Failures


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


def test_access_that_ends_is_told_days_ahead_and_in_time(custody: Custody, box: Mailbox) -> None:
    """AP-07: fourteen, seven and one day before, and on the day; after it nothing."""
    desk = Desk(at(custody, date(2026, 9, 1)))
    end = acts.terminate("设备损坏", CLERK, "2026-09-01T09:00:00+08:00")
    desk.step(NUMBER, end)
    told = {}
    for day in (1, 2, 10, 16, 17, 18, 23, 24, 25, 30, 31, 32, 33, 44):
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


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
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

"""The rules of a case's clocks as data, and the steps that are refused (TT-07 to TT-09)."""

import json
from datetime import date

import pytest

from appraisal import case_acts
from appraisal.case_clocks import case_clocks
from appraisal.case_record import CaseRecord, CaseStep, apply, fold
from appraisal.case_rules import CASES, CaseRuleBook
from storage.errors import (
    ConflictError,
    HostError,
    InputError,
    IntegrityError,
    NotFoundError,
    StateError,
)
from tests.appraisal.made_clock import AT, BOOK, CALENDAR, begun, left_out
from tests.appraisal.slow_clock import walk


def test_the_version_of_the_law_is_that_of_the_day_on_which_it_began(tmp_path) -> None:
    """TT-07: what began under an earlier version runs under it to its end."""
    new = json.loads((CASES / "apl-2021.json").read_text())
    old = {**new, "version": "old", "valid_from": "2017-01-01", "valid_to": "2021-07-14"}
    (tmp_path / "new.json").write_text(json.dumps(new))
    (tmp_path / "old.json").write_text(json.dumps(old).replace('"length": 7', '"length": 9'))
    book = CaseRuleBook.load(tmp_path)
    assert book.get("preservation", date(2021, 7, 14)).rule_id == "apl@old"
    assert book.get("preservation", date(2021, 7, 15)).rule_id == "apl@2021.1"
    step = case_acts.start(CaseRecord(), book, "preservation", "2021-07-14", "", "登1", "", AT)
    (clock,) = case_clocks(fold([step]), (), book, CALENDAR, date(2021, 7, 20))
    assert clock.clock.due.date == walk(date(2021, 7, 14), [(9, True)])
    with pytest.raises(NotFoundError, match="the first is of 2017-01-01"):
        book.get("preservation", date(2016, 12, 31))
    with pytest.raises(HostError, match="apl@old"):
        BOOK.version("preservation", "apl@old")
    (tmp_path / "third.json").write_text(json.dumps({**old, "version": "third", "valid_to": None}))
    with pytest.raises(HostError, match="preservation"):
        # What was loaded is kept: another spelling of the path is read again.
        CaseRuleBook.load(tmp_path / ".." / tmp_path.name)


def test_every_rule_names_its_article_and_how_well_it_was_read() -> None:
    assert len(BOOK.rules) == 10
    for rule in BOOK.rules:
        articles = [rule.article, *(each.article for each in rule.extensions)]
        articles += [each.article for each in rule.excluded.values()]
        assert all(each.zh and each.en and each.read in "ABCD" for each in articles), rule.name
        assert all((*rule.title, *rule.starts, *rule.ends))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("zhenglian.case-rules/1", "other/1"),
        ('"overdue"', '"explode"'),
        ('"hour"', '"fortnight"'),
        ('"length": 24', '"length": 0'),
        ('"read": "A"', '"read": "E"'),
        ('"calendar": "cn"', '"calendar": "xx"'),
        ('"valid_from": "2020-08-07"', '"valid_from": "soon"'),
        ('"clocks": {', '"clocks": ['),
    ],
)
def test_a_broken_rule_file_is_named(tmp_path, old: str, new: str) -> None:
    text = (CASES / "move-2020.json").read_text()
    assert old in text
    (tmp_path / "odd.json").write_text(text.replace(old, new))
    with pytest.raises(HostError, match=r"odd\.json"):
        CaseRuleBook.load(tmp_path)


# What is refused


@pytest.mark.parametrize(
    ("name", "day", "document", "says"),
    [
        ("unknown", "2026-03-02", "立1", "no clock 'unknown'"),
        ("case_handling", "2026-11-21", "立1", "lies ahead"),
        ("case_handling", "2026-03-02", " ", "document is missing"),
        ("case_handling", "2026-03-02", "立\udcff", "no valid text"),
        ("case_handling", "2026-03-02", "立" * 501, "document超过500字"),
        ("case_handling", "2020-03-02", "立1", "no rule on Case handling"),
        ("seizure", "2011-12-31", "扣1", "no rule on Seal"),
    ],
)
def test_starts_that_are_refused(name: str, day: str, document: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        case_acts.start(CaseRecord(), BOOK, name, day, "", document, "", AT)


def test_the_same_clock_is_not_started_twice_and_another_lot_is_another_clock() -> None:
    record = begun("preservation")
    with pytest.raises(ConflictError, match="K1 is this very clock"):
        case_acts.start(record, BOOK, "preservation", "2026-03-02", "", "立0", "", AT)
    step = case_acts.start(record, BOOK, "preservation", "2026-03-02", "", "立0", "第二批", AT)
    record = apply(record, step)
    with pytest.raises(StateError, match="several clocks"):
        record.clock("preservation")
    assert record.clock("k2").note == "第二批"


def test_a_period_of_a_kind_is_open_once_and_ends_after_it_began() -> None:
    record = left_out(begun(), "hearing", date(2026, 4, 1))
    with pytest.raises(StateError, match="still open"):
        left_out(record, "听证", date(2026, 4, 2))
    with pytest.raises(StateError, match="before the start"):
        apply(record, case_acts.resume(record, BOOK, "听证", "2026-03-31", "通知2号", AT))
    with pytest.raises(NotFoundError, match="no period"):
        case_acts.resume(record, BOOK, "suspension", "2026-04-02", "通知2号", AT)


def test_a_period_is_called_as_the_law_calls_any_of_it() -> None:
    for called in ("inspection", "检验", "检疫", "检验、检疫"):
        record = left_out(begun("seizure"), called, date(2026, 4, 1), date(2026, 4, 2))
        assert [(each.kind, each.end) for each in record.periods] == [
            ("inspection", date(2026, 4, 2))
        ]


def test_a_step_is_never_before_the_step_before_it() -> None:
    """TT-07: a machine whose clock was set back records nothing until it is right again."""
    record = begun()
    early = case_acts.start(
        record, BOOK, "preservation", "2026-03-02", "", "登1", "", "2026-11-20T08:59:59+08:00"
    )
    with pytest.raises(StateError, match="before that of"):
        apply(record, early)
    # The same moment in another zone is not before.
    same = "2026-11-20T01:00:00+00:00"
    apply(record, case_acts.start(record, BOOK, "preservation", "2026-03-02", "", "登1", "", same))


def test_a_malformed_step_on_record_is_an_integrity_error() -> None:
    with pytest.raises(IntegrityError, match="malformed"):
        fold([CaseStep.from_json({"kind": "started", "at": AT, "data": {"name": "x"}})])

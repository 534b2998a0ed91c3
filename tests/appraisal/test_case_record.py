"""The record of a case's clocks: whatever is tried in whatever order, its invariants hold."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appraisal import case_acts
from appraisal.calendar import WorkCalendar
from appraisal.case_clocks import case_clocks
from appraisal.case_record import CaseRecord, CaseStep, apply, fold
from appraisal.case_rules import CaseRuleBook
from storage.errors import InputError, StateError

BOOK = CaseRuleBook.load()
CALENDAR = WorkCalendar.load()
START = date(2026, 3, 2)
NAMES = ("case_handling", "lead_check", "preservation", "seizure")
KINDS = ("hearing", "appraisal", "testing")

tried = st.lists(
    st.tuples(
        st.sampled_from(["start", "extend", "exclude", "resume", "end", "void"]),
        st.integers(0, 3),
        st.integers(-2, 9),
    ),
    max_size=25,
)


def step_of(record: CaseRecord, what: str, which: int, on: date, at: str) -> CaseStep:
    """Return the step that a person tries, or the refusal."""
    day, number = str(on), f"K{which + 1}"
    if what == "start":
        return case_acts.start(record, BOOK, NAMES[which], day, "", "立1", at, at)
    if what == "extend":
        clocks = case_clocks(record, (), BOOK, CALENDAR, on)
        found = next((each for each in clocks if each.record.number == number), None)
        if found is None:
            raise StateError("not started")
        return case_acts.extend(found, 5, "局长", day, "延1", at)
    if what == "exclude":
        return case_acts.exclude(record, BOOK, KINDS[which % 3], day, "通1", "", at)
    if what == "resume":
        return case_acts.resume(record, BOOK, KINDS[which % 3], day, "通2", at)
    return case_acts.end(record, BOOK, number, day, "决1", "办结", at, void=what == "void")


@given(tried)
def test_tt_07_no_sequence_of_steps_breaks_the_record(steps: list[tuple[str, int, int]]) -> None:
    """TT-07 to TT-09: refused or taken, and what was taken folds to the same record again."""
    record, taken, today = CaseRecord(), [], START
    for what, which, days in steps:
        today += timedelta(days=abs(days))
        on = today if days >= 0 else today - timedelta(days=1)
        at = f"{today}T10:00:{len(taken):02}+08:00"
        before = record
        try:
            step = step_of(record, what, which, on, at)
            record = apply(record, step)
        except (InputError, StateError):
            assert record is before
            continue
        taken.append(step)
        assert record.steps == before.steps + 1
        ended = [each for each in before.clocks if each.ended is not None]
        assert all(each in record.clocks for each in ended)  # What is over never changes.
    assert [each.number for each in record.clocks] == [
        f"K{n + 1}" for n in range(len(record.clocks))
    ]
    still = [each.kind for each in record.periods if each.end is None]
    assert len(still) == len(set(still))
    assert all(each.end is None or each.end >= each.start for each in record.periods)
    assert fold(CaseStep.from_json(each.as_json()) for each in taken) == record
    for clock in case_clocks(record, (), BOOK, CALENDAR, today):
        assert len(clock.record.extensions) <= len(clock.rule.extensions)
        assert clock.clock.due.date > clock.record.day

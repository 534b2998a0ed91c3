"""Until when a package can be fetched: never ends within a running commission, never untold."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal import acts
from appraisal.access import TOLD_AHEAD, access_until, require_access, told_on
from appraisal.commission import Commission
from appraisal.states import OPEN_STATES
from appraisal.transitions import apply
from storage.errors import StateError
from tests.appraisal import made

END = "2026-03-02T10:00:00+08:00"
LAST = date(2026, 3, 2)


def ended(how: str) -> Commission:
    steps = {
        "declined": (made.dispatched(), acts.decline("超出范围", made.CLERK, END)),
        "withdrawn": (made.accepted(), acts.withdraw("撤回", made.OFFICER, END)),
        "terminated": (made.accepted(), acts.terminate("检材灭失", made.CLERK, END)),
    }
    return apply(*steps[how])


@given(st.integers(0, 4000), st.integers(0, 400))
def test_access_never_ends_within_a_running_commission(later: int, days: int) -> None:
    for running in (made.dispatched(), made.accepted()):
        assert running.state in OPEN_STATES
        assert access_until(running, days) is None
        assert told_on(running, days) == ()
        require_access(running, date(2026, 1, 28) + timedelta(days=later), days)


@given(st.integers(0, 400))
def test_after_the_end_it_lasts_the_days_and_is_told_ahead(days: int) -> None:
    commission = ended("terminated")
    until = access_until(commission, days)
    assert until == LAST + timedelta(days=days)
    told = told_on(commission, days)
    assert told[0] == LAST, "whoever ends it tells the last day"
    assert list(told) == sorted(set(told))
    assert {(until - day).days for day in told[1:]} == {n for n in TOLD_AHEAD if n < days}
    require_access(commission, until, days)
    with pytest.raises(StateError, match="no longer"):
        require_access(commission, until + timedelta(days=1), days)


@pytest.mark.parametrize("how", ["declined", "withdrawn"])
def test_st_06_who_has_no_work_to_do_has_no_access_from_that_step_on(how: str) -> None:
    """ST-06: need to know ends with the work; the step itself is what tells it."""
    commission = ended(how)
    assert access_until(commission, 30) == LAST
    assert told_on(commission, 30)[-1] == LAST
    with pytest.raises(StateError) as caught:
        require_access(commission, LAST, 30)
    assert caught.value.remedy


def test_what_was_not_sent_yet_is_not_fetched() -> None:
    (first,) = acts.draft(made.brief(), [made.material()], made.OFFICER, made.SENT)
    with pytest.raises(StateError, match="not sent"):
        require_access(apply(None, first), LAST, 30)

"""How a commission is called in listings: one function, used by all of them. Pure.

The state says what the last step left behind; on a day more may be true. What weighs most for
whoever reads the list is said: overdue before everything else, then a correction of what is
closed, then an extension of what is under way. (Decision 0024.)
"""

from __future__ import annotations

from collections.abc import Sequence

from appraisal.clocks import Clock, ClockState
from appraisal.commission import Commission
from appraisal.states import WORKING_STATES, Standing, State


def standing(commission: Commission, running: Sequence[Clock]) -> Standing:
    """Return how a commission stands on the day of its clocks.

    Args:
        commission: the commission.
        running: its clocks on that day, as ``appraisal.clocks.clocks`` gives them.
    """
    if any(each.state is ClockState.OVERDUE for each in running):
        return Standing.OVERDUE
    if commission.state is State.CLOSED and commission.corrections:
        return Standing.CORRECTED
    if commission.state in WORKING_STATES and commission.extensions:
        return Standing.EXTENDED
    return Standing(commission.state.value)

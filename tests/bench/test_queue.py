"""The queue's benchmark: its rows are what the real steps give, and all it asks is answered."""

import pytest

from appraisal.clocks import local_day
from appraisal.desk import Desk
from appraisal.queue import summary
from storage.catalogue import commissions as rows
from storage.custody import Custody
from tests.bench import queue_pages, queue_polling
from tests.bench.queue_rows import AGENCIES, LARGE, fill
from tests.bench.queue_serving import people, serving

COUNT = 400


def test_filled_rows_are_those_that_the_steps_give(house: Custody) -> None:
    desk = Desk(house)
    fill(house, COUNT, 50, desk.today())
    with house.read() as session:
        found = rows.listed(session)
    assert len(found) == COUNT
    assert sum(each["open"] for each in found if each["agency_id"] == LARGE) == COUNT // 20
    assert len({each["agency_id"] for each in found}) > AGENCIES // 2
    assert len({each["state"] for each in found}) == 11
    for row in found[::7]:
        commission = desk.commission(row["commission_no"])
        day = local_day(commission.last_at, desk.rules(commission))
        said = summary(commission, desk.clocks_on(commission, f"{day}T12:00:00+08:00"))
        assert {key: row[key] for key in said} == said
        assert (row["state"], row["steps"]) == (commission.state.value, commission.steps)
        assert (row["agency_id"], row["case_id"]) == (
            commission.agency_id,
            commission.brief.case_id,
        )


@pytest.mark.slow
def test_everything_that_the_benchmark_asks_is_answered(
    house: Custody, capsys: pytest.CaptureFixture[str]
) -> None:
    today = Desk(house).today()
    fill(house, COUNT, 50, today)
    known = people(house, 3)
    with serving(house.settings.home, "") as server:
        asking = queue_pages.Asking(house, server, known, COUNT, today)
        queue_pages.measure(asking, 1)
        queue_polling.phase("x", house, server, known, 0.5, wait=1, steps=True)
        asking.close()
    printed = capsys.readouterr().out
    assert "bureau's search, nothing" in printed
    assert "learnt of" in printed
    assert "failed" not in printed

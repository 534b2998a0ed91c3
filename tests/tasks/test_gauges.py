"""The gauges say what listings say, and since when something waits."""

import itertools
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from portal.metrics import KEPT_SECONDS, HouseCollector
from storage.catalogue import commissions, doing, gauges
from storage.catalogue.commissions import NEVER, Commission, Wanted
from storage.catalogue.journal import SqlJournal
from storage.catalogue.projection import project
from storage.catalogue.tables import AccessionIntent, Anchor, Fixity
from storage.custody import Custody
from storage.event import encode
from tasks import claims
from tasks import gauges as tried
from tasks.alerting import alert_event
from tasks.authorities import Authority
from tasks.gauge_names import GAUGES
from tasks.gauges import GROUPS, Sample
from tasks.reader.cell import CellPool
from tasks.stages import Doing
from tasks.telling import as_json
from tests.house import make_bundle
from tests.services.postgres import Postgres
from tests.tasks.life import open_house, take

LABELS = {each.name: each.labels for each in GAUGES}
SHANGHAI = ZoneInfo("Asia/Shanghai")


def shown(house: Custody, group: str) -> dict[Any, float]:
    """Return the values of a group, by name, or by name and labels."""
    found: dict[Any, float] = {}
    for name, value, labels in tried.GROUPS[group](house):
        assert len(labels) == len(LABELS[name])
        key = (name.removeprefix("custody_"), *labels) if labels else name.removeprefix("custody_")
        assert key not in found
        found[key] = value
    return found


def alert(house: Custody, subject: str) -> None:
    event = alert_event(house, "drill", subject, "a test")
    assert event is not None
    house.record([event])


def test_what_was_taken_in_is_counted(house: Custody, pool: CellPool, tmp_path: Path) -> None:
    began = time.time()
    take(house, pool, make_bundle(tmp_path / "bundle"))
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "a.txt").write_text("no manifest")
    take(house, pool, tmp_path / "wrong")
    assert shown(house, "exhibits") == {"exhibits": 3, "exhibits_unread": 0}
    readings = shown(house, "readings")
    assert sum(v for (name, _), v in readings.items() if name == "readings") == 3
    assert sum(v for (name, _), v in readings.items() if name == "read_pages") >= 3
    intake = shown(house, "intake")
    assert intake["accessions", "accepted"] == intake["accessions", "quarantined"] == 1
    assert intake["accession_bytes", "quarantined"] == len("no manifest")
    assert intake["quarantined_bundles"] == 1
    assert intake["claims_waiting", "open"] == 0
    fixity = shown(house, "fixity")
    assert fixity["kept_objects", "original"] == 3
    assert fixity["fixity_read_ratio"] == fixity["fixity_wrong_objects"] == 0
    assert fixity["fixity_period_seconds"] == 90 * 86400
    assert began - 2 <= fixity["fixity_oldest_timestamp_seconds"] <= time.time()
    log = shown(house, "log")
    size = int(house.log.checkpoint_text().splitlines()[1])
    assert log["log_entries"] == log["log_published_entries"] == size > 5
    assert began - 2 <= log["log_last_entry_timestamp_seconds"] <= time.time()


def test_what_was_read_back_is_counted_by_its_bytes(
    house: Custody, pool: CellPool, tmp_path: Path
) -> None:
    take(house, pool, make_bundle(tmp_path / "bundle", files={"a": b"x" * 10, "b": b"y" * 5000}))
    now = datetime.now(SHANGHAI).replace(microsecond=0)
    long_ago, lately = now - timedelta(days=100), now - timedelta(days=10)
    with house.write() as session:
        session.execute(update(Fixity).values(last_at=lately.isoformat(), result="ok"))
        session.execute(
            update(Fixity)
            .where(Fixity.size == 5000)
            .values(last_at=long_ago.isoformat(), result="mismatch")
        )
    found = shown(house, "fixity")
    total = sum(v for key, v in found.items() if key[0] == "kept_bytes")
    assert found["fixity_read_ratio"] == pytest.approx(1 - 5000 / total)
    assert found["fixity_oldest_timestamp_seconds"] == long_ago.timestamp()
    assert found["fixity_wrong_objects"] == 1


def test_a_bundle_on_which_nobody_works_waits(house: Custody, unit: Path) -> None:
    bundle = make_bundle(unit / "one")
    assert shown(house, "drop")["drop_bundles"] == 1
    with claims.taking(house, bundle, "pudong-01", in_place=False) as claim:
        accession = claim.accession
    taken = "2026-11-20T08:00:00+08:00"
    with house.write() as session:
        session.execute(update(AccessionIntent).values(claimed_at=taken))
    found = shown(house, "intake")
    assert shown(house, "drop")["drop_bundles"] == 0
    (state,) = [key[1] for key in found if key[0] == "claims_oldest_timestamp_seconds"]
    assert found["claims_waiting", state] == 1
    since = found["claims_oldest_timestamp_seconds", state]
    assert since == datetime.fromisoformat(taken).timestamp()
    works = as_json(Doing(accession, "pudong-01", "one", began=time.time(), expected={}))
    for alive, working in ((time.time(), 1), (time.time() - 3600, 0)):
        with house.write() as session:
            doing.put(session, accession, "pudong-01", {**works, "alive": alive})
        found = shown(house, "intake")
        assert found["claims_waiting", state] == 1 - working
        assert found["ingests", "working"] == working
        assert found["ingests", "stalled"] == 1 - working


@pytest.fixture
def unit(house: Custody) -> Path:
    folder = house.workspace.drop / "pudong-01"
    folder.mkdir()
    return folder


def test_events_without_a_place_are_seen_waiting(house: Custody) -> None:
    assert "log_inbox_oldest_timestamp_seconds" not in shown(house, "log")
    event = alert_event(house, "drill", "later", "a test")
    assert event is not None
    journal = SqlJournal(house.database, (project,))
    journal.enqueue([(event.event_id, encode(event))])
    found = shown(house, "log")
    assert (found["log_inbox_events"], found["log_entries"]) == (1, 1)
    made = datetime.fromisoformat(event.recorded_at).timestamp()
    assert found["log_inbox_oldest_timestamp_seconds"] == made
    house.log.keep_up()
    found = shown(house, "log")
    assert (found["log_inbox_events"], found["log_published_entries"]) == (0, 2)


def test_records_without_a_timestamp_are_seen_from_the_first_on(
    house: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(house, "anchors") == {}
    authority = Authority("国家授时", "https://tsa.example", "", ("sha256",))
    monkeypatch.setattr(tried, "configured", lambda chosen: [authority])
    names = ("国家授时", "sha256")
    found = shown(house, "anchors")
    assert found["anchor_last_timestamp_seconds", *names] == 0
    assert found["anchor_unstamped_timestamp_seconds", *names] > time.time() - 3600
    at = "2026-11-20T08:00:00Z"
    row = {"root": "", "kind": "timestamp", "by": "国家授时", "algorithm": "sha256", "object": {}}
    with house.write() as session:
        session.add(Anchor(event_index=0, size=1, gen_time=at, **row))
    found = shown(house, "anchors")
    assert found == {
        ("anchor_last_timestamp_seconds", *names): datetime.fromisoformat(at).timestamp()
    }
    alert(house, "something new")
    assert ("anchor_unstamped_timestamp_seconds", *names) in shown(house, "anchors")


def test_alerts_are_counted_until_they_are_closed(house: Custody) -> None:
    assert shown(house, "alerts") == {}
    alert(house, "one")
    alert(house, "two")
    assert shown(house, "alerts")["alerts_open", "drill"] == 2


STATES = ("drafted", "dispatched", "received", "accepted", "in_progress", "paused",
          "opinion_returned", "under_check", "closed", "declined", "withdrawn",
          "terminated")  # fmt: skip
LATE_ABLE = ("dispatched", "received", "accepted", "in_progress")


def fill(house: Custody, yesterday: str) -> Counter[str]:
    """Put commissions of every kind into the catalogue; return how listings count them."""
    rows = []
    for state, extended, corrected, late, times in itertools.product(
        STATES, (False, True), (False, True), (False, True), (1, 2)
    ):
        is_open = state in (*LATE_ABLE, "paused", "opinion_returned", "under_check")
        due = yesterday if late and state in (*LATE_ABLE, "paused") else NEVER
        rows += [(state, extended, corrected, due, is_open)] * times
    empty = {"clock": "", "sent_at": "", "last_at": "", "words": "", "case_id": "", "steps": 1}
    with house.write() as session:
        for number, (state, extended, corrected, due, is_open) in enumerate(rows):
            session.add(
                Commission(
                    **empty, commission_no=str(number), agency_id="SJ", state=state, due=due,
                    open=is_open, paused=state == "paused", extended=extended,
                    corrected=corrected, last_index=-number,
                )
            )  # fmt: skip
    counted: Counter[str] = Counter()
    with house.read() as session:
        for standing in (*STATES, "extended", "corrected", "overdue"):
            wanted = Wanted(standing=standing, today=house.now()[:10])
            counted[standing] = len(commissions.page(session, wanted, "", 10_000)[0])
    assert sum(counted.values()) == len(rows)
    return counted


def test_commissions_are_counted_as_listings_call_them(house: Custody) -> None:
    today = datetime.fromisoformat(house.now()[:10])
    yesterday = (today - timedelta(days=1)).date().isoformat()
    assert "commissions_overdue_timestamp_seconds" not in shown(house, "commissions")
    counted = fill(house, yesterday)
    found = shown(house, "commissions")
    ends = found.pop("commissions_overdue_timestamp_seconds")
    assert {key[1]: value for key, value in found.items()} == counted
    assert ends == today.replace(tzinfo=SHANGHAI).timestamp()


def test_a_house_that_was_never_chased_says_so(house: Custody) -> None:
    assert shown(house, "notices")["chase_last_timestamp_seconds"] == 0


def test_each_group_can_be_asked_on_a_server_too(tmp_path: Path, postgres: Postgres) -> None:
    with open_house(tmp_path / "home", database=postgres.new_database()) as house:
        alert(house, "one")
        counted = fill(house, "2026-01-05")
        found = shown(house, "commissions")
        assert found["commissions", "overdue"] == counted["overdue"]
        for group in GROUPS:
            shown(house, group)
        with house.read() as session:
            assert gauges.count_claims(session, ["A2026-000001"]) == []


def test_nobody_waits_for_a_count_that_does_not_end(house: Custody) -> None:
    go_on, asked = threading.Event(), Counter[str]()

    def slow(custody: Custody) -> Any:
        asked["slow"] += 1
        go_on.wait(60)
        yield Sample("custody_uploads_open", 7)

    groups = {"host": GROUPS["host"], "slow": slow}
    collector = HouseCollector(house, groups, patience=0.5)
    names = {each.name for each in collector.collect()}
    assert "custody_disk_free_bytes" in names
    assert "custody_uploads_open" not in names
    list(collector.collect())
    assert asked == {"slow": 1}
    go_on.set()
    for _ in range(100):
        if "custody_uploads_open" in {each.name for each in collector.collect()}:
            break
    else:
        raise AssertionError("the answer never came")
    assert asked == {"slow": 1}


def test_what_takes_long_is_asked_for_rarely(house: Custody) -> None:
    """No more than a hundredth of a core goes into counting."""
    now, asked = [0.0], Counter[str]()

    def quick(custody: Custody) -> Any:
        asked["quick"] += 1
        yield Sample("custody_exhibits", asked["quick"])

    def slow(custody: Custody) -> Any:
        asked["slow"] += 1
        time.sleep(1.0)
        yield Sample("custody_uploads_open", asked["slow"])

    collector = HouseCollector(house, {"quick": quick, "slow": slow}, lambda: now[0])
    for _ in range(10):
        list(collector.collect())
    assert asked == {"quick": 1, "slow": 1}
    now[0] += KEPT_SECONDS
    list(collector.collect())
    assert asked == {"quick": 2, "slow": 1}
    now[0] += 1000
    list(collector.collect())
    assert asked == {"quick": 3, "slow": 2}

"""Anchoring: what an authority may not do to us first, then runs that are right."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.sample.authority import serving
from storage import openssl
from storage.catalogue import anchors, kept
from storage.checkpoint import parse_body
from storage.event import Action
from storage.note import parse_note
from storage.objects import ObjectRef
from storage.story import tell
from tasks import stamping
from tasks.anchored import days_without_anchor, listing, verify_anchors
from tasks.anchoring import obtain, plan_anchor
from tests.services.postgres import Postgres
from tests.services.rgw import free_port
from tests.services.tsa import Faulty, faulty
from tests.services.witness import answering, http
from tests.tasks.anchoring_made import Anchored, Opener, entry, opener

BOTH = ["sha256", "sm3"]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    return faulty(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def url(tsa: Faulty) -> Iterator[str]:
    with serving(tsa.reply) as address:
        yield address


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Opener]:
    with opener(tmp_path / "home") as opened:
        yield opened


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("wrong_imprint", "Mismatch between messages"),
        ("wrong_nonce", "Nonce mismatch"),
        ("expired", "certificate has expired"),
        ("without_usage", "unsuitable certificate purpose"),
        ("of_a_stranger", "unable to get local issuer certificate"),
    ],
)
def test_an_untrue_reply_is_kept_recorded_and_raises_an_alert(
    open_: Opener, tsa: Faulty, fault: str, said: str
) -> None:
    replies: list[bytes] = []

    def reply(request: bytes) -> bytes:
        replies.append(getattr(tsa, fault)(request))
        return replies[-1]

    with serving(reply) as address:
        house = open_(entry(address, tsa.certificates))
        event = house.failure()
    assert event.details["kind"] == "untrue"
    assert event.details["exit_code"] == 4
    assert said in event.details["message"]
    (recorded,) = house.recorded(Action.ANCHOR_FAILED)
    assert recorded.details == event.details
    ref = ObjectRef.from_json(event.details["object"])
    with house.custody.objects.open(ref) as stored:
        assert stored.read() == replies[0]
    with house.custody.read() as session:
        (alert,) = kept.list_alerts(session)
        assert anchors.list_anchors(session) == []
    assert said in alert["message"]
    assert alert["subject"] == "tsa.sha256"


def garbage(body: bytes) -> Iterator[bytes]:
    yield http(200, "<html>not found</html>", "text/html")


def empty(body: bytes) -> Iterator[bytes]:
    yield http(200, "", "application/timestamp-reply")


def flood(body: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    for _ in range(1000):
        yield b"\x30" * 1000


def half(body: bytes) -> Iterator[bytes]:
    whole = http(200, b"\x30" * 1000, "application/timestamp-reply")
    yield whole[: len(whole) // 2]


def no_http(body: bytes) -> Iterator[bytes]:
    yield b"\x30\x03\x02\x01\x02"


def hangs(body: bytes) -> Iterator[bytes]:
    threading.Event().wait(1.5)
    yield http(200, "late")


def trickles(body: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
    for _ in range(20):
        threading.Event().wait(0.1)
        yield b"\x30"


def redirects(body: bytes) -> Iterator[bytes]:
    yield http(302, "", headers="Location: http://127.0.0.1:1/\r\n")


def unauthorised(body: bytes) -> Iterator[bytes]:
    yield http(401, "who are you?")


def busy(body: bytes) -> Iterator[bytes]:
    yield http(503, "later")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (garbage, "untrue", 4),
        (empty, "untrue", 4),
        (flood, "untrue", 4),
        (half, "unreachable", 6),
        (no_http, "unreachable", 6),
        (hangs, "unreachable", 6),
        (trickles, "unreachable", 6),
        (busy, "unreachable", 6),
        (redirects, "refused", 5),
        (unauthorised, "refused", 5),
    ],
)
def test_whatever_is_answered_has_its_family(
    open_: Opener,
    tsa: Faulty,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[bytes], Iterator[bytes]],
    kind: str,
    code: int,
) -> None:
    monkeypatch.setattr(stamping, "SECONDS", 0.5)
    monkeypatch.setattr(stamping, "MOST_SECONDS", 0.8)
    with answering(answer) as address:
        event = open_(entry(address, tsa.certificates)).failure()
    assert (event.details["kind"], event.details["exit_code"]) == (kind, code)
    assert event.details["remedy"]
    assert "未取得" in tell(event)


def test_nobody_at_the_address(open_: Opener, tsa: Faulty) -> None:
    house = open_(entry(f"http://127.0.0.1:{free_port()}/", tsa.certificates))
    assert house.failure().details["kind"] == "unreachable"
    (row,) = listing(house.custody, 5)["authorities"]
    assert row["exit_code"] == listing(house.custody, 5)["exit_code"] == 6


def test_a_rejection_is_no_integrity_failure(open_: Opener, tsa: Faulty) -> None:
    with serving(tsa.rejected) as address:
        event = open_(entry(address, tsa.certificates)).failure()
    assert (event.details["kind"], event.details["object"]) == ("refused", None)


def test_a_failure_is_recorded_once_a_day_and_every_untrue_reply_is(
    open_: Opener, tsa: Faulty
) -> None:
    """CU-07: a failure is on record and never skipped silently."""
    house = open_(entry(f"http://127.0.0.1:{free_port()}/", tsa.certificates))
    for hour in range(3):
        house.at(datetime(2027, 3, 1, 1 + hour, tzinfo=UTC)).failure()
    house.at(datetime(2027, 3, 2, 1, tzinfo=UTC)).failure()
    assert len(house.recorded(Action.ANCHOR_FAILED)) == 2
    with serving(tsa.wrong_imprint) as address:
        lying = open_(entry(address, tsa.certificates)).at(datetime(2027, 3, 3, tzinfo=UTC))
        lying.failure()
        lying.failure()
    assert len(house.recorded(Action.ANCHOR_FAILED)) == 4
    with house.custody.read() as session:
        assert len(kept.list_alerts(session)) == 1


def test_one_that_fails_does_not_stop_the_others(open_: Opener, tsa: Faulty, url: str) -> None:
    dead = entry(f"http://127.0.0.1:{free_port()}/", tsa.certificates, "dead")
    house = open_(dead, entry(url, tsa.certificates, "alive"))
    actions = [event.action for event in house.run()]
    assert actions == [Action.ANCHOR_FAILED, Action.TIMESTAMPED]
    # What failed is asked for again on the same checkpoint, although nothing was recorded since.
    again = open_(entry(url, tsa.certificates, "dead"), entry(url, tsa.certificates, "alive"))
    (event,) = again.run()
    assert (event.action, event.details["size"]) == (Action.TIMESTAMPED, 1)
    assert again.run() == []
    assert listing(again.custody, 5)["exit_code"] == 0


def test_a_stored_timestamp_that_was_not_recorded_is_found(
    open_: Opener, tsa: Faulty, url: str
) -> None:
    house = open_(entry(url, tsa.certificates))
    (order,) = plan_anchor(house.custody).orders
    first = obtain(house.custody, order)
    dead = open_(entry(f"http://127.0.0.1:{free_port()}/", tsa.certificates))
    (event,) = dead.run()
    assert event.event_id == first.event_id
    assert event.details["gen_time"] == first.details["gen_time"]


def test_two_runs_at_once_keep_the_first_timestamp(open_: Opener, tsa: Faulty, url: str) -> None:
    house = open_(entry(url, tsa.certificates))
    (order,) = plan_anchor(house.custody).orders
    first = []

    def slowly(request: bytes) -> bytes:
        first.append(obtain(house.custody, order))
        return tsa.reply(request)

    with serving(slowly) as address:
        second = obtain(open_(entry(address, tsa.certificates)).custody, order)
    assert second.details["serial"] == first[0].details["serial"]
    assert second.event_id == first[0].event_id


def test_a_stored_timestamp_that_was_changed_is_noticed(
    open_: Opener, tsa: Faulty, url: str
) -> None:
    house = open_(entry(url, tsa.certificates))
    house.run()
    (path,) = house.custody.workspace.objects.glob("anchors/*/*.tsr")
    data = bytearray(path.read_bytes())
    path.chmod(0o644)
    data[-1] ^= 1
    path.write_bytes(data)
    (found,) = verify_anchors(house.custody)
    assert not found["ok"]


def test_a_missing_or_exchanged_checkpoint_is_noticed(open_: Opener, tsa: Faulty, url: str) -> None:
    house = open_(entry(url, tsa.certificates))
    house.run()
    (path,) = house.custody.workspace.objects.glob("anchors/*/checkpoint")
    text = path.read_bytes()
    house.grow()
    house.run()
    _, newer = sorted(house.custody.workspace.objects.glob("anchors/*/checkpoint"))
    newer.chmod(0o644)
    newer.write_bytes(text)
    assert [each["ok"] for each in verify_anchors(house.custody)] == [True, False]
    newer.unlink()
    assert "gone" in verify_anchors(house.custody)[1]["message"]


def test_an_authority_that_is_gone_from_the_settings_is_said(
    open_: Opener, tsa: Faulty, url: str
) -> None:
    open_(entry(url, tsa.certificates)).run()
    (found,) = verify_anchors(open_().custody)
    assert "not configured" in found["message"]


def test_openssl_accepts_what_is_stored(open_: Opener, tsa: Faulty, url: str) -> None:
    """CU-07: the head is stamped, and a program that is not ours agrees."""
    house = open_(entry(url, tsa.certificates, algorithms=BOTH))
    events = house.run()
    assert [event.details["algorithm"] for event in events] == BOTH
    (folder,) = house.custody.workspace.objects.glob("anchors/*")
    assert folder.name == "000000000001"
    assert sorted(each.name for each in folder.iterdir()) == [
        "checkpoint",
        "tsa.sha256.tsr",
        "tsa.sm3.tsr",
    ]
    for algorithm in BOTH:
        reply = ["-in", folder / f"tsa.{algorithm}.tsr", "-data", folder / "checkpoint"]
        openssl.run(["ts", "-verify", *reply, "-CAfile", tsa.certificates])
    assert all(each["ok"] for each in verify_anchors(house.custody))
    for event in events:
        assert abs(event.details["offset_seconds"]) <= 2
        assert event.occurred_at.endswith("+08:00")
        assert "时间戳" in tell(event)


def test_a_chain_of_certificates_is_accepted(open_: Opener, tsa: Faulty) -> None:
    with serving(tsa.two_certificates) as address:
        (event,) = open_(entry(address, tsa.certificates)).run()
    assert event.action is Action.TIMESTAMPED


def test_nothing_is_asked_while_only_anchoring_was_recorded(
    open_: Opener, tsa: Faulty, url: str
) -> None:
    house = open_(entry(url, tsa.certificates, algorithms=BOTH))
    assert len(house.run()) == 2
    size = parse_body(parse_note(house.custody.log.checkpoint_text().encode()).text).size
    assert size == 3
    assert house.run() == []
    house.grow()
    assert [event.details["size"] for event in house.run()] == [4, 4]
    assert house.run() == []


def test_rows_follow_from_the_events(open_: Opener, tsa: Faulty, url: str) -> None:
    house = open_(entry(url, tsa.certificates))
    (event,) = house.run()
    with house.custody.read() as session:
        (row,) = anchors.list_anchors(session)
    assert row == {
        "event_index": 1,
        "size": 1,
        "root": event.details["root"],
        "kind": "timestamp",
        "by": "tsa",
        "algorithm": "sha256",
        "gen_time": event.details["gen_time"],
        "object": event.details["object"],
    }


def at_noon(house: Anchored, days: int) -> Anchored:
    """The house some days from now, at noon in Shanghai."""
    day = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0)
    return house.at(day + timedelta(days=days))


def test_each_day_without_a_timestamp_is_listed(open_: Opener, tsa: Faulty, url: str) -> None:
    """CU-07: a day without a timestamp is listed."""
    house = open_(entry(url, tsa.certificates))
    for days in (10, 11, 13):
        at_noon(house, days).grow(3)
    listed = days_without_anchor(at_noon(house, 14).custody)
    # Nothing was recorded on the twelfth day, and the first is the day of the log's first entry.
    assert [each["anchored_at"] for each in listed] == ["", "", "", ""]
    first = datetime.now(UTC).date()
    assert [datetime.fromisoformat(each["day"]).date() for each in listed[1:]] == [
        first + timedelta(days=days) for days in (10, 11, 13)
    ]


def test_a_day_is_not_late_before_two_in_the_morning(open_: Opener) -> None:
    house = open_()
    at_noon(house, 10).grow()
    early = at_noon(house, 11).custody.clock().replace(hour=17, minute=30) - timedelta(days=1)
    assert len(days_without_anchor(house.at(early).custody)) == 1
    late = early + timedelta(hours=1)
    assert len(days_without_anchor(house.at(late).custody)) == 2


def test_a_day_that_was_stamped_is_not_listed(open_: Opener, tsa: Faulty, url: str) -> None:
    house = open_(entry(url, tsa.certificates))
    house.run()
    assert days_without_anchor(at_noon(house, 40).custody) == []
    # A day of nothing but failures of anchoring itself has nothing to be stamped.
    dead = open_(entry(f"http://127.0.0.1:{free_port()}/", tsa.certificates, "dead"))
    assert at_noon(dead, 3).failure()
    assert days_without_anchor(at_noon(house, 40).custody) == []


@pytest.mark.slow
def test_a_server_database_answers_the_same(
    postgres: Postgres, tmp_path: Path, tsa: Faulty, url: str
) -> None:
    with opener(tmp_path / "home", database=postgres.new_database()) as opened:
        house = opened(entry(url, tsa.certificates, algorithms=BOTH))
        assert len(house.run()) == 2
        assert house.run() == []
        at_noon(house, 5).grow()
        found = listing(at_noon(house, 9).custody, 5)
        assert [each["size"] for each in found["anchors"]] == [1, 1]
        assert len(found["days"]) == 1
        assert all(each["ok"] for each in verify_anchors(house.custody))

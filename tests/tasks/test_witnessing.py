"""Collecting cosignatures: what a witness may not do to us first, then an honest one."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.checkpoint import parse_body
from storage.cosignature import CosignatureSigner, CosignatureVerifier, parse_lines
from storage.custody import Custody, init_custody, open_custody
from storage.errors import HostError, IntegrityError
from storage.event import Action, CustodyEvent
from storage.note import open_note
from storage.settings import Settings
from storage.witness import SIZE_TYPE, parse_request
from storage.witness_state import origin_hash
from tasks import asking
from tasks.witnesses import configured, standing
from tasks.witnessing import collect_cosignatures, exit_code
from tests.services.rgw import free_port
from tests.services.witness import answering, http, running_witness
from tests.storage.witnessed import Grown

SIGNER = CosignatureSigner("witness.example/w1", bytes(range(32)))
VKEY = str(SIGNER.verifier)
Answer = Callable[[bytes], Iterator[bytes]]


def witnessed_by(*pairs: tuple[str, str]) -> str:
    return json.dumps([{"url": url, "vkey": vkey} for url, vkey in pairs])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("custody") / "home"
    init_custody(Settings(home=path))
    return path


@pytest.fixture
def opened(home: Path) -> Iterator[Callable[..., Custody]]:
    """Return an opener of the house with these witnesses configured."""
    made: list[Custody] = []

    def open_(*pairs: tuple[str, str]) -> Custody:
        made.append(open_custody(Settings(home=home, witnesses=witnessed_by(*pairs))))
        return made[-1]

    yield open_
    for each in made:
        each.database.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[..., Custody]]:
    """The same with a house of its own, for tests that record what they collected."""
    path = tmp_path / "home"
    init_custody(Settings(home=path))
    made: list[Custody] = []

    def open_(*pairs: tuple[str, str]) -> Custody:
        made.append(open_custody(Settings(home=path, witnesses=witnessed_by(*pairs))))
        return made[-1]

    yield open_
    for each in made:
        each.database.close()


def grow(custody: Custody, count: int = 1) -> str:
    """Record some events; return the newest checkpoint."""
    custody.record(
        [
            custody.event(Action.ACCESSED, [str(time.monotonic_ns()), str(number)])
            for number in range(count)
        ]
    )
    return custody.log.checkpoint_text()


def collect(custody: Custody, text: str = "") -> CustodyEvent:
    """What the only witness gave."""
    (event,) = collect_cosignatures(custody, text or custody.log.checkpoint_text())
    return event


def cosigns(body: bytes, signer: CosignatureSigner = SIGNER, ahead: float = 0) -> str:
    """The line that a witness gives for a request, without asking anything."""
    request = parse_request(body)
    return str(signer.cosign(parse_body(request.note.text), int(time.time() + ahead)))


def with_another_key(body: bytes) -> str:
    return cosigns(body, CosignatureSigner(SIGNER.name, bytes(32)))


def over_another_size(body: bytes) -> str:
    checkpoint = parse_body(parse_request(body).note.text)
    return str(SIGNER.cosign(replace(checkpoint, size=checkpoint.size + 1), int(time.time())))


def with_a_bad_signature(body: bytes) -> str:
    checkpoint_line = parse_lines(cosigns(body).encode())[0]
    value = checkpoint_line.value[:-1] + bytes([checkpoint_line.value[-1] ^ 1])
    return str(replace(checkpoint_line, value=value))


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (lambda body: http(200, with_another_key(body)), 4, "known key"),
        (lambda body: http(200, over_another_size(body)), 4, "bad"),
        (lambda body: http(200, with_a_bad_signature(body)), 4, "bad"),
        (lambda body: http(200, with_a_bad_signature(body) + cosigns(body)), 4, "bad"),
        (lambda body: http(200, cosigns(body, ahead=400)), 4, "ahead"),
        (lambda body: http(200, ""), 4, "signature lines"),
        (lambda body: http(200, "<html>login</html>"), 4, "signature lines"),
        (lambda body: http(200, b"\xff\xfe"), 4, "UTF-8"),
        (lambda body: http(200, "x" * (asking.MAX_ANSWER + 1)), 4, "bytes"),
        (lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000, 4, "bytes"),
        (lambda body: http(409, "999999999\n", SIZE_TYPE), 4, "rolled back"),
        (lambda body: http(409, "0\n", SIZE_TYPE), 4, "names the same"),
        (lambda body: http(409, "01\n", SIZE_TYPE), 4, "plain decimal"),
        (lambda body: http(409, "1", SIZE_TYPE), 4, "none"),
        (lambda body: http(409, "1\n", SIZE_TYPE), 6, "somebody else"),
        (lambda body: http(409, "1\n"), 4, "fork"),
        (lambda body: http(422, "no\n"), 4, "fork"),
        (lambda body: http(403, "no\n"), 5, "does not know"),
        (lambda body: http(404, "no\n"), 5, "does not know"),
        (lambda body: http(400, "no\n"), 5, "400"),
        (lambda body: http(503, "no\n"), 6, "cannot work"),
        (lambda body: http(302, "", headers="Location: http://127.0.0.1:9/\r\n"), 5, "302"),
        (lambda body: b"garbage\r\n\r\n", 6, "cannot be reached"),
        (lambda body: b"", 6, "cannot be reached"),
    ],
)
def test_answers_that_are_not_believed(
    opened: Callable[..., Custody], answer: Callable[[bytes], bytes], code: int, said: str
) -> None:
    with answering(lambda body: iter([answer(body)])) as url:
        custody = opened((url, VKEY))
        event = collect(custody)
    assert event.action is Action.ANCHOR_FAILED
    assert (event.details["exit_code"], exit_code([event])) == (code, code)
    assert said in event.details["message"]
    assert list(custody.objects.keys(f"anchors/{event.details['size']:012}"))[1:] == []


def test_a_hang_and_a_drip_have_an_end(
    opened: Callable[..., Custody], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 0.4)

    def hang(body: bytes) -> Iterator[bytes]:
        time.sleep(3)
        yield b""

    def drip(body: bytes) -> Iterator[bytes]:
        for byte in http(200, cosigns(body)):
            time.sleep(0.1)
            yield bytes([byte])

    other = str(CosignatureSigner("witness.example/w2", bytes(32)).verifier)
    with answering(hang) as first, answering(drip) as second:
        custody = opened((first, VKEY), (second, other))
        began = time.monotonic()
        events = collect_cosignatures(custody, custody.log.checkpoint_text())
        assert time.monotonic() - began < 2.5
    assert [event.details["exit_code"] for event in events] == [6, 6]
    assert all("within" in event.details["message"] for event in events)


def test_nobody_there(opened: Callable[..., Custody]) -> None:
    event = collect(opened((f"http://127.0.0.1:{free_port()}/", VKEY)))
    assert (event.details["kind"], event.details["exit_code"]) == ("unreachable", 6)


def test_another_logs_checkpoint_is_not_sent(opened: Callable[..., Custody]) -> None:
    custody = opened(("http://127.0.0.1:9/", VKEY))
    text = custody.log.checkpoint_text()
    for spoiled in (text.replace("\n1\n", "\n2\n"), text.replace("zhenglian", "other")):
        with pytest.raises(IntegrityError):
            collect_cosignatures(custody, spoiled)


@pytest.mark.parametrize(
    "text",
    [
        "nowhere.json",
        "[",
        "[1]",
        "[{}]",
        '[{"url": "ftp://x/", "vkey": "V"}]',
        '[{"url": "http://", "vkey": "V"}]',
        '[{"url": "http://x/?q", "vkey": "V"}]',
        '[{"url": 1, "vkey": "V"}]',
        '[{"url": "http://x/", "vkey": "witness"}]',
        '[{"url": "http://x/", "vkey": "V", "more": 1}]',
        '[{"url": "http://x/", "vkey": "V"}, {"url": "http://y/", "vkey": "V"}]',
        '[{"url": "http://x:99999/", "vkey": "V"}]',
        "[" * 100_000,
    ],
)
def test_other_configurations_are_refused(text: str) -> None:
    with pytest.raises(HostError, match="CUSTODY_WITNESSES"):
        configured(Settings(witnesses=text.replace('"V"', f'"{VKEY}"')))


def test_two_witnesses_whose_objects_would_be_one_are_refused() -> None:
    keys = [str(CosignatureSigner(name, bytes(32)).verifier) for name in ("a/b", "a_b")]
    with pytest.raises(HostError):
        configured(Settings(witnesses=witnessed_by(*(("http://x/", key) for key in keys))))


def test_the_configuration_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "witnesses.json"
    path.write_text(witnessed_by(("https://x.example/w/", VKEY)))
    (witness,) = configured(Settings(witnesses=str(path)))
    assert (witness.url, witness.verifier) == ("https://x.example/w/", SIGNER.verifier)
    assert witness.object_name == "witness.example_w1.cosignature"
    assert configured(Settings(witnesses="")) == []


def test_no_witness_no_event(opened: Callable[..., Custody]) -> None:
    custody = opened()
    assert collect_cosignatures(custody, custody.log.checkpoint_text()) == []


def test_an_honest_witness_follows_the_log(fresh: Callable[..., Custody], tmp_path: Path) -> None:
    custody = fresh()
    with running_witness(tmp_path / "w", custody.log.reader().ring.current) as (url, vkey):
        custody = fresh((url, vkey))
        for _ in range(3):
            text = grow(custody, 5)
            event = collect(custody, text)
            assert event.action is Action.COSIGNED, event.details
            custody.record([event])
            size = event.details["size"]
            ref = custody.objects.find(f"anchors/{size:012}/witness.example_w1.cosignature")
            assert ref is not None
            assert event.details["object"] == ref.as_json()
            with custody.objects.open(ref) as line:
                note = text + line.read().decode()
            verifier = CosignatureVerifier.parse(vkey)
            assert len(open_note(note.encode(), [verifier]).signatures) == 2
            (known,) = standing(custody, configured(custody.settings))
            assert (known.size, known.exit_code) == (size, 0)
            assert known.cosigned_at == event.occurred_at


def test_what_was_stored_is_not_asked_for_again(
    fresh: Callable[..., Custody], tmp_path: Path
) -> None:
    """A kill between storing and recording: the same event, and no second request."""
    custody = fresh()
    with running_witness(tmp_path / "w", custody.log.reader().ring.current) as (url, vkey):
        custody = fresh((url, vkey))
        text = custody.log.checkpoint_text()
        first = collect(custody, text)
    again = collect(fresh((url, vkey)), text)  # the witness is gone by now
    assert again.action is Action.COSIGNED
    assert (again.event_id, again.details) == (first.event_id, first.details)


def test_a_stored_cosignature_that_was_changed_is_noticed(
    fresh: Callable[..., Custody], tmp_path: Path
) -> None:
    custody = fresh()
    with running_witness(tmp_path / "w", custody.log.reader().ring.current) as (url, vkey):
        custody = fresh((url, vkey))
        key = collect(custody).details["object"]["key"]
        path = custody.workspace.objects / key
        path.chmod(0o644)
        path.write_text(cosigns_elsewhere())
        assert collect(custody).details["kind"] == "stored"


def cosigns_elsewhere() -> str:
    return str(SIGNER.cosign(Grown(3).checkpoint(3), 5))


def test_a_witness_ahead_of_what_is_remembered_is_followed_once(
    fresh: Callable[..., Custody], tmp_path: Path
) -> None:
    """The log forgot (an event was never recorded); the witness's 409 puts it right."""
    custody = fresh()
    with running_witness(tmp_path / "w", custody.log.reader().ring.current) as (url, vkey):
        custody = fresh((url, vkey))
        grow(custody, 3)
        assert collect(custody).action is Action.COSIGNED
        grow(custody, 4)
        assert collect(custody).action is Action.COSIGNED


def test_a_witness_that_was_put_back_is_used_and_reported(
    fresh: Callable[..., Custody], tmp_path: Path
) -> None:
    custody = fresh()
    key = custody.log.reader().ring.current
    row = tmp_path / "w/logs" / origin_hash(key.name)
    with running_witness(tmp_path / "w", key) as (url, vkey):
        custody = fresh((url, vkey))
        custody.record([collect(custody)])
        older = row.read_bytes()
        grow(custody, 3)
        custody.record([collect(custody)])
    row.write_bytes(older)
    with running_witness(tmp_path / "w", key) as (url, _):
        custody = fresh((url, vkey))
        grow(custody, 3)
        events = collect_cosignatures(custody, custody.log.checkpoint_text())
    assert [event.action for event in events] == [Action.COSIGNED, Action.ANCHOR_FAILED]
    assert events[1].details["kind"] == "forgot"
    assert exit_code(events) == 4


def test_a_time_before_the_one_given_last_is_refused(
    fresh: Callable[..., Custody], tmp_path: Path
) -> None:
    def dated(ahead: float) -> Answer:
        return lambda body: iter([http(200, cosigns(body, ahead=ahead))])

    with answering(dated(0)) as url:
        custody = fresh((url, VKEY))
        custody.record([collect(custody)])
    grow(custody)
    with answering(dated(-100)) as url:
        event = collect(fresh((url, VKEY)))
    assert "before the one it gave last" in event.details["message"]


def test_a_witness_that_holds_a_fork_says_so(fresh: Callable[..., Custody], tmp_path: Path) -> None:
    """A second log with the same key was shown to the witness: a split view."""
    other = Settings(home=tmp_path / "twin")
    custody = fresh()
    twin_keys = tmp_path / "twin/keys"
    twin_keys.mkdir(parents=True)
    (twin_keys / "log.key").write_bytes(custody.workspace.log_key.read_bytes())
    (twin_keys / "log.key").chmod(0o600)
    init_custody(other)
    with running_witness(tmp_path / "w", custody.log.reader().ring.current) as (url, vkey):
        twin = open_custody(Settings(home=tmp_path / "twin", witnesses=witnessed_by((url, vkey))))
        grow(twin, 3)
        assert collect(twin).action is Action.COSIGNED
        twin.database.close()
        custody = fresh((url, vkey))
        grow(custody, 10)
        event = collect(custody)
    assert (event.details["kind"], event.details["exit_code"]) == ("untrue", 4)
    assert "fork" in event.details["message"]


def test_failures_are_on_record_once_a_day_and_witness(fresh: Callable[..., Custody]) -> None:
    custody = fresh((f"http://127.0.0.1:{free_port()}/", VKEY))
    before = custody.log.reader().checkpoint().size
    for _ in range(3):
        custody.record([collect(custody)])
    assert custody.log.reader().checkpoint().size == before + 1
    (known,) = standing(custody, configured(custody.settings))
    assert known.exit_code == 6
    assert "cannot be reached" in known.failure


def test_an_older_checkpoint_than_the_one_cosigned_asks_nobody(
    fresh: Callable[..., Custody], tmp_path: Path
) -> None:
    custody = fresh()
    older = custody.log.checkpoint_text()
    with running_witness(tmp_path / "w", custody.log.reader().ring.current) as (url, vkey):
        custody = fresh((url, vkey))
        grow(custody, 3)
        custody.record([collect(custody)])
        assert collect_cosignatures(custody, older) == []


def test_works_inside_a_running_event_loop(opened: Callable[..., Custody]) -> None:
    custody = opened((f"http://127.0.0.1:{free_port()}/", VKEY))

    async def inside() -> Any:
        return collect(custody)

    assert asyncio.run(inside()).action is Action.ANCHOR_FAILED

"""An opinion's way in: cut and resumed, refused with its reason, taken in once."""

import asyncio
import errno
import hashlib
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from portal.web.api.finishing import Finishing
from storage.catalogue import queries
from storage.event import Action
from tasks import uploads
from tasks.particulars import particulars_text
from tests.house import events
from tests.portal.web.api.problem import problem
from tests.portal.web.api.world import PDF, Sent, World
from tests.portal.web.signing import bearer

OCTETS = "application/octet-stream"


def announcement(sent: Sent, body: bytes = PDF, **changes: Any) -> dict[str, Any]:
    """Return the announcement of an opinion about a commission."""
    return {
        "name": "鉴定意见书.pdf",
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "particulars": sent.particulars(),
    } | changes


def announce(client: TestClient, sent: Sent, body: bytes = PDF, **changes: Any) -> str:
    """Announce an opinion; return the upload's address."""
    answer = client.post(f"{sent.path}/uploads", json=announcement(sent, body, **changes))
    assert answer.status_code in (200, 201), answer.text
    location = answer.headers["location"].removeprefix("/api/v1")
    assert answer.json()["upload_id"] in location
    return str(location)


def send(client: TestClient, upload: str, at: int, data: Any) -> httpx.Response:
    """Send bytes from an offset on."""
    headers = {"Upload-Offset": str(at), "Content-Type": OCTETS}
    return client.patch(upload, content=data, headers=headers)


def cut_off(world: World, upload: str, data: bytes) -> None:
    """Send bytes from the beginning, and be gone before the end of the request."""
    said = {"Host": "x", "Upload-Offset": "0", "Content-Type": OCTETS, **bearer(world.tokens["SJ"])}
    scope = {
        "type": "http",
        "method": "PATCH",
        "path": f"/api/v1{upload}",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in said.items()],
    }
    messages = [
        {"type": "http.request", "body": data, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def answer(_: Any) -> None:
        pass

    asyncio.run(world.app(scope, receive, answer))


def offset(client: TestClient, upload: str) -> int:
    """Ask how many bytes have come."""
    answer = client.head(upload)
    assert answer.status_code == 204
    return int(answer.headers["upload-offset"])


def test_ap_08_an_opinion_in_pieces_is_taken_in_and_its_findings_are_told(world: World) -> None:
    """AP-08: every check by name; AP-09: the opinion is an exhibit of the same log."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)
    for at in range(0, len(PDF), 100):
        assert offset(client, upload) == at
        answer = send(client, upload, at, PDF[at : at + 100])
        assert answer.status_code == 204
        assert answer.headers["upload-length"] == str(len(PDF))
    done = client.post(f"{upload}/finish")
    assert done.status_code == 200, done.text
    outcome = done.json()["outcome"]
    assert done.json()["state"] == "done"
    assert {"package_digest", "seal"} <= {each["code"] for each in outcome["findings"]}
    (exhibit,) = outcome["exhibits"]
    with world.house.read() as session:
        assert queries.find_exhibit(session, exhibit)["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert client.get(sent.path).json()["state"]["code"] == "opinion_returned"
    assert client.post(f"{upload}/finish").json() == done.json()
    (step,) = [
        each for each in world.desk.history(sent.number).steps if each.kind == "return_opinion"
    ]
    assert step.actor == world.agency_desk().actor
    assert not (world.house.workspace.uploads / done.json()["upload_id"]).exists()
    assert offset(client, upload) == len(PDF)
    problem(client.delete(upload), 409, "state")


def test_an_upload_cut_off_goes_on_where_it_was(world: World) -> None:
    """AP-08: a lost connection keeps what came; the same announcement is the same upload."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)

    expires = client.get(upload).json()["expires_at"]
    cut_off(world, upload, PDF[:200])
    assert client.get(upload).json()["expires_at"] > expires
    assert announce(client, sent) == upload
    at = offset(client, upload)
    assert at == 200
    told = problem(send(client, upload, at + 1, PDF[at + 1 :]), 409, "wrong_offset")
    assert told["offset"] == at
    told = problem(client.post(f"{upload}/finish"), 409, "incomplete")
    assert told["offset"] == at
    assert send(client, upload, at, PDF[at:]).status_code == 204
    assert client.post(f"{upload}/finish").json()["state"] == "done"


def test_a_wrong_digest_is_refused_and_what_came_is_kept(world: World) -> None:
    """AP-08: announced one thing, sent another; nothing is taken in, nothing lost."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent, sha256="ab" * 32)
    send(client, upload, 0, PDF)
    told = problem(client.post(f"{upload}/finish"), 409, "digest_mismatch")
    assert hashlib.sha256(PDF).hexdigest() in told["detail"]
    shown = client.get(upload).json()
    assert (shown["state"], shown["problem"]["code"]) == ("refused", "digest_mismatch")
    kept = world.house.workspace.uploads / shown["upload_id"] / "opinion.pdf"
    assert kept.read_bytes() == PDF
    problem(send(client, upload, len(PDF), b""), 409, "upload_ended")
    assert announce(client, sent) != upload
    assert world.steps(sent.number, "return_opinion") == 0


def test_content_that_is_no_pdf_is_refused_whatever_its_name(world: World) -> None:
    """AP-08: the content counts, and is looked at before the rest is sent."""
    sent, client = world.send().accepted(), world.client()
    body = b"PK\x03\x04" + b"x" * 5000
    upload = announce(client, sent, body)
    problem(send(client, upload, 0, body[:2000]), 415, "wrong_type")
    assert client.get(upload).json()["problem"]["code"] == "wrong_type"
    short = b"not a pdf"
    upload = announce(client, sent, short)
    problem(send(client, upload, 0, short), 415, "wrong_type")
    upload = announce(client, sent)
    headers = {"Upload-Offset": "0", "Content-Type": "application/pdf"}
    problem(client.patch(upload, content=PDF, headers=headers), 415, "wrong_type")


def test_what_is_too_large_is_refused_before_and_while_it_is_sent(world: World) -> None:
    """AP-08: announced beyond the limit, or sent beyond what was announced."""
    sent, client = world.send().accepted(), world.client()
    most = world.house.settings.max_upload_bytes
    body = announcement(sent, size=most + 1)
    problem(client.post(f"{sent.path}/uploads", json=body), 413, "too_large")
    upload = announce(client, sent)
    problem(send(client, upload, 0, PDF + b"more"), 413, "too_large")
    assert offset(client, upload) <= len(PDF)


def test_two_documents_at_once_are_told_apart(world: World) -> None:
    """AP-08: a second document for the same commission waits for the first, or takes its place."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)
    other = PDF + b"% another\n"
    answer = client.post(f"{sent.path}/uploads", json=announcement(sent, other))
    told = problem(answer, 409, "upload_open")
    assert told["upload_id"] in upload
    assert client.delete(upload).status_code == 204
    assert client.delete(upload).status_code == 204
    second = announce(client, sent, other)
    assert second != upload
    listed = client.get(f"{sent.path}/uploads").json()["uploads"]
    assert [each["state"] for each in listed] == ["abandoned", "open"]


def test_two_writers_at_once_do_not_mix(world: World) -> None:
    """AP-08: while one request writes, another is told so."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)
    found = uploads.find(world.house, world.agency_desk(), upload.rpartition("/")[2])
    with uploads.writing(world.house, found, 0) as spool:
        spool.write(PDF[:100])
        problem(send(client, upload, 0, PDF), 409, "upload_busy")
        problem(client.post(f"{upload}/finish"), 409, "upload_busy")
        problem(client.delete(upload), 409, "upload_busy")
    assert offset(client, upload) == 100


def test_an_expired_upload_says_so(world: World) -> None:
    """AP-08: what nobody went on with is dropped, and told."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)
    send(client, upload, 0, PDF[:100])
    days = timedelta(days=world.house.settings.upload_days + 1)
    later = replace(world.house, clock=lambda: datetime.now(UTC) + days)
    world.app.state.custody = later
    try:
        problem(send(client, upload, 100, PDF[100:]), 410, "expired")
        assert announce(client, sent) != upload
        problem(client.post(f"{upload}/finish"), 410, "expired")
    finally:
        world.app.state.custody = world.house
    assert not (world.house.workspace.uploads / upload.rpartition("/")[2]).exists()


def test_a_full_disk_is_told_and_what_came_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-08: the disk fills up in the middle; later the upload goes on from there.

    Room is counted for all that is announced, and left for the record itself.
    """
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)
    send(client, upload, 0, PDF[:100])

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("tasks.spool.os.pwrite", full)
        problem(send(client, upload, 100, PDF[100:]), 507, "disk_full")
    assert offset(client, upload) == 100
    with monkeypatch.context() as patch:
        usage = Usage(free=(256 << 20) + 4 * len(PDF))
        patch.setattr("tasks.uploads.shutil.disk_usage", lambda _: usage)
        assert announce(client, sent) == upload
        other = world.send("OT").accepted()
        answer = world.client("OT").post(f"{other.path}/uploads", json=announcement(other, PDF * 2))
        problem(answer, 507, "disk_full")


class Usage(NamedTuple):
    """What is free on a disk."""

    free: int


def test_an_opinion_that_nobody_waits_for_is_not_announced(world: World) -> None:
    """AP-08: before acceptance, and of another agency's commission."""
    sent, client = world.send(), world.client()
    problem(client.post(f"{sent.path}/uploads", json=announcement(sent)), 409, "state")
    theirs = world.send("OT").accepted()
    problem(client.post(f"{theirs.path}/uploads", json=announcement(theirs)), 404, "not_found")
    upload = announce(world.client("OT"), theirs)
    for answer in (
        client.get(upload),
        send(client, upload, 0, PDF),
        client.post(f"{upload}/finish"),
    ):
        problem(answer, 404, "not_found")


def test_malformed_particulars_are_listed(world: World) -> None:
    """AP-08: as an object or as the text of a file, every mistake at once."""
    sent, client = world.send().accepted(), world.client()
    bad = announcement(sent, particulars={"copies": 200, "strange": 1})
    told = problem(client.post(f"{sent.path}/uploads", json=bad), 422, "invalid_request")
    assert {"copies", "strange"} <= {each["where"].rpartition("/")[2] for each in told["errors"]}
    text = announcement(sent, particulars="copies: 200\nissued_at: 2026-13-40\n")
    told = problem(client.post(f"{sent.path}/uploads", json=text), 422, "invalid")
    assert len(told["problems"]) == 2
    assert not client.get(f"{sent.path}/uploads").json()["uploads"]
    right = announcement(sent, particulars=yaml.safe_dump(sent.particulars(), allow_unicode=True))
    assert client.post(f"{sent.path}/uploads", json=right).status_code == 201


def test_killed_before_its_upload_was_closed_an_opinion_is_taken_in_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-09: the server dies after the record and before the row: the end is the same."""
    sent, client = world.send().accepted(), world.client()
    upload = announce(client, sent)
    send(client, upload, 0, PDF)
    real = uploads._set_state

    def killed(custody: Any, found: Any, state: str, outcome: Any = None) -> None:
        if state == "done":
            raise SystemError("killed")
        real(custody, found, state, outcome)

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_set_state", killed)
        problem(client.post(f"{upload}/finish"), 500, "defect")
    assert client.get(upload).json()["state"] == "finishing"
    done = client.post(f"{upload}/finish").json()
    assert (done["state"], len(done["outcome"]["exhibits"])) == ("done", 1)
    assert world.steps(sent.number, "return_opinion") == 1
    stored = list(events(world.house, Action.RETURNED))
    assert sum(each.details["commission_no"] == sent.number for each in stored) == 1


def test_a_long_end_is_answered_and_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-09: taking in outlasts the request: 202, and the next request waits for the same work."""
    sent = world.send().accepted()
    with world.client() as client:
        upload = announce(client, sent)
        send(client, upload, 0, PDF)
        go_on, real = threading.Event(), uploads.finish

        def slow(*of: Any) -> Any:
            go_on.wait(30)
            return real(*of)

        monkeypatch.setattr(uploads, "finish", slow)
        world.app.state.finishing = Finishing(patience=0.05)
        waiting = client.post(f"{upload}/finish")
        assert waiting.status_code == 202
        assert waiting.json()["state"] == "open"
        go_on.set()
        world.app.state.finishing.patience = 30.0
        done = client.post(f"{upload}/finish")
        assert (done.status_code, done.json()["state"]) == (200, "done")
    del world.app.state.finishing
    assert world.steps(sent.number, "return_opinion") == 1


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(st.dictionaries(st.sampled_from(["methods", "process"]), _TEXT))
def test_particulars_read_the_same_as_yaml(fields: dict[str, str]) -> None:
    """AP-08: whatever JSON can say arrives in the cell unchanged."""
    assert yaml.safe_load(particulars_text(fields)) == fields

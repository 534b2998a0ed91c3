"""News: at once when there is some, else waited for without cost."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import httpx
import pytest
from fastapi import Request

from appraisal.accounts import Identity, Role, Scope
from portal.web.api.changes import _stream
from portal.web.api.news import News
from tasks.accounts import Accounts
from tests.portal.web.api.problem import problem
from tests.portal.web.api.world import API, World, new_account
from tests.portal.web.signing import HERE, bearer, make_token


def test_changes_are_followed_by_their_cursor(world: World) -> None:
    """AP-14: what took a step since the cursor, as it stands now; nothing twice, nothing missed."""
    client = world.client()
    end = client.get("/changes", params={"since": 2**53 - 1}).json()
    assert end["commissions"] == []
    sent = world.send()
    world.send("OT")
    found = client.get("/changes", params={"since": end["cursor"]}).json()
    assert [each["commission_id"] for each in found["commissions"]] == [sent.id]
    assert found["cursor"] > end["cursor"]
    again = client.get("/changes", params={"since": found["cursor"]}).json()
    assert (again["commissions"], again["cursor"]) == ([], found["cursor"])
    client.post(f"{sent.path}/accept", json={"package_digest": sent.digest})
    (one,) = client.get("/changes", params={"since": found["cursor"]}).json()["commissions"]
    assert one["state"]["code"] == "accepted"


def asking(world: World, ask: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Run requests against the application in one event loop, as a server does."""

    async def run() -> None:
        transport = httpx.ASGITransport(world.app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE + API) as client:
            await ask(client)

    world.app.state.news = News(world.house, 0.05)
    try:
        asyncio.run(run())
    finally:
        del world.app.state.news


def test_who_waits_is_answered_when_something_happens(world: World) -> None:
    """AP-14: a waiting request ends with the step, and not with another agency's."""
    headers = bearer(world.tokens["SJ"])

    async def ask(client: httpx.AsyncClient) -> None:
        end = (await client.get("/changes?since=9007199254740991", headers=headers)).json()
        query = f"/changes?since={end['cursor']}&wait=20"
        waiting = asyncio.create_task(client.get(query, headers=headers))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(world.send, "OT")
        await asyncio.sleep(0.3)
        assert not waiting.done()
        begun = time.monotonic()
        sent = await asyncio.to_thread(world.send)
        found = (await waiting).json()
        assert [each["commission_id"] for each in found["commissions"]] == [sent.id]
        assert time.monotonic() - begun < 15

    asking(world, ask)


def test_fifty_who_wait_cost_one_look_an_interval(world: World) -> None:
    """AP-14: no thread and no connection each; nobody waits longer than they asked."""
    accounts = [new_account(world.house, f"poll-{n}", "SJ") for n in range(13)]
    tokens = [make_token(world.house, each) for each in accounts]

    async def ask(client: httpx.AsyncClient) -> None:
        end = (
            await client.get("/changes?since=9007199254740991", headers=bearer(tokens[0]))
        ).json()
        query = f"/changes?since={end['cursor']}&wait=50"
        news = world.app.state.news
        jobs = [client.get(query, headers=bearer(tokens[n % 13])) for n in range(50)]
        waiting = asyncio.gather(*jobs)
        async with asyncio.timeout(45):
            while news.waiters < 50:
                await asyncio.sleep(0.01)
        before, threads, begun = news.looks, threading.active_count(), time.monotonic()
        await asyncio.sleep(0.5)
        assert news.looks - before <= (time.monotonic() - begun) / 0.05 + 2
        assert threading.active_count() <= threads + 2
        sent = await asyncio.to_thread(world.send)
        answers = await waiting
        assert {each.status_code for each in answers} == {200}
        for each in answers:
            assert [row["commission_id"] for row in each.json()["commissions"]] == [sent.id]
        assert news.waiters == 0

    asking(world, ask)


def test_one_account_has_few_places_to_wait(world: World) -> None:
    """ST-06: an account that waits too often at once is told so."""
    headers = bearer(world.tokens["SJ"])

    async def ask(client: httpx.AsyncClient) -> None:
        end = (await client.get("/changes?since=9007199254740991", headers=headers)).json()
        query = f"/changes?since={end['cursor']}&wait=1"
        places = world.house.settings.polls_per_account
        jobs = [client.get(query, headers=headers) for _ in range(places + 1)]
        answers = await asyncio.gather(*jobs)
        assert sorted(each.status_code for each in answers) == [*[200] * places, 429]
        (refused,) = [each for each in answers if each.status_code == 429]
        problem(refused, 429, "rate")
        assert refused.headers["retry-after"]

    asking(world, ask)


def test_the_stream_of_events_tells_the_same(world: World, monkeypatch: object) -> None:
    """AP-14: server-sent events with the cursor as their identifier; the stream ends by itself."""
    import portal.web.api.changes as module

    sent = world.send()
    client = world.client()
    end = client.get("/changes").json()["cursor"]
    old, module.STREAM_SECONDS = module.STREAM_SECONDS, 0.4
    try:
        world.app.state.news = News(world.house, 0.05)
        answer = client.get("/events", headers={"Last-Event-ID": str(end - 1)})
    finally:
        module.STREAM_SECONDS = old
        del world.app.state.news
    assert answer.headers["content-type"].startswith("text/event-stream")
    event = next(each for each in answer.text.split("\n\n") if each.startswith("event: changes"))
    data = json.loads(event.partition("data: ")[2])
    assert data["commissions"][-1]["commission_id"] == sent.id
    assert f"id: {end}" in event


def test_a_stream_that_finds_no_place_just_ends(world: World) -> None:
    """ST-06: the last place went to another request after this stream had begun to answer."""
    desk, limits = world.agency_desk(), world.app.state.limits
    identity = Identity(desk.actor.id, desk.actor.name, Role.AGENCY_ADMIN, "SJ")
    request = Request({"type": "http", "app": world.app, "headers": []})

    async def follow() -> list[bytes]:
        return [each async for each in _stream(request, desk, identity, 0)]

    with ExitStack() as taken:
        for _ in range(world.house.settings.polls_per_account):
            taken.enter_context(limits.polling(identity))
        assert asyncio.run(follow()) == [b": zhenglian\n\n"]


def test_the_stream_ends_when_its_token_is_revoked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.web.api.changes.HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr("portal.web.api.changes.STREAM_SECONDS", 60.0)
    accounts, account = Accounts(world.house), world.accounts["SJ"]
    made = accounts.new_token(account, "stream", [Scope.READ], 1)
    ended = threading.Event()

    def follow() -> None:
        world.visitor(bearer(made.secret)).get("/events")
        ended.set()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert not ended.wait(0.5)
    accounts.revoke_token(account, made.token_id)
    assert ended.wait(20)
    thread.join()

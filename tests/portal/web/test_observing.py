"""Health, metrics and the log of requests of ``custody serve``."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from portal.metrics import Meters
from portal.web import health
from portal.web.guards import guards_of
from portal.web.health import Readiness
from portal.web.inside import create_inside
from portal.web.observing import Observed
from storage.custody import Custody
from storage.errors import HostError, TransientError
from tasks.alerting import alert_event
from tests.portal.web.api.world import World, opened_world
from tests.portal.web.signing import HERE


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(tmp_path_factory.mktemp("observed")) as made:
        made.send("SJ")
        yield made


@pytest.fixture
def meters(world: World) -> Meters:
    return Meters(world.house)


@pytest.fixture
def inside(world: World, meters: Meters) -> FastAPI:
    return create_inside(world.house, meters, Readiness(world.house))


def asking(app: object, address: str = "127.0.0.1") -> TestClient:
    return TestClient(
        app,  # type: ignore[arg-type]
        base_url=HERE,
        client=(address, 4242),
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def values(text: str) -> dict[str, float]:
    lines = [each for each in text.splitlines() if each and not each.startswith("#")]
    return {name: float(value) for name, _, value in (each.rpartition(" ") for each in lines)}


def test_requests_are_counted_by_the_template_of_their_route(world: World, meters: Meters) -> None:
    logged: list[tuple[str, str, int]] = []
    app = Observed(world.app, meters, lambda *told: logged.append(told[:3]))
    client = asking(app)
    client.headers["Authorization"] = f"Bearer {world.tokens['SJ']}"
    assert client.get("/api/v1/commissions?q=secret-words").status_code == 200
    assert client.get("/welcome/one-time-code-of-somebody").status_code == 200
    assert client.get("/commissions/2026-0001-nobody").status_code in (303, 404)
    assert client.request("BREW", "/teapot").status_code in (404, 405)
    found = values(meters.text().decode())
    name = 'custody_http_requests_total{{method="{}",route="{}",status="{}"}}'
    assert found[name.format("GET", "/api/v1/commissions", 200)] == 1
    assert found[name.format("GET", "/welcome/{code}", 200)] == 1
    assert found["custody_http_requests_running"] == 0
    assert sum(v for k, v in found.items() if k.startswith("custody_http_requests_total")) == 4
    assert found['custody_http_request_seconds_count{method="GET",route="/welcome/{code}"}'] == 1
    assert ("GET", "/api/v1/commissions", 200) in logged
    assert "one-time-code" not in f"{logged}{found}"
    assert "secret-words" not in f"{logged}{found}"
    assert "BREW" not in f"{logged}{found}"


def test_a_request_whose_application_breaks_is_counted_as_such(world: World) -> None:
    broken, meters = FastAPI(), Meters(world.house)

    async def fail(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("broken")

    app = Observed(broken, meters)
    app._app = fail  # type: ignore[assignment]
    asking(app).get("/")
    found = values(meters.text().decode())
    assert found['custody_http_requests_total{method="GET",route="(none)",status="500"}'] == 1
    assert found["custody_http_requests_running"] == 0


def test_metrics_are_given_to_the_networks_of_the_settings_alone(inside: FastAPI) -> None:
    answer = asking(inside).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert values(answer.text)["custody_exhibits"] == 3
    for address in ("10.1.2.3", "192.0.2.7", "2001:db8::7", "not-an-address"):
        assert asking(inside, address).get("/metrics").status_code == 403
    assert asking(inside, "::1").get("/metrics").status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_metrics_are_given_to_nobody_by_way_of_a_proxy(inside: FastAPI, header: str) -> None:
    """A proxy on this machine would make everybody look local."""
    answer = asking(inside).get("/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 403
    assert "custody_" not in answer.text


def test_the_queue_itself_gives_no_metrics(world: World) -> None:
    answer = asking(world.app).get("/metrics")
    assert answer.status_code == 404
    assert "custody_" not in answer.text


def test_each_route_of_the_inside_says_who_may_use_it(inside: FastAPI) -> None:
    from fastapi.routing import iter_route_contexts

    found = {each.path: guards_of(each) for each in iter_route_contexts(inside.routes)}
    assert found == {"/metrics": {"inside"}, "/healthz": {"public"}, "/readyz": {"public"}}


def test_a_network_that_is_none_keeps_the_server_from_starting(
    world: World, meters: Meters
) -> None:
    wrong = world.house.settings.model_copy(update={"metrics_networks": "10.0.0.0/40"})
    house = replace(world.house, settings=wrong)
    with pytest.raises(HostError, match="CUSTODY_METRICS_NETWORKS"):
        create_inside(house, meters, Readiness(house))


def test_both_doors_say_that_they_are_alive_and_ready(world: World, inside: FastAPI) -> None:
    for app in (world.app, inside):
        assert asking(app).get("/healthz").json() == {"status": "alive"}
        answer = asking(app).get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"] == {"database": "ok", "store": "ok", "log": "ok"}


def test_health_may_be_asked_as_often_as_a_stranger_may_ask(world: World) -> None:
    limits = world.app.state.limits
    before, limits._rate = limits._rate, 3
    limits._buckets.clear()
    try:
        asked = [asking(world.app, "192.0.2.9").get("/healthz").status_code for _ in range(5)]
    finally:
        limits._rate = before
    assert asked == [200, 200, 200, 429, 429]


def test_what_does_not_answer_is_named_and_why_is_not(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(house: Custody) -> None:
        raise TransientError("db.inside:5432 refused the password of custody")

    checks = {"database": fail, "store": health.CHECKS["store"]}
    app = FastAPI()
    app.state.readiness, app.state.limits = Readiness(world.house, checks), world.app.state.limits
    app.include_router(health.router)
    answer = asking(app).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "checks": {"database": "failed", "store": "ok"},
    }
    assert "db.inside:5432" in caplog.text


def test_what_hangs_is_waited_for_once_and_asked_once(world: World) -> None:
    go_on, asked = threading.Event(), []

    def hang(house: Custody) -> None:
        asked.append(1)
        go_on.wait(20)

    now = [0.0]
    readiness = Readiness(world.house, {"store": hang}, patience=0.05, clock=lambda: now[0])
    assert readiness.ask() == {"store": False}
    now[0] += 100
    assert readiness.ask() == {"store": False}
    assert len(asked) == 1
    go_on.set()
    now[0] += 100
    for _ in range(100):
        if readiness.ask() == {"store": True}:
            break
        now[0] += 100
    assert readiness.ask() == {"store": True}


def test_an_answer_is_kept_for_some_seconds(world: World) -> None:
    asked, now = [], [0.0]
    checks = {"log": lambda house: asked.append(1)}
    readiness = Readiness(world.house, checks, clock=lambda: now[0])
    for _ in range(50):
        readiness.ask()
    assert len(asked) == 1
    now[0] += health.KEPT_SECONDS
    readiness.ask()
    assert len(asked) == 2


def test_the_text_can_be_read_by_the_parser_of_prometheus(meters: Meters) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    text = meters.text().decode()
    families = {each.name: each for each in text_string_to_metric_families(text)}
    assert families["custody_commissions"].type == "gauge"
    assert families["custody_http_requests"].type == "counter"
    assert all(re.search("[\u4e00-\u9fff]", each.documentation) for each in families.values()
               if each.name.startswith("custody_"))  # fmt: skip
    assert json.dumps(sorted(families))  # Names are plain.


def test_a_store_without_its_folder_is_not_ready(house: Custody, tmp_path: Path) -> None:
    objects = house.workspace.objects
    objects.rename(tmp_path / "elsewhere")
    try:
        found = Readiness(house).ask()
    finally:
        (tmp_path / "elsewhere").rename(objects)
    assert found == {"database": True, "store": False, "log": False}
    assert all(Readiness(house).ask().values())


def test_a_published_log_that_is_older_than_its_journal_is_not_ready(house: Custody) -> None:
    checkpoint = house.workspace.objects / "log" / "checkpoint"
    before = checkpoint.read_bytes()
    event = alert_event(house, "drill", "a test", "something")
    assert event is not None
    house.record([event])
    checkpoint.write_bytes(before)
    found = Readiness(house).ask()
    assert found == {"database": True, "store": True, "log": False}

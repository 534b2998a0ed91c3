"""The description holds: generated requests, right and wrong ones, find no answer against it.

Bounded here; ``SCHEMATHESIS_EXAMPLES`` raises the number of requests of each operation.
"""

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from portal.web.api import changes
from portal.web.api.news import News
from portal.web.limits import Limits
from tests.portal.web.api.test_uploads import announce
from tests.portal.web.api.world import World, opened_world
from tests.portal.web.signing import HERE

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
SEED = int(os.environ.get("SCHEMATHESIS_SEED", "20261129"))
REFUSED_WITH_REASON = [413, 415, 416, 410, 422]
"""What the form of a request cannot say: sizes, contents, ranges, dates, what a YAML text holds."""
ALLOWED = ["2xx", "3xx", 401, 403, 404, 409, 429, *REFUSED_WITH_REASON, "5xx"]
ANSWERS: dict[str, set[int]] = defaultdict(set)
_COMMISSION = re.compile("[0-9a-f-]{8,80}")
_UPLOAD = re.compile("[0-9a-f]{32}")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description as served, with a token and commissions in several states behind it."""
    with opened_world(tmp_path_factory.mktemp("world")) as world:
        config = schemathesis.Config.from_dict(
            {
                "base-url": HERE,
                "seed": SEED,
                "auth": {"openapi": {"token": {"bearer": world.tokens["SJ"]}}},
                "generation": {"max-examples": EXAMPLES, "deterministic": True},
                "phases": {"coverage": {"enabled": EXAMPLES > 3}},
                "checks": {"positive_data_acceptance": {"expected-statuses": ALLOWED}},
            }
        )
        plenty = world.house.settings.model_copy(update={"requests_per_minute": 10**9})
        world.app.state.limits = Limits(plenty)
        world.app.state.news = News(world.house, 0.05, longest=0.01)
        found = schemathesis.openapi.from_asgi("/api/v1/openapi.json", world.app, config=config)
        _aim(found, world)
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr(changes, "STREAM_SECONDS", 0.05)
        yield found
        monkeypatch.undo()


def _aim(found: Any, world: World) -> None:
    """Let identifiers of the right form be those of what is there, in turn."""
    waiting = [world.send() for _ in range(6)]
    working = [world.send().accepted() for _ in range(4)]
    client = world.client()
    ids = [each.id for each in (*working, *waiting, world.send("OT"))]
    turn = itertools.cycle([*ids, "2026-1-0123abcd"])
    uploads = [announce(client, each).rpartition("/")[2] for each in working[:2]]
    sending = itertools.cycle([*uploads, "0" * 32])

    @found.hook  # type: ignore[untyped-decorator]
    def map_path_parameters(context: Any, path_parameters: Any) -> Any:
        if path_parameters and _COMMISSION.fullmatch(str(path_parameters.get("commission_id", ""))):
            path_parameters["commission_id"] = next(turn)
        if path_parameters and _UPLOAD.fullmatch(str(path_parameters.get("upload_id", ""))):
            path_parameters["upload_id"] = next(sending)
        if path_parameters and path_parameters.get("which", "").isalnum():
            path_parameters["which"] = "package"
        return path_parameters


described = schemathesis.pytest.from_fixture("schema")


@described.parametrize()
def test_no_generated_request_finds_an_answer_against_the_description(case: Any) -> None:
    """AP-14: no server error, every status, type and body as described, wrong data refused."""
    response = case.call_and_validate()
    ANSWERS[case.operation.label].add(response.status_code)


def test_the_requests_reached_what_they_were_meant_for(schema: Any) -> None:
    """AP-14: neither shut out by the token nor lost among identifiers that do not exist."""
    well = {label for label, seen in ANSWERS.items() if any(each < 300 for each in seen)}
    assert len(ANSWERS) >= 25
    assert len(well) > len(ANSWERS) // 2, ANSWERS
    assert 401 not in {each for seen in ANSWERS.values() for each in seen if len(seen) == 1}

"""How a test tries every route of the application, with bodies that its description gives."""

import json
import re
from dataclasses import dataclass
from typing import Any

from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.testclient import TestClient

from portal.web.guards import guards_of
from portal.web.security import QueueApp
from tests.portal.web.api.world import World

SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
ENDLESS = "/api/v1/events"
"""It answers until the client goes away: tried only by those whom it must turn away."""


@dataclass
class Tried:
    """One method of one route, and what names what it is asked about."""

    route: RouteContext
    method: str
    guards: set[str]

    @property
    def path(self) -> str:
        return str(self.route.path)

    @property
    def safe(self) -> bool:
        return self.method in SAFE

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: QueueApp) -> list[Tried]:
    """Return every method of every route."""
    return [
        Tried(route, method, guards_of(route))
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or ())
    ]


@dataclass
class Asking:
    """Names and bodies of requests about one commission."""

    world: World
    number: str
    commission: str
    upload: str
    account: str
    token: str
    digest: str

    @property
    def names(self) -> dict[str, str]:
        return {
            "commission_id": self.commission,
            "upload_id": self.upload,
            "number": self.number,
            "which": "package",
            "act": "accept",
            "code": "c" * 43,
            "chosen": "en",
            "since": "0",
            "wait": "0",
        }

    def send(self, client: TestClient, tried: Tried, **headers: str) -> Any:
        """Make a request of a route."""
        path = re.sub(
            r"\{(\w+)(:\w+)?\}", lambda found: self.names.get(found[1], "nothing"), tried.path
        )
        dependant = getattr(tried.route, "dependant", None)
        query = {
            each.name: self.names[each.name]
            for each in (dependant.query_params if dependant else ())
            if each.name in self.names and (each.name == "number" or "/api/" in path)
        }
        more: dict[str, Any] = {}
        if not tried.safe:
            more = self._body(tried)
        return client.request(tried.method, path, params=query, headers=headers, **more)

    def _body(self, tried: Tried) -> dict[str, Any]:
        if tried.path.startswith("/api/"):
            found = example_of(self.world.app, tried)
            if found is None:
                return {"content": b"%PDF-1.7"}
            return {"json": json.loads(json.dumps(found).replace("0" * 64, self.digest))}
        fields = {
            "number": self.number,
            "package_digest": self.digest,
            "digest": self.digest,
            "reason": "理由",
            "account": self.account,
            "token_id": self.token,
        }
        return {"data": fields}


def example_of(app: QueueApp, tried: Tried) -> Any:
    """Return the body that the description gives as an example; None: it has no JSON body."""
    described = app.openapi()
    operation = described["paths"].get(tried.path, {}).get(tried.method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "example" in content:
        return content["example"]
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    schema = described["components"]["schemas"].get(name, content["schema"])
    return next(iter(schema.get("examples", [{}])))

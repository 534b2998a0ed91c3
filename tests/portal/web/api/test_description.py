"""The description: whole, public, and every example right."""

import json
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from portal.cli import build
from portal.web.api.description import description

DOCUMENT = description()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def media(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the JSON media types of a body."""
    return [(kind, each) for kind, each in content.items() if kind.endswith("json")]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_operation_is_named_guarded_and_exemplified(
    name: str, operation: dict[str, Any]
) -> None:
    """AP-14: identifier, scheme, problems, and examples that fit their schemas."""
    assert operation["operationId"]
    assert operation["summary"]
    assert operation["security"] == [{"token": []}]
    assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
    contents = [operation.get("requestBody", {}).get("content", {})]
    for response in operation["responses"].values():
        if "$ref" in response:
            response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
            assert list(response["content"]) == ["application/problem+json"]
        contents.append(response.get("content", {}))
    for content in contents:
        for _, each in media(content):
            schema = {**each["schema"], "components": DOCUMENT["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema)
            assert not [str(error) for error in validator.iter_errors(each["example"])], name
    for parameter in operation.get("parameters", []):
        assert parameter["description"], (name, parameter["name"])


def test_every_field_is_described() -> None:
    """AP-14: no field of any form goes without words."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, each in schema.get("properties", {}).items():
            described = "description" in each or "$ref" in each or "anyOf" in each
            assert described, (name, field)


def test_operation_identifiers_are_stable_and_unique() -> None:
    """AP-14: clients are generated from them."""
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert {
        "listCommissions",
        "showCommission",
        "downloadFile",
        "acknowledgePackage",
        "acceptCommission",
        "declineCommission",
        "announceOpinion",
        "sendBytes",
        "finishUpload",
        "followChanges",
    } <= set(names)


def test_the_command_prints_what_the_server_serves(world: Any) -> None:
    """AP-14: the same document, without a token and without a workspace."""
    printed = CliRunner().invoke(build(), ["api-description"])
    assert printed.exit_code == 0
    document = json.loads(printed.stdout)
    assert document["openapi"] == "3.1.0"
    served = world.visitor().get("/openapi.json")
    assert served.status_code == 200
    assert served.json() == document
    assert "securitySchemes" in document["components"]

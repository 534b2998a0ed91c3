"""The description of the interface: OpenAPI 3.1, from the routes themselves.

It is public: it names no commission and no agency, and whoever writes a client needs it before
they have a token. Every request and every answer carries an example, put together from those of
its fields, so that none can differ from its schema unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from portal.web.api.problem_models import MEDIA_TYPE
from portal.web.api.routes import router
from storage.custody import VERSION

_TITLE = "证链 Zhenglian: 委托队列 the queue of an appraisal agency"
_WORDS = """\
鉴定机构经此接口查看委托、核对并签收材料包、受理或者不予受理、要求补充材料、延长时限、提交鉴定意见书。
An agency looks at its commissions here, compares and acknowledges packages, accepts or declines,
asks for material, extends the time limit, and returns its opinion.

Every request shows an API token (`Authorization: Bearer ...`). Every refusal is a problem
(`application/problem+json`, RFC 9457) in Chinese and English; `code` is for programs. What is not
the agency's own is answered as what does not exist.
"""
_TAGS = [
    {"name": "commissions", "description": "查看委托 Looking at commissions"},
    {"name": "files", "description": "下载材料包与委托书 Fetching what was sent"},
    {"name": "steps", "description": "办理 Steps that the agency takes"},
    {"name": "opinions", "description": "提交鉴定意见书 Returning an opinion"},
    {"name": "news", "description": "变动通知 Hearing of changes"},
]


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI document."""
    only = FastAPI()
    only.include_router(router)
    document: dict[str, Any] = get_openapi(
        title=_TITLE,
        version=VERSION,
        openapi_version="3.1.0",
        description=_WORDS,
        routes=only.routes,
        tags=_TAGS,
    )
    document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    schemas = document["components"]["schemas"]
    shared: dict[str, Any] = {}
    for operation in _operations(document):
        _share_problems(operation["responses"], shared)
        for content in _contents(operation):
            _give_example(content, schemas)
    for response in shared.values():
        _give_example(response["content"], schemas)
    document["components"]["responses"] = dict(sorted(shared.items()))
    return document


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _contents(operation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield operation.get("requestBody", {}).get("content", {})
    for response in operation["responses"].values():
        yield response.get("content", {})


def _share_problems(responses: dict[str, Any], shared: dict[str, Any]) -> None:
    """Let all operations refer to one declaration of each problem."""
    for status, response in responses.items():
        content = response.get("content", {})
        if MEDIA_TYPE in content:
            # FastAPI declares a model as plain JSON too; problems are never that.
            response["content"] = {MEDIA_TYPE: content[MEDIA_TYPE]}
            shared[f"Problem{status}"] = response
            responses[status] = {"$ref": f"#/components/responses/Problem{status}"}


def _give_example(content: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    for kind, media in content.items():
        if kind.endswith("json") and "example" not in media:
            media["example"] = example_of(media["schema"], schemas)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return an example of a schema: its own, or put together from those of its parts."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    for word in ("const", "enum"):
        if word in schema:
            return schema[word] if word == "const" else schema[word][0]
    for word in ("anyOf", "allOf", "oneOf"):
        if word in schema:
            return example_of(schema[word][0], schemas)
    if schema.get("type") == "object":
        parts = schema.get("properties", {})
        return {name: example_of(part, schemas) for name, part in parts.items()}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    return _PLAIN[str(schema.get("type"))]


_PLAIN: dict[str, Any] = {
    "string": "……",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "null": None,
    "None": None,
}

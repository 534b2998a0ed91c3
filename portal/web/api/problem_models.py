"""The form of a problem, and which problems each kind of route may answer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class WrongField(BaseModel):
    """One part of a request that is not as described."""

    where: str = Field(description="Where it stands.", examples=["body/reason"])
    zh: str = Field(description="What is wrong, Chinese.", examples=["缺少"])
    en: str = Field(description="What is wrong, English.", examples=["Field required"])


class Problem(BaseModel):
    """A refusal, in Chinese and English (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:zhenglian:problem:digest_mismatch",
                    "code": "digest_mismatch",
                    "status": 409,
                    "title": "校验值不一致 / The digest does not match",
                    "title_zh": "校验值不一致",
                    "title_en": "The digest does not match",
                    "detail": "所复述的材料包校验值与发出的不一致 the digest repeated by the "
                    "agency is not that of the package sent",
                    "remedy": "请重新下载并核对 download the package again and compare",
                }
            ]
        }
    )

    type: str = Field(description="A stable name of the kind of problem, as a URN.")
    code: str = Field(description="The same, short.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    title: str = Field(description="The kind of problem, in both languages.")
    title_zh: str = Field(description="The kind of problem, Chinese.")
    title_en: str = Field(description="The kind of problem, English.")
    detail: str = Field(description="What happened here, Chinese first.")
    remedy: str = Field(description="What to do next, Chinese first.")
    errors: list[WrongField] | None = Field(None, description="Wrong parts of the request.")
    problems: list[str] | None = Field(None, description="Wrong particulars of the opinion.")
    offset: int | None = Field(None, description="From where the upload goes on, bytes.")
    upload_id: str | None = Field(None, description="The upload that is in the way.")


_WORDS: dict[int, str] = {
    401: "No token, or one that is not valid any more.",
    403: "The token may not do this.",
    404: "There is nothing of that name for this agency.",
    405: "The method is not one of this path.",
    409: "It does not fit the present state; `code` says how.",
    410: "The upload has expired.",
    413: "Too large.",
    415: "What was sent is not of the right type, whatever its name.",
    416: "The range lies outside of the file.",
    422: "The request is not as described; `errors` lists where.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "A defect of this software.",
    503: "Something is busy or broken here; the same request may succeed later.",
    507: "The disk is full; what came is kept.",
}
_ALWAYS = (401, 403, 422, 429, 500, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the declaration of a route's problems: those of every route and its own."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "model": Problem,
            "description": _WORDS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({*_ALWAYS, *statuses})
    }

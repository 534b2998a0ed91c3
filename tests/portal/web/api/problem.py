"""What every refusal of the interface must be: one problem, in both languages."""

import re
from typing import Any

from httpx import Response

_WORDS = re.compile(r"\b[A-Za-z]{2,}")
_HAN = re.compile("[\u4e00-\u9fff]")


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """Return a refusal's body, once it is sure that it is a right one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"urn:zhenglian:problem:{code}"
    for key in ("title_zh", "title", "detail", "remedy"):
        assert _HAN.search(body[key]), (key, body[key])
    for key in ("title_en", "title", "detail", "remedy"):
        assert _WORDS.search(body[key]), (key, body[key])
    assert "Traceback" not in response.text
    return body

"""The language that the letters of a text tell."""

from __future__ import annotations

import pytest

from tasks.reader.layout.language import language


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("客户名单 customer list", "zh"),
        ("The supplier shall keep the list secret.", "en"),
        ("Lieferung nach Hamburg binnen zwei Wochen", "und-Latn"),
        ("これは営業秘密の一覧です", "ja"),
        ("영업비밀 목록", "ko"),
        ("коммерческая тайна", "und-Cyrl"),
        ("12.5 % — 2026", ""),
        ("", ""),
    ],
)
def test_the_script_tells_and_no_more_is_claimed(text: str, tag: str) -> None:
    assert language(text) == tag

"""Particulars of an opinion as text: JSON that reads the same as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def particulars_text(fields: Mapping[str, Any]) -> str:
    """Return particulars as JSON text that reads the same as YAML.

    YAML folds some line breaks that JSON leaves alone, and refuses control characters.
    """
    text = json.dumps(fields, ensure_ascii=False, indent=1)
    return _AS_ESCAPE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


_AS_ESCAPE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

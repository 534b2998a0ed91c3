"""The job ``fields``: one YAML mapping (a brief, an agency, an opinion) as bounded plain values.

Scalars stay text as written, except ``true`` and ``false``; nothing else is interpreted, so a
licence number keeps its zeros. Anchors, tags and a second document are refused.
"""

from __future__ import annotations

from typing import Any

import yaml

from tasks.reader.charset import decode
from tasks.reader.job import Refused
from tasks.reader.manifest_yaml import Problems, compose_safely
from tasks.reader.source import Source
from tasks.reader.strict import clean

MAX_BYTES = 1 << 20
MAX_VALUE = 20_000
_WORDS = {"true": True, "false": False}
_NULLS = frozenset({"", "~", "null"})


def read_fields(source: Source) -> dict[str, Any]:
    """Return ``{"fields": {...}}``, or raise ``Refused`` with what is wrong and where."""
    if source.size > MAX_BYTES:
        raise Refused(f"文件超过 {MAX_BYTES} 字节。 The file exceeds {MAX_BYTES} bytes.")
    problems = Problems()
    node = compose_safely(decode(source.whole()).text, problems)
    for problem in problems.all():
        raise Refused(f"{problem.where}: {problem.text_zh} {problem.text_en}")
    if not isinstance(node, yaml.MappingNode):
        raise Refused("文件应由“键: 值”组成。 The file must be made of 'key: value'.")
    return {"fields": _value(node)}


def _value(node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(each) for each in node.value]
    text = clean(node.value)[:MAX_VALUE]
    if node.style is None:
        if text.lower() in _NULLS:
            return None
        return _WORDS.get(text.lower(), text)
    return text


def _mapping(node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = int(key_node.start_mark.line) + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise Refused(f"line {line}: 键必须是一个词。 A key must be a single word.")
        key = clean(key_node.value.strip())[:200]
        if key in found:
            raise Refused(f"line {line}: “{key}”重复。 '{key}' stands there twice.")
        found[key] = _value(value_node)
    return found

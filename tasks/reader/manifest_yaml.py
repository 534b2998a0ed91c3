"""``manifest.yaml``: every scalar as written, with its line; nothing is interpreted."""

from __future__ import annotations

from typing import Any

import yaml

from tasks.reader.answer import RawCell, RawManifest, RawProblem
from tasks.reader.charset import decode
from tasks.reader.strict import clean

MAX_DEPTH = 12
MAX_EVENTS = 3_000_000
MAX_PROBLEMS = 500
MAX_VALUE = 20_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LISTS = ("officers", "items")
_ENCODINGS = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"}
# Two characters of GB 18030 may happen to be UTF-8 (the word for "Unicom" is known for it).
_MULTIBYTE = 9
_NULL = "tag:yaml.org,2002:null"


def read_yaml(data: bytes) -> RawManifest:
    """Return the cells of a YAML manifest; what is wrong with its form is a problem each."""
    problems = Problems()
    text = _text(data, problems)
    node = None if text is None else compose_safely(text, problems)
    if node is None:
        if not problems.found:
            problems.add(1, "清单是空的。", "The manifest is empty.")
        return RawManifest("yaml", problems=problems.all())
    if not isinstance(node, yaml.MappingNode):
        problems.add(_line(node), "清单应由“键: 值”组成。", "The manifest must be 'key: value'.")
        return RawManifest("yaml", problems=problems.all())
    lists: dict[str, Any] = {}
    header = _cells(node, problems, lists)
    return RawManifest(
        "yaml",
        header=header,
        officers=_records(lists.get("officers"), "officers", problems),
        items=_records(lists.get("items"), "items", problems),
        problems=problems.all(),
    )


def _text(data: bytes, problems: Problems) -> str | None:
    """Return the text of a manifest if there is no doubt how it is written, else None.

    A guess would put a case number on record that nobody wrote. A file that is UTF-8 but for a
    few bytes is a mixture, and every table of single bytes would read it as something.
    """
    decoded = decode(data)
    mixed = decoded.encoding == "gb18030" and any(map(_plainly_utf8, data.splitlines()))
    if decoded.encoding in _ENCODINGS and not decoded.damaged and not mixed:
        return decoded.text
    line = next((at for at, each in enumerate(data.splitlines(), 1) if not _is_utf8(each)), 1)
    problems.add(
        line,
        "清单的文字编码无法确定，请另存为 UTF-8 编码。",
        "The encoding of the manifest is in doubt; save it as UTF-8.",
    )
    return None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plainly_utf8(line: bytes) -> bool:
    """Return whether a line has several characters that only UTF-8 would have so."""
    return sum(byte > 0x7F for byte in line) >= _MULTIBYTE and _is_utf8(line)


class Problems:
    """Collects problems up to a bound."""

    def __init__(self) -> None:
        self.found: list[RawProblem] = []

    def add(self, line: int, text_zh: str, text_en: str) -> None:
        """Note one problem."""
        if len(self.found) < MAX_PROBLEMS:
            self.found.append(RawProblem(f"line {line}", clean(text_zh), clean(text_en)))

    def all(self) -> tuple[RawProblem, ...]:
        """Return them in the order of their lines."""
        return tuple(self.found)


def compose_safely(text: str, problems: Problems) -> Any:
    """Return the document's node after its events were judged, or None."""
    try:
        if not _judge_events(text, problems):
            return None
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = str(error.problem or error.context or "")[:200]
        line = mark.line + 1 if mark else 1
        problems.add(line, f"YAML 格式有误（{said}）。", f"This is not valid YAML: {said}.")
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())[:200]
        line = text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
        problems.add(line, f"含有不允许的字符（{said}）。", f"A character is not allowed: {said}.")
    return None


def _judge_events(text: str, problems: Problems) -> bool:
    """Refuse what makes a small file large: aliases, deep nesting, a second document."""
    depth, documents = 0, 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problems.add(
                line,
                "不允许使用锚点（&、*）；以这些符号开头的值请加引号。",
                "Anchors and aliases (&, *) are not allowed; quote values that begin so.",
            )
            return False
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > MAX_DEPTH or count > MAX_EVENTS or documents > 1:
            problems.add(
                line,
                "清单层次过深、过长或含多个文档。",
                "The manifest is nested too deeply, too long, or holds several documents.",
            )
            return False
    return True


def _cells(node: Any, problems: Problems, lists: dict[str, Any] | None = None) -> Any:
    """Return the scalar entries of a mapping; lists at the top go to ``lists``."""
    cells: list[RawCell] = []
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = _line(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            problems.add(line, "键必须是一个词。", "A key must be a single word.")
            continue
        key = clean(key_node.value.strip())[:200]
        if key in seen:
            problems.add(
                line,
                f"“{key}”重复，前一处在第 {seen[key]} 行。",
                f"'{key}' stands here again; the first is in line {seen[key]}.",
            )
            continue
        seen[key] = line
        if lists is not None and key in _LISTS:
            lists[key] = value_node
        elif isinstance(value_node, yaml.ScalarNode):
            cells.append(RawCell(key, _value(value_node), f"line {_line(value_node)}"))
        else:
            problems.add(line, f"“{key}”应为一个值。", f"'{key}' must be one value, not a list.")
    return tuple(cells)


def _records(node: Any, name: str, problems: Problems) -> tuple[tuple[RawCell, ...], ...]:
    if node is None or (isinstance(node, yaml.ScalarNode) and not _value(node)):
        return ()
    if not isinstance(node, yaml.SequenceNode):
        problems.add(_line(node), f"“{name}”应为列表。", f"'{name}' must be a list.")
        return ()
    records = []
    for entry in node.value:
        if isinstance(entry, yaml.MappingNode):
            records.append(_cells(entry, problems))
        else:
            problems.add(
                _line(entry),
                f"“{name}”的每一项应由“键: 值”组成。",
                f"Each entry of '{name}' must be made of 'key: value'.",
            )
    return tuple(records)


def _value(node: Any) -> str:
    # A plain ~ or null means that nothing was filled in; quoted it is text.
    if node.tag == _NULL and not node.style:
        return ""
    return clean(node.value.strip())[:MAX_VALUE]


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1

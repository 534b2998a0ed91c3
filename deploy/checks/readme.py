"""Every command that the READMEs show exists as shown, and every command is shown.

A shown command is a line of a fenced block that starts with ``custody`` or ``./custody``
(a prompt ``$`` may stand before it); it must parse: its command, its options, its required
arguments. In running text a command in backquotes needs to exist only by name. Commands that
``--help`` hides need not be shown.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

ROOT = Path(__file__).resolve().parents[2]
FILES = ("README.md", "README.zh.md")
_FENCE = re.compile(r"(?ms)^```[^\n]*\n(.*?)^```")
_INLINE = re.compile(r"`(?:\./)?custody ([^`\n]+)`")
_LINE = re.compile(r"^(?:\$ )?(?:\./)?custody\b(.*)$")


def main() -> int:
    """Print every fault of every README and return 1 if there is one."""
    from portal.cli import build

    tree = get_command(build())
    found = [
        f"{name}: {fault}"
        for name in FILES
        for fault in faults((ROOT / name).read_text("utf-8"), tree)
    ]
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


def faults(text: str, tree: Any) -> Iterator[str]:
    """Yield what a README shows wrongly or not at all, given the command tree."""
    seen: set[tuple[str, ...]] = set()
    prose = _FENCE.sub("", text)
    shown = [(line, True) for line in _block_lines(text)]
    shown += [(each.group(1), False) for each in _INLINE.finditer(prose)]
    for line, strict in shown:
        path, fault = _judge(shlex.split(line, comments=True), tree, strict)
        seen.add(path)
        if fault:
            yield f"'custody {line.strip()}': {fault}"
    for path in _leaves(tree):
        if path not in seen:
            yield f"'custody {' '.join(path)}' is not shown"


def _block_lines(text: str) -> Iterator[str]:
    for block in _FENCE.finditer(text):
        for line in block.group(1).splitlines():
            if found := _LINE.match(line.strip()):
                yield found.group(1)


def _judge(words: list[str], tree: Any, strict: bool) -> tuple[tuple[str, ...], str]:
    """Walk down the tree, then parse what is left; return the path and the fault."""
    command = tree
    path: list[str] = []
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command = command.commands.get(words[0])
        if command is None:
            return tuple(path), f"there is no command '{words[0]}'"
        path.append(words.pop(0))
    if hasattr(command, "commands"):
        unknown = [word for word in words if word not in ("--help", "-h")]
        return tuple(path), f"unknown: {' '.join(unknown)}" if unknown else ""
    if not strict or "--help" in words:
        return tuple(path), ""
    return tuple(path), _parse(command, words)


def _parse(command: Any, words: list[str]) -> str:
    parser = command.make_parser(command.context_class(command, info_name=command.name))
    try:
        values, _, _ = parser.parse_args(list(words))
    except Exception as error:  # noqa: BLE001 - the parser's own usage errors, of any class
        return str(getattr(error, "message", "") or error)
    missing = [p.name for p in command.params if p.required and not values.get(p.name)]
    return f"misses {', '.join(missing)}" if missing else ""


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield path
        return
    for name, each in command.commands.items():
        if not each.hidden:
            yield from _leaves(each, (*path, name))


if __name__ == "__main__":
    sys.exit(main())

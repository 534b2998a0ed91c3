"""How the command line shows things: tables for people, JSON for programs, names escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from storage.names import display

_PIPED = 120
"""Columns when the output goes to a file or another program."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED)
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _PIPED)


def cell(value: Any) -> str:
    """Return a value as a table shows it: hidden characters escaped, markup inert."""
    if value is None:
        return ""
    return escape(display(str(value)))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table."""
    grid = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(cell(value) for value in row))
    console.print(grid)


def as_json(value: Any) -> None:
    """Print a value as JSON, Chinese readable, hidden characters escaped by JSON itself."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))  # noqa: T201


def line(text: str) -> None:
    """Print one line; rich markup is allowed."""
    console.print(text)


def size(count: int) -> str:
    """Return bytes as people read them: 3.4 MB (decimal)."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"

"""How the command line shows things: tables for people, JSON for programs, names escaped."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from storage.names import display, hides, visible

_PIPED = 120
"""Columns when the output goes to a file or another program."""

_AT_ONCE = 500
"""Rows of a table that are laid out together."""

# Emoji codes are off: a name like :key:.txt is not the name that holds the picture.
console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPED)
errors = Console(
    stderr=True, highlight=False, emoji=False, width=None if sys.stderr.isatty() else _PIPED
)


def cell(value: Any) -> str:
    """Return a value as a table shows it: hidden characters escaped, markup inert."""
    if value is None:
        return ""
    return escape(display(str(value)))


def told(message: str) -> str:
    """Return a message of ours as a line shows it; a name in it is displayed already.

    So its backslashes are not doubled again; whatever hides or turns text is still escaped.
    """
    return escape(visible(message))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; title and cells may hold names from outside, headings are ours.

    A long one is printed in pieces, each with its headings: memory holds one of them.
    """
    rest = iter(rows)
    shown: str | None = cell(title)
    while (some := list(islice(rest, _AT_ONCE))) or shown is not None:
        grid = Table(title=shown, title_justify="left", header_style="bold")
        for column in columns:
            grid.add_column(column, overflow="fold")
        for row in some:
            grid.add_row(*(cell(value) for value in row))
        console.print(grid)
        shown = None


def as_json(value: Any) -> None:
    """Print a value as JSON: Chinese readable, whatever hides or turns text as an escape.

    A program gets the exact characters back; a terminal never does what a file name says.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, indent=2, default=str)
    for piece in encoder.iterencode(value):  # The whole text may be larger than memory should be.
        sys.stdout.write(inert(piece))
    sys.stdout.write("\n")


class Rows(list[Any]):
    """Rows for ``as_json`` that are made one by one while they are printed, once."""

    def __init__(self, rows: Iterable[Any]) -> None:
        """Print these; the first is made at once, so that a list of nothing is an empty one."""
        self._rest = iter(rows)
        super().__init__(islice(self._rest, 1))

    def __iter__(self) -> Iterator[Any]:
        """Make them."""
        return chain(super().__iter__(), self._rest)


def inert(text: str) -> str:
    """Return a JSON text in which whatever hides or turns text is an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_inert, text))


def _inert(each: str) -> str:
    """Return a character of a JSON text, escaped as JSON does unless a person may see it."""
    return json.dumps(each)[1:-1] if each != "\n" and hides(each) else each


def line(text: str) -> None:
    """Print one line; rich markup is allowed. A long path stays whole, to be copied."""
    console.print(text, soft_wrap=True)


def forgive_encoding() -> None:
    """Show what a terminal's encoding cannot hold as an escape, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def all_written() -> bool:
    """Write out what is left; False when the reader (``head``, a closed pager) has gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain there.
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def size(count: int) -> str:
    """Return bytes as people read them: 3.4 MB (decimal)."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"

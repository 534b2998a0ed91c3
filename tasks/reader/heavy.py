"""Readers whose libraries are large, loaded only in the workers that are for them.

Forking costs what the parent holds in memory. Most documents of most cases are texts, mails and
pages, so they are read by a light worker that has loaded none of this; what needs it is asked
again of a full one.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

_light = False


class Elsewhere(BaseException):
    """This worker is a light one, and the document needs a reader that it has not loaded.

    Not an ``Exception``: no reader on the way shall take it for a fault of the document.
    """


def keep_out() -> None:
    """Make this process a light one: heavy readers raise ``Elsewhere`` from now on."""
    global _light
    _light = True


@dataclass(frozen=True)
class HeavyReader:
    """A reader of this package by module and function, loaded when it is first used."""

    module: str
    name: str

    def __call__(self, source: Source, context: Context) -> Reading:
        """Read a document, or raise ``Elsewhere``."""
        read = getattr(loaded(f"{__package__}.{self.module}"), self.name)
        found: Reading = read(source, context)
        return found


def loaded(module: str) -> Any:
    """Return a module by its full name, or raise ``Elsewhere`` where it is kept out."""
    if module not in sys.modules and _light:
        raise Elsewhere(module)
    return import_module(module)

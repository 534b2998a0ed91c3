"""What goes into the cell to be built, and what comes out of it when a copy is read back."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.reader.searchable.layer import LayerPage


@dataclass(frozen=True)
class Layer:
    """What is to be built: the words page by page, and what the copy says of itself."""

    said: str
    pages: tuple[LayerPage, ...]


@dataclass(frozen=True)
class ReadBack:
    """The words of the layer of every page of a copy, in order, without spaces."""

    pages: tuple[str, ...]

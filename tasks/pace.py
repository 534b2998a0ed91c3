"""Pace: how long a stage takes on this machine, from what it took before. Pure.

For each stage the seconds of a run are explained by its documents and its bytes,
``seconds = a * documents + b * bytes`` with ``a, b >= 0``, by least squares over past runs in
which a newer run counts more: each run multiplies what was known by ``FADE``.
"""

from __future__ import annotations

from dataclasses import dataclass

FADE = 0.9
"""Weight of everything known so far when one more run is added."""


@dataclass(frozen=True)
class Pace:
    """Faded sums over the runs of one stage: documents, bytes and seconds, and their products."""

    runs: float = 0.0
    documents2: float = 0.0
    crossed: float = 0.0
    bytes2: float = 0.0
    documents_seconds: float = 0.0
    bytes_seconds: float = 0.0

    def after(self, documents: int, size: int, seconds: float) -> Pace:
        """Return the pace once one more run is known.

        Args:
            documents: documents of the run.
            size: their bytes.
            seconds: how long it took.
        """
        return Pace(
            FADE * self.runs + 1,
            FADE * self.documents2 + documents * documents,
            FADE * self.crossed + documents * size,
            FADE * self.bytes2 + size * size,
            FADE * self.documents_seconds + documents * seconds,
            FADE * self.bytes_seconds + size * seconds,
        )

    def seconds(self, documents: int, size: int) -> float | None:
        """Return the seconds that so many documents and bytes may take; None if unknown."""
        if self.runs == 0:
            return None
        a, b = self._costs()
        return a * documents + b * size

    def _costs(self) -> tuple[float, float]:
        """Return seconds a document and seconds a byte, neither negative."""
        whole = self.documents2 * self.bytes2
        by_document = self.documents_seconds / self.documents2 if self.documents2 else 0.0
        by_byte = self.bytes_seconds / self.bytes2 if self.bytes2 else 0.0
        apart = whole - self.crossed * self.crossed
        # Runs that are all alike do not tell documents from bytes: documents explain them.
        if apart <= 1e-9 * whole:
            return (by_document, 0.0) if self.documents2 else (0.0, by_byte)
        a = (self.documents_seconds * self.bytes2 - self.bytes_seconds * self.crossed) / apart
        b = (self.bytes_seconds * self.documents2 - self.documents_seconds * self.crossed) / apart
        if a < 0:
            return 0.0, max(0.0, by_byte)
        if b < 0:
            return max(0.0, by_document), 0.0
        return a, b

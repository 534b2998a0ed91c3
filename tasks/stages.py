"""Stages: where an ingest stands, for people, and what it may still take. Pure.

``expected`` are seconds for a whole stage from this machine's own history; a stage that nobody
has seen yet has none, and then nothing is promised.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

STAGES: dict[str, tuple[str, str]] = {
    "taking": ("接收入库", "taking into custody"),
    "judging": ("核对清单", "judging"),
    "storing": ("移入案件", "moving to the case"),
    "settling": ("登记并出具收据", "recording and receipt"),
    "reading": ("识读", "reading"),
}
"""Every stage in order, with its Chinese and English name."""


@dataclass(frozen=True)
class Doing:
    """One ingest under way.

    ``done`` of ``total`` documents and ``size_done`` of ``size`` bytes of the present stage;
    ``item`` is the document at hand, on its page ``page`` of ``pages`` (0: not by pages).
    Times are seconds of one clock. ``expected`` holds seconds by stage.
    """

    accession: str
    unit: str
    name: str
    stage: str = "taking"
    done: int = 0
    total: int = 0
    size_done: int = 0
    size: int = 0
    item: str = ""
    page: int = 0
    pages: int = 0
    began: float = 0.0
    stage_began: float = 0.0
    moved: float = 0.0
    expected: dict[str, float] = field(default_factory=dict)

    def entered(self, stage: str, total: int, size: int, now: float) -> Doing:
        """Return it at the beginning of a stage."""
        return replace(
            self,
            stage=stage,
            done=0,
            total=total,
            size_done=0,
            size=size,
            item="",
            page=0,
            pages=0,
            stage_began=now,
            moved=now,
        )

    @property
    def share(self) -> float:
        """How much of the present stage is done, 0 to 1: by documents or bytes, the lesser.

        A page of the document at hand counts as its part of a document.
        """
        inside = self.page / self.pages if self.pages else 0.0
        shares = []
        if self.total:
            shares.append(min(1.0, (self.done + inside) / self.total))
        if self.size and self.size_done:
            shares.append(min(1.0, self.size_done / self.size))
        return min(shares, default=0.0)

    def left(self, now: float) -> float | None:
        """Return the seconds that may still be needed, None where nothing is known.

        What the present stage has shown counts more, the further it is.
        """
        names = list(STAGES)
        later = [self.expected.get(name) for name in names[names.index(self.stage) + 1 :]]
        here = self._left_here(now)
        if here is None or None in later:
            return None
        return here + sum(each or 0.0 for each in later)

    def _left_here(self, now: float) -> float | None:
        spent, share = now - self.stage_began, self.share
        known = self.expected.get(self.stage)
        seen = spent * (1 - share) / share if share > 0 else None
        if known is None:
            return seen
        by_history = max(0.0, known - spent)
        return by_history if seen is None else share * seen + (1 - share) * by_history

"""One job for the cell, as it travels from the parent to the worker."""

from __future__ import annotations

from dataclasses import dataclass, field


class Refused(Exception):
    """The document is not what the job needs; the text is for a person, Chinese first."""


@dataclass(frozen=True)
class Job:
    """What to do with the document whose open descriptor comes with this.

    ``seconds`` is the wall-clock limit that the worker enforces, 0 for none (the parent then
    watches progress); ``cpu_seconds`` and ``memory_bytes`` are rlimits of the child. A
    ``password`` travels over the control socket alone and is in no text that is made of a job.
    """

    kind: str
    seconds: float
    cpu_seconds: int
    memory_bytes: int
    name: str = ""
    number: int = 1
    parts: bool = True
    inside: tuple[int, ...] = ()
    languages: str = ""
    dpi: int = 300
    limit: int = 0
    max_entries: int = 100_000
    max_total_bytes: int = 1 << 40
    max_ratio: int = 200
    max_file_bytes: int = 1 << 40
    max_path_bytes: int = 4096
    wanted: str = ""
    drawn: bool = False
    password: str = field(default="", repr=False)

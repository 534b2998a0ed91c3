"""How one program judged: what it accepted, and how many of the spoiled controls it refused."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Verdict:
    """``accepted`` counts by kind what was right and accepted; ``wrong`` is empty if it agrees."""

    name: str
    version: str
    accepted: dict[str, int] = field(default_factory=dict)
    controls: int = 0
    refused: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether it accepted everything right, refused everything wrong, and was asked both."""
        return bool(self.accepted) and self.controls == self.refused > 0 and not self.wrong

    def right(self, kind: str, what: str, accepted: bool, number: int = 1) -> None:
        """Count things that must be accepted."""
        self.accepted[kind] = self.accepted.get(kind, 0) + number * accepted
        if not accepted:
            self.wrong.append(f"{kind} {what} refused")

    def control(self, what: str, accepted: bool) -> None:
        """Count a thing that must be refused."""
        self.controls += 1
        self.refused += not accepted
        if accepted:
            self.wrong.append(f"control {what} accepted")

    def row(self) -> str:
        """Return its line of the table."""
        counted = ", ".join(f"{number} {kind}" for kind, number in self.accepted.items())
        refused = f"{self.refused} of {self.controls}"
        cells = (self.name, self.version, counted, f"{self.seconds:.1f}", refused)
        return f"| {' | '.join(cells)} | {'agrees' if self.agrees else 'DISAGREES'} |"


HEAD = (
    "| program | version | accepted | seconds | controls refused | |\n"
    "| --- | --- | --- | ---: | ---: | --- |"
)


def run(*command: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    words = [str(each) for each in command]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=1200, check=False, cwd=folder
    )


def succeeds(*command: object, folder: Path | None = None) -> bool:
    """Whether a program says yes."""
    return run(*command, folder=folder).returncode == 0


def timed(judge: Callable[[], Verdict]) -> Verdict:
    """Judge, and put down how long it took."""
    started = time.perf_counter()
    verdict = judge()
    verdict.seconds = time.perf_counter() - started
    return verdict

"""docs/deployment.md, read as a new administrator reads it: what is typed, and where.

The first line of a block says on which machines::

    # db, keeper, worker1

A line ``NAME=...`` is replaced by the line ``NAME=(value)`` that an earlier block printed; what is
the reader's to put in is in the table at the head of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/deployment.md"
MACHINES = ("db", "s3", "keeper", "worker1")
_FIRST = re.compile(r"# ((?:db|s3|keeper|worker1)(?:, (?:db|s3|keeper|worker1))*)( \(NFS\))?")
_PRINTED = re.compile(r"^([A-Z][A-Z0-9_]*)=(.+)$", re.MULTILINE)
_WANTED = re.compile(r"^([A-Z][A-Z0-9_]*)=\.\.\.$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """What is typed in one go: its section, its machines, its lines."""

    section: str
    machines: tuple[str, ...]
    text: str
    shares: bool
    """It makes the shared folder by NFS."""

    def filled(self, printed: Mapping[str, str], own: Mapping[str, str]) -> str:
        """Return the lines with all that is to be put in; a missing value is an error."""
        text = _WANTED.sub(lambda found: f"{found[1]}={printed[found[1]]}", self.text)
        for name, value in own.items():
            text = re.sub(rf"\b{name}\b", lambda _, value=value: value, text)  # type: ignore[misc]
        return text


def blocks(text: str) -> Iterator[Block]:
    """Yield every block of the page in order."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        section = part.partition("\n")[0]
        for block in re.findall(r"^```\n(.*?)^```$", part, re.DOTALL | re.MULTILINE):
            first = _FIRST.fullmatch(block.partition("\n")[0])
            assert first, f"no machine is named at the head of a block of {section}:\n{block}"
            yield Block(section, tuple(first[1].split(", ")), block, bool(first[2]))


def printed(said: str) -> dict[str, str]:
    """Return the lines ``NAME=value`` that a block printed."""
    return dict(_PRINTED.findall(said))

"""What holds the cell together on this host, seen from inside it; for ``custody doctor``."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import Any

from storage.errors import HostError
from tasks.reader import sandbox
from tasks.reader.cell import CellPool
from tasks.reader.process import CellFailure


@dataclass(frozen=True)
class Mechanism:
    """One wall of the cell: whether it was seen to stand, and what was seen."""

    name: str
    works: bool
    seen: str
    needed: bool = True


@dataclass(frozen=True)
class CellReport:
    """All walls; ``usable`` when every one that is needed stands."""

    mechanisms: tuple[Mechanism, ...]

    @property
    def usable(self) -> bool:
        """Whether hostile bytes may be opened on this host."""
        return all(m.works for m in self.mechanisms if m.needed)


def cell_report(languages: str = "chi_sim+eng") -> CellReport:
    """Start one cell and report its walls; never raises for what the host lacks."""
    try:
        with CellPool(1, languages=languages) as pool, tempfile.TemporaryFile() as nothing:
            facts = pool.call("probe", nothing)
            with pool.borrow() as cell:
                greeting = cell.greeting
    except (HostError, CellFailure) as error:
        return CellReport((Mechanism("sandbox", False, str(error)),))
    return CellReport(tuple(_mechanisms(facts, greeting, languages)))


def _mechanisms(facts: dict[str, Any], greeting: dict[str, Any], languages: str) -> list[Mechanism]:
    lonely = bool(greeting.get("lonely"))
    missing = sorted(set(languages.split("+")) - set(facts["languages"]))
    found = ", ".join(facts["languages"])
    root_mapped = facts["uid"] == 0
    return [
        Mechanism("namespaces", facts["parent"] == 1, f"bubblewrap, {sandbox.mode()} mode"),
        Mechanism("no_network", facts["interfaces"] in ([], ["lo"]), str(facts["interfaces"])),
        Mechanism("file_system", not facts["visible"], ", ".join(facts["visible"]) or "hidden"),
        Mechanism("no_capabilities", facts["capabilities"] == 0, f"{facts['capabilities']:#x}"),
        Mechanism("no_new_privileges", facts["no_new_privileges"], "prctl"),
        Mechanism("rlimits", facts["memory_bytes"] > 0, f"{facts['memory_bytes']} bytes of memory"),
        Mechanism("process_limit", not root_mapped, f"at most {facts['processes']}", needed=False),
        Mechanism("own_user", lonely, f"user {facts['uid']}", needed=False),
        Mechanism("seccomp", facts["seccomp"] == 2, "deny list", needed=False),
        Mechanism(
            "landlock", bool(greeting.get("landlock")), f"version {facts['landlock']}", needed=False
        ),
        Mechanism("tesseract", not missing, f"{facts['tesseract']} ({found})"),
    ]

"""What holds the cell together on this host, seen from inside it; for ``custody doctor``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import HostError
from tasks.reader.cell import CellPool
from tasks.reader.probe import NAMESPACES
from tasks.reader.process import CellFailure
from tasks.reader.syscalls import ALLOWED

# What it means for a hostile document that a mechanism is missing.
MEANING = {
    "sandbox": "没有隔离区，不打开任何证据文件。 Nothing is opened: there is no cell.",
    "namespaces": "文档进程可看到本机的网络、进程和文件系统。 "
    "A document's process shares this host's network, processes and files.",
    "no_network": "文档进程可连接网络。 A document's process can reach a network.",
    "file_system": "文档进程可读取本机其他文件。 A document's process can read files of this host.",
    "no_capabilities": "文档进程有特权。 A document's process has privileges.",
    "no_new_privileges": "文档进程可获得特权。 A document's process could gain privileges.",
    "rlimits": "内存和时间不受限。 Memory and time are not limited.",
    "process_limit": "进程数不受限（以 root 运行）。 The number of processes is not limited: root.",
    "own_user": "文档进程与本程序同一用户，只靠其余各层隔离。 "
    "A document's process has this program's user; the other walls alone keep them apart.",
    "landlock": "打开的文件可经 /proc 重新打开写入，读取只靠挂载限制。 "
    "An open document could be reopened through /proc; mounts alone limit reading.",
    "landlock_signals": "该版本不限制信号和抽象套接字。 This version does not refuse signals.",
    "seccomp": "内核漏洞的攻击面未缩小。 Every system call is open to a document's process.",
    "tesseract": "扫描件无法识读。 Scans cannot be read.",
}


@dataclass(frozen=True)
class Mechanism:
    """One wall of the cell: whether it was seen to stand, and what was seen."""

    name: str
    works: bool
    seen: str
    needed: bool = True

    @property
    def meaning(self) -> str:
        """What it means that this is missing, Chinese first; empty where it is there."""
        return "" if self.works else MEANING[self.name]


@dataclass(frozen=True)
class CellReport:
    """All walls; ``usable`` when every one that is needed stands."""

    mechanisms: tuple[Mechanism, ...]

    @property
    def usable(self) -> bool:
        """Whether hostile bytes may be opened on this host."""
        return all(m.works for m in self.mechanisms if m.needed)


def cell_report(languages: str = "chi_sim+eng", *, reduced: bool = False) -> CellReport:
    """Start one cell and report its walls; never raises for what the host lacks.

    In a ``reduced`` cell the walls that namespaces make are not needed.
    """
    try:
        with (
            CellPool(1, languages=languages, reduced=reduced) as pool,
            tempfile.TemporaryFile() as nothing,
        ):
            facts = pool.call("probe", nothing)
            with pool.borrow() as cell:
                greeting, mode = cell.greeting, cell.mode
    except (HostError, CellFailure) as error:
        return CellReport((Mechanism("sandbox", False, str(error)),))
    walls = [*_outer(facts, mode, needed=not reduced), *_inner(facts, greeting, languages)]
    return CellReport(tuple(walls))


def _outer(facts: dict[str, Any], mode: str, *, needed: bool) -> Iterator[Mechanism]:
    ours = {name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in NAMESPACES}
    own = [name for name in NAMESPACES if facts["namespaces"][name] != ours[name]]
    shared = sorted(set(NAMESPACES) - set(own))
    seen = f"{mode} mode, own: {' '.join(own) or 'none'}"
    seen += f"; shared: {' '.join(shared)}" if shared else ""
    yield Mechanism("namespaces", {"mnt", "pid", "net", "ipc"} <= set(own), seen, needed)
    alone = facts["interfaces"] in ([], ["lo"])
    seen = f"interfaces {' '.join(facts['interfaces'])}"
    seen += "" if facts["network"] else "; sockets refused"
    yield Mechanism("no_network", alone or not facts["network"], seen, needed)
    seen = ", ".join(facts["visible"]) or "hidden"
    yield Mechanism("file_system", not facts["visible"], seen, needed)


def _inner(facts: dict[str, Any], greeting: dict[str, Any], languages: str) -> Iterator[Mechanism]:
    yield Mechanism("no_capabilities", facts["capabilities"] == 0, f"{facts['capabilities']:#x}")
    yield Mechanism("no_new_privileges", facts["no_new_privileges"], "prctl")
    seen = f"{facts['memory_bytes']} bytes of memory"
    yield Mechanism("rlimits", facts["memory_bytes"] > 0, seen)
    seen = f"at most {facts['processes']}"
    yield Mechanism("process_limit", facts["uid"] != 0, seen, needed=False)
    seen = f"user {facts['uid']}"
    yield Mechanism("own_user", bool(greeting.get("own_user")), seen, needed=False)
    version = int(greeting.get("landlock", 0))
    seen = f"version {version}: reading and writing" + (", TCP" if version >= 4 else "")
    yield Mechanism("landlock", version > 0, seen if version else "none", needed=False)
    seen = "signals and abstract sockets" if version >= 6 else "from version 6 of Landlock on"
    yield Mechanism("landlock_signals", version >= 6, seen, needed=False)
    filtered = facts["seccomp"] == 2 and bool(greeting.get("seccomp"))
    seen = f"allow list: {len(ALLOWED['document'])} calls, {len(ALLOWED['program'])} for OCR"
    yield Mechanism("seccomp", filtered, seen if filtered else "none", needed=False)
    missing = sorted(set(languages.split("+")) - set(facts["languages"]))
    seen = f"{facts['tesseract']} ({', '.join(facts['languages'])})"
    yield Mechanism("tesseract", not missing, seen)

"""What a process inside the cell sees of its own walls."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path
from typing import Any

from tasks.reader import ocr

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user")

# Places that every host has and no parser needs.
_HIDDEN = ("/etc/passwd", "/var/lib", "/boot", "/sys", "/run")


def probe() -> dict[str, Any]:
    """Return facts about the confinement, as seen from a child that could be hostile."""
    status = dict(
        line.split(":\t", 1)
        for line in Path("/proc/self/status").read_text().splitlines()
        if ":\t" in line
    )
    return {
        "parent": os.getppid(),
        "uid": os.getuid(),
        "capabilities": int(status.get("CapEff", "1"), 16) | int(status.get("CapPrm", "1"), 16),
        "no_new_privileges": status.get("NoNewPrivs") == "1",
        "seccomp": int(status.get("Seccomp", "0")),
        "namespaces": {name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in NAMESPACES},
        "interfaces": sorted(_interfaces()),
        "network": _network(),
        "visible": [path for path in _HIDDEN if _readable(Path(path))],
        "memory_bytes": resource.getrlimit(resource.RLIMIT_AS)[0],
        "processes": resource.getrlimit(resource.RLIMIT_NPROC)[0],
        "tesseract": ocr.tesseract_version(),
        "languages": list(ocr.tesseract_languages()),
    }


def _readable(path: Path) -> bool:
    try:
        return bool(list(path.iterdir()) if path.is_dir() else path.read_bytes())
    except OSError:
        return False


def _network() -> bool:
    try:
        socket.socket().close()
    except OSError:
        return False
    return True


def _interfaces() -> list[str]:
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    return [line.split(":")[0].strip() for line in lines]

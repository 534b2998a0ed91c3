"""What a process inside the cell sees of its own walls."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

from tasks.reader import landlock, ocr

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
        "landlock": landlock.version(),
        "interfaces": sorted(_interfaces()),
        "visible": [path for path in _HIDDEN if Path(path).exists()],
        "memory_bytes": resource.getrlimit(resource.RLIMIT_AS)[0],
        "processes": resource.getrlimit(resource.RLIMIT_NPROC)[0],
        "tesseract": ocr.tesseract_version(),
        "languages": list(ocr.tesseract_languages()),
    }


def _interfaces() -> list[str]:
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    return [line.split(":")[0].strip() for line in lines]

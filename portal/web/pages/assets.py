"""What pages load: our style sheet and script, and htmx from its installed package.

Every file is read once and served from memory under a name with its own digest, so that browsers
keep it for good and a new version is a new address. Nothing comes from another host.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from storage.errors import HostError

_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HTMX = "static/django_htmx/htmx-2.min.js"


@dataclass(frozen=True)
class Asset:
    """One file that pages load; ``version`` is the start of its SHA-256."""

    body: bytes
    media_type: str
    version: str


@cache
def assets() -> dict[str, Asset]:
    """Return the files by name.

    Raises:
        HostError: the package that carries htmx is not installed.
    """
    paths = {path.name: path for path in _FOLDER.iterdir() if path.suffix in _TYPES}
    return {name: _read(path) for name, path in {**paths, "htmx.js": _htmx()}.items()}


def address(name: str) -> str:
    """Return where a file is served."""
    return f"/static/{assets()[name].version}/{name}"


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])


def _htmx() -> Path:
    found = importlib.util.find_spec("django_htmx")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder) / _HTMX
        if path.is_file():
            return path
    raise HostError(
        "未安装 htmx is not installed",
        remedy="请重新安装锁定的依赖 install the locked dependencies again",
    )

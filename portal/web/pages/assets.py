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

from fastapi import APIRouter, HTTPException, Response

from storage.errors import HostError

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HTMX = "static/django_htmx/htmx-2.min.js"
_FOR_GOOD = "public, max-age=31536000, immutable"


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


@router.get("/static/{version}/{name}")
def serve(version: str, name: str) -> Response:
    """Serve one file; the version is part of the address only for caches."""
    found = assets().get(name)
    if found is None or found.version != version:
        raise HTTPException(404)
    return Response(found.body, media_type=found.media_type, headers={"Cache-Control": _FOR_GOOD})


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])


def _htmx() -> Path:
    found = importlib.util.find_spec("django_htmx")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder) / _HTMX
        if path.is_file():
            return path
    raise HostError("htmx is not installed", remedy="install the locked dependencies again")

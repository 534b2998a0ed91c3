"""The lock is in step with pyproject.toml; judged without a network.

Every dependency and development tool is pinned in ``deploy/requirements.lock`` at a version
that its specifier allows, every pin has hashes, no address is named anywhere, and
``deploy/bootstrap.lock`` holds the same pin of uv.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
_ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def main() -> int:
    """Print every fault and return 1 if there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lock = (ROOT / "deploy/requirements.lock").read_text("utf-8")
    bootstrap = (ROOT / "deploy/bootstrap.lock").read_text("utf-8")
    found = list(faults(project, lock, bootstrap))
    for fault in found:
        print(f"lock: {fault}", file=sys.stderr)
    if found:
        print("  -> run 'make lock' and commit both lock files", file=sys.stderr)
    return 1 if found else 0


def faults(project: Mapping[str, object], lock: str, bootstrap: str) -> Iterator[str]:
    """Yield each way in which the lock files are out of step."""
    pins = entries(lock)
    for wanted in requirements(project):
        pin = pins.get(canonicalize_name(wanted.name))
        if pin is None:
            yield f"{wanted.name} is not pinned"
        elif not wanted.specifier.contains(version_of(pin), prereleases=True):
            yield f"{wanted.name} is pinned at {version_of(pin)}, {wanted.specifier} is asked for"
    for name, pin in pins.items():
        if not _HASH.search(pin):
            yield f"{name} has no hash"
    for name, text in (("requirements.lock", lock), ("bootstrap.lock", bootstrap)):
        if _ADDRESS.search(text):
            yield f"{name} names an address"
    if entries(bootstrap) != {"uv": pins.get("uv")}:
        yield "bootstrap.lock does not hold the pin of uv"


def requirements(project: Mapping[str, object]) -> Iterator[Requirement]:
    """Yield the dependencies of the project and of its development group."""
    tables = project["project"], project["dependency-groups"]
    for table, key in zip(tables, ("dependencies", "dev"), strict=True):
        assert isinstance(table, Mapping)
        for line in table[key]:
            yield Requirement(line)


def entries(lock: str) -> dict[str, str]:
    """Return each pinned distribution's lines, without the comments on who asked for it."""
    lines = (line for line in lock.splitlines() if not line.lstrip().startswith("#"))
    chunks = re.split(r"(?m)^(?=[A-Za-z0-9])", "\n".join(lines))
    return {canonicalize_name(name_of(chunk)): chunk.strip() for chunk in chunks if chunk.strip()}


def name_of(pin: str) -> str:
    """Return the name in ``name==version``; an entry without a version has an odd name."""
    return pin.partition("==")[0].partition("[")[0].strip()


def version_of(pin: str) -> str:
    """Return the version in ``name==version``."""
    return re.split(r"[\s;\\]", pin.partition("==")[2], maxsplit=1)[0]


if __name__ == "__main__":
    sys.exit(main())

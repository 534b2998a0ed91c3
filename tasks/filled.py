"""Files that a person filled in (brief, agency, opinion): YAML, opened in the cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage.errors import InputError
from tasks.bundle import File
from tasks.reader.cell import CellPool


def read_fields(pool: CellPool, path: Path) -> dict[str, Any]:
    """Return the fields of a YAML file as untrusted values.

    Raises:
        InputError: there is no such file, or it is not a YAML mapping; says where.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}", remedy="check the name")
    with File(path.name, str(path), path.stat().st_size).open() as stream:
        return pool.fields(stream, path.name)

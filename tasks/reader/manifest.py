"""The job ``manifest``: the cells of a manifest as written, for validation outside."""

from __future__ import annotations

from typing import cast

from tasks.reader import heavy, mediatype
from tasks.reader.answer import RawManifest
from tasks.reader.claims import OOXML
from tasks.reader.job import Refused
from tasks.reader.manifest_lines import write_rows
from tasks.reader.manifest_yaml import read_yaml
from tasks.reader.source import Source

_SHEET = f"{OOXML}.spreadsheetml.sheet"


def write_manifest(source: Source, descriptor: int) -> None:
    """Write the manifest's cells to the output, line by line."""
    write_rows(read_manifest(source), descriptor)


def read_manifest(source: Source) -> RawManifest:
    """Return the manifest's cells; its content decides which of the two forms it has."""
    kind = mediatype.media_type(source)
    if kind == _SHEET:
        sheets = heavy.loaded("tasks.reader.manifest_xlsx")
        return cast(RawManifest, sheets.read_sheet(source))
    if kind == mediatype.ENCRYPTED_OFFICE:
        raise Refused("清单已加密，请去掉密码后重新提交。 The manifest is encrypted.")
    if kind.startswith("text/") or kind in ("application/x-empty", "application/json"):
        return read_yaml(source.whole())
    raise Refused(f"清单既不是 YAML 也不是 xlsx。 The manifest is neither YAML nor xlsx: {kind}")

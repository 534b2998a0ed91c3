"""The command that prints the metrics: for hosts without the portal, and for a look by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def metrics(
    file: Annotated[
        Path | None,
        typer.Option("--file", help="Replace this file (NAME.prom of a node exporter)."),
    ] = None,
) -> None:
    """Print the metrics of the installation in Prometheus' text form."""
    import sys

    from portal.metrics import house_text
    from storage.custody import current
    from storage.errors import InputError
    from storage.workspace import write_durably

    text = house_text(current())
    if file is None:
        sys.stdout.write(text)
        return
    try:
        # It takes the old file's place whole: a node exporter never reads half of one.
        write_durably(file, text.encode())
    except OSError as error:
        raise InputError(
            f"无法写入 it cannot be written: {file}: {error.strerror}",
            remedy="请选择可写的文件夹 choose a folder that is there and that you may write to",
        ) from error

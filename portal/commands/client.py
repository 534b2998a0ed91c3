"""Commands of the programming interface: its description, and the headless client of an agency."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def api_description(
    file: Annotated[
        Path | None, typer.Option("--file", help="Write it there instead of printing it.")
    ] = None,
) -> None:
    """Print the OpenAPI 3.1 description of the queue's programming interface."""
    import json
    import sys

    from portal.web.api.description import description
    from storage.errors import InputError
    from storage.workspace import write_durably

    text = json.dumps(description(), ensure_ascii=False, indent=1) + "\n"
    if file is None:
        sys.stdout.write(text)
        return
    try:
        write_durably(file, text.encode())
    except OSError as error:
        raise InputError(
            f"无法写入 it cannot be written: {file}: {error.strerror}",
            remedy="请选择可写的文件夹 choose a folder that is there and that you may write to",
        ) from error


def agency_client(
    url: Annotated[str, typer.Option("--url", help="Address of the queue.", show_default=False)],
    token_file: Annotated[
        Path, typer.Option("--token-file", help="File with the API token.", show_default=False)
    ],
    folder: Annotated[
        Path,
        typer.Option("--folder", help="Folder with inbox/, outbox/, sent/.", show_default=False),
    ],
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, and end.")] = False,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Certificates to trust besides, PEM.")
    ] = None,
    proxy: Annotated[str, typer.Option("--proxy", help="HTTP proxy to go through.")] = "",
    settle: Annotated[
        float, typer.Option("--settle", min=0.0, help="Seconds a folder must not change.")
    ] = 10.0,
    identity: Annotated[
        Path | None, typer.Option("--identity", help="File with the agency's age key.")
    ] = None,
) -> None:
    """Run at an agency: packages come into inbox/, opinions put into outbox/ are returned."""
    from portal.agency_client.main import run
    from portal.logs import logged

    with logged("agency-client"):
        code = run(
            url, token_file, folder, once=once, ca=ca, proxy=proxy, settle=settle, identity=identity
        )
        if code:
            raise typer.Exit(code)

"""The client from its arguments on; ``custody agency-client`` and nothing else starts it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from portal.agency_client.running import Client
from portal.agency_client.service import Service
from portal.agency_client.state import disk_told
from portal.logs import is_json, note
from storage.names import visible

REFUSED = 2
"""Exit code after ``--once`` when something was refused, or did not match."""


def run(
    url: str,
    token_file: Path,
    folder: Path,
    *,
    once: bool,
    ca: Path | None,
    proxy: str,
    settle: float,
    identity: Path | None = None,
) -> int:
    """Work once or until stopped; return the exit code.

    Raises:
        CustodyError: the folder, the token file or the address cannot be used; with ``once`` also
            that the queue did not answer or refused the token.
    """
    service = Service(url, token_file, ca, proxy)
    try:
        with disk_told():
            client = Client(folder, service, tell, settle, identity=identity)
        with client.alone():
            if once:
                client.once()
            else:
                client.forever()
            return REFUSED if client.refused else 0
    finally:
        service.close()


def tell(text: str) -> None:
    """Print one line with its time, at once."""
    if is_json():
        note("client", text)
        return
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    sys.stdout.write(f"{now} {visible(text)}\n")
    sys.stdout.flush()

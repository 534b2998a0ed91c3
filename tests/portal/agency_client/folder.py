"""An agency's folder with its client, as the tests work with it."""

import json
from pathlib import Path
from typing import Any

from portal.agency_client.running import Client
from portal.agency_client.service import Service
from tests.portal.web.api.world import PDF, Sent


def client(
    url: str, folder: Path, told: list[str] | None = None, identity: Path | None = None
) -> Client:
    """Return a client that waits for nothing."""
    lines: list[str] = [] if told is None else told
    service = Service(url, folder.parent / "token")
    return Client(
        folder, service, lines.append, settle=0.0, pause=lambda _: None, identity=identity
    )


def long_pdf(size: int) -> bytes:
    """Return a PDF of some length, whole."""
    return PDF + b"%" * size + b"\n%%EOF\n"


def put_opinion(folder: Path, sent: Sent, pdf: bytes = PDF, **changes: object) -> Path:
    """Put an opinion into the outbox, as people do."""
    here = folder / "outbox" / sent.id
    here.mkdir(parents=True, exist_ok=True)
    (here / "鉴定意见书.pdf").write_bytes(pdf)
    fields = {**sent.particulars(), **changes}
    (here / "particulars.yaml").write_text(json.dumps(fields, ensure_ascii=False))
    return here


def sent_back(folder: Path, sent: Sent) -> dict[str, Any]:
    """Return the findings beside what was sent."""
    (place,) = (folder / "sent" / sent.id).iterdir()
    assert (place / "鉴定意见书.pdf").read_bytes() == PDF
    assert "✓" in (place / "findings.txt").read_text()
    found: dict[str, Any] = json.loads((place / "findings.json").read_text())
    return found

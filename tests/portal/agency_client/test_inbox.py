"""What comes in: compared, opened, acknowledged; altered, sealed, in a store, sent later."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyrage
import pytest

from portal.agency_client.opening import open_sealed
from portal.agency_client.service import UnreachableError
from portal.agency_client.state import StateFile
from storage.errors import HostError, InputError, IntegrityError
from tasks.handing_out import PackageFile, files_of, open_package
from tests.appraisal.made import agency_fields
from tests.portal.agency_client.folder import client
from tests.portal.serving import Faults, serving
from tests.portal.web.api.world import OFFICER, World


def test_ap_07_packages_come_in_and_are_acknowledged_by_their_digest(
    world: World, url: str, folder: Path
) -> None:
    """AP-07: compared, put into the inbox whole, acknowledged once; another agency's never."""
    sent, other = world.send(), world.send("OT")
    client(url, folder).once()
    package = folder / "inbox" / sent.id / f"{sent.id}.zip"
    assert hashlib.sha256(package.read_bytes()).hexdigest() == sent.digest
    told = json.loads((package.parent / "commission.json").read_text())
    assert told["commission_no"] == sent.number
    assert world.desk.commission(sent.number).state.value == "received"
    assert not (folder / "inbox" / other.id).exists()
    assert world.desk.commission(other.number).state.value == "dispatched"
    package.rename(folder / "elsewhere.zip")
    client(url, folder).once()
    assert not package.exists()
    assert world.steps(sent.number, "receive") == 1


def test_ap_07_nothing_is_acknowledged_unless_the_digest_matches(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-07: a line that alters a byte: no receipt, nothing in the inbox, and it is said."""
    sent, told = world.send(), list[str]()
    faults.path, faults.alter = f"{sent.id}/files/package", True
    worker = client(url, folder, told)
    worker.once()
    assert worker.refused
    assert any("未签收" in each for each in told)
    assert not (folder / "inbox" / sent.id).exists()
    assert world.desk.commission(sent.number).state.value == "dispatched"
    faults.alter = False
    client(url, folder).once()
    assert world.desk.commission(sent.number).state.value == "received"


def test_a_package_altered_in_the_inbox_is_not_acknowledged(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-07: the file as it lies there is hashed before the receipt."""
    sent = world.send()
    faults.path, faults.cut = f"{sent.id}/acknowledge", 1
    with pytest.raises(UnreachableError):
        client(url, folder)._follow(0)
    package = folder / "inbox" / sent.id / f"{sent.id}.zip"
    package.write_bytes(package.read_bytes()[:-1] + b"x")
    told: list[str] = []
    worker = client(url, folder, told)
    worker.once()
    assert (worker.refused, world.steps(sent.number, "receive")) == (1, 0)


def test_what_lies_in_a_store_is_fetched_there_without_the_token(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AP-07: the queue sends to the store's address; the digest counts, the token stays here."""
    sent = world.send()
    names = [each["which"] for each in files_of(world.house, sent.number)]
    stored = {
        f"/{each}": b"".join(open_package(world.house, sent.number, each).open_range())
        for each in names
    }
    asked: list[dict[str, str]] = []

    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({key.lower(): each for key, each in self.headers.items()})
            data = stored[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Store) as store, serving(world) as url:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{store.server_port}"
        monkeypatch.setattr(
            PackageFile, "presigned_url", lambda self, seconds: f"{address}/{self.which}"
        )
        answer = world.client().get(f"{sent.path}/files/package")
        assert (answer.status_code, answer.headers["location"]) == (307, f"{address}/package")
        client(url, folder).once()
        store.shutdown()
    assert world.desk.commission(sent.number).state.value == "received"
    assert asked
    assert not [each for each in asked if "authorization" in each]


def test_what_is_sent_later_is_fetched_too(world: World, url: str, folder: Path) -> None:
    """AP-07: files that the commission gets later appear beside those that are here."""
    sent = world.send()
    client(url, folder).once()
    letter = folder / "inbox" / sent.id / f"{sent.id}.letter.pdf"
    names = {each.name for each in letter.parent.iterdir()}
    assert letter.name in names
    letter.unlink()
    state = StateFile(folder / ".client")
    state.state.fetched[sent.id] = [sent.digest]
    state.state.waiting = [sent.id]
    state.save()
    client(url, folder).once()
    assert {each.name for each in letter.parent.iterdir()} == names


def test_ap_07_an_encrypted_package_is_opened_with_the_agencys_key_and_then_acknowledged(
    world: World, url: str, folder: Path
) -> None:
    """AP-07: the receipt repeats the digest of what is inside; without the key it is told."""
    secret, key = pyrage.x25519.Identity.generate(), folder.parent / "key"
    world.desk.add_agency(agency_fields(encryption_key=str(secret.to_public())), OFFICER)
    try:
        sent = world.send()
    finally:
        world.desk.add_agency(agency_fields(), OFFICER)
    package, told = folder / "inbox" / sent.id / f"{sent.id}.zip", list[str]()
    sealed = package.with_name(f"{package.name}.age")
    key.write_text(f"# another key\n{pyrage.x25519.Identity.generate()}\n")
    for identity, words in ((None, "age -d -i KEY"), (key, "another key")):
        worker = client(url, folder, told, identity)
        worker.once()
        assert worker.refused
        assert words in told[-1] + told[-2]
        assert sealed.read_bytes().startswith(b"age-encryption.org/v1")
        assert not package.exists()
    assert world.steps(sent.number, "receive") == 0
    key.write_text(f"# created: 2026-11-30\n# public key: {secret.to_public()}\n{secret}\n")
    client(url, folder, told, key).once()
    assert hashlib.sha256(package.read_bytes()).hexdigest() == sent.digest
    assert world.steps(sent.number, "receive") == 1
    sealed.write_bytes(sealed.read_bytes()[:-70_000] + b"x")
    with pytest.raises(IntegrityError, match="altered"):
        open_sealed(sealed, key)
    assert hashlib.sha256(package.read_bytes()).hexdigest() == sent.digest
    for data, kind in ((b"AGE-SECRET-KEY-1QQ", InputError), (b"", InputError), (None, HostError)):
        key.write_bytes(data) if data is not None else key.unlink()
        with pytest.raises(kind) as caught:
            open_sealed(sealed, key)
        assert "AGE-SECRET-KEY-1QQ" not in str(caught.value)

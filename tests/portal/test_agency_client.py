"""The headless client of an agency, against a real server: cut, killed, restarted, lied to."""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyrage
import pytest

from appraisal import acts
from appraisal.states import CHECKED_STATES, OPEN_STATES
from portal.agency_client.main import REFUSED as REFUSED_CODE
from portal.agency_client.opening import open_sealed
from portal.agency_client.outbox import REFUSED
from portal.agency_client.running import Client
from portal.agency_client.service import RefusedError, Service, UnreachableError
from portal.agency_client.state import StateFile
from storage.errors import BusyError, HostError, InputError, IntegrityError
from storage.event import Action
from tasks.handing_out import PackageFile, files_of, open_package
from tests.appraisal.made import agency_fields
from tests.house import events
from tests.portal.serving import Faults, serving
from tests.portal.web.api.world import OFFICER, PDF, Sent, World, opened_world

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house with a case, two agencies and their tokens."""
    with opened_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def faults() -> Faults:
    """What goes wrong on the way; nothing at first."""
    return Faults()


@pytest.fixture
def url(world: World, faults: Faults) -> Iterator[str]:
    """A real server."""
    with serving(world, faults) as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path, world: World) -> Path:
    """The agency's folder, with its token beside it; earlier tests' commissions are over."""
    for each in world.desk.commissions(agency="SJ"):
        if each.state in OPEN_STATES - CHECKED_STATES:
            step = acts.withdraw("测试结束", OFFICER, world.house.now())
            world.desk.step(each.commission_no, step)
    (tmp_path / "token").write_text(world.tokens["SJ"] + "\n")
    return tmp_path / "agency"


def client(
    url: str, folder: Path, told: list[str] | None = None, identity: Path | None = None
) -> Client:
    """Return a client that waits for nothing."""
    lines: list[str] = [] if told is None else told
    service = Service(url, folder.parent / "token")
    return Client(
        folder, service, lines.append, settle=0.0, pause=lambda _: None, identity=identity
    )


def put_opinion(folder: Path, sent: Sent, pdf: bytes = PDF, **changes: object) -> Path:
    """Put an opinion into the outbox, as people do."""
    here = folder / "outbox" / sent.id
    here.mkdir(parents=True, exist_ok=True)
    (here / "鉴定意见书.pdf").write_bytes(pdf)
    fields = {**sent.particulars(), **changes}
    (here / "particulars.yaml").write_text(json.dumps(fields, ensure_ascii=False))
    return here


def sent_back(folder: Path, sent: Sent) -> dict[str, object]:
    """Return the findings beside what was sent."""
    (place,) = (folder / "sent" / sent.id).iterdir()
    assert (place / "鉴定意见书.pdf").read_bytes() == PDF
    assert "✓" in (place / "findings.txt").read_text()
    found: dict[str, object] = json.loads((place / "findings.json").read_text())
    return found


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


def test_ap_08_opinions_put_out_are_returned_with_their_findings(
    world: World, url: str, folder: Path
) -> None:
    """AP-08: moved to what was sent, the findings beside; the outbox is empty again."""
    sent = world.send().accepted()
    client(url, folder).once()
    here = put_opinion(folder, sent)
    client(url, folder).once()
    found = sent_back(folder, sent)
    assert {"package_digest", "seal"} <= {each["code"] for each in found["findings"]}
    assert not here.exists()
    assert world.steps(sent.number, "return_opinion") == 1
    client(url, folder).once()
    assert world.steps(sent.number, "return_opinion") == 1


def test_ap_07_nothing_is_acknowledged_unless_the_digest_matches(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-07: a line that alters a byte: no receipt, nothing in the inbox, and it is said."""
    sent, told = world.send(), []
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


def test_cut_connections_are_resumed_from_where_they_were(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-07, AP-08: a cut download and a cut upload go on; the events are one of each."""
    sent = world.send()
    faults.path, faults.cut = f"{sent.id}/files/package", 3000
    client(url, folder).once()
    assert world.desk.commission(sent.number).state.value == "received"
    gets = [each for each in faults.seen if each.endswith(f"{sent.id}/files/package")]
    assert len(gets) == 2
    begun = [
        each.details["first"]
        for each in events(world.house, Action.DOWNLOADED)
        if each.details["commission_no"] == sent.number
        and each.details["file"] == "package"
        and each.details["phase"] == "begun"
    ]
    assert begun == [0]
    sent.accepted()
    pdf = PDF + b"%" * 3_000_000
    put_opinion(folder, sent, pdf)
    faults.path, faults.cut = "/uploads/", 1_500_000
    client(url, folder).once()
    patches = [each for each in faults.seen if each.startswith("PATCH")]
    assert len(patches) == 2
    assert world.steps(sent.number, "return_opinion") == 1


def test_what_is_refused_stays_with_its_reason(world: World, url: str, folder: Path) -> None:
    """AP-08: no PDF, malformed particulars, two documents, not accepted yet: each with why."""
    sent = world.send().accepted()
    waiting = world.send()
    client(url, folder).once()
    here = put_opinion(folder, sent, b"PK\x03\x04 no pdf")
    early = put_opinion(folder, waiting)
    worker = client(url, folder)
    worker.once()
    assert worker.refused == 2
    reason = (here / REFUSED).read_text()
    assert "PDF" in reason
    assert "wrong_type" in reason
    assert "不等待意见书" in (early / REFUSED).read_text()
    (here / "second.pdf").write_bytes(PDF)
    client(url, folder).once()
    assert "多份PDF" in (here / REFUSED).read_text()
    (here / "second.pdf").unlink()
    put_opinion(folder, sent, copies=500)
    client(url, folder).once()
    assert "copies" in (here / REFUSED).read_text()
    put_opinion(folder, sent)
    waiting.accepted()
    client(url, folder).once()
    assert sent_back(folder, sent)
    assert sent_back(folder, waiting)
    assert world.steps(sent.number, "return_opinion") == 1


def test_a_document_replaced_on_its_way_is_sent_instead(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-08: the first version is given up, the second is the opinion."""
    sent = world.send().accepted()
    client(url, folder).once()
    put_opinion(folder, sent, PDF + b"%" * 3_000_000)
    faults.path, faults.cut = "/uploads/", 1_000_000
    worker = client(url, folder)
    with pytest.raises(UnreachableError):
        worker._outbox_round(look_twice=True)
    put_opinion(folder, sent)
    client(url, folder).once()
    assert sent_back(folder, sent)
    assert world.steps(sent.number, "return_opinion") == 1


def test_an_expired_token_is_said_and_nothing_is_lost(world: World, url: str, folder: Path) -> None:
    """ST-06: refused with the server's words; with a good token it goes on."""
    sent = world.send()
    (folder.parent / "token").write_text("zl_" + "x" * 43)
    with pytest.raises(RefusedError, match="令牌"):
        client(url, folder).once()
    (folder.parent / "token").write_text(world.tokens["SJ"])
    client(url, folder).once()
    assert world.desk.commission(sent.number).state.value == "received"


def test_a_server_that_is_away_is_waited_for(world: World, folder: Path) -> None:
    """AP-07: the client outlives restarts of the server."""
    sent = world.send()
    with serving(world) as address:
        port = int(address.rpartition(":")[2])
    pauses: list[float] = []
    worker = Client(
        folder, Service(address, folder.parent / "token"), lambda _: None, 0.0, pauses.append
    )
    with pytest.raises(UnreachableError):
        worker.once()
    assert pauses == sorted(pauses)
    with serving(world, port=port):
        worker.once()
    assert world.desk.commission(sent.number).state.value == "received"


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


def test_folders_that_are_no_commissions_are_left_alone(
    world: World, url: str, folder: Path
) -> None:
    """AP-08: whatever people keep in the outbox."""
    strange = folder / "outbox" / "新建文件夹"
    strange.mkdir(parents=True)
    (strange / "a.pdf").write_bytes(PDF)
    (strange / "a.json").write_text("{}")
    worker = client(url, folder)
    worker.once()
    assert worker.refused == 0
    assert len(list(strange.iterdir())) == 2


def test_ap_07_the_client_goes_on_by_itself_through_a_restart(world: World, folder: Path) -> None:
    """AP-07: it waits for news, outlives the server, and takes up what came meanwhile."""

    class Stopped(Exception):
        pass

    def pause(_: float) -> None:
        if stopping:
            raise Stopped
        time.sleep(0.05)

    stopping: list[bool] = []
    with serving(world) as address:
        port = int(address.rpartition(":")[2])
        service = Service(address, folder.parent / "token")
        worker = Client(folder, service, lambda _: None, 0.0, pause)

        def work() -> None:
            with contextlib.suppress(Stopped):
                worker.forever()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        first = world.send()
        assert received(world, first)
    second = world.send()
    with serving(world, port=port):
        assert received(world, second)
        stopping.append(True)
    thread.join(60)
    assert not thread.is_alive()
    service.close()


def received(world: World, sent: Sent) -> bool:
    """Wait until a commission is acknowledged."""
    end = time.monotonic() + 60
    while world.desk.commission(sent.number).state.value != "received":
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_two_clients_do_not_share_a_folder(url: str, folder: Path) -> None:
    """AP-07: the second is told so."""
    with client(url, folder).alone(), pytest.raises(BusyError), client(url, folder).alone():
        pass


def test_a_lost_or_damaged_state_file_costs_a_second_look(
    world: World, url: str, folder: Path
) -> None:
    """AP-07: it is working data."""
    sent = world.send()
    client(url, folder).once()
    for text in ("", "{", "[]", '{"schema": "zhenglian.agency-client/1", "cursor": true}'):
        (folder / ".client" / "state.json").write_text(text)
        assert StateFile(folder / ".client").state.cursor == -1
        client(url, folder).once()
    assert world.steps(sent.number, "receive") == 1


def command(url: str, folder: Path, *more: str) -> list[str]:
    """Return the command line that runs the client."""
    token = str(folder.parent / "token")
    arguments = ["--url", url, "--token-file", token, "--folder", str(folder)]
    return [sys.executable, "-m", "portal.cli", "agency-client", *arguments, *more]


def test_killed_anywhere_the_client_ends_the_same(
    world: World, url: str, folder: Path, faults: Faults
) -> None:
    """AP-07, AP-08: kill -9 again and again; one receipt, one opinion, every byte right."""
    sent, opinion = world.send(), world.send().accepted()
    put_opinion(folder, opinion)
    faults.path, faults.slow = "/api/", 0.02
    chance = random.Random(1129)
    line = command(url, folder, "--once", "--settle", "0")
    environment = {key: each for key, each in os.environ.items() if key != "CUSTODY_HOME"}
    for _ in range(4):
        process = subprocess.Popen(
            line, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        begun = time.monotonic()
        while not faults.seen and time.monotonic() - begun < 30:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        faults.seen.clear()
    faults.path = ""
    ended = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode in (0, REFUSED_CODE), ended.stdout + ended.stderr
    assert world.steps(sent.number, "receive") == 1
    assert world.steps(opinion.number, "return_opinion") == 1
    package = folder / "inbox" / sent.id / f"{sent.id}.zip"
    assert hashlib.sha256(package.read_bytes()).hexdigest() == sent.digest
    assert sent_back(folder, opinion)


def test_the_client_loads_neither_workspace_nor_engine() -> None:
    """AP-07: an agency has none: no catalogue, no flows, no parsers, no server."""
    program = (
        "import sys; import portal.agency_client.main; import portal.commands.client;"
        "print('\\n'.join(sys.modules))"
    )
    listed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "httpx" in listed
    for name in ("sqlalchemy", "prefect", "fastapi", "boto3", "yaml", "pydantic", "tasks", "flows"):
        assert name not in listed
    for name in ("storage.custody", "storage.settings", "appraisal"):
        assert name not in listed

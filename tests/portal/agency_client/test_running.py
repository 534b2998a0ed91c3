"""The client's round: restarts of the server, kills, other clients, a lost state file."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from portal.agency_client.main import REFUSED as REFUSED_CODE
from portal.agency_client.running import Client
from portal.agency_client.service import RefusedError, Service, UnreachableError
from portal.agency_client.state import StateFile
from storage.errors import BusyError
from tests.portal.agency_client.folder import client, put_opinion, sent_back
from tests.portal.serving import Faults, serving
from tests.portal.web.api.world import Sent, World

ROOT = Path(__file__).resolve().parents[3]


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

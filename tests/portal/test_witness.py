"""A witness's door: statuses, exact headers, limits, the page; once as a real process."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from portal import witness as door
from portal.witness import witness_app
from storage.cosignature import CosignatureSigner, CosignatureVerifier, parse_lines
from storage.custody import init_custody, open_custody
from storage.settings import Settings
from storage.witness import MAX_REQUEST
from storage.witness_key import make_witness
from storage.witness_state import Witness, origin_hash
from tasks.witnessing import collect_cosignatures
from tests.services.rgw import free_port
from tests.services.witness import running_witness
from tests.storage.witnessed import LOG, LOGS, ORIGIN, Grown

ROOT = Path(__file__).parents[2]
HONEST, FORKED = Grown(40), Grown(40, "forged", fork=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_witness(tmp_path / "w", "witness.example/w1")
    return tmp_path / "w"


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    witness = Witness(folder, LOGS, lambda: 1_800_000_000.0)
    with TestClient(witness_app(witness, "Asia/Shanghai")) as client:
        yield client


def ask(client: TestClient, body: bytes) -> tuple[int, str, str]:
    response = client.post("/add-checkpoint", content=body)
    return response.status_code, response.headers["content-type"], response.text


def test_refusals_have_the_specified_status(client: TestClient) -> None:
    assert ask(client, b"")[0] == 400
    assert ask(client, HONEST.asks(0, 5).replace(ORIGIN.encode(), b"example.org/x"))[0] == 404
    assert ask(client, HONEST.asks(0, 5).replace(b"\n5\n", b"\n6\n"))[0] == 403
    assert ask(client, HONEST.asks(0, 30))[0] == 200
    assert ask(client, FORKED.asks(30, 40))[0] == 422
    assert ask(client, FORKED.asks(30, 30))[0] == 409
    assert client.get("/add-checkpoint").status_code == 405
    assert client.get("/docs").status_code == 404


def test_the_size_has_exactly_the_specified_type(client: TestClient) -> None:
    """Strict clients refuse a charset here."""
    ask(client, HONEST.asks(0, 7))
    assert ask(client, HONEST.asks(3, 9)) == (409, "text/x.tlog.size", "7\n")


def test_bodies_have_a_limit(client: TestClient) -> None:
    assert ask(client, b"x" * (MAX_REQUEST + 1))[0] == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_REQUEST // 1024 + 2):
            yield b"x" * 1024

    assert client.post("/add-checkpoint", content=pieces()).status_code == 413


def test_a_body_that_does_not_arrive_is_408(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(request: object) -> bytes:
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr(door, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(door, "_body", never)
    assert ask(client, b"old 0\n")[0] == 408


def test_what_the_folder_lacks_is_503_without_particulars(client: TestClient, folder: Path) -> None:
    (folder / "logs").rename(folder / "gone")
    status, _, text = ask(client, HONEST.asks(0, 5))
    assert status == 503
    assert str(folder) not in text


def test_a_damaged_state_is_500_and_no_signature(client: TestClient, folder: Path) -> None:
    ask(client, HONEST.asks(0, 5))
    (folder / "logs" / origin_hash(ORIGIN)).write_text("x")
    assert ask(client, HONEST.asks(5, 6))[0] == 500
    assert client.get("/").status_code == 500
    assert client.get(f"/{origin_hash(ORIGIN)}/checkpoint").status_code == 500


def test_the_checkpoint_for_monitors(client: TestClient) -> None:
    url = f"/{origin_hash(ORIGIN)}/checkpoint"
    assert client.get(url).status_code == 404
    _, _, line = ask(client, HONEST.asks(0, 5))
    assert client.get(url).text == HONEST.signed(5) + line
    assert client.get("/witness.key/checkpoint").status_code == 404


def test_the_page_says_what_it_is_and_what_it_saw(client: TestClient) -> None:
    assert "尚未见证" in client.get("/").text
    ask(client, HONEST.asks(0, 30))
    response = client.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    for text in ("见证方", "Witness", ">30<", "2027-01-15T16:00:00+08:00", ORIGIN):
        assert text in response.text
    assert "分叉" in response.text
    assert "发现分叉" not in response.text
    ask(client, FORKED.asks(30, 30))
    assert "发现分叉" in client.get("/").text


def test_names_on_the_page_are_inert(tmp_path: Path) -> None:
    evil = "<script>\u202e"
    make_witness(tmp_path / "w", evil)
    witness = Witness(tmp_path / "w", {evil: [LOG.verifier]}, time.time)
    with TestClient(witness_app(witness, "Asia/Shanghai")) as client:
        text = client.get("/").text
    assert "<script>" not in text
    assert "\u202e" not in text


def command(*arguments: str, home: Path) -> list[str]:
    return [sys.executable, "-m", "portal.cli", "witness", *arguments]


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CUSTODY_HOME": str(home / "no-workspace")}
    return subprocess.run(
        command(*arguments, home=home), cwd=ROOT, env=env, text=True, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_the_key_is_printed_and_stays(tmp_path: Path) -> None:
    state = str(tmp_path / "w")
    first = run("key", "--state", state, "--name", "procuratorate.example/w", home=tmp_path)
    assert first.returncode == 0, first.stderr
    assert CosignatureVerifier.parse(first.stdout.strip()).name == "procuratorate.example/w"
    assert run("key", "--state", state, home=tmp_path).stdout == first.stdout
    assert not (tmp_path / "no-workspace").exists()


def test_serving_needs_a_key_and_the_logs(tmp_path: Path) -> None:
    log = tmp_path / "log.pub"
    log.write_text("not a key\n")
    arguments = ("serve", "--state", str(tmp_path / "w"), "--log", str(log))
    bad = run(*arguments, home=tmp_path)
    assert (bad.returncode, "log keys" in bad.stderr) == (5, True)
    log.write_text(f"{LOG.verifier}\n")
    bad = run(*arguments, home=tmp_path)
    assert (bad.returncode, "custody witness key" in bad.stderr) == (5, True)


@pytest.fixture
def serve(folder: Path, tmp_path: Path) -> Iterator[Callable[[], tuple[int, int]]]:
    """Return a starter of the real command on a free port: its process ID and its port."""
    log = tmp_path / "log.pub"
    log.write_text(f"{LOG.verifier}\n")
    started: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[int, int]:
        port = free_port()
        arguments = ("serve", "--state", str(folder), "--log", str(log), "--port", str(port))
        process = subprocess.Popen(
            command(*arguments, home=tmp_path),
            cwd=ROOT,
            env={**os.environ, "CUSTODY_HOME": str(tmp_path / "no-workspace")},
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
            except OSError:
                assert process.poll() is None
                time.sleep(0.1)
            else:
                return process.pid, port
        raise RuntimeError("the witness did not start")

    yield start
    for process in started:
        process.kill()
        process.wait()


def post(port: int, body: bytes) -> tuple[int, bytes]:
    url = f"http://127.0.0.1:{port}/add-checkpoint"
    try:
        with urllib.request.urlopen(url, data=body, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.slow
def test_a_real_process_killed_and_started_again(
    serve: Callable[[], tuple[int, int]], folder: Path
) -> None:
    pid, port = serve()
    status, line = post(port, HONEST.asks(0, 5))
    assert status == 200
    verifier = make_witness(folder, "ignored")
    assert verifier.find(HONEST.checkpoint(5).body(), parse_lines(line))
    taken = run("serve", "--state", str(folder), "--log", str(folder.parent / "log.pub"),
                "--port", str(port), home=folder)  # fmt: skip
    assert (taken.returncode, "--port" in taken.stderr) == (5, True)
    os.kill(pid, signal.SIGKILL)
    _, port = serve()
    assert post(port, HONEST.asks(0, 9)) == (409, b"5\n")
    assert post(port, HONEST.asks(5, 9))[0] == 200
    assert post(port, FORKED.asks(9, 9))[0] in (200, 409)  # the same history up to entry 20
    assert post(port, HONEST.asks(9, 30))[0] == 200
    assert post(port, FORKED.asks(30, 30))[0] == 409
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode()
    assert re.search(r"<td>30</td>", page)
    assert "发现分叉" in page


def test_the_list_says_who_cosigned_and_who_failed(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "witnesses.json"
    init_custody(Settings(home=home))
    custody = open_custody(Settings(home=home))
    key = custody.log.reader().ring.current
    custody.database.close()
    dead = str(CosignatureSigner("dead.example/w", bytes(32)).verifier)
    with running_witness(tmp_path / "w", key) as (url, vkey):
        witnesses = [{"url": url, "vkey": vkey}, {"url": "http://127.0.0.1:9/", "vkey": dead}]
        log.write_text(json.dumps(witnesses))
        custody = open_custody(Settings(home=home, witnesses=str(log)))
        custody.record(collect_cosignatures(custody, custody.log.checkpoint_text()))
    custody.database.close()

    def listing(*more: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "CUSTODY_HOME": str(home), "CUSTODY_WITNESSES": str(log)}
        return subprocess.run(
            command("list", *more, home=home), cwd=ROOT, env=env, text=True, timeout=60,
            capture_output=True, check=False,
        )  # fmt: skip

    shown = listing("--json")
    alive, silent = json.loads(shown.stdout)
    assert (alive["size"], alive["exit_code"], alive["failure"]) == (1, 0, "")
    assert (silent["size"], silent["exit_code"]) == (0, 6)
    assert "cannot be reached" in silent["failure"]
    assert shown.returncode == 6
    assert "witness.example/w1" in listing().stdout
    log.write_text("[]")
    assert listing().returncode == 0

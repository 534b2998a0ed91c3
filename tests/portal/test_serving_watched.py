"""``custody serve`` as whoever runs it watches it: metrics on their own address, logs as JSON."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from portal.serving import _address
from storage.custody import Custody
from storage.errors import HostError
from tests.portal.conftest import Run


def said(process: subprocess.Popen[str], event: str) -> dict[str, object]:
    """Return the next object of an event; every line before it is an object too."""
    assert process.stdout is not None
    for line in process.stdout:
        found: dict[str, object] = json.loads(line)
        if found["event"] == event:
            return found
    raise AssertionError(f"it never said {event}")


def address(found: dict[str, object]) -> str:
    return "http://" + str(found["message"]).split("http://")[1].rstrip("/")


def test_it_is_watched_on_an_address_of_its_own(house: Custody) -> None:
    house.database.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"CUSTODY_LOG_FORMAT": "json", "CUSTODY_METRICS_LISTEN": "127.0.0.1:0"},
    )
    try:
        metrics = address(said(process, "metrics.served"))
        queue = address(said(process, "started"))
        assert metrics.endswith("/metrics")
        with httpx.Client(timeout=30, trust_env=False) as client:
            assert client.get(f"{queue}/welcome/a-secret-code").status_code == 200
            assert client.get(f"{queue}/readyz").json()["status"] == "ready"
            assert client.get(f"{queue}/metrics").status_code == 404
            assert client.get(metrics.replace("/metrics", "/readyz")).status_code == 200
            text = client.get(metrics).text
        assert 'route="/welcome/{code}",status="200"} 1.0' in text
        assert "custody_log_entries 1.0" in text
        request = said(process, "request")
        assert request["route"] == "/welcome/{code}"
        # What cannot be understood is told by the server's library, as an object like all else.
        with socket.create_connection(("127.0.0.1", int(queue.rpartition(":")[2]))) as raw:
            raw.sendall(b"\x00\x01 nonsense\r\n\r\n")
            raw.recv(100)
        assert said(process, "library")["logger"] == "uvicorn.error"
        process.send_signal(signal.SIGTERM)
        said(process, "stopped")
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("text", ["9108", ":9108", "127.0.0.1:", "127.0.0.1:99999", "a:b", "a:１"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(HostError, match="CUSTODY_METRICS_LISTEN"):
        _address(text)


def test_a_port_that_is_taken_is_told_before_anything_is_served(house: Custody, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        began = time.monotonic()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        answer = run("serve", "--port", "0", CUSTODY_METRICS_LISTEN=at)
    assert answer.code == 5
    assert at in answer.problem[0]
    assert time.monotonic() - began < 60


def test_metrics_are_printed_or_put_into_a_file(house: Custody, run: Run) -> None:
    printed = run("metrics")
    assert printed.code == 0
    assert "\ncustody_log_entries 1.0\n" in printed.out
    file = house.workspace.root / "custody.prom"
    file.write_text("half")
    assert run("metrics", "--file", file).code == 0
    assert "\ncustody_log_entries 1.0\n" in file.read_text()
    assert file.stat().st_mode & 0o044 == 0o044
    refused = run("metrics", "--file", house.workspace.root / "no" / "custody.prom")
    assert refused.code == 2
    assert "custody.prom" in refused.problem[0]

"""A Prefect server for the whole session, and a fresh house for each test."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.custody import Custody, current
from storage.settings import relocate
from tests.services.rgw import free_port

ROOT = Path(__file__).resolve().parents[2]

HEADER = """\
bundle_no: {number}
case_no: 沪市监案〔2026〕0777号
cause: 涉嫌侵犯商业秘密
unit: pudong-01
submitted_by: 张三
submitted_at: 2026-11-20T09:30:00+08:00
officers:
- {{name: 张三, id: "310001"}}
- {{name: 李四, id: "310002"}}
items:
"""
ITEM = """\
- path: {path}
  kind: documentary
  form: original
  name: {path}
  source_holder: 某公司
  obtained_at: 2026-11-19T10:00:00+08:00
  obtained_place: 上海
  method: 调取
"""
FILES = {"a.txt": "甲方客户名单".encode(), "b.txt": "乙方报价".encode("gb18030"), "c.txt": b"c"}


def make_bundle(folder: Path, number: str = "B1", files: dict[str, bytes] | None = None) -> Path:
    """Write a bundle with a right manifest."""
    folder.mkdir(parents=True)
    files = FILES if files is None else files
    text = HEADER.format(number=number) + "".join(ITEM.format(path=path) for path in files)
    (folder / "manifest.yaml").write_text(text)
    for path, data in files.items():
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture(scope="session", autouse=True)
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for the session; its address is set for this process and its children."""
    home = tmp_path_factory.mktemp("prefect")
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    env = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    }
    env.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    server = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait(url, server)
        os.environ["PREFECT_API_URL"] = url
        os.environ["PREFECT_LOGGING_LEVEL"] = "ERROR"
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: url}):
            yield url
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 90
    while time.monotonic() < ends and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=2):
            return
        time.sleep(0.3)
    raise RuntimeError("Prefect's server did not start")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Custody]:
    """A fresh workspace that this process works in."""
    from portal.preparing import prepare

    relocate(tmp_path / "home")
    current.cache_clear()
    prepare(engine=False)
    yield current()
    current().database.close()
    current.cache_clear()
    os.environ.pop("CUSTODY_HOME", None)
    relocate(Path("var"))
    os.environ.pop("CUSTODY_HOME", None)


@pytest.fixture
def ingest(house: Custody) -> Callable[..., dict[str, Any]]:
    """Take a bundle in where it lies, through the real flow."""
    from portal.running import ingest_path

    def run(path: Path, unit: str = "") -> dict[str, Any]:
        return ingest_path(path, unit)

    return run

"""An installation on several hosts, set up as an administrator would: see docs/deployment.md.

::

    db       PostgreSQL (catalogue, inbox, Prefect) and Prefect's server, with authentication
    s3       Ceph with its object gateway
    keeper   the log's private key, 'custody keep-log', the watcher
    workers  'custody worker', each with keys and scratch space of its own

The units' share is one folder that the keeper and the workers have mounted; ``drop``, ``claimed``
and what else they share are links into it, because a claim is one rename.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.hosts.lan import ROOT, Host
from tests.hosts.serve import PASSWORD

SHARED = ("drop", "claimed", "quarantine", "packages", "uploads", "templates", "calendars")
WORKERS = ("worker1", "worker2")
NAMES = ("db", "s3", "keeper", *WORKERS)
UNIT = "pudong-01"
CUSTODY = (sys.executable, "-m", "portal.cli")
_PREFECT_AUTH = "admin:only-for-this-test"
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_PRELOAD")
CHOSEN = {
    "CUSTODY_BATCH_SIZE": "8",
    "CUSTODY_CELL_PROCESSES": "1",
    "CUSTODY_OCR_ENGINE": "tesseract",
    "CUSTODY_SCAN_SECONDS": "1",
    "CUSTODY_SETTLE_SECONDS": "0",
    "CUSTODY_LOG_ORIGIN": "zhenglian.example/hosts",
}


def surroundings(home: Path) -> dict[str, str]:
    """Return the environment of a host: nothing of what the test itself was started with."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    own = {"CUSTODY_HOME": str(home), "HOME": str(home), "PYTHONPATH": str(ROOT)}
    return {**kept, **own, "PYTHONSAFEPATH": "1", **CHOSEN}


class Installation:
    """Five hosts, and what is done to them."""

    def __init__(self, base: Path, machines: dict[str, Host]) -> None:
        """Lay out the share and a home for each host."""
        self.base, self.host = base, machines
        self.share = base / "share"
        for name in SHARED:
            (self.share / name).mkdir(parents=True)
        (self.share / "drop" / UNIT).mkdir()
        for name, machine in machines.items():
            home = base / name
            home.mkdir()
            if name not in ("db", "s3"):
                for shared in SHARED:
                    (home / shared).symlink_to(self.share / shared)
            machine.env = surroundings(home)

    def set_up(self) -> None:
        """Start the servers, make the installation, let every host join, start what runs."""
        self._postgres, self._gateway = self._serve("db", "postgres"), self._serve("s3", "rgw")
        database, store = _answer(self._postgres), _answer(self._gateway)
        postgres = f"{self.host['db'].address}:{database['port']}"
        self.host["db"].env |= {
            "PREFECT_API_DATABASE_CONNECTION_URL": (
                f"postgresql+asyncpg://custody:{PASSWORD}@{postgres}/prefect"
            ),
            "PREFECT_SERVER_API_AUTH_STRING": _PREFECT_AUTH,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        common = {
            "CUSTODY_DATABASE": f"postgresql+psycopg://custody:{PASSWORD}@{postgres}/custody",
            "CUSTODY_STORE": f"s3://hosts?endpoint={store['endpoint']}",
            "CUSTODY_S3_ACCESS_KEY": store["key"],
            "CUSTODY_S3_SECRET_KEY": store["secret"],
            "CUSTODY_PREFECT_API_URL": f"http://{self.host['db'].address}:4200/api",
            "CUSTODY_RUNS": "workers",
            "PREFECT_API_AUTH_STRING": _PREFECT_AUTH,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }
        for name in ("keeper", *WORKERS):
            self.host[name].env |= common
        self._start_prefect()
        self._make()

    def _serve(self, host: str, what: str) -> subprocess.Popen[str]:
        where = self.host[host].address
        return self.host[host].start(sys.executable, "-m", "tests.hosts.serve", what, where)

    def _start_prefect(self) -> None:
        where = ("--host", self.host["db"].address, "--port", "4200")
        self._prefect = self.host["db"].start(
            sys.executable, "-m", "prefect", "server", "start", *where
        )

    def _prefect_answers(self) -> bool:
        asked = f"http://{self.host['db'].address}:4200/api/health"
        script = f"import urllib.request; urllib.request.urlopen('{asked}', timeout=2)"
        self.host["keeper"].run(sys.executable, "-c", script)
        return True

    def _make(self) -> None:
        keeper = self.host["keeper"]
        keeper.run(*CUSTODY, "init")
        policy = self.base / "policy.json"
        policy.write_text(keeper.run(*CUSTODY, "policy"))
        keeper.start(*CUSTODY, "keep-log", again=True)
        for name in WORKERS:
            self.host[name].env["CUSTODY_LOG_KEEPER"] = "elsewhere"
            self.host[name].run(*CUSTODY, "join", str(policy))
        self.wait_for("Prefect's server", self._prefect_answers, 180)
        keeper.run(*CUSTODY, "deploy", seconds=240)
        for name in WORKERS:
            self.start_worker(name)
        keeper.start(*CUSTODY, "watch", again=True)

    def start_worker(self, name: str) -> None:
        """Start the workers of a host."""
        self.host[name].start(*CUSTODY, "worker", "--limit", "1", again=True)

    def restart_postgres(self) -> None:
        """Let the database crash and come again."""
        _ask(self._postgres)

    def restart_gateway(self) -> None:
        """Let the object gateway crash and come again."""
        _ask(self._gateway)

    def restart_prefect(self) -> None:
        """Let Prefect's server crash and come again."""
        self._prefect.kill()
        self._prefect.wait()
        self.host["db"].running.remove(self._prefect)
        self._start_prefect()
        self.wait_for("Prefect's server", self._prefect_answers, 180)

    def told(self, what: str) -> dict[str, Any]:
        """Return what the installation tells of itself; see ``tests.hosts.told``."""
        return _json(self.host["keeper"].run(sys.executable, "-m", "tests.hosts.told", what))

    def wait_for(self, what: str, holds: Any, seconds: float) -> None:
        """Ask again and again whether something holds; who does not answer yet is asked again."""
        ends, last = time.monotonic() + seconds, ""
        while True:
            try:
                if holds():
                    return
            except (AssertionError, subprocess.TimeoutExpired) as error:
                last = f"; {error}"
            assert time.monotonic() < ends, f"not in {seconds} s: {what}{last}; see {self.base}"
            time.sleep(3)


def _json(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text.splitlines()[-1])
    return value


def _answer(server: subprocess.Popen[str]) -> dict[str, Any]:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line, "the server did not start"
    return _json(line)


def _ask(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    server.stdin.write("restart\n")
    server.stdin.flush()
    _answer(server)

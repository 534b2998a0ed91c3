"""The real queue in a process of its own, for the benchmark: who asks it, and what it uses."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from appraisal.accounts import Account, Role, Scope, new_account
from appraisal.agency import Agency
from appraisal.desk import Desk
from appraisal.directory import Directory
from portal.web.sessions import SESSION, Sessions, cookie_name
from storage.custody import Custody
from tasks.accounts import Accounts
from tests.appraisal.made import agency
from tests.bench.memory import proportional
from tests.bench.queue_rows import AGENCIES, OURS, agency_name

POLLING = 50
"""Agencies with an account."""
IDLE = "EMPTY"
"""An agency without any commission."""
_KEPT = 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class People:
    """Who asks: the cookie of each account's session, and the tokens of agencies."""

    cookies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def people(custody: Custody, asking: int = POLLING) -> People:
    """Put the agencies on record, and accounts of some of them, by the real steps; all are in."""
    desk, found = Desk(custody), People()
    names = [*map(agency_name, range(AGENCIES)), IDLE]
    Directory(custody, desk.book).put([_agency(*each) for each in enumerate(names)], OURS)
    accounts, sessions = Accounts(custody), Sessions(custody)

    def enter(login: str, role: Role, of: str) -> Account:
        account = new_account(login, f"{login}的姓名", role, agency_id=of)
        accounts.add(account)
        secret = sessions.begin(account, "link", "127.0.0.1")
        found.cookies[of or role.value] = f"{cookie_name(custody.settings, SESSION)}={secret}"
        return account

    for name in [*names[:asking], IDLE]:
        account = enter(f"{name.lower()}-admin", Role.AGENCY_ADMIN, name)
        found.tokens[name] = accounts.new_token(account, "测试", (Scope.READ,), 30).secret
    enter("officer", Role.OFFICER, "")
    return found


def _agency(place: int, name: str) -> Agency:
    code = f"5231000{place:03d}MJ490001"
    return agency(agency_id=name, name=f"第{place}知识产权鉴定中心", credit_code=code)


@dataclass
class Server:
    """A server that runs; ``used`` and ``holds`` are of its process."""

    pid: int
    address: str

    def used(self) -> float:
        """Return the seconds of processor that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def threads(self) -> int:
        """Return how many threads it has."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def holds(self) -> int:
        """Return its memory in bytes."""
        return proportional(self.pid)

    def client(self, **headers: str) -> Client:
        """Return somebody with a connection of their own."""
        return Client(urlsplit(self.address).netloc, headers)


class Client:
    """One kept connection, thin enough not to be what is measured."""

    def __init__(self, netloc: str, headers: dict[str, str]) -> None:
        """Connect when first asked."""
        self._connection = http.client.HTTPConnection(netloc, timeout=900)
        self._headers = headers
        self._last = 0.0

    def get(self, path: str) -> bytes:
        """Return the body of an answer.

        Raises:
            RuntimeError: it is not a good one.
        """
        if time.monotonic() - self._last > _KEPT:
            self._connection.close()  # The server closes it after 15 s without a request.
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        self._last = time.monotonic()
        if answer.status not in (200, 204, 303):
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return body

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@contextmanager
def serving(home: Path, database: str) -> Iterator[Server]:
    """Serve an installation as ``custody serve`` does, in a process of its own."""
    limits = {"CUSTODY_REQUESTS_PER_MINUTE": "100000000", "CUSTODY_HOME": str(home)}
    environment = {**os.environ, **limits, "CUSTODY_DATABASE": database}
    command = [sys.executable, "-m", "portal.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Server(process.pid, _address(process))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise RuntimeError("the server says nothing")
    said, end = "", time.monotonic() + 60
    while time.monotonic() < end:
        line = process.stdout.readline()
        said += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
        if not line:
            break
    raise RuntimeError(f"the server did not start: {said}")

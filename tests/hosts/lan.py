"""Hosts in network namespaces, on a bridge in a namespace of its own: nothing is seen outside.

Every program of a host has its own process namespace: killing its first process kills all that it
started, and all of them end with the test, however that ends. What a killed test leaves are names
of namespaces, which the next one removes.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NETWORK = "10.77.0.0/24"
_NAME = re.compile(r"zl(\d+)-\w+")
_INSIDE = 'hostname "$0" && exec "$@"'
_LOOP = 'while :; do "$@"; sleep 1; done'
"""What systemd does with ``Restart=always``."""


def ip(*words: str) -> str:
    """Run ``ip``; return what it said."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@dataclass
class Host:
    """One machine: its namespace, its address, its environment and what runs on it."""

    name: str
    lan: str
    address: str
    logs: Path
    env: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """The name of its network namespace."""
        return f"{self.lan}-{self.name}"

    def _inside(self, command: Sequence[str]) -> list[str]:
        own = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        dies = ["setpriv", "--pdeathsig", "KILL", "--"]
        into = ["ip", "netns", "exec", self.namespace]
        return [*dies, *into, *own, "sh", "-c", _INSIDE, self.name, *command]

    def start(self, *command: str, again: bool = False) -> subprocess.Popen[str]:
        """Start a program; with ``again`` it is started anew whenever it ends."""
        whole = ["sh", "-c", _LOOP, "loop", *command] if again else list(command)
        with (self.logs / f"{self.name}.log").open("ab") as log:
            started = subprocess.Popen(
                self._inside(whole), env=self.env, cwd=ROOT, text=True, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE if not again else log, stderr=log,
            )  # fmt: skip
        self.running.append(started)
        return started

    def run(self, *command: str, seconds: float = 120) -> str:
        """Run a program to its end; it must succeed. Return what it said."""
        done = subprocess.run(
            self._inside(command), env=self.env, cwd=ROOT, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.name}: {command}: {done.stdout}{done.stderr}"
        return done.stdout

    def kill(self) -> None:
        """End everything that runs here, at once."""
        for each in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()
        self.running.clear()

    def cut_off(self) -> None:
        """Pull the plug out of the switch."""
        ip("-n", f"{self.lan}-lan", "link", "set", self.name, "down")

    def plug_in(self) -> None:
        """Put it in again."""
        ip("-n", f"{self.lan}-lan", "link", "set", self.name, "up")


@contextlib.contextmanager
def hosts(*names: str, logs: Path, network: str = NETWORK) -> Iterator[dict[str, Host]]:
    """Make hosts that reach each other, from .2 on; end everything on them afterwards."""
    lan = f"zl{os.getpid()}"
    if os.geteuid() != 0:
        raise RuntimeError("network namespaces need root: run this test as root")
    _remove(lambda pid: not Path(f"/proc/{pid}").exists())
    made = {
        name: Host(name, lan, f"{network.rpartition('.')[0]}.{number}", logs)
        for number, name in enumerate(names, 2)
    }
    try:
        ip("netns", "add", f"{lan}-lan")
        ip("-n", f"{lan}-lan", "link", "add", "switch", "type", "bridge")
        ip("-n", f"{lan}-lan", "link", "set", "switch", "up")
        for host in made.values():
            _connect(host)
        yield made
    finally:
        for host in made.values():
            host.kill()
        _remove(lambda pid: pid == os.getpid())


def _connect(host: Host) -> None:
    switch = f"{host.lan}-lan"
    ip("netns", "add", host.namespace)
    ip("-n", switch, "link", "add", host.name, "type", "veth", "peer", "name", "eth0",
       "netns", host.namespace)  # fmt: skip
    ip("-n", switch, "link", "set", host.name, "master", "switch")
    ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
    for link in ("lo", "eth0"):
        ip("-n", host.namespace, "link", "set", link, "up")
    ip("-n", switch, "link", "set", host.name, "up")


def _remove(which: Callable[[int], bool]) -> None:
    """Remove namespaces by the process that made them, and end what still runs in them."""
    for line in ip("netns", "list").splitlines():
        name = line.split()[0]
        found = _NAME.fullmatch(name)
        if found is None or not which(int(found[1])):
            continue
        for pid in ip("netns", "pids", name).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        ip("netns", "delete", name)

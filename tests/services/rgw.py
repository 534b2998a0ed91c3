"""A real S3 server for tests and benches: a one-node Ceph with its object gateway, on loopback.

One monitor, one OSD on a BlueStore file, no manager, pool size 1, cephx with generated keys.
Everything lies in one temporary folder and ends with the context.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = (
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "radosgw",
    "radosgw-admin",
    "ceph-authtool",
    "monmaptool",
)


@dataclass(frozen=True)
class Rgw:
    """A running gateway."""

    endpoint: str
    access_key: str
    secret_key: str
    process: int
    restart: Callable[[], None] = field(default=lambda: None, compare=False)
    """Kill the gateway and start it again; the objects lie behind it."""

    def store_url(self, bucket: str) -> str:
        """Return the address for ``CUSTODY_STORE``."""
        return f"s3://{bucket}?endpoint={self.endpoint}"


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running_rgw(address: str = "127.0.0.1") -> Iterator[Rgw]:
    """Start the server, whose gateway listens at an address; yield it, stop everything."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise RuntimeError(f"not installed: {', '.join(missing)}; run deploy/setup.sh test")
    root = Path(tempfile.mkdtemp(prefix="rgw-"))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        yield _start(root, processes, address)
    finally:
        for process in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(root, ignore_errors=True)


def _start(root: Path, processes: list[subprocess.Popen[bytes]], address: str) -> Rgw:
    conf, fsid = root / "ceph.conf", str(uuid.uuid4())
    mon, http = free_port(), free_port()
    conf.write_text(_config(root, fsid, mon, f"{address}:{http}"))
    _keys(root)
    _run(root, "monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a",
         f"[v1:127.0.0.1:{mon}]", str(root / "monmap"))  # fmt: skip
    (root / "mon").mkdir()
    _run(root, "ceph-mon", "-c", str(conf), "--mkfs", "-i", "a", "--monmap",
         str(root / "monmap"), "--keyring", str(root / "keyring"))  # fmt: skip
    _spawn(root, processes, "ceph-mon", "-c", str(conf), "-f", "-i", "a")
    osd = str(uuid.uuid4())
    (root / "osd").mkdir()
    with (root / "osd" / "block").open("wb") as file:
        file.truncate(8 << 30)
    shutil.copy(root / "keyring", root / "osd" / "keyring")
    _run(root, "ceph", "-c", str(conf), "osd", "new", osd, "0")
    _run(root, "ceph-osd", "-c", str(conf), "-i", "0", "--mkfs", "--osd-uuid", osd)
    _spawn(root, processes, "ceph-osd", "-c", str(conf), "-f", "-i", "0")

    def start() -> subprocess.Popen[bytes]:
        started = _spawn(root, processes, "radosgw", "-c", str(conf), "-f", "-n", "client.rgw.a")
        _wait_for(address, http, started, root)
        return started

    def restart() -> None:
        os.killpg(processes[-1].pid, signal.SIGKILL)
        processes.pop().wait()
        start()

    gateway = start()
    made = _run(root, "radosgw-admin", "-c", str(conf), "-n", "client.admin", "user", "create",
                "--uid", "custody", "--display-name", "custody")  # fmt: skip
    key = json.loads(made[made.index("{") :])["keys"][0]
    endpoint = f"http://{address}:{http}"
    return Rgw(endpoint, key["access_key"], key["secret_key"], gateway.pid, restart)


def _config(root: Path, fsid: str, mon: int, endpoint: str) -> str:
    return f"""
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{mon}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {root}/keyring
run dir = {root}
admin socket = {root}/$name.asok
log file = {root}/$name.log
log to stderr = false
err to stderr = false
mon cluster log file = {root}/cluster.log
crash dir = {root}
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
auth allow insecure global id reclaim = true
[mon.a]
mon data = {root}/mon
[osd]
osd data = {root}/osd
osd objectstore = bluestore
bluestore block size = 8589934592
bluestore cache autotune = false
bluestore cache size = 67108864
osd memory target = 939524096
[client.rgw.a]
rgw frontends = beast endpoint={endpoint}
rgw data = {root}/rgw
rgw thread pool size = 32
rgw enable usage log = false
"""


def _keys(root: Path) -> None:
    ring = str(root / "keyring")
    allow = ("--cap", "mon", "allow *")
    _run(root, "ceph-authtool", "--create-keyring", ring, "--gen-key", "-n", "mon.", *allow)
    for name, caps in (
        ("client.admin", ("mon", "osd", "mds", "mgr")),
        ("osd.0", ("mon", "osd", "mgr")),
        ("client.rgw.a", ("mon", "osd", "mgr")),
    ):
        given = [part for each in caps for part in ("--cap", each, "allow *")]
        _run(root, "ceph-authtool", ring, "--gen-key", "-n", name, *given)


def _run(root: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")
    return done.stdout


def _spawn(
    root: Path, processes: list[subprocess.Popen[bytes]], *command: str
) -> subprocess.Popen[bytes]:
    with (root / f"{command[0]}.out").open("ab") as out:
        process = subprocess.Popen(
            command, cwd=root, stdout=out, stderr=out, start_new_session=True
        )
    processes.append(process)
    return process


def _wait_for(address: str, port: int, process: subprocess.Popen[bytes], root: Path) -> None:
    ends = time.monotonic() + 90
    while time.monotonic() < ends:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        time.sleep(0.2)
    logs = sorted(root.glob("*.log"))
    tail = "\n".join(f"{p.name}: {p.read_text(errors='replace')[-1500:]}" for p in logs)
    raise RuntimeError(f"radosgw did not start\n{tail}")

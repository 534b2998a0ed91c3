"""Machines of an empty Debian, made of namespaces: systemd boots in each as its first process.

They share one root file system, which nothing changes; what a machine writes lies in a layer of its
own, so that it comes back as it was when it is booted again. Their internet is this machine's: its
sources of packages, and its caches, so that nothing is fetched twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts.lan import Host, hosts, ip

NETWORK = "10.0.0.0/24"
PROGRAMS = ("mmdebstrap", "nft", "nsenter", "unshare", "age-keygen", "git")
_GATEWAY, _OUTSIDE = "10.0.0.1", "10.0.1"
_NOT_OF_A_NAMESPACE = (
    "systemd-sysctl.service", "systemd-udevd.service", "systemd-udev-trigger.service",
    "systemd-journald-audit.socket", "systemd-timesyncd.service", "systemd-logind.service",
    "getty@.service", "console-getty.service", "proc-sys-fs-binfmt_misc.automount",
    "networking.service", "apt-daily.timer", "apt-daily-upgrade.timer",
)  # fmt: skip
"""What would change the kernel that all share, or wants hardware; and the network: it is there."""
_TYPED = ("PIP_FIND_LINKS", "PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE", "UV_INDEX_URL")


def empty_debian(folder: Path) -> Path:
    """Make the root file system of an empty Debian 12, once; return its folder."""
    root, making = folder / "debian", folder / "debian.making"
    if root.exists():
        return root
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise RuntimeError(f"not installed: {', '.join(missing)}; run deploy/setup.sh test")
    shutil.rmtree(making, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"--aptopt={line}" for line in _apt_options()]
    options.append('--aptopt=APT::Keep-Downloaded-Packages "true"')
    options.append("--dpkgopt=force-unsafe-io")
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=important", "--mode=root", *options,
         "--include=systemd-sysv,dbus,iproute2", "bookworm", making, *_sources()],
        check=True, timeout=1200,
    )  # fmt: skip
    for unit in _NOT_OF_A_NAMESPACE:
        (making / "etc/systemd/system" / unit).symlink_to("/dev/null")
    making.rename(root)
    return root


def _sources() -> list[str]:
    found = Path("/etc/apt/sources.list.d/debian.sources")
    return [str(found)] if found.exists() else []


def _apt_options() -> list[str]:
    said = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    wanted = r"^Acquire::(?:Check-Valid-Until|Check-Date|https?::Proxy) .*(?=;$)"
    return re.findall(wanted, said, re.MULTILINE)


def internet(cache: Path) -> list[tuple[Path, str]]:
    """Return what of this machine a machine must see to install packages: folder and place."""
    packages = cache / "packages"
    (packages / "partial").mkdir(parents=True, exist_ok=True)
    uv = Path(os.environ.get("UV_CACHE_DIR", Path.home() / ".cache/uv"))
    uv.mkdir(parents=True, exist_ok=True)
    seen = [(packages, "/var/cache/apt/archives"), (uv, "/root/.cache/uv")]
    files = [Path("/etc/pip.conf"), Path.home() / ".config/pip", Path("/etc/resolv.conf")]
    files.append(Path("/usr/local/share/ca-certificates"))
    told = " ".join(path.read_text() for path in (files[0], files[1] / "pip.conf") if path.exists())
    told += " " + os.environ.get("PIP_FIND_LINKS", "")
    for found in re.findall(r"(?:file://|\s)(/[^\s']+)", told):
        folder = Path(found)
        files += [folder.parent if folder.name == "simple" else folder] if folder.is_dir() else []
    return seen + [(path, str(path)) for path in files if path.exists()]


@dataclass
class Machine:
    """One machine: what it wrote, what it sees of the outside, and its first process."""

    host: Host
    lower: Path
    own: Path
    sees: list[tuple[Path, str]]
    boots: int = 0
    _running: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def _group(self) -> Path:
        return _cgroups() / self.host.namespace

    def boot(self) -> None:
        """Switch on; returns when systemd is done."""
        self.own.mkdir(parents=True, exist_ok=True)
        self._group.mkdir(exist_ok=True)
        (self.own / "upper/etc").mkdir(parents=True, exist_ok=True)
        (self.own / "upper/etc/hostname").write_text(f"{self.host.name}\n")
        script = Path(__file__).with_name("boot.sh")
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"]
        mounts = [f"{source}:{target}" for source, target in self.sees]
        command = [
            "setpriv", "--pdeathsig", "KILL", "--", "nice", "-n3",
            "ip", "netns", "exec", self.host.namespace, "unshare", *spaces,
            "sh", str(script), self.host.name, str(self.lower), str(self.own), *mounts,
        ]  # fmt: skip
        inside = f'echo $$ > {self._group}/cgroup.procs && exec "$@"'
        with (self.host.logs / f"{self.host.name}.boot.log").open("ab") as log:
            self._running = subprocess.Popen(
                ["sh", "-c", inside, "boot", *command], text=True, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.host.running.append(self._running)
        self.boots += 1
        self._wait()

    def _wait(self) -> None:
        ends, state = time.monotonic() + 180, ""
        while state not in ("running", "degraded"):
            assert time.monotonic() < ends, f"{self.host.name} does not boot: {state}"
            time.sleep(0.5)
            with contextlib.suppress(OSError, IndexError):
                state = self.ask("systemctl", "is-system-running").strip()

    def _first(self) -> str:
        assert self._running is not None
        children = Path(f"/proc/{self._running.pid}/task/{self._running.pid}/children")
        return children.read_text().split()[0]

    def _inside(self, *command: str) -> list[str]:
        typed = {name: os.environ[name] for name in _TYPED if name in os.environ}
        typed |= {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
        typed |= {"LANG": "C.UTF-8", "TERM": "dumb", "DEBIAN_FRONTEND": "noninteractive"}
        into = ["nsenter", "-t", self._first(), "-m", "-u", "-i", "-n", "-p", "-C", "--wdns=/root"]
        env = ["env", "-i", *(f"{name}={value}" for name, value in typed.items())]
        return ["nice", "-n3", *into, *env, *command]

    def ask(self, *command: str, seconds: float = 60) -> str:
        """Run a command, however it ends; return what it said."""
        done = subprocess.run(
            self._inside(*command), capture_output=True, text=True, timeout=seconds, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.stdout

    def type(self, block: str, seconds: float = 1200) -> str:
        """Type a block as root; every line of it must succeed. Return what it printed."""
        done = subprocess.run(
            self._inside("bash", "-euo", "pipefail", "-c", block), text=True, timeout=seconds,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        with (self.host.logs / f"{self.host.name}.log").open("a") as log:
            log.write(f"--- typed\n{block}--- said ({done.returncode})\n{done.stdout}{done.stderr}")
        said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"{self.host.name}: {done.returncode}\n{block}\n{said}"
        return done.stdout

    def shut_down(self) -> None:
        """Switch off as an administrator does; nothing of it runs afterwards."""
        if self._running is None:
            return
        self.ask("systemctl", "poweroff")
        try:
            self._running.wait(120)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self.host.running.remove(self._running)
        self._running = None

    def forget_groups(self) -> None:
        """Remove the groups of its processes, which are gone."""
        for folder in sorted(self._group.rglob("*/"), reverse=True):
            folder.rmdir()
        if self._group.exists():
            self._group.rmdir()


def _cgroups() -> Path:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    raise RuntimeError("there is no cgroup2 hierarchy here")


@contextlib.contextmanager
def machines(*names: str, folder: Path, cache: Path) -> Iterator[dict[str, Machine]]:
    """Make machines that are switched off; end everything on them afterwards.

    ``folder`` keeps what they wrote, ``cache`` what every machine may use again.
    """
    lower, logs, share = empty_debian(cache), folder / "logs", folder / "share"
    for each in (logs, share):
        each.mkdir(parents=True, exist_ok=True)
    sees = internet(cache)
    with hosts(*names, logs=logs, network=NETWORK) as made, _way_out(made):
        built = {}
        for name, host in made.items():
            shares = [(share, "/srv/zhenglian")] if name not in ("db", "s3") else []
            built[name] = Machine(host, lower, folder / name, sees + shares)
        try:
            yield built
        finally:
            for machine in built.values():
                with contextlib.suppress(OSError, IndexError, subprocess.TimeoutExpired):
                    machine.shut_down()
            for machine in built.values():
                with contextlib.suppress(OSError):
                    machine.forget_groups()


@contextlib.contextmanager
def _way_out(made: dict[str, Host]) -> Iterator[None]:
    """Lead from the machines' switch to this machine's network, under its own address."""
    lan = next(iter(made.values())).lan
    switch, here = f"{lan}-lan", f"{lan}out"[:15]
    ip("-n", switch, "link", "add", "out", "type", "veth", "peer", "name", here, "netns", "1")
    ip("-n", switch, "address", "add", f"{_GATEWAY}/24", "dev", "switch")
    ip("-n", switch, "address", "add", f"{_OUTSIDE}.2/24", "dev", "out")
    ip("address", "add", f"{_OUTSIDE}.1/24", "dev", here)
    for words in (("-n", switch, "link", "set", "out", "up"), ("link", "set", here, "up")):
        ip(*words)
    ip("-n", switch, "route", "add", "default", "via", f"{_OUTSIDE}.1")
    ip("route", "add", NETWORK, "via", f"{_OUTSIDE}.2")
    for host in made.values():
        ip("-n", host.namespace, "route", "add", "default", "via", _GATEWAY)
    forwards = Path("/proc/sys/net/ipv4/ip_forward")
    before = forwards.read_text()
    inner = ["ip", "netns", "exec", switch, "sh", "-c", f"echo 1 > {forwards}"]
    subprocess.run(inner, check=True)
    hides = f"ip saddr {NETWORK} ip daddr != {NETWORK} masquerade"
    chain = f"type nat hook postrouting priority 100;\n{hides}\n"
    rules = f"table ip {lan} {{\nchain out {{\n{chain}}}\n}}\n"
    try:
        forwards.write_text("1")
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
        yield
    finally:
        subprocess.run(["nft", f"delete table ip {lan}"], check=False, capture_output=True)
        forwards.write_text(before)
        subprocess.run(["ip", "link", "delete", here], check=False, capture_output=True)

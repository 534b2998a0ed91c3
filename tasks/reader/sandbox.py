"""How the cell's outer walls are built: the bubblewrap command line, and what may be read.

Two ways lead to the same walls. Root makes the namespaces itself and the worker then becomes
a user that exists nowhere else, so that it does not own what it reads. An ordinary user needs
user namespaces. Which way works is probed once; without either, nothing hostile is opened,
unless the installation has chosen a reduced cell: then Landlock, seccomp, the limits and (for
root) the other user are all that holds a document.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from storage.errors import HostError
from tasks.reader import landlock

Mode = Literal["user", "namespace", "bare"]

CHECKOUT = Path(__file__).resolve().parents[2]
APP = "/app"
SCRATCH = "/scratch"
TMP_BYTES = 512 << 20

_OURS = ("tasks/__init__.py", "tasks/reader", "storage/__init__.py", "storage/errors.py")
_OPTIONAL = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/fonts",
    "/etc/alternatives",
)
_TOPS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

# User numbers that no distribution and no container range hands out; the near ones are for
# containers that have been given few.
_FAR_UID = 1_900_000_000
_NEAR_UID = 61_200
_numbers = itertools.count()


def command(
    mode: Mode,
    worker: list[str],
    *,
    seccomp_fd: int = -1,
    info_fd: int = -1,
    extra: tuple[tuple[Path, str], ...] = (),
) -> list[str]:
    """Return the command that runs ``worker`` (arguments after the interpreter) in the cell.

    Bubblewrap tells the worker's process number on ``info_fd``. ``extra`` are further read-only
    binds; the tests use them to bring attackers in. A bare command has no walls of its own.
    """
    if mode == "bare":
        return [sys.executable, "-s", "-B", *worker]
    line = ["bwrap", "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL"]
    if mode == "user":
        line += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        line += ["--unshare-cgroup-try", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        line += ["--unshare-all"]
    line += ["--hostname", "cell", *_file_system(extra), *_environment()]
    if seccomp_fd >= 0:
        line += ["--seccomp", str(seccomp_fd)]
    if info_fd >= 0:
        line += ["--info-fd", str(info_fd)]
    return [*line, "--chdir", APP, sys.executable, "-s", "-B", *worker]


def _file_system(extra: tuple[tuple[Path, str], ...]) -> list[str]:
    # Not /tmp: the checkout itself may lie below it, and scratch space is emptied every time.
    line = ["--proc", "/proc", "--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", SCRATCH]
    line += ["--ro-bind", "/usr", "/usr"]
    for top in _TOPS:
        path = Path(top)
        if path.is_symlink():
            line += ["--symlink", str(path.readlink()), top]
        elif path.exists():
            line += ["--ro-bind", top, top]
    binds = [("--ro-bind", prefix, prefix) for prefix in _interpreter()]
    binds += [("--ro-bind-try", optional, optional) for optional in _OPTIONAL]
    binds += [("--ro-bind", str(CHECKOUT / part), f"{APP}/{part}") for part in _OURS]
    binds += [("--ro-bind", str(outside), where) for outside, where in extra]
    binds += [("--dev-bind", device, device) for device in _DEVICES]
    line += _folders([where for _, _, where in binds])
    for bind in binds:
        line += bind
    return [*line, "--remount-ro", "/"]


def _folders(targets: list[str]) -> list[str]:
    """Return the folders above ``targets``, open to every user: bubblewrap makes them private."""
    above = {str(parent) for target in targets for parent in Path(target).parents}
    line = []
    for folder in sorted(above - {"/"} - set(targets)):
        if not any(folder.startswith(f"{target}/") for target in targets):
            line += ["--perms", "0755", "--dir", folder]
    return line


def _interpreter() -> list[str]:
    """Return the folders of the running interpreter that do not lie under /usr."""
    real = Path(sys.executable).resolve().parent.parent
    prefixes = {str(Path(sys.prefix)), str(Path(sys.base_prefix)), str(real)}
    return sorted(p for p in prefixes if p != "/usr" and not p.startswith("/usr/"))


def _environment() -> list[str]:
    line = ["--clearenv"]
    for name, value in environment(SCRATCH).items():
        line += ["--setenv", name, value]
    return line


def environment(scratch: str) -> dict[str, str]:
    """Return all that a worker finds in its environment."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
        "PYTHONUTF8": "1",
        "OMP_THREAD_LIMIT": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def readable(scratch: str) -> list[tuple[str, int]]:
    """Return the Landlock rules of a worker: interpreter, libraries, programs, fonts, our code.

    They are the same inside bubblewrap's walls and without them. Writing is for ``scratch``.
    """
    programs = ["/usr", *_TOPS, *_interpreter()]
    return [
        *((path, landlock.RUN) for path in programs),
        *((path, landlock.READ) for path in _OPTIONAL),
        *((str(CHECKOUT / part), landlock.READ) for part in _OURS),
        *((device, landlock.READ) for device in _DEVICES),
        ("/dev/null", landlock.WRITE),
        (scratch, landlock.WRITE),
    ]


def readable_by_engine() -> list[tuple[str, int]]:
    """Return the Landlock rules of the OCR engine: what it is made of, and no place to write."""
    libraries = ["/usr", *_TOPS, *_interpreter()]
    return [
        *((path, landlock.READ) for path in libraries),
        *((path, landlock.READ) for path in _OPTIONAL),
        *((str(CHECKOUT / part), landlock.READ) for part in _OURS),
        *((device, landlock.READ) for device in _DEVICES),
        ("/proc/cpuinfo", landlock.READ),
        ("/dev/null", landlock.WRITE),
    ]


def lonely_uid() -> int:
    """Return a user number for one worker that this host can switch to, or 0.

    Every call gives another one, because the kernel counts processes by user: two workers with
    one number would share one limit.
    """
    number = next(_numbers)
    far = _FAR_UID + os.getpid() % (1 << 21) * 64 + number % 64
    near = _NEAR_UID + (os.getpid() * 64 + number) % 4000
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    ranges = [(int(start), int(count)) for start, _, count in map(str.split, lines)]
    for uid in (far, near):
        if any(start <= uid < start + count for start, count in ranges):
            return uid
    return 0


def mode(*, reduced: bool = False) -> Mode:
    """Return the way that works on this host, or raise ``HostError`` with the remedy.

    ``reduced`` allows a worker without namespaces where they cannot be had.
    """
    found, problem = probed()
    if found:
        return found
    if reduced:
        return "bare"
    raise HostError(
        "无法建立隔离区，不会打开任何证据文件。 "
        f"The sandbox cannot be made, so no evidence is opened: {problem}",
        remedy="apt-get install bubblewrap; on Ubuntu 24.04 also allow it user namespaces: "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or load the AppArmor profile "
        "bwrap-userns-restrict; in a container allow unprivileged user namespaces. To go on "
        "without, knowing that less holds a hostile document (docs/cell.md): CUSTODY_CELL=reduced",
    )


@cache
def probed() -> tuple[Mode | None, str]:
    """Return the way to namespaces that was seen to work, or what stopped each way."""
    tried = []
    for candidate in _candidates():
        problem = _try(candidate)
        if not problem:
            return candidate, ""
        tried.append(problem)
    return None, "; ".join(tried)


def _candidates() -> tuple[Mode, ...]:
    return ("user", "namespace") if os.geteuid() == 0 and lonely_uid() else ("namespace",)


def _try(candidate: Mode) -> str:
    """Return what stops this way from working, empty if nothing does."""
    uid = lonely_uid()
    drop = f"os.setgroups([]); os.setgid({uid}); os.setuid({uid});"
    check = f"import os; {drop if candidate == 'user' else ''} assert os.getpid() == 1"
    line = command(candidate, ["-c", check])
    try:
        done = subprocess.run(line, capture_output=True, timeout=30, check=False)
    except FileNotFoundError:
        return "bwrap is not installed"
    except subprocess.TimeoutExpired:
        return "bwrap did not start within 30 s"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return "" if done.returncode == 0 else f"{candidate}: {said[-1] if said else 'bwrap failed'}"

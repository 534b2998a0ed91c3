"""Each wall of the cell by itself: the filter's meaning, and what Landlock refuses alone."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.reader import landlock, sandbox, seccomp
from tasks.reader.syscalls import ALLOWED, NUMBERS, Kind

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
KINDS: tuple[Kind, ...] = ("document", "program", "worker", "engine")
# What pthread_create of the C library asks for.
THREAD = 0x3D0F00
HEADERS = {
    0: (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+) (\d+)"),
    1: (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+) (\d+)"),
}


def verdict(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Run the filter as the kernel would on one call."""
    numbers = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *numbers)
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, value = struct.unpack_from("<HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            loaded = struct.unpack_from("<I", data, value)[0]
        elif code == 0x06:
            return int(value)
        else:
            tests = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}
            at += if_true if tests[code] else if_false


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_filter_allows_the_list_and_nothing_else(machine: str, kind: Kind) -> None:
    architecture, column = MACHINES[machine]
    program = seccomp.program(kind, machine)
    numbers = {NUMBERS[name][column]: name for name in ALLOWED[kind]}
    judged = {"ioctl", "fcntl", "prctl", "prlimit64", "clone", "clone3"}
    for number in range(700):
        name = numbers.get(number, "")
        if name not in judged:
            assert verdict(program, architecture, number) == (ALLOW if name else EPERM), number


@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_are_judged(machine: str) -> None:
    architecture, column = MACHINES[machine]

    def said(kind: Kind, name: str, *arguments: int) -> int:
        program = seccomp.program(kind, machine)
        return verdict(program, architecture, NUMBERS[name][column], *arguments)

    for kind in KINDS:
        assert said(kind, "ioctl", 3, 0x5401) == ALLOW
        # TIOCSTI types into a terminal, TIOCLINUX pastes into one.
        assert {said(kind, "ioctl", 3, number) for number in (0x5412, 0x541C)} == {EPERM}
        assert said(kind, "fcntl", 3, 1030) == ALLOW
        # F_SETFL, F_SETLK, F_SETOWN, F_SETLEASE, F_NOTIFY.
        assert {said(kind, "fcntl", 3, number) for number in (4, 6, 8, 1024, 1026)} == {EPERM}
    assert said("document", "prlimit64", 0, 1) == ALLOW
    assert said("program", "prlimit64", 1, 1) == EPERM
    assert said("document", "prctl", 22) == EPERM
    assert said("worker", "prctl", 22) == ALLOW
    assert said("document", "clone", 17) == EPERM
    assert said("program", "clone", 0x01200011) == ALLOW
    assert {said("worker", "clone", 1 << bit) for bit in (17, 25, 26, 27, 28, 29, 30)} == {EPERM}
    assert said("engine", "clone", THREAD) == ALLOW
    assert {said("engine", "clone", flags) for flags in (17, 0x01200011, 0x4111)} == {EPERM}
    assert {said("engine", "clone", THREAD | 1 << bit) for bit in (17, 28, 30)} == {EPERM}
    assert said("engine", "clone3") == ENOSYS
    assert said("engine", "prlimit64", 1, 1) == EPERM
    assert said("program", "clone3") == ENOSYS
    assert said("document", "clone3") == EPERM


def test_another_architecture_is_killed() -> None:
    for machine, (architecture, _) in MACHINES.items():
        program = seccomp.program("document", machine)
        assert verdict(program, 0x40000003, 1) == KILL
        assert verdict(program, architecture, 0x40000000) == KILL
    assert seccomp.program("document", "mips") == b""


def test_each_list_holds_the_one_before() -> None:
    assert ALLOWED["document"] < ALLOWED["program"] < ALLOWED["worker"]
    assert ALLOWED["worker"] == NUMBERS.keys()
    made = {"ftruncate", "unlink", "mkdir", "rename", "pipe2", "execve", "fork", "kill", "sendmsg"}
    assert not made & ALLOWED["engine"]
    dangerous = {"socket", "connect", "ptrace", "mount", "bpf", "keyctl", "io_uring_setup"}
    dangerous |= {"chmod", "fchmod", "chown", "setxattr", "utimensat", "process_vm_writev"}
    assert not dangerous & ALLOWED["worker"]
    assert not {"execve", "fork", "clone", "kill", "socket", "setpgid"} & ALLOWED["document"]


@pytest.mark.parametrize("column", HEADERS)
def test_the_numbers_are_the_kernels(column: int) -> None:
    header, pattern = HEADERS[column]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    known = {name: int(number) for name, number in re.findall(pattern, header.read_text())}
    known.setdefault("newfstatat", known.get("fstatat", -1))
    ours = {name: pair[column] for name, pair in NUMBERS.items() if pair[column] >= 0}
    assert {name: known.get(name) for name in ours} == ours


LANDLOCKED = """
import json, os, socket, sys
from tasks.reader import landlock, sandbox
folder, port = sys.argv[1], int(sys.argv[2])
document = os.open(folder + "/document", os.O_RDONLY)
rules = landlock.ruleset([*sandbox.readable(folder + "/scratch")])
assert landlock.restrict(rules)
def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return "refused"
print(json.dumps({
    "read library": attempt(lambda: open(os.__file__).read()),
    "read document": attempt(lambda: os.read(document, 1)),
    "write scratch": attempt(lambda: open(folder + "/scratch/x", "w").write("x")),
    "write null": attempt(lambda: open("/dev/null", "w").write("x")),
    "read again": attempt(lambda: open(f"/proc/self/fd/{document}").read()),
    "write document": attempt(lambda: os.open(f"/proc/self/fd/{document}", os.O_WRONLY)),
    "read outside": attempt(lambda: open(folder + "/document").read()),
    "list outside": attempt(lambda: os.listdir(folder)),
    "write outside": attempt(lambda: open(folder + "/new", "w").write("x")),
    "run from scratch": attempt(lambda: os.execv(folder + "/scratch/program", ["program"])),
    "connect": attempt(lambda: socket.create_connection(("127.0.0.1", port), 2)),
    "signal": attempt(lambda: os.kill(os.getppid(), 0)),
}))
"""


def test_landlock_alone_holds(tmp_path: Path) -> None:
    version = landlock.version()
    if not version:
        pytest.skip("this kernel has no Landlock")
    (tmp_path / "document").write_text("bytes")
    (tmp_path / "scratch").mkdir()
    program = tmp_path / "scratch" / "program"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = [sys.executable, "-c", LANDLOCKED, str(tmp_path), str(server.getsockname()[1])]
        done = subprocess.run(line, cwd=sandbox.CHECKOUT, capture_output=True, check=True)
    seen = json.loads(done.stdout)
    allowed = {"read library", "read document", "write scratch", "write null"}
    allowed |= {"connect"} if version < 4 else set()
    allowed |= {"signal"} if version < 6 else set()
    assert {name for name, said in seen.items() if said == "done"} == allowed

"""The system calls that the cell allows, with their numbers on the architectures it knows.

Three lists, each for one kind of process: a document that is parsed in its own process, a
document for which a program is started (OCR), and the worker itself, which parses nothing. A
fourth is for the OCR engine, which opens nothing but its own models and starts nothing but
threads. A call that is in no list is refused. Source of the numbers: the kernel's
``asm/unistd_64.h`` and ``asm-generic/unistd.h``; a test compares where these headers are
installed.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["document", "program", "worker", "engine"]

X86_64, AARCH64 = 0, 1

# Name: number on x86_64 and on aarch64; -1 where the call does not exist.
NUMBERS: dict[str, tuple[int, int]] = {
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "write": (1, 64),
    "writev": (20, 66),
    "pwrite64": (18, 68),
    "lseek": (8, 62),
    "close": (3, 57),
    "close_range": (436, 436),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "stat": (4, -1),
    "lstat": (6, -1),
    "statx": (332, 291),
    "open": (2, -1),
    "openat": (257, 56),
    "access": (21, -1),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, -1),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "chdir": (80, 49),
    "getdents64": (217, 61),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "dup": (32, 23),
    "dup2": (33, -1),
    "dup3": (292, 24),
    "pipe": (22, -1),
    "pipe2": (293, 59),
    "poll": (7, -1),
    "ppoll": (271, 73),
    "select": (23, -1),
    "pselect6": (270, 72),
    "fadvise64": (221, 223),
    "umask": (95, 166),
    "unlink": (87, -1),
    "unlinkat": (263, 35),
    "mkdir": (83, -1),
    "mkdirat": (258, 34),
    "rmdir": (84, -1),
    "rename": (82, -1),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "madvise": (28, 233),
    "brk": (12, 214),
    "mincore": (27, 232),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "set_tid_address": (218, 96),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "arch_prctl": (158, -1),
    "membarrier": (324, 283),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, -1),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getresuid": (118, 148),
    "getresgid": (120, 150),
    "getgroups": (115, 158),
    "getpgrp": (111, -1),
    "getpgid": (121, 155),
    "getsid": (124, 156),
    "getrlimit": (97, 163),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getcpu": (309, 168),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "tgkill": (234, 131),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "kill": (62, 129),
    "capget": (125, 90),
    "capset": (126, 91),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setgroups": (116, 159),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setpgid": (109, 154),
    "setrlimit": (160, 164),
    "unshare": (272, 97),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "getsockname": (51, 204),
    "getpeername": (52, 205),
    "getsockopt": (55, 209),
    "pidfd_open": (434, 434),
}

# Reading what is open or may be opened, writing what is open.
_READING = """
    read readv pread64 write writev lseek close close_range fstat newfstatat stat lstat statx open
    openat access faccessat faccessat2 readlink readlinkat getcwd getdents64 statfs fstatfs dup
    dup2 dup3 poll ppoll fadvise64 fcntl ioctl
"""
# Reading and writing what is open, or what Landlock and the mounts let be opened.
_FILES = """
    read readv pread64 preadv write writev pwrite64 lseek close close_range fstat newfstatat stat
    lstat statx open openat access faccessat faccessat2 readlink readlinkat getcwd chdir
    getdents64 statfs fstatfs dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 fadvise64 umask
    unlink unlinkat mkdir mkdirat rmdir rename renameat renameat2 ftruncate fallocate fsync
    fdatasync fcntl ioctl
"""
# Its own memory, threads' locks, clocks, and what it may know of itself.
_SELF = """
    mmap munmap mremap mprotect madvise brk mincore futex set_robust_list rseq set_tid_address
    sched_yield sched_getaffinity arch_prctl membarrier clock_gettime clock_getres gettimeofday
    time clock_nanosleep nanosleep times getrusage getpid gettid getppid getuid geteuid getgid
    getegid getresuid getresgid getgroups getpgrp getpgid getsid getrlimit prlimit64 prctl uname
    sysinfo getcpu getrandom exit exit_group
"""
_SIGNALS = """
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend
    sigaltstack restart_syscall
"""
_PROGRAMS = "clone clone3 fork vfork execve wait4 waitid kill tgkill"
# Becoming the lonely user, building the walls, speaking with the parent, watching a child.
_WORKER = """
    capget capset setuid setgid setgroups setresuid setresgid setpgid setrlimit unshare seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self sendto recvfrom sendmsg
    recvmsg getsockname getpeername getsockopt pidfd_open
"""

_DOCUMENT = frozenset(f"{_FILES} {_SELF} {_SIGNALS}".split())
_PROGRAM = _DOCUMENT | frozenset(_PROGRAMS.split())

ALLOWED: dict[Kind, frozenset[str]] = {
    "document": _DOCUMENT,
    "program": _PROGRAM,
    "worker": _PROGRAM | frozenset(_WORKER.split()),
    "engine": frozenset(f"{_READING} {_SELF} {_SIGNALS} clone clone3 recvmsg".split()),
}
"""What each kind of process may call; each list holds the one before it, the last stands alone."""

"""Folders: names of any bytes, and what is no regular file."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.hostile.case import (
    TEXT,
    Case,
    accept,
    flags,
    folder,
    manifest,
    of_folder,
    quarantine,
)

NAMES: dict[str, tuple[bytes, ...]] = {
    "not-utf8": ("客户名单.txt".encode("gbk"),),
    "latin1": (b"caf\xe9.txt",),
    "one-bad-byte": (b"\xff",),
    "overlong": (b"\xc0\xafetc.txt",),
    "surrogate-utf8": (b"\xed\xa0\x80.txt",),
    "bad-in-folder": (b"\xfe\xff/\x80.txt", "文件/\u3000.txt".encode()),
    "nfc-nfd-pair": ("\u00e9.txt".encode(), "e\u0301.txt".encode()),
    "case-pair": (b"README.TXT", b"readme.txt"),
    "case-fold-pair": ("stra\u00dfe.txt".encode(), b"strasse.txt"),
    "wide-pair": ("ａ.txt".encode(), b"a.txt"),
    "trailing-dot": (b"a.", b"a", b"a.."),
    "trailing-blank": (b"a ", b"a.txt "),
    "leading-blank": (b" a.txt", b"a.txt"),
    "controls": (b"a\x01\x1b[2J\x7f.txt", b"a\tb.txt"),
    "newlines": (b"a\nb.txt", b"c\r\nd.txt"),
    "c1-controls": ("a\u0085b\u009b.txt".encode(),),
    "bidi": ("a\u202etxt.exe".encode(), "\u2066b\u2069.txt".encode()),
    "zero-width": ("a\u200bb.txt".encode(), b"ab.txt", "\ufeff.txt".encode()),
    "line-separators": ("a\u2028b\u2029.txt".encode(),),
    "noncharacters": ("a\ufffe\ufdd0\U0010ffff.txt".encode(),),
    "tags": ("a\U000e0041.txt".encode(),),
    "emoji": ("🧾📁.txt".encode(), "👨‍👩‍👧.txt".encode()),
    "options": (b"-rf", b"--help", b"-"),
    "html": (b"<img src=x onerror=alert(1)>.txt", b"&amp;.txt"),
    "formulas": (b"=cmd|' C'!A0", b"+1+1.txt", b"@SUM(1)", b"-2.txt"),
    "markdown": (b"# [a](b) **c** | d `e`.txt",),
    "quotes": (b"a'b\"c`d$(e);f&g|h.txt", b"%s%n{}.txt"),
    "backslash": (b"a\\b.txt", b"..\\c.txt"),
    "percent": (b"a%2fb.txt", b"a%00.txt"),
    "spelling": (b"bytes:", b"bytes%3A"),
    "dots": (b"...", b"..a", b".hidden"),
    "windows-devices": (b"CON", b"nul.txt", b"a:b.txt"),
    "long-255": (b"n" * 255,),
    "long-255-utf8": ("件".encode() * 85,),
    "deep-folders": (b"/".join([b"d" * 50] * 20) + b"/f.txt",),
    "yaml-words": (b"null", b"true", b"0x10", b"2026-11-20", b"- a"),
    "our-names": (b"receipt.json", b"REJECTED.md", b"status.json", b"listing.txt"),
    "manifest-like": (b"manifest.yaml.txt", b"sub/manifest.yaml"),
    "marker-like": (b".done.txt", b"sub/.done"),
    "same-bytes": (b"a.txt", b"b.txt", b"c/a.txt"),
}


def cases() -> Iterator[Case]:
    """Yield every folder."""
    for label, names in NAMES.items():
        yield of_folder(f"name-{label}", _files(names), accept())
    yield from _special()
    yield from _shapes()


def _files(names: tuple[bytes, ...]) -> Callable[[], dict[bytes, bytes]]:
    # Equal bytes under several names are one object and several exhibits.
    return lambda: dict.fromkeys(names, TEXT)


Make = Callable[[Path], None]


def _device(kind: int) -> Make:
    return lambda path: os.mknod(path, kind | 0o644, os.makedev(1, 3))


def _socket(path: Path) -> None:
    # The address of a socket is short, a test's folder need not be.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def _link(target: str) -> Make:
    return lambda path: path.symlink_to(target)


def _hard(path: Path) -> None:
    path.hardlink_to(path.parent / "good.txt")


def _hard_outside(path: Path) -> None:
    # What the link shares its bytes with lies beside the bundle.
    outside = path.parent.with_name(path.parent.name + "-outside")
    outside.write_bytes(TEXT + TEXT)
    path.hardlink_to(outside)


_SPECIAL: dict[str, tuple[Make, str]] = {
    "fifo": (os.mkfifo, "irregular.*(pipe|FIFO)"),
    "socket": (_socket, "irregular.*socket"),
    "symlink-outside": (_link("../../outside/secret.txt"), "irregular.*(symbolic|link)"),
    "symlink-absolute": (_link("/etc/passwd"), "irregular.*(symbolic|link)"),
    "symlink-inside": (_link("good.txt"), "irregular.*(symbolic|link)"),
    "symlink-folder": (_link("../../outside"), "irregular.*(symbolic|link)"),
    "symlink-self": (_link("odd"), "irregular.*(symbolic|link)"),
    "symlink-nowhere": (_link("no/such"), "irregular.*(symbolic|link)"),
    "symlink-odd-target": (_link("\x1b[2J\udcff"), "irregular.*(symbolic|link)"),
    "symlink-proc": (_link("/proc/self/mem"), "irregular.*(symbolic|link)"),
}
_ROOT: dict[str, tuple[Make, str]] = {
    "char-device": (_device(stat.S_IFCHR), "irregular.*device"),
    "block-device": (_device(stat.S_IFBLK), "irregular.*device"),
}
_HARD: dict[str, Make] = {"hardlink-inside": _hard, "hardlink-outside": _hard_outside}


def _special() -> Iterator[Case]:
    kinds = _SPECIAL | (_ROOT if os.geteuid() == 0 and _nodes_allowed() else {})
    for label, (make, mark) in kinds.items():
        yield Case(f"special-{label}", _beside(f"special-{label}", make), quarantine(mark))
    for label, make in _HARD.items():
        # On a drop folder a hard link is a file like another; its bytes are taken as they are.
        name = f"special-{label}"
        yield Case(name, _beside(name, make, "odd"), accept())
    yield Case("special-manifest-symlink", _manifest_link, quarantine("irregular|manifest_missing"))
    yield Case("special-manifest-fifo", _manifest_fifo, quarantine("irregular|manifest_missing"))


def _nodes_allowed() -> bool:
    """Say whether this root may make device nodes; in a container it may not."""
    probe = Path(f"/tmp/hostile-node-{os.getpid()}")
    try:
        os.mknod(probe, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except OSError:
        return False
    probe.unlink()
    return True


def _beside(name: str, make: Make, *named: str) -> Callable[[Path], Path]:
    def lay(place: Path) -> Path:
        raw = manifest(name, ["good.txt", *named])
        root = folder(place, name, {b"good.txt": TEXT}, raw=raw)
        make(root / "odd")
        return root

    return lay


def _manifest_link(place: Path) -> Path:
    root = folder(place, "special-manifest-symlink", {b"good.txt": TEXT})
    (root / "manifest.yaml").rename(root / "real.yaml")
    (root / "manifest.yaml").symlink_to("real.yaml")
    return root


def _manifest_fifo(place: Path) -> Path:
    root = folder(place, "special-manifest-fifo", {b"good.txt": TEXT})
    (root / "manifest.yaml").unlink()
    os.mkfifo(root / "manifest.yaml")
    return root


def _shapes() -> Iterator[Case]:
    yield Case("folder-empty", _empty, quarantine("^manifest_missing"))
    yield Case("folder-only-manifest", lambda at: folder(at, "folder-only-manifest", {}),
               quarantine("no_items|items|missing"))  # fmt: skip
    yield Case("folder-empty-folders", _empty_folders, accept())
    yield of_folder(
        "folder-empty-file", lambda: {b"good.txt": TEXT, b"empty.txt": b""}, flags("empty")
    )
    yield of_folder("folder-sparse-file", lambda: {b"good.txt": TEXT, b"zeros.bin": bytes(1 << 20)},
                    flags("unknown_type|empty|unreadable"))  # fmt: skip
    yield Case(
        "folder-unreadable-mode", _no_mode, accept() if os.geteuid() == 0 else quarantine(".")
    )
    yield _limit(
        "folder-entries", {b"%d.txt" % at: b"%d" % at for at in range(70)}, "limit.*number of files"
    )
    yield _limit("folder-single", {b"big.bin": bytes(5 << 20)}, "limit.*one file")
    yield _limit(
        "folder-total", {b"%d.bin" % at: bytes([at]) * (3 << 20) for at in range(4)}, "limit.*total"
    )
    yield _limit("folder-path", {b"/".join([b"p" * 200] * 12) + b"/f": TEXT}, "limit.*path")
    yield _limit("folder-manifest-twice", {b"manifest.yml": b"a: b"}, "^manifest_twice")
    yield _limit("folder-manifest-case", {b"MANIFEST.XLSX": b"x"}, "^manifest_twice")


def _limit(name: str, files: dict[bytes, bytes], mark: str) -> Case:
    return of_folder(name, lambda: {b"good.txt": TEXT, **files}, quarantine(mark))


def _empty(place: Path) -> Path:
    root = place / "folder-empty"
    root.mkdir()
    return root


def _empty_folders(place: Path) -> Path:
    root = folder(place, "folder-empty-folders", {b"good.txt": TEXT})
    (root / "empty" / "deeper").mkdir(parents=True)
    return root


def _no_mode(place: Path) -> Path:
    root = folder(place, "folder-unreadable-mode", {b"good.txt": TEXT})
    (root / "good.txt").chmod(0)
    return root

"""What can be wrong with an archive of any format, each in both of its roles.

Dropped, an archive is the bundle itself, and what is unsafe in it keeps the bundle apart. As an
exhibit it is a piece of evidence like another: it is taken in, and what cannot be taken out of
it safely is a part that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.faults.hostile.case import (
    TEXT,
    Case,
    Entry,
    Expected,
    accept,
    bundle_entries,
    flags,
    of_exhibit,
    of_file,
    quarantine,
)

Writer = Callable[[Sequence[Entry]], bytes]

ZIP, TAR, SEVEN, RAR4, RAR5 = "zip", "tar", "7z", "rar4", "rar5"
ALL = frozenset({ZIP, TAR, SEVEN, RAR4, RAR5})


@dataclass(frozen=True)
class Defect:
    """Entries beside the good ones, and what they lead to in either role.

    An ``unsafe`` reason quarantines a dropped archive, and marks the part of an exhibit; a
    defect without a reason is none, however odd it looks.
    """

    name: str
    entries: tuple[Entry, ...]
    unsafe: str = ""
    formats: frozenset[str] = ALL
    exhibit: bool = True
    code: str = "unsafe_archive"

    @property
    def dropped(self) -> Expected:
        """The verdict on a dropped archive."""
        return quarantine(f"^{self.code}\\b.*({self.unsafe})") if self.unsafe else accept()

    @property
    def as_exhibit(self) -> Expected:
        """The verdict on a folder with such an archive in it."""
        return flags(f"^(part|flag) .*({self.unsafe})") if self.unsafe else accept("^expanded")


def _file(name: str, data: bytes = TEXT) -> Entry:
    return Entry(name.encode(), data)


_LINK = Entry(b"link", kind="symlink", target=b"../../outside/secret.txt")
_LINKING = frozenset({ZIP, TAR, SEVEN, RAR5})
_SPECIAL = frozenset({ZIP, TAR})

DEFECTS = (
    Defect("good", (_file("b.txt"),)),
    Defect("parent", (_file("../outside/new.txt"),), "parent"),
    Defect("deep-parent", (_file("a/b/../../../outside/new.txt"),), "parent"),
    Defect("absolute", (_file("/tmp/hostile-new.txt"),), "absolute"),
    Defect("backslash", (_file("..\\outside\\new.txt"),), "backslash|parent",
           frozenset({ZIP, SEVEN})),
    Defect("drive", (_file("C:/outside/new.txt"),), "absolute", ALL - {TAR}),
    Defect("windows-name", (_file("..\\b.txt"), _file("C:/b.txt")), formats=frozenset({TAR})),
    Defect("symlink", (_LINK,), "symlink", _LINKING),
    Defect("symlink-folder", (
        Entry(b"there", kind="symlink", target=b"../../outside"), _file("there/new.txt"),
    ), "symlink", _LINKING),
    Defect("symlink-chain", (
        Entry(b"x", kind="symlink", target=b"."), Entry(b"x/y", kind="symlink", target=b".."),
        _file("x/y/new.txt"),
    ), "symlink", _LINKING),
    Defect("hardlink", (Entry(b"hard", kind="hardlink", target=b"/etc/passwd"),), "hardlink",
           frozenset({TAR, RAR5})),
    Defect("hardlink-inside", (Entry(b"hard", kind="hardlink", target=b"good.txt"),), "hardlink",
           frozenset({TAR, RAR5})),
    Defect("fifo", (Entry(b"pipe", kind="fifo"),), "special", _SPECIAL | {SEVEN}),
    Defect("char-device", (Entry(b"null", kind="char"),), "special", _SPECIAL),
    Defect("block-device", (Entry(b"disk", kind="block"),), "special", _SPECIAL),
    Defect("duplicate", (_file("b.txt", b"one"), _file("b.txt", b"two")), "duplicate"),
    Defect("file-twice-good", (_file("b.txt"), _file("b/b.txt"))),
    Defect("case-pair", (_file("B.TXT", b"one"), _file("b.txt", b"two"))),
    Defect("nfc-nfd-pair", (_file("\u00e9.txt", b"one"), _file("e\u0301.txt", b"two")),
           formats=frozenset({ZIP, TAR})),
    # libarchive hands both names over as one; nothing is merged, for nothing is taken apart.
    Defect("nfc-nfd-same", (_file("\u00e9.txt", b"one"), _file("e\u0301.txt", b"two")),
           "duplicate", frozenset({SEVEN, RAR5})),
    Defect("trailing-dot", (_file("b.txt."), _file("c.txt ")), formats=ALL - {SEVEN}),
    Defect("control-name", (_file("a\x1b[2Jb.txt"), _file("c\nd.txt")), exhibit=False),
    Defect("bidi-name", (_file("photo\u202etxt.exe"),)),
    Defect("option-name", (_file("-rf"), _file("--checkpoint-action=exec=sh"))),
    Defect("markup-name", (_file("<script>alert(1)<"), _file("=cmd|'calc'!A1")), exhibit=False),
    Defect("long-name", (_file("n" * 251 + ".txt"),)),
    Defect("longer-name", (_file("n" * 400 + ".txt"),), exhibit=False),
    Defect("empty-file", (_file("empty.txt", b""),), "empty"),
    Defect("folders", (Entry(b"d", kind="folder"), Entry(b"d/e", kind="folder"), _file("d/e/f"))),
    Defect("path-limit", (_file("/".join(["p" * 200] * 25)),), "path",
           code="(limit|unsafe_archive)"),
    Defect("entries-limit", tuple(_file(f"{at:03}.txt", b"x") for at in range(70)), "entries",
           code="(limit|unsafe_archive)"),
    Defect("single-limit", (_file("big.txt", bytes(5 << 20)),), "single|size|ratio|one file",
           code="(limit|unsafe_archive)"),
    Defect("total-limit", tuple(_file(f"{at}.bin", bytes(3 << 20)) for at in range(4)),
           "total|ratio", code="(limit|unsafe_archive)"),
)  # fmt: skip

_READ_EMPTY = {"empty-file"}
"""An empty file is nothing to keep a bundle for; its part says that it is empty."""


def both_roles(
    format_: str,
    ending: str,
    writer: Writer,
    only: frozenset[str] | None = None,
    inside: frozenset[str] | None = None,
    label: str = "",
) -> Iterator[Case]:
    """Yield every defect that a format can show, as a dropped archive and as an exhibit.

    ``only`` and ``inside`` name the defects of either role, where not all of them are wanted.
    """
    for defect in DEFECTS:
        if format_ not in defect.formats or (only is not None and defect.name not in only):
            continue
        name = f"{label or format_}-{defect.name}"
        expected = flags("empty") if defect.name in _READ_EMPTY else defect.dropped
        yield of_file(name, ending, _dropped(writer, name, defect), expected)
        if defect.exhibit and (inside is None or defect.name in inside):
            yield of_exhibit(
                f"{name}-in", f"exhibit{ending}", _inside(writer, defect), defect.as_exhibit
            )


def _dropped(writer: Writer, name: str, defect: Defect) -> Callable[[], bytes]:
    return lambda: writer(bundle_entries(name, defect.entries))


def _inside(writer: Writer, defect: Defect) -> Callable[[], bytes]:
    return lambda: writer([Entry(b"good.txt", TEXT), *defect.entries])


def damaged(
    format_: str,
    ending: str,
    writer: Writer,
    damages: dict[str, Callable[[bytes], bytes]],
    dropped: str = "^(unreadable|unsafe_archive|no_container)",
    inside: str = "^(part|read|flag|expanded) .*",
    only: frozenset[str] | None = None,
) -> Iterator[Case]:
    """Yield a good archive with its bytes damaged, as an exhibit ``only`` some of them."""
    for label, spoil in damages.items():
        name = f"{format_}-{label}"

        def whole(name: str = name, spoil: Callable[[bytes], bytes] = spoil) -> bytes:
            return spoil(writer(bundle_entries(name, [Entry(b"b.bin", NOISE)])))

        yield of_file(name, ending, whole, quarantine(dropped))
        if only is None or label in only:
            yield of_exhibit(f"{name}-in", f"exhibit{ending}", whole, flags(inside + DAMAGED))


DAMAGED = (
    "(damaged|unreadable|not_read|truncated|fault|checksum|refused|problem|part_not_read"
    "|unknown_type)"
)
NOISE = bytes((at * 167 + at // 7 * 31) % 251 for at in range(20_000))
"""Bytes that no method makes much smaller, so that damage can be put among them."""


def cut(share: float) -> Callable[[bytes], bytes]:
    """Return what keeps the first part of an archive only."""
    return lambda data: data[: int(len(data) * share)]


def flipped(share: float) -> Callable[[bytes], bytes]:
    """Return what turns one byte around, so far into the archive."""

    def flip(data: bytes) -> bytes:
        at = int(len(data) * share)
        return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]

    return flip

"""Giving back: the unit gets the bytes of a refused bundle again; those in custody stay.

Each file is written under the raw bytes of its name, read back and compared with the digests on
record, and only then named as given back. The target may be a share that the unit writes to: no
link in it is followed, and nothing that lies there is replaced. A name that the target cannot
hold is written as its SHA-256 instead, and the note says which is which. (docs/quarantine.md)
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from storage.custody import Custody
from storage.digest import Fingerprint, chunks, fingerprint, fingerprint_bytes
from storage.errors import HostError, IntegrityError
from storage.event import Action, CustodyEvent
from storage.listing import ListedFile
from storage.names import display, utf8
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.spelling import spell
from storage.workspace import write_durably
from tasks import claims
from tasks.quarantine import undecided
from tasks.receiving import bundle_on_record, files_of, put_bytes
from tasks.refusal import code, escaped
from tasks.settling import refused_folder

RETURNED = "returned"
_NAMED = 20


def give_back(
    custody: Custody, accession: str, *, by: str, reason: str, folder: Path | None = None
) -> dict[str, Any]:
    """Write a refused bundle's files out of the store, and put that on record.

    Stopped anywhere and repeated it ends the same; what was written already is compared.

    Raises:
        NotFoundError: there is no such accession, or it was not refused.
        StateError: a person has decided already.
        InputError: nobody is named, or no reason.
        HostError: the folder cannot be written to.
        IntegrityError: what was read back is not what is on record.
        BusyError: another process works on it.
    """
    with claims.working(custody, accession):
        received = undecided(custody, accession, by, reason)
        bundle = bundle_on_record(custody, accession)
        notes = refused_folder(custody, bundle)
        target = folder.absolute() if folder else notes / RETURNED
        refs = {each.fingerprint.sha256: each.kept.ref for each in bundle.files}
        renamed = _write_all(custody, target, files_of(custody, received), refs)
        claims.finish(custody, accession)
        event = _event(custody, received, by, reason, target, renamed)
        # The note comes before the record: once that is there, nobody comes back to write it.
        write_durably(notes / "RETURNED.md", _note(event, bundle.name).encode())
        custody.record([event])
    return {"accession": accession, **event.details}


def _write_all(
    custody: Custody, target: Path, files: Sequence[ListedFile], refs: dict[str, ObjectRef]
) -> dict[str, str]:
    """Write every file; return by path what those are called whose name does not fit there."""
    renamed: dict[str, str] = {}
    try:
        target.mkdir(parents=True, exist_ok=True)
        root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise HostError(
            f"无法写入 {display(str(target))} cannot be written to: {error.strerror}",
            remedy="name another folder with --to",
        ) from error
    try:
        for file in files:
            print_ = file.fingerprint
            with custody.objects.open(refs[print_.sha256]) as stream:
                if not _write(root, file.path, stream, print_):
                    name = f"{print_.sha256}.bin"
                    stream.close()
                    with custody.objects.open(refs[print_.sha256]) as again:
                        if not _write(root, name, again, print_):
                            raise HostError(
                                f"{display(file.path)} cannot be written to {display(str(target))}",
                                remedy="see that the disk is not full, or name another with --to",
                            )
                    renamed[file.path] = name
    finally:
        os.close(root)
    return renamed


def _write(root: int, path: str, stream: BinaryIO, expected: Fingerprint) -> bool:
    """Write one file below an open folder; False if the name cannot be a file's there.

    Raises:
        IntegrityError: what was read back differs.
        HostError: there is no room.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return False
    try:
        with _folder(root, parts[:-1]) as parent:
            return _into(parent, parts[-1], stream, expected)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise HostError(
                f"{display(path)} cannot be written: {error.strerror}",
                remedy="make room, then give it back again; or name another folder with --to",
            ) from error
        return False


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Here no other name would help."""


@contextmanager
def _folder(root: int, parts: Sequence[str]) -> Iterator[int]:
    """Open (and make) a folder below another, step by step, following no link."""
    current = os.dup(root)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(utf8(part), dir_fd=current)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            below = os.open(utf8(part), flags, dir_fd=current)
            os.fsync(current)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def _into(parent: int, name: str, stream: BinaryIO, expected: Fingerprint) -> bool:
    """Write a file whole: under another name first, read back, then linked to its own."""
    raw = utf8(name)
    if _same(parent, raw, expected):
        return True
    part = f".{expected.sha256}.part".encode()
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=parent)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(part, flags, 0o644, dir_fd=parent), "w+b") as file:
            for piece in chunks(stream):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            if fingerprint(file) != expected:
                raise IntegrityError(
                    f"{display(name)} was read back with other bytes than are on record",
                    remedy="check the disk; nothing was put on record",
                )
        if not _named(parent, part, raw):
            return False
        os.fsync(parent)
        return True
    finally:
        with suppress(OSError):
            os.unlink(part, dir_fd=parent)


def _named(parent: int, part: bytes, raw: bytes) -> bool:
    """Give a written file its name; False if something has it, which is never replaced."""
    try:
        os.link(part, raw, src_dir_fd=parent, dst_dir_fd=parent)
    except FileExistsError:
        return False
    except OSError:
        # Shares often know no links; there what came in between is looked for.
        if _present(parent, raw):
            return False
        os.rename(part, raw, src_dir_fd=parent, dst_dir_fd=parent)
    return True


def _present(parent: int, raw: bytes) -> bool:
    try:
        os.stat(raw, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _same(parent: int, raw: bytes, expected: Fingerprint) -> bool:
    """Say whether an earlier attempt has written these bytes under this name."""
    try:
        descriptor = os.open(raw, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        return os.fstat(descriptor).st_size == expected.size and fingerprint(file) == expected


def _event(
    custody: Custody,
    received: CustodyEvent,
    by: str,
    reason: str,
    target: Path,
    renamed: dict[str, str],
) -> CustodyEvent:
    accession = received.accession
    pairs = [{"path": spell(path), "written_as": name} for path, name in sorted(renamed.items())]
    details: dict[str, Any] = {
        "kind": "return",
        "reason": reason,
        "folder": spell(str(target)),
        "files": received.details["files"],
        "bytes": received.details["bytes"],
        "received_digest": received.details["received_digest"],
        "renamed": pairs[:_NAMED],
        "renamed_count": len(pairs),
    }
    if pairs:
        data = json.dumps(pairs, sort_keys=True).encode()
        key = f"accessions/{accession}/renamed-{fingerprint_bytes(data).sha256}.json"
        details["renamed_object"] = put_bytes(custody, key, data).as_json()
    return custody.event(
        Action.DECIDED,
        [accession],
        actor=Person(by, unit=custody.receiver().unit),
        accession=accession,
        purpose="the bytes of a refused bundle go back to the unit; those in custody stay",
        details=details,
    )


_NOTE = """\
# 原始字节已退还：{bundle}

接收编号 **{accession}** 的 {files} 个文件（{bytes:,} 字节）已原样写入 {folder}，逐一回读核对无误。
理由：{reason}。经办：{who}，{at}。本中心继续保存原始字节和校验值。更正后请重新投递整个证据包。

# Given back: {bundle}

The {files} files of **{accession}** ({bytes:,} bytes) were written unchanged to {folder}, each
read back and compared. Reason: {reason}. By: {who}, {at}. Bytes and digests stay in custody here.
Correct the bundle and drop it again as a whole.
"""
_RENAMED = """
## 文件名 Names

以下文件名无法写入该文件夹，改用其 SHA-256 为名。
These names cannot be written there; the files are named by their SHA-256.

"""


def _note(event: CustodyEvent, bundle: str) -> str:
    """Return what the unit is told, Chinese first."""
    details = event.details
    text = _NOTE.format(
        bundle=escaped(bundle),
        accession=event.accession,
        files=details["files"],
        bytes=details["bytes"],
        folder=code(details["folder"]),
        reason=escaped(details["reason"]),
        who=escaped(f"{event.actor.unit} {event.actor.name}".strip()),
        at=event.occurred_at,
    )
    lines = [f"- {code(each['path'])} → `{each['written_as']}`\n" for each in details["renamed"]]
    if details["renamed_count"] > len(lines):
        lines.append(f"- …（共 {details['renamed_count']} 个 in all）\n")
    return text + (_RENAMED + "".join(lines) if lines else "")

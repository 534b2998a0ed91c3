"""What the client remembers between two runs: one JSON file, replaced whole.

It holds nothing that could not be found out again from folders and queue, except which uploads
are its own; losing it costs a second look at everything. Two clients never share a folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from portal.agency_client.service import is_id
from storage.errors import BusyError, HostError
from storage.names import visible
from storage.workspace import write_durably

SCHEMA = "zhenglian.agency-client/1"


@contextmanager
def disk_told() -> Iterator[None]:
    """Tell in words what the disk or the folder does not allow, once the block has met it.

    Raises:
        HostError: the disk is full, a folder may not be written, a file vanished.
    """
    try:
        yield
    except OSError as error:
        raise HostError(
            f"文件夹读写失败 the folder cannot be used: {error.strerror or error}"
            + (f": {visible(str(error.filename))}" if error.filename else ""),
            remedy="请检查磁盘空间和写入权限，之后自动继续 "
            "check room and rights; it goes on from where it was",
        ) from error


@dataclass
class State:
    """``cursor`` is how far the queue's changes were followed, -1: not yet.

    ``fetched`` maps a commission to the digests of the files that were put in the inbox,
    ``waiting`` lists commissions that could not be dealt with yet, ``sending`` maps one to its
    upload, ``refused`` to what was refused and why.
    """

    cursor: int = -1
    fetched: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    sending: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: dict[str, dict[str, str]] = field(default_factory=dict)


class StateFile:
    """The file, and the lock that keeps a second client out."""

    def __init__(self, folder: Path) -> None:
        """Keep state in ``folder``, which is made."""
        with disk_told():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file, self._lock = folder / "state.json", folder / "lock"
        self.state = self._read()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only client of this folder; the lock ends with its process.

        Raises:
            BusyError: another client works here.
        """
        with disk_told():
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if not isinstance(error, BlockingIOError):
                raise HostError(
                    f"文件夹所在的磁盘不能加锁 its disk cannot lock: {error.strerror}",
                    remedy="请将文件夹放在本机磁盘 put --folder on a disk of this machine",
                ) from error
            raise BusyError(
                "另一客户端正在使用此文件夹 another client works in this folder",
                remedy="请停止它，或另用文件夹 stop it, or give this one a folder of its own",
            ) from error
        try:
            # What an earlier client wrote last counts, not what was read before the lock was ours.
            self.state = self._read()
            yield
        finally:
            os.close(descriptor)

    def save(self) -> None:
        """Replace the file whole, durably."""
        text = json.dumps({"schema": SCHEMA, **asdict(self.state)}, ensure_ascii=False, indent=1)
        write_durably(self._file, text.encode(), 0o600)

    def _read(self) -> State:
        try:
            found = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return State()
        except (OSError, ValueError):
            return State()  # It is working data: everything is looked at again.
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            return State()
        return _state(found)


def _state(found: dict[str, Any]) -> State:
    plain = State()
    for name, fits in _FITS.items():
        value = found.get(name)
        if fits(value):
            setattr(plain, name, value)
    return plain


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _records(value: Any, *keys: str) -> bool:
    """Whether a value maps names to records that have these texts."""
    return isinstance(value, dict) and all(
        isinstance(each, dict) and all(isinstance(each.get(key), str) for key in keys)
        for each in value.values()
    )


_FITS: dict[str, Callable[[Any], bool]] = {
    "cursor": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "fetched": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
    "waiting": lambda value: _texts(value) and all(map(is_id, value)),
    "sending": lambda value: _records(value, "upload_id", "content") and all(map(is_id, value)),
    "refused": lambda value: _records(value, "content", "code", "at"),
}
"""What each part of the file must look like; a part that does not is left out."""

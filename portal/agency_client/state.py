"""What the client remembers between two runs: one JSON file, replaced whole.

It holds nothing that could not be found out again from folders and queue, except which uploads
are its own; losing it costs a second look at everything. Two clients never share a folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from storage.errors import BusyError, HostError
from storage.workspace import write_durably

SCHEMA = "zhenglian.agency-client/1"


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
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise HostError(
                f"文件夹无法建立 the folder {folder} cannot be made: {error.strerror}",
                remedy="请指定可写的位置 give --folder a place that this user may write",
            ) from error
        self._file, self._lock = folder / "state.json", folder / "lock"
        self.state = self._read()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only client of this folder; the lock ends with its process.

        Raises:
            BusyError: another client works here.
        """
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
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
    for name, empty in asdict(plain).items():
        value = found.get(name)
        if isinstance(value, type(empty)) and not isinstance(value, bool):
            setattr(plain, name, value)
    return plain

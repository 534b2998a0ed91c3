"""The inbox: each commission's package and letter, whole and compared before anybody sees them.

::

    inbox/<commission>/<commission>.zip          the package, its digest compared
    inbox/<commission>/<commission>.letter.pdf   the commission letter
    inbox/<commission>/commission.json           what the queue says of the commission

Everything is fetched beside (``.client/incoming/``), cut and resumed as often as it takes; the
folder appears in the inbox by one rename. Only then, and only after the file as it lies in the
inbox was hashed once more, is the receipt acknowledged by repeating that digest. (RULES: AP-07.)
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from portal.agency_client.service import Service, UnreachableError, checked_id
from portal.agency_client.state import StateFile
from storage.errors import IntegrityError
from storage.workspace import fsync_file, fsync_folder, remove_tree, write_durably

_PIECE = 1 << 20
_HEX = frozenset("0123456789abcdef")
Tell = Callable[[str], None]


class Inbox:
    """Fetches what is new and acknowledges it."""

    def __init__(self, root: Path, service: Service, state: StateFile, tell: Tell) -> None:
        """Fill ``root/inbox`` from the queue."""
        self._service, self._state, self._tell = service, state, tell
        self.folder = root / "inbox"
        self._incoming = root / ".client" / "incoming"
        for each in (self.folder, self._incoming):
            each.mkdir(parents=True, exist_ok=True)

    def take(self, commission_id: str) -> None:
        """Fetch a commission's package unless it is here, and acknowledge it if that is due.

        Raises:
            UnreachableError: the queue did not answer; what came is kept.
            RefusedError: the queue refused something.
            IntegrityError: what came is not what the queue says that it sent.
        """
        told = self._service.get(f"/commissions/{commission_id}")
        if checked_id(told.get("commission_id")) != commission_id:
            raise UnreachableError("the queue answered about another commission", after=0.0)
        sent = _digest(told)
        if not sent or not told.get("open"):
            return
        here = self.folder / commission_id
        due = "acknowledge" in told.get("allowed", ())
        if not here.is_dir():
            if self._state.state.fetched.get(commission_id) == sent and not due:
                return  # It was here, and somebody has put it elsewhere.
            self._fetch(commission_id, told, sent)
        if due:
            self._acknowledge(commission_id, sent)
        elif self._state.state.fetched.get(commission_id) != sent:
            self._remember(commission_id, sent)

    def _fetch(self, commission_id: str, told: Mapping[str, Any], sent: str) -> None:
        beside = self._incoming / commission_id
        beside.mkdir(exist_ok=True)
        package = beside / f"{commission_id}.zip"
        self._file(f"/commissions/{commission_id}/package", package, sent)
        letter = beside / f"{commission_id}.letter.pdf"
        self._file(f"/commissions/{commission_id}/letter", letter, "")
        text = json.dumps(dict(told), ensure_ascii=False, indent=1)
        write_durably(beside / "commission.json", text.encode())
        for each in beside.iterdir():
            if each.name not in (package.name, letter.name, "commission.json"):
                each.unlink()
        fsync_folder(beside)
        beside.rename(self.folder / commission_id)
        fsync_folder(self.folder)
        (self.folder.parent / "outbox" / commission_id).mkdir(parents=True, exist_ok=True)
        self._tell(f"收到 received: inbox/{commission_id} (SHA-256 {sent})")

    def _acknowledge(self, commission_id: str, sent: str) -> None:
        """Repeat the digest of the file as it lies in the inbox, never the one that was told."""
        file = self.folder / commission_id / f"{commission_id}.zip"
        seen = digest_of(file) if file.is_file() else ""
        if seen != sent:
            raise IntegrityError(
                "收件箱中的材料包与发出的不一致，未签收 the package in the inbox is not the one "
                f"that was sent; it was not acknowledged: inbox/{commission_id}",
                remedy="move the folder away: it is fetched again",
            )
        self._service.post(
            f"/commissions/{commission_id}/acknowledge",
            {"package_digest": seen},
            key=f"acknowledge-{commission_id}-{seen[:32]}",
        )
        self._remember(commission_id, sent)
        self._tell(f"已签收 acknowledged: {commission_id}")

    def _remember(self, commission_id: str, sent: str) -> None:
        self._state.state.fetched[commission_id] = sent
        self._state.save()

    def _file(self, path: str, file: Path, sha256: str) -> None:
        """Fetch a file, on from where it is; compare it with the digest, or with its own tag."""
        if file.is_file() and sha256 and digest_of(file) == sha256:
            return
        part, tag_file = file.with_suffix(".part"), file.with_suffix(".tag")
        for fresh in (False, True):
            if fresh:
                part.unlink(missing_ok=True)
            expected = self._receive(path, part, tag_file, sha256)
            if digest_of(part) == expected:
                fsync_file(part)
                part.rename(file)
                tag_file.unlink(missing_ok=True)
                return
        remove_tree(file.parent)
        raise IntegrityError(
            f"下载内容与校验值不一致，未签收 what came of {path} does not have its digest; nothing "
            "was acknowledged",
            remedy="it is fetched again later; tell the client if it goes on",
        )

    def _receive(self, path: str, part: Path, tag_file: Path, sha256: str) -> str:
        """Fetch the rest of a file; return the digest that it must have."""
        here = part.stat().st_size if part.is_file() else 0
        tag = tag_file.read_text("ascii", "replace").strip() if tag_file.is_file() else ""
        if sha256 and here:
            tag = f'"{sha256}"'
        if here and tag and here == self._service.length(path, tag):
            return tag.strip('"')
        with self._service.download(path, here, tag) as response:
            now = response.headers.get("ETag", "").strip()
            if not sha256 and now != tag:
                write_durably(tag_file, now.encode("ascii", "replace"))
            start = here if response.status_code == 206 else 0
            _write(part, start, response.iter_bytes(_PIECE))
        return sha256 or now.strip('"')


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(part: Path, start: int, pieces: Any) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(start)
        file.seek(start)
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(descriptor)


def _digest(told: Mapping[str, Any]) -> str:
    package = told.get("package")
    digests = package.get("digests") if isinstance(package, dict) else None
    found = digests.get("sha256") if isinstance(digests, dict) else None
    if isinstance(found, str) and len(found) == 64 and set(found) <= _HEX:
        return found
    return ""

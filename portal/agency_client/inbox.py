"""The inbox: each commission's package and letter, whole and compared before anybody sees them.

::

    inbox/<commission>/<commission>.zip          the package, its digest compared
    inbox/<commission>/<commission>.zip.age      as it came, if it is encrypted
    inbox/<commission>/...                       the commission letter, and what else was sent
    inbox/<commission>/commission.json           what the queue says of the commission

Everything is fetched beside (``.client/incoming/``), cut and resumed as often as it takes; the
folder appears in the inbox by one rename. Only then, and only after the file as it lies in the
inbox was hashed once more, is the receipt acknowledged by repeating that digest. What is encrypted
is opened with the agency's identity file, or by a person; until then nothing is acknowledged.
(RULES: AP-07.)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from portal.agency_client.opening import SEALED, open_sealed
from portal.agency_client.service import Service, UnreachableError, checked_id
from portal.agency_client.state import StateFile
from storage.errors import IntegrityError
from storage.workspace import fsync_folder, write_durably

_PIECE = 1 << 20
_HEX = frozenset("0123456789abcdef")
_WHICH = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_NAME = re.compile(r"(?!commission\.json)[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
_WITH_CLIENT = frozenset({"opinion_returned", "under_check"})
"""The work is done, and the client's turn: nothing need be fetched."""
Tell = Callable[[str], None]


class Inbox:
    """Fetches what is new and acknowledges it."""

    def __init__(
        self,
        root: Path,
        service: Service,
        state: StateFile,
        tell: Tell,
        identity: Path | None = None,
    ) -> None:
        """Fill ``root/inbox`` from the queue; ``identity`` opens what is encrypted."""
        self._service, self._state, self._tell = service, state, tell
        self._identity = identity
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
        sent = _digest(told.get("package_digest"))
        if not sent or not told.get("open") or _state(told) in _WITH_CLIENT:
            return
        due = "acknowledge" in _steps(told)
        self._fetch(commission_id, told, again=due)
        (self.folder.parent / "outbox" / commission_id).mkdir(parents=True, exist_ok=True)
        if due:
            self._acknowledge(commission_id, sent)

    def _fetch(self, commission_id: str, told: Mapping[str, Any], *, again: bool) -> None:
        """Put what is not here yet into the inbox; what people took elsewhere stays there.

        With ``again`` the package is fetched although it was here once: its receipt is due.
        """
        here, had = self.folder / commission_id, self._state.state.fetched.get(commission_id, [])
        files = list(_files(told))
        packages = [name for which, name, _, _ in files if which == "package"]
        if not packages:
            raise IntegrityError(
                f"委托{commission_id}没有材料包 the queue offers no package of {commission_id}",
                remedy="请联系委托人 ask the client",
            )
        wanted = [
            each
            for each in files
            if not (here / each[1]).is_file()
            and (each[3] not in had or (again and each[1] in packages))
        ]
        if not wanted:
            return
        beside = self._incoming / commission_id
        beside.mkdir(exist_ok=True)
        for which, name, size, sha256 in wanted:
            path = f"/commissions/{commission_id}/files/{which}"
            self._file(path, beside / name, size, sha256)
        text = json.dumps(dict(told), ensure_ascii=False, indent=1)
        write_durably(beside / "commission.json", text.encode())
        names = [name for _, name, _, _ in wanted]
        opened = [self._open(beside / name) for name in names if name.endswith(f".zip{SEALED}")]
        self._appear(commission_id, [*names, *filter(None, opened)])
        self._remember(commission_id, [sha256 for _, _, _, sha256 in files])
        self._tell(f"收到 received: inbox/{commission_id}: {'、'.join(names)}")

    def _open(self, sealed: Path) -> str:
        """Open an encrypted package where it lies; return its name, empty if it stays closed."""
        if self._identity is None:
            return ""
        try:
            return open_sealed(sealed, self._identity).name
        except IntegrityError as error:
            self._tell(f"{error.message} → {error.remedy}")
            return ""

    def _appear(self, commission_id: str, names: list[str]) -> None:
        """Let what was fetched appear: the folder whole, or file by file where there is one."""
        beside, here = self._incoming / commission_id, self.folder / commission_id
        kept = {*names, "commission.json"}
        for each in beside.iterdir():
            if each.name not in kept:
                each.unlink()
        fsync_folder(beside)
        if here.is_dir():
            for name in sorted(kept):
                (beside / name).rename(here / name)
            beside.rmdir()
            fsync_folder(here)
        else:
            beside.rename(here)
        fsync_folder(self.folder)

    def _acknowledge(self, commission_id: str, sent: str) -> None:
        """Repeat the digest of the file as it lies in the inbox, never the one that was told."""
        file = self.folder / commission_id / f"{commission_id}.zip"
        sealed = file.with_name(f"{file.name}{SEALED}")
        if sealed.is_file() and not file.is_file() and not self._open(sealed):
            raise IntegrityError(
                "材料包已加密，尚未解密，未签收 the package is encrypted and was not opened yet; "
                f"it was not acknowledged: inbox/{commission_id}/{sealed.name}",
                remedy="请以 --identity 指定私钥文件，或自行解密 name the key's file with "
                f"--identity, or open it there: age -d -i KEY -o {file.name} {sealed.name}",
            )
        seen = digest_of(file) if file.is_file() else ""
        if seen != sent:
            raise IntegrityError(
                "收件箱中的材料包与发出的不一致，未签收 the package in the inbox is not the one "
                f"that was sent; it was not acknowledged: inbox/{commission_id}",
                remedy="请移走该文件夹，将重新下载 move the folder away: it is fetched again",
            )
        self._service.post(
            f"/commissions/{commission_id}/acknowledge",
            {"package_digest": seen},
            key=f"acknowledge-{commission_id}-{seen[:32]}",
        )
        self._tell(f"已签收 acknowledged: {commission_id}")

    def _remember(self, commission_id: str, digests: list[str]) -> None:
        self._state.state.fetched[commission_id] = sorted(digests)
        self._state.save()

    def _file(self, path: str, file: Path, size: int, sha256: str) -> None:
        """Fetch a file, on from where it is, and compare it; what differs is fetched once more."""
        if file.is_file() and digest_of(file) == sha256:
            return
        part = file.with_name(f"{file.name}.part")
        for fresh in (False, True):
            if fresh or (part.is_file() and part.stat().st_size > size):
                part.unlink(missing_ok=True)
            self._receive(path, part, size, sha256)
            if digest_of(part) == sha256:
                part.rename(file)
                return
        part.unlink(missing_ok=True)
        raise IntegrityError(
            f"下载内容与校验值不一致，未签收 what came of {path} does not have its digest; nothing "
            "was acknowledged",
            remedy="稍后重新下载；如持续请告知委托人 "
            "it is fetched again later; tell the client if it goes on",
        )

    def _receive(self, path: str, part: Path, size: int, sha256: str) -> None:
        here = part.stat().st_size if part.is_file() else 0
        if here == size and here:
            return
        with self._service.download(path, here, f'"{sha256}"') as response:
            start = here if response.status_code == 206 else 0
            _write(part, start, size, response.iter_bytes(_PIECE))


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(part: Path, start: int, size: int, pieces: Iterator[bytes]) -> None:
    """Write from ``start`` on, never beyond ``size``, whatever the other side sends."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(start)
        file.seek(start)
        for piece in pieces:
            file.write(piece[: size - file.tell()])
            if file.tell() >= size:
                break
        file.flush()
        os.fsync(descriptor)


def _files(told: Mapping[str, Any]) -> Iterator[tuple[str, str, int, str]]:
    """Yield the files that went out: how each is asked for, its name here, size and SHA-256."""
    own = checked_id(told.get("commission_id"))
    files = told.get("files")
    for each in files if isinstance(files, list) else ():
        digests = each.get("digests") if isinstance(each, dict) else None
        sha256 = _digest(digests.get("sha256") if isinstance(digests, dict) else None)
        which, name, size = (each.get(key) for key in ("which", "name", "size"))
        if not (sha256 and isinstance(size, int) and size >= 0):
            raise UnreachableError("the queue describes a file without its digest", after=0.0)
        if not (isinstance(which, str) and _WHICH.fullmatch(which)):
            raise UnreachableError("the queue names a file strangely", after=0.0)
        if which == "package":
            name = f"{own}.zip{SEALED if str(name).endswith(SEALED) else ''}"
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            name = f"{own}.{which}"
        yield which, name, size, sha256


def _state(told: Mapping[str, Any]) -> str:
    state = told.get("state")
    return str(state.get("code")) if isinstance(state, dict) else ""


def _steps(told: Mapping[str, Any]) -> list[Any]:
    allowed = told.get("allowed")
    return [each.get("step") for each in allowed if isinstance(each, dict)] if allowed else []


def _digest(untrusted: Any) -> str:
    if isinstance(untrusted, str) and len(untrusted) == 64 and set(untrusted) <= _HEX:
        return untrusted
    return ""

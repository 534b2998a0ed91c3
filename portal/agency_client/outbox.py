"""The outbox: an opinion put into a commission's folder is returned, and moves to ``sent/``.

::

    outbox/<commission>/     one PDF and one YAML or JSON file of particulars, put there by people
    outbox/<commission>/说明_REFUSED.txt    why it was not taken, in both languages
    sent/<commission>/<upload>/            what was sent, with findings.json and findings.txt

A folder counts as complete when it did not change for a while and its PDF has its end; one whose
name is no identifier of a commission is left alone. What is refused stays where it is and is tried
again when it has changed, or when the commission has.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.agency_client.inbox import Tell, digest_of
from portal.agency_client.service import (
    RefusedError,
    Service,
    UnreachableError,
    checked_id,
    is_id,
)
from portal.agency_client.state import StateFile
from storage.errors import InputError
from storage.names import shown, visible
from storage.workspace import fsync_folder, write_durably

REFUSED = "说明_REFUSED.txt"
AGAIN_SECONDS = 600.0
"""After so long a refusal that the commission's state gave is asked for once more."""
_PIECE = 1 << 20
_END = 1024
"""Within so many bytes of its end a PDF says that it ends (ISO 32000-2, annex I)."""
_MOST_TEXT = 40_000
_FIELDS = (".yaml", ".yml", ".json")
_BY_STATE = frozenset({"state", "too_many_uploads", "conflict", "forbidden"})
_LOST = frozenset({"expired", "upload_ended", "not_found"})


@dataclass(frozen=True)
class Ready:
    """One opinion that may be sent."""

    commission_id: str
    folder: Path
    pdf: Path
    fields: Path
    text: str
    sha256: str

    @property
    def content(self) -> str:
        """Return what tells this opinion from another in the same folder."""
        return hashlib.sha256(f"{self.sha256}\n{self.text}".encode()).hexdigest()


class Outbox:
    """Returns what people put into the folders."""

    def __init__(self, root: Path, service: Service, state: StateFile, tell: Tell) -> None:
        """Return what lies in ``root/outbox``."""
        self._service, self._state, self._tell = service, state, tell
        self.folder, self._sent = root / "outbox", root / "sent"
        self._seen: dict[str, tuple[tuple[Any, ...], float]] = {}
        self._read: dict[str, tuple[tuple[Any, ...], Ready | None]] = {}
        for each in (self.folder, self._sent):
            each.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the commissions that have something to send or to finish."""
        found = {each.name for each in self.folder.iterdir() if is_id(each.name) and _look(each)}
        return sorted(found | set(self._state.state.sending))

    def busy(self) -> bool:
        """Whether something waits that was not refused as it is."""
        return any(each not in self._state.state.refused for each in self.names())

    def still(self, commission_id: str, settle: float) -> bool:
        """Whether a folder has been the same for so many seconds, as far as it was looked at."""
        look, now = _look(self.folder / commission_id), time.monotonic()
        before, since = self._seen.get(commission_id, ((), now))
        if look != before:
            self._seen[commission_id] = (look, now)
            return False
        return bool(look) and now - since >= settle

    def give(self, commission_id: str) -> None:
        """Send a commission's opinion, on from where it is, and put it to what was sent.

        Raises:
            UnreachableError: the queue did not answer; it goes on from there the next time.
        """
        if self.settled(commission_id):
            return
        try:
            ready = self._ready(commission_id)
        except InputError as error:
            self._refused(commission_id, _mark(_look(self.folder / commission_id)), "", error)
            return
        if ready is None or self._refused_before(ready):
            return
        try:
            self._send(ready)
        except RefusedError as error:
            if error.code in _LOST and commission_id in self._state.state.sending:
                del self._state.state.sending[commission_id]
                self._state.save()
                raise UnreachableError("the upload has to begin anew", after=0.0) from error
            if error.status == 401:
                raise
            self._state.state.sending.pop(commission_id, None)
            self._refused(commission_id, ready.content, error.code, error)

    def forget_refusal(self, commission_id: str) -> None:
        """Try again what was refused: the commission has changed."""
        if self._state.state.refused.pop(commission_id, None):
            self._state.save()

    def _send(self, ready: Ready) -> None:
        upload = self._announced(ready)
        upload_id = checked_id(upload.get("upload_id"))
        path = f"/uploads/{upload_id}"
        mine = {"upload_id": upload_id, "content": ready.content}
        if self._state.state.sending.get(ready.commission_id) != mine:
            self._state.state.sending[ready.commission_id] = mine
            self._state.save()
        size = ready.pdf.stat().st_size
        while (offset := self._service.offset(path)) < size:
            self._service.send(path, offset, _pieces(ready.pdf, offset))
        status = 202
        while status == 202:
            status, answer = self._service.post(f"{path}/finish", key="")
        self._done(ready.commission_id, upload_id, answer)

    def _announced(self, ready: Ready) -> dict[str, Any]:
        form = {
            "name": shown(ready.pdf.name)[:200],
            "size": ready.pdf.stat().st_size,
            "sha256": ready.sha256,
            "particulars": ready.text,
        }
        path = f"/commissions/{ready.commission_id}/uploads"
        try:
            return dict(self._service.post(path, form)[1])
        except RefusedError as error:
            mine = self._state.state.sending.get(ready.commission_id, {}).get("upload_id")
            if error.code != "upload_open" or error.problem.get("upload_id") != mine:
                raise
            # Somebody has replaced the document while its first version was on its way.
            self._service.delete(f"/uploads/{mine}")
            return dict(self._service.post(path, form)[1])

    def _ready(self, commission_id: str) -> Ready | None:
        """Return the opinion in a folder; one that did not change is not read again."""
        look = _look(self.folder / commission_id)
        before, ready = self._read.get(commission_id, ((), None))
        if not look or look != before:
            ready = _ready(self.folder / commission_id, commission_id)
            self._read[commission_id] = (look, ready)
        return ready

    def settled(self, commission_id: str) -> bool:
        """Finish what an earlier run began: the upload may have been taken in meanwhile.

        Nothing that lies in the folder is sent.
        """
        mine = self._state.state.sending.get(commission_id)
        if mine is None:
            return False
        upload_id = checked_id(mine.get("upload_id"))
        try:
            told = self._service.get(f"/uploads/{upload_id}")
        except RefusedError as error:
            if error.status == 401:
                raise
            told = {}
        if told.get("state") == "done":
            self._done(commission_id, upload_id, told)
            return True
        if not _look(self.folder / commission_id) or told.get("state") not in ("open", "finishing"):
            del self._state.state.sending[commission_id]
            self._state.save()
        return False

    def _done(self, commission_id: str, upload_id: str, told: Mapping[str, Any]) -> None:
        """Move what was sent, write the findings beside it, forget the upload: in this order."""
        goal = self._sent / commission_id / upload_id
        here = self.folder / commission_id
        mine = self._state.state.sending.get(commission_id, {})
        goal.parent.mkdir(exist_ok=True)
        if not goal.exists():
            if self._holds(here, commission_id, mine.get("content", "")):
                (here / REFUSED).unlink(missing_ok=True)
                here.rename(goal)
                fsync_folder(self.folder)
            else:  # What lies there now is something else, and was not sent.
                goal.mkdir()
            fsync_folder(goal.parent)
        outcome = told.get("outcome")
        outcome = outcome if isinstance(outcome, dict) else {}
        text = json.dumps(outcome, ensure_ascii=False, indent=1)
        write_durably(goal / "findings.json", text.encode())
        write_durably(goal / "findings.txt", _findings(outcome).encode())
        self._state.state.sending.pop(commission_id, None)
        self._state.state.refused.pop(commission_id, None)
        self._state.save()
        whole = "全部符合 all hold" if outcome.get("ok") else "见findings.txt see findings.txt"
        self._tell(f"已交回 returned: sent/{commission_id}/{upload_id} ({whole})")

    def _holds(self, folder: Path, commission_id: str, content: str) -> bool:
        try:
            ready = _ready(folder, commission_id)
        except InputError:
            return False
        return ready is not None and ready.content == content

    def _refused_before(self, ready: Ready) -> bool:
        known = self._state.state.refused.get(ready.commission_id)
        if known is None or known.get("content") != ready.content:
            return False
        late = time.time() - float(known.get("at", "0")) > AGAIN_SECONDS
        return not (late and known.get("code") in _BY_STATE)

    def _refused(
        self, commission_id: str, mark: str, code: str, error: InputError | RefusedError
    ) -> None:
        known = self._state.state.refused.get(commission_id, {})
        if known.get("content") == mark and known.get("code") == code and not code:
            return
        self._state.state.refused[commission_id] = {
            "content": mark,
            "code": code,
            "at": str(time.time()),
        }
        text = f"{visible(error.message)}\n→ {visible(error.remedy)}\n"
        problem = error.facts.get("problem")
        if isinstance(problem, dict):
            text += "\n" + json.dumps(problem, ensure_ascii=False, indent=1) + "\n"
        write_durably(self.folder / commission_id / REFUSED, text.encode())
        self._state.save()
        self._tell(f"未被接收 refused: outbox/{commission_id}: {visible(error.message)}")


def _mark(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _look(folder: Path) -> tuple[Any, ...]:
    """Return names, sizes and times of what people put into a folder."""
    if not folder.is_dir() or folder.is_symlink():
        return ()
    found = []
    for each in folder.iterdir():
        if each.name != REFUSED and not each.name.startswith("."):
            info = each.lstat()
            found.append((each.name, info.st_size, info.st_mtime_ns, info.st_mode))
    return tuple(sorted(found))


def _ready(folder: Path, commission_id: str) -> Ready | None:
    """Return the opinion in a folder, or None while something is missing.

    Raises:
        InputError: there is more than one, or what lies there is no plain file.
    """
    names = [name for name, *_ in _look(folder)]
    pdfs = [folder / name for name in names if name.lower().endswith(".pdf")]
    fields = [folder / name for name in names if name.lower().endswith(_FIELDS)]
    if len(pdfs) > 1 or len(fields) > 1:
        raise InputError(
            "文件夹中有多份PDF或要素文件 there is more than one PDF or file of particulars",
            remedy="请各留一份 leave one PDF and one YAML or JSON file in it",
        )
    if not pdfs or not fields:
        return None
    for each in (pdfs[0], fields[0]):
        if each.is_symlink() or not each.is_file() or not each.stat().st_size:
            raise InputError(
                f"{shown(each.name)}不是普通文件或为空 is no plain file, or is empty",
                remedy="请放入文件本身 put the file itself there",
            )
    if not _whole(pdfs[0]):
        raise InputError(
            f"{shown(pdfs[0].name)}没有结尾标记，可能尚未复制完 it has no end: is it still being "
            "copied?",
            remedy="复制完成后会自动提交；如已完整，请重新导出PDF "
            "it is sent when it is whole; if it is, export the PDF again",
        )
    if fields[0].stat().st_size > 4 * _MOST_TEXT:
        raise InputError(
            "要素文件过长 the file of particulars is too long",
            remedy="请摘要填写，以签章PDF为准 summarise them",
        )
    try:
        text = fields[0].read_text("utf-8-sig")
    except UnicodeError as error:
        raise InputError(
            "要素文件不是UTF-8文本 the file of particulars is not UTF-8 text",
            remedy="请另存为UTF-8 save it as UTF-8",
        ) from error
    if len(text) > _MOST_TEXT:
        raise InputError(
            "要素文件过长 the file of particulars is too long",
            remedy="请摘要填写，以签章PDF为准 summarise them",
        )
    return Ready(commission_id, folder, pdfs[0], fields[0], text, digest_of(pdfs[0]))


def _whole(pdf: Path) -> bool:
    """Whether a PDF says that it ends; what is no PDF is for the queue to refuse."""
    with pdf.open("rb") as stream:
        if stream.read(5) != b"%PDF-":
            return True
        stream.seek(max(0, pdf.stat().st_size - _END))
        return b"%%EOF" in stream.read(_END)


def _pieces(file: Path, offset: int) -> Iterator[bytes]:
    with file.open("rb") as stream:
        stream.seek(offset)
        while piece := stream.read(_PIECE):
            yield piece


_MARKS = {"ok": "✓", "failed": "✗", "confirm": "?"}


def _findings(outcome: Mapping[str, Any]) -> str:
    lines = []
    findings = outcome.get("findings")
    for each in findings if isinstance(findings, list) else ():
        if isinstance(each, dict):
            mark = _MARKS.get(str(each.get("state")), "✓" if each.get("ok") else "✗")
            words = (each.get("code"), each.get("text_zh"), each.get("text_en"))
            lines.append(" ".join([mark, *(visible(str(word)) for word in words)]))
    return "\n".join(lines) + "\n"

"""Expanding: the members of a container, at every depth, each taken out once, printed and read.

A container is listed and judged in the cell, then its members come out in one pass. Each is
spooled to scratch space for as long as it is read, fingerprinted while it is written there, and
forgotten: its bytes stay in the container. A member that is a container is expanded in its
turn, depth first, while the pass over its parent stands still.

Every member becomes a ``Part`` with a state, whatever happens to it: the parts are as many as
the members, at every depth. Memory grows with the number of members (their listing), never
with their bytes.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from storage.catalogue.parts import place
from storage.digest import Fingerprint, Hasher
from tasks.account import FAILED, State, judged, opened_up
from tasks.likeness.measure import looks
from tasks.partlist import Part
from tasks.reader.answer import UNLOCKED, Contents, Member, Transcript
from tasks.reader.cell import CellPool
from tasks.reader.contained import unpack
from tasks.reader.failures import UnreadableError
from tasks.reader.limits import exceeded, limit_of
from tasks.transcribing import Look, Stage, look, own_contents

_SPOOLED = 64 << 20
"""Bytes that may lie in scratch space before the oldest member must have been read."""
_NAMES_ONLY = frozenset(
    {"absolute", "parent", "backslash", "nul", "empty_name", "duplicate", "path", "superseded"}
)
"""Reasons that concern a name (never used as a path here) or a time: they harm nothing."""


Path_ = tuple[int, ...]
"""Indices that lead from the exhibit to a part."""


class Taken(Protocol):
    """One member on its way out of its container."""

    index: int

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes; raises ``UnreadableError`` if they are not what they should be."""
        ...


class Opener(Protocol):
    """What opens documents: the cell, or a stand-in for it."""

    def look(self, file: BinaryIO, name: str, part: str) -> Look:
        """Return what the document that is a part says, and what it holds."""
        ...

    def unpack(self, file: BinaryIO, name: str, wanted: Sequence[int]) -> Iterator[Taken]:
        """Yield each wanted member once, in order, in one pass."""
        ...


@dataclass(frozen=True)
class PoolOpener:
    """The ``Opener`` of a pool of cells."""

    pool: CellPool
    stage: Stage = Stage.ALL
    before: Callable[[str], Transcript | None] = lambda part: None
    """What an earlier reading said of a part, for the stages that keep some of it."""
    known: Callable[[BinaryIO], Transcript | None] = lambda file: None
    """What OCR has read before of the bytes of a file."""

    def look(self, file: BinaryIO, name: str, part: str) -> Look:
        """Return what the document that is a part says, and what it holds."""
        known = partial(self.known, file)
        seen = look(self.pool, file, name, stage=self.stage, before=self.before(part), known=known)
        return replace(seen, likeness=looks(self.pool, file, seen.transcript))

    def unpack(self, file: BinaryIO, name: str, wanted: Sequence[int]) -> Iterator[Taken]:
        """Yield each wanted member once, in order, in one pass."""
        return unpack(self.pool, file, name, wanted)


@dataclass(frozen=True)
class Bounds:
    """What one exhibit may expand to: depth, parts and bytes in all, bytes of one part."""

    max_depth: int = 5
    max_entries: int = 100_000
    max_total_bytes: int = 1 << 40
    max_file_bytes: int = 1 << 38


@dataclass
class _Spooled:
    """A member in scratch space, or the reason why it is not there."""

    part: Part
    member: Member | None = None
    file: BinaryIO | None = None
    reading: Future[Look] | None = None


@dataclass
class Expander:
    """Expands containers within the bounds of one exhibit; use a new one for each.

    ``threads`` read members while others come out; ``ahead`` is how many wait at most.
    """

    opener: Opener
    threads: Executor
    scratch: Path
    bounds: Bounds = field(default_factory=Bounds)
    ahead: int = 8
    parts: int = 0
    given: int = 0
    """Parts listed and bytes taken out so far, for the bounds."""

    def members(
        self,
        file: BinaryIO,
        name: str,
        held: Contents,
        above: Path_ = (),
        chosen: frozenset[Path_] | None = None,
    ) -> Iterator[Part]:
        """Yield the parts of a container whose contents were listed, each before its own parts.

        Args:
            file: the container.
            name: its name.
            held: what it was found to hold.
            above: its own path in the exhibit.
            chosen: paths of the parts to yield, each with all that it holds; None: all.

        Raises:
            TransientError: the host ended the cell; nothing is known of the rest.
            HostError: there is no room for scratch files.
        """
        self.parts += len(held.members)
        waiting: deque[_Spooled] = deque()
        spooled = 0
        members = _on_the_way(held.members, above, chosen)
        with closing(self._taken(file, name, members, above)) as taken:
            try:
                for each in taken:
                    waiting.append(each)
                    spooled += max(each.part.size, 0)
                    while len(waiting) > self.ahead or (spooled > _SPOOLED and len(waiting) > 1):
                        spooled -= max(waiting[0].part.size, 0)
                        yield from self._finished(waiting.popleft(), above, chosen)
                while waiting:
                    yield from self._finished(waiting.popleft(), above, chosen)
            finally:
                for each in waiting:
                    _forget(each)

    def _taken(
        self, file: BinaryIO, name: str, members: Sequence[Member], above: Path_
    ) -> Generator[_Spooled, None, None]:
        """Yield every member in order, those that may be taken out spooled and being read."""
        refused = {each.index: why for each in members if (why := self._refusal(each))}
        wanted = [each.index for each in members if each.index not in refused]
        coming = iter(self.opener.unpack(file, name, wanted)) if wanted else iter(())
        for member in members:
            part = _part(member, above)
            if member.index in refused:
                yield _Spooled(_ended(part, *refused[member.index]))
                continue
            taken = next(coming, None)
            if taken is None or taken.index != member.index:
                yield _Spooled(_ended(part, State.NOT_READABLE, "damaged", _GONE))
                continue
            yield self._spool(member, part, taken)
        # The pass is let run to its end, which is where its failure would show.
        for _ in coming:
            pass

    def _refusal(self, member: Member) -> tuple[State, str] | None:
        if member.kind == "folder":
            return State.FOLDER, ""
        if member.kind != "file":
            return State.NOT_EXTRACTED, member.kind
        if member.encrypted:
            return State.ENCRYPTED, ""
        harmful = [each for each in member.unsafe if each.partition(":")[0] not in _NAMES_ONLY]
        for problem in harmful:
            if limit_of(problem):
                return State.LIMIT, problem
        if harmful:
            return State.NOT_EXTRACTED, harmful[0]
        if member.size > self.bounds.max_file_bytes:
            return State.LIMIT, exceeded("size", member.size, self.bounds.max_file_bytes)
        return None

    def _spool(self, member: Member, part: Part, taken: Taken) -> _Spooled:
        """Write a member to scratch space, fingerprinting it in the same pass."""
        file = tempfile.TemporaryFile(dir=self.scratch)  # noqa: SIM115 - closed by _forget
        try:
            print_, problem = self._write(taken.pieces(), file)
            file.flush()
            file.seek(0)
        except UnreadableError as error:
            file.close()
            code = str(error.facts.get("code", "damaged"))
            return _Spooled(_ended(part, State.NOT_READABLE, code, error.message))
        except BaseException:
            file.close()
            raise
        if problem:
            file.close()
            return _Spooled(_ended(part, State.LIMIT, problem))
        part = replace(part, fingerprint=print_)
        reading = self.threads.submit(self.opener.look, file, member.name, part.part)
        return _Spooled(part, member, file, reading)

    def _write(self, pieces: Iterable[bytes], file: BinaryIO) -> tuple[Fingerprint, str]:
        """Return the fingerprint of what was written, and the limit that ended it, if one did."""
        hasher, size, problem = Hasher(), 0, ""
        try:
            for piece in pieces:
                size += len(piece)
                self.given += len(piece)
                problem = self._exceeded(size)
                if problem:
                    break
                hasher.update(piece)
                file.write(piece)
        finally:
            print_ = hasher.finish()
        return print_, problem

    def _exceeded(self, size: int) -> str:
        if size > self.bounds.max_file_bytes:
            return exceeded("size", size, self.bounds.max_file_bytes)
        if self.given > self.bounds.max_total_bytes:
            return exceeded("total", self.given, self.bounds.max_total_bytes)
        return ""

    def _finished(
        self, each: _Spooled, above: Path_, chosen: frozenset[Path_] | None
    ) -> Iterator[Part]:
        """Yield a part, and the parts of it if it is a container."""
        if each.reading is None or each.file is None or each.member is None:
            if chosen is None or place(each.part.part) in chosen:
                yield each.part
            return
        try:
            seen = own_contents(each.member, each.reading.result())
            path = (*above, each.member.index)
            if chosen is not None and path not in chosen:
                if seen.contents is not None:
                    yield from self.members(
                        each.file, each.member.name, seen.contents, path, chosen
                    )
                return
            part, open_up = described(each.part, seen), False
            if seen.contents is not None:
                part, open_up = self.container(part, seen.contents, len(path))
            yield part
            if open_up and seen.contents is not None:
                yield from self.members(each.file, each.member.name, seen.contents, path)
        finally:
            each.file.close()

    def container(self, part: Part, held: Contents, depth: int) -> tuple[Part, bool]:
        """Return the part of a container, and whether it is to be expanded."""
        part = replace(part, format=held.format)
        why = too_much(held, depth, self.bounds, self.parts)
        if why is not None:
            return _ended(part, *why), False
        state, code = opened_up(held.problems)
        part = replace(part, members=len(held.members), member_bytes=held.total_bytes)
        if held.format == "pdf" and state is State.EXPANDED and part.state in FAILED:
            return part, True  # Pages that nobody could read are told before what lies beside.
        reason = explained(state, code)
        return replace(part, state=state.value, code=code[:64], reason=reason), True


def too_much(
    held: Contents, depth: int, bounds: Bounds, parts: int = 0
) -> tuple[State, str] | None:
    """Return why a container is not expanded at all, or None.

    Args:
        held: what it says that it holds.
        depth: how many containers it lies in.
        bounds: what its exhibit may expand to.
        parts: how many parts its exhibit has so far.
    """
    if depth >= bounds.max_depth:
        return State.TOO_DEEP, exceeded("depth", depth + 1, bounds.max_depth)
    for problem in held.problems:
        if limit_of(problem):
            return State.LIMIT, problem
    if "encrypted" in held.problems and not held.members:
        return State.ENCRYPTED, ""
    total = parts + len(held.members)
    if total > bounds.max_entries:
        return State.LIMIT, exceeded("entries", total, bounds.max_entries)
    return None


_GONE = (
    "容器在此项之前已损坏，未能取出。 The container is damaged before this member; "
    "it could not be taken out."
)
_REASONS = {
    State.PARTLY_EXPANDED: "未能完整展开 not wholly expanded",
    State.NOT_EXTRACTED: "未取出 not extracted",
    State.ENCRYPTED: "已加密，需要密码 encrypted, needs a password",
    State.TOO_DEEP: "容器层数过多，未再展开 too many containers inside each other",
    State.LIMIT: "超出限制，未取出 beyond a limit, not taken out",
}


def explained(state: State, code: str) -> str:
    """Return a reason for people: what it is, and for a limit the value and the limit."""
    text = _REASONS.get(state, "")
    limit = limit_of(code)
    if limit:
        return f"{text}：{limit[0]} {limit[1]} > {limit[2]}"
    return f"{text}：{code}" if text and code else text


def described(part: Part, seen: Look) -> Part:
    """Return a part with what was read of it."""
    transcript = seen.transcript
    ocr = sum(page.origin == "ocr" for page in transcript.pages)
    state, code = judged(transcript.state, ocr, transcript.flags)
    code = code or (UNLOCKED if UNLOCKED in transcript.flags else "")
    return replace(
        part,
        state=state.value,
        code=code,
        reason=transcript.reason[:500],
        media_type=transcript.media_type,
        transcript=transcript,
        likeness=seen.likeness or {},
    )


def _on_the_way(
    members: Sequence[Member], above: Path_, chosen: frozenset[Path_] | None
) -> Sequence[Member]:
    """Return the members that are chosen, or lead to parts that are."""
    if chosen is None:
        return members
    depth = len(above)
    ways = {path[depth] for path in chosen if len(path) > depth and path[:depth] == above}
    return [member for member in members if member.index in ways]


def _part(member: Member, above: Path_) -> Part:
    return Part(
        part="/".join(map(str, (*above, member.index))),
        name=member.name,
        state="",
        kind=member.kind,
        raw_name=member.raw_name,
        encoding=member.encoding,
        modified=member.modified,
        target=member.target,
        claimed=member.size,
        packed=member.packed,
        flags=member.unsafe,
    )


def _ended(part: Part, state: State, code: str, reason: str = "") -> Part:
    return replace(
        part, state=state.value, code=code[:64], reason=(reason or explained(state, code))[:500]
    )


def _forget(each: _Spooled) -> None:
    """Close a member's scratch file; one that is being read is waited for."""
    if each.reading is not None and not each.reading.cancel():
        each.reading.exception()
    if each.file is not None:
        each.file.close()

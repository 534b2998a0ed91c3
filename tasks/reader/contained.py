"""What lies in a container, asked of the cell: listed, and taken out in one pass.

Every frame that comes out of the cell is distrusted: it must be of a member that was asked
for, in the order of the container, and within the limits; anything else is the failure ``lie``.
A consumer may use the pool itself while members come: they have a worker beside the others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence

from tasks.reader.answer import Contents
from tasks.reader.cell import CellPool
from tasks.reader.containers import wanted as runs
from tasks.reader.containers.frames import Frame, FrameError, Kind, frames
from tasks.reader.documents import Document
from tasks.reader.failures import UnreadableError, unreadable_error
from tasks.reader.process import CellFailure, RefusedDocument
from tasks.reader.strict import loads, parse

_MAX_LISTING_BYTES = 256 << 20
# So many members may each end the cell that takes them out; then the rest is given up.
_MAX_PASSES = 50
_REMEDY = "请检查该项，或重新打包后提交。 Check the member, or pack it again and hand it in."


def contents(pool: CellPool, file: Document, name: str) -> Contents:
    """Return what ``file`` holds, judged; its ``format`` is empty if it is no container.

    Raises:
        UnreadableError: it is a container and cannot be listed.
    """
    parts: list[bytes] = []
    size = 0
    try:
        for frame in _frames(pool.stream("contents", file, name, _MAX_LISTING_BYTES)):
            if frame.kind is Kind.LIST:
                parts.append(frame.data)
                size += len(frame.data)
            elif frame.kind is not Kind.TICK:
                raise CellFailure("lie", "not a listing")
        found = parse(Contents, loads(b"".join(parts)))
        if [member.index for member in found.members] != list(range(len(found.members))):
            raise CellFailure("lie", "members out of order")
        return found
    except ValueError as error:
        raise unreadable_error(CellFailure("lie", str(error))) from error
    except CellFailure as failure:
        raise unreadable_error(failure) from failure


class Unpacked:
    """One member on its way out; good until the next one is asked for."""

    def __init__(self, index: int, pass_: _Pass | None, failure: Exception | None = None) -> None:
        """Stand for member ``index``, whose bytes come from ``pass_`` or fail at once."""
        self.index = index
        self._pass = pass_
        self._failure = failure

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes; what was yielded counts only once this has ended without an error.

        Raises:
            UnreadableError: damaged, larger than announced or allowed, or not a file.
        """
        if self._failure:
            raise self._failure
        if self._pass is None or self._pass.current is not self:
            raise RuntimeError("the bytes of a member can be taken once, before the next member")
        yield from self._pass.pieces(self)

    def spend(self, failure: Exception | None = None) -> None:
        """Let nothing more be taken: from now on ``failure`` is what there is, if any."""
        self._pass, self._failure = None, failure


def unpack(
    pool: CellPool, file: Document, name: str, wanted: Sequence[int]
) -> Generator[Unpacked, None, None]:
    """Yield each wanted member once, with ascending index, in one pass over the container.

    A member that cannot be taken out says so in ``pieces``; so do all that the container does
    not hold, and all that lie behind a place where the cell fails every time. After a failure
    the pass is made again from the next member on.

    Raises:
        TransientError: the host ended the cell; nothing is known of the members.
    """
    passes = 0
    for run in runs.split(sorted(set(wanted))):
        left = run
        while left:
            passes += 1
            one = _Pass(pool, file, name, left)
            yield from one.members()
            left = one.left
            if left and (not one.began or passes >= _MAX_PASSES):
                for index in left:
                    yield Unpacked(index, None, one.failure or _missing(index))
                break


class _Pass:
    """One pass of the cell over the container, as far as it comes."""

    def __init__(self, pool: CellPool, file: Document, name: str, wanted: tuple[int, ...]) -> None:
        self._wanted = wanted
        self._next_wanted = 0
        self.current: Unpacked | None = None
        self.began = False
        self.failure: Exception | None = None
        self._limits = pool.limits
        self._given = 0
        most = self._limits.max_total_bytes + (self._limits.max_total_bytes >> 8)
        chunks = pool.stream(
            "unpack", file, name, most + 64 * len(wanted) + (1 << 24), wanted=runs.encode(wanted)
        )
        self._chunks = chunks
        self._frames = _frames(chunks)

    @property
    def left(self) -> tuple[int, ...]:
        """Return the numbers of the members that did not come."""
        return self._wanted[self._next_wanted :]

    def members(self) -> Iterator[Unpacked]:
        """Yield the members until the cell ends or fails; ``left`` are those that did not come."""
        try:
            while self.failure is None and (frame := self._next()) is not None:
                if frame.kind is not Kind.BEGIN:
                    raise CellFailure("lie", "bytes of no member")
                yield from self._passed_over(self._place(frame.member))
                self._next_wanted += 1
                self.began = True
                self.current = member = Unpacked(frame.member, self)
                yield member
                if self.current is member:
                    self._drain(member)
            if self.failure is None:
                yield from self._passed_over(len(self._wanted))
        except CellFailure as failure:
            self._fail(failure)
        finally:
            self._chunks.close()

    def _place(self, index: int) -> int:
        """Return where ``index`` stands among what is still wanted, or raise ``CellFailure``."""
        place = bisect_left(self._wanted, index, self._next_wanted)
        if place == len(self._wanted) or self._wanted[place] != index:
            raise CellFailure("lie", "a member that nobody asked for")
        return place

    def _passed_over(self, until: int) -> Iterator[Unpacked]:
        """Yield the members that the container did not give although it went past them."""
        for index in self._wanted[self._next_wanted : until]:
            self._next_wanted += 1
            yield Unpacked(index, None, _missing(index))

    def pieces(self, member: Unpacked) -> Iterator[bytes]:
        """Yield the bytes of the current member; the cell's failures end the pass with it."""
        size = 0
        try:
            while (frame := self._next()) is not None and frame.kind is Kind.DATA:
                size += len(frame.data)
                self._given += len(frame.data)
                self._within(frame, member.index, size)
                yield frame.data
            self._close(member, frame)
        except CellFailure as failure:
            raise self._fail(failure) from failure

    def _drain(self, member: Unpacked) -> None:
        """Pass over what was not taken of a member."""
        try:
            for _ in self.pieces(member):
                pass
        except UnreadableError as failure:
            member.spend(failure)

    def _within(self, frame: Frame, index: int, size: int) -> None:
        if frame.member != index or not frame.data:
            raise CellFailure("lie", "bytes of another member")
        if size > self._limits.max_file_bytes or self._given > self._limits.max_total_bytes:
            raise CellFailure("lie", "more bytes than are allowed")

    def _close(self, member: Unpacked, frame: Frame | None) -> None:
        if frame is None or frame.member != member.index:
            raise CellFailure("lie", "a member without an end")
        self.current = None
        if frame.kind is Kind.FAIL:
            said = "".join(c for c in frame.data.decode(errors="replace") if c.isprintable())
            failure = RefusedDocument("refused", said[:1000])
            error = unreadable_error(failure)
            member.spend(error)
            raise error
        if frame.kind is not Kind.END:
            raise CellFailure("lie", "a member without an end")
        member.spend()

    def _fail(self, failure: CellFailure) -> Exception:
        """Take down that the pass has ended, and how; return what to tell the consumer."""
        error = unreadable_error(failure)
        if not isinstance(error, UnreadableError):
            raise error from failure
        self.failure = error
        if self.current:
            self.current.spend(error)
            self.current = None
        return error

    def _next(self) -> Frame | None:
        """Return the next frame that is no sign of life, None at the end."""
        for frame in self._frames:
            if frame.kind is not Kind.TICK:
                return frame
        return None


def _frames(chunks: Iterator[bytes]) -> Iterator[Frame]:
    try:
        yield from frames(chunks)
    except FrameError as error:
        raise CellFailure("lie", str(error)) from error


def _missing(index: int) -> UnreadableError:
    return UnreadableError(
        f"容器中没有第 {index} 项，或在该项之前已损坏。 "
        f"The container has no member {index}, or is damaged before it.",
        remedy=_REMEDY,
    )

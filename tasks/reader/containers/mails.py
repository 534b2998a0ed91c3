"""Mail as a container: attachments and attached mails; and a mailbox file, whose members are mails.

The text of a mail is no member: it is read as the mail itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.reader import mediatype
from tasks.reader.answer import Member
from tasks.reader.containers import mime, names
from tasks.reader.containers.walker import Entry, Tick
from tasks.reader.source import Source
from tasks.reader.strict import clean

_HEADER_LINE = re.compile(rb"[\w-]{1,80}:|>From ")
_PLAIN = ("", "7bit", "8bit", "binary")


class Mail:
    """A walk over the attachments of one mail."""

    format = "mail"

    def __init__(self, source: Source, tick: Tick) -> None:
        self.problems: list[str] = []
        self._source = source
        self._parts = mime.Parts(source, 0, source.size, tick)

    def __iter__(self) -> Iterator[Entry]:
        """Yield what is attached, in order."""
        index = 0
        for part in self._parts:
            if not part.body:
                yield self._entry(index, part)
                index += 1
        self.problems += self._parts.problems

    def _entry(self, index: int, part: mime.Part) -> Entry:
        name = part.name or _unnamed(index, part.media_type)
        member = Member(
            index=index,
            name=clean(name),
            raw_name="",
            encoding="",
            kind="file",
            size=part.end - part.start if part.encoding in _PLAIN else -1,
            packed=part.end - part.start,
            unsafe=label_problems(name),
        )
        return Entry(member, lambda: mime.decoded(self._source, part))


class Mailbox:
    """A walk over the mails of an mbox file (RFC 4155); each is its bytes as they stand there."""

    format = "mbox"

    def __init__(self, source: Source, tick: Tick) -> None:
        self.problems: list[str] = []
        self._source = source
        self._tick = tick

    def __iter__(self) -> Iterator[Entry]:
        """Yield the mails, named by their number."""
        start = self._after_line(0)
        index = 0
        for at in mime.find(self._source, 0, self._source.size, b"\nFrom ", self._tick):
            following = self._after_line(at + 1)
            if at + 1 < start or not self._separates(at, following):
                continue
            yield self._entry(index, start, at)
            index, start = index + 1, following
        yield self._entry(index, start, self._source.size)

    def _separates(self, at: int, following: int) -> bool:
        """Return whether a blank line stands before, and a header after the line at ``at``."""
        before = self._source.at(max(0, at - 2), min(2, at))
        blank = before.endswith(b"\n") or before == b"\n\r"
        return blank and bool(_HEADER_LINE.match(self._source.at(following, 100)))

    def _after_line(self, at: int) -> int:
        line = self._source.at(at, 1000)
        end = line.find(b"\n")
        return at + (len(line) if end < 0 else end + 1)

    def _entry(self, index: int, start: int, end: int) -> Entry:
        member = Member(
            index=index,
            name=f"{index + 1:06d}.eml",
            raw_name="",
            encoding="",
            kind="file",
            size=max(0, end - start),
            packed=max(0, end - start),
        )
        return Entry(member, lambda: mime.slices(self._source, start, end))


def is_mailbox(head: bytes) -> bool:
    """Return whether a mailbox starts here: a line of its own, then the headers of a mail."""
    line, _, rest = head.partition(b"\n")
    return line.startswith(b"From ") and mediatype.looks_like_mail(rest)


def label_problems(name: str) -> tuple[str, ...]:
    """Return what is wrong with a label as a path; labels may be empty and may be there twice."""
    found = names.unsafe_path(name.replace("\\", "/"))
    return tuple(reason for reason in found if reason in ("absolute", "parent"))


def _unnamed(index: int, media_type: str) -> str:
    return f"{index + 1:03d}.eml" if media_type == "message/rfc822" else f"{index + 1:03d}"

"""The two jobs: list a container, judged, and unpack chosen members of it in one pass."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial

from tasks.reader.answer import Contents
from tasks.reader.answering import write_all
from tasks.reader.containers import kinds, wanted
from tasks.reader.containers.frames import MAX_FRAME, Kind, Sender
from tasks.reader.containers.judging import Judge
from tasks.reader.containers.walker import Broken, Entry, Tick
from tasks.reader.job import Job, Refused
from tasks.reader.limits import Limits
from tasks.reader.source import Source
from tasks.reader.strict import as_json

_TICK_SECONDS = 1.0


def list_contents(job: Job, source: Source, descriptors: list[int]) -> dict[str, str]:
    """Write the ``Contents`` to the output, in LIST frames."""
    sender = Sender(partial(write_all, descriptors[2]))
    found = contents(source, limits_of(job), _ticker(sender))
    text = json.dumps(as_json(found), separators=(",", ":")).encode()
    for at in range(0, len(text), MAX_FRAME):
        sender.send(Kind.LIST, 0, text[at : at + MAX_FRAME])
    return {"format": found.format}


def unpack_members(job: Job, source: Source, descriptors: list[int]) -> dict[str, int]:
    """Write the members that ``job.wanted`` names to the output, in the container's order."""
    limits = limits_of(job)
    sender = Sender(partial(write_all, descriptors[2]))
    walk = kinds.walker(source, limits, _ticker(sender))
    if walk is None:
        raise Refused("不是压缩包等容器。 Not a container.")
    left = set(wanted.decode(job.wanted))
    for entry in walk:
        index = entry.member.index
        if index in left:
            left.discard(index)
            # At once: should this member end the process, the parent knows which it was.
            sender.send(Kind.BEGIN, index)
            _give(sender, entry, limits)
        if not left:
            break
    return {"missing": len(left)}


def contents(source: Source, limits: Limits, tick: Tick) -> Contents:
    """Return what ``source`` holds; raise ``Refused`` for a container that cannot be listed."""
    walk = kinds.walker(source, limits, tick)
    if walk is None:
        return Contents()
    judge = Judge(limits)
    stopped: list[str] = []
    try:
        for entry in walk:
            if not judge.add(entry.member):
                break
            tick()
    except Broken as error:
        stopped.append(error.code)
    except Refused:
        if not judge.members:
            raise
        stopped.append("damaged")
    return judge.contents(walk.format, [*walk.problems, *stopped])


def checked(entry: Entry, limits: Limits) -> Iterator[bytes]:
    """Yield the bytes of a member; raise ``Refused`` where they are not as it claims."""
    member, given = entry.member, 0
    if member.kind != "file":
        raise Refused("不是文件，没有内容可取出。 Not a file: there is nothing to take out.")
    if member.encrypted:
        raise Refused("该项已加密。 The entry is encrypted.")
    most = limits.max_file_bytes if member.size < 0 else min(member.size, limits.max_file_bytes)
    for piece in entry.pieces():
        given += len(piece)
        if given > most:
            raise Refused(f"大于声明或允许的大小。 Larger than announced or allowed: {most} bytes")
        yield piece
    if 0 <= member.size != given:
        raise Refused(f"小于声明的大小。 Smaller than announced: {given} < {member.size} bytes")


def limits_of(job: Job) -> Limits:
    """Return the limits that came with the job."""
    return Limits(
        job.max_entries,
        job.max_total_bytes,
        job.max_ratio,
        job.max_file_bytes,
        job.max_path_bytes,
    )


def _give(sender: Sender, entry: Entry, limits: Limits) -> None:
    index = entry.member.index
    try:
        for piece in checked(entry, limits):
            sender.data(index, piece)
    except Refused as error:
        sender.send(Kind.FAIL, index, str(error).encode(errors="replace")[:1000])
    except Exception as error:  # noqa: BLE001 - parsers raise anything, and other members go on
        said = f"已损坏，无法取出。 Damaged: it cannot be taken out. ({type(error).__name__})"
        sender.send(Kind.FAIL, index, said.encode())
    else:
        sender.send(Kind.END, index)


def _ticker(sender: Sender) -> Tick:
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if time.monotonic() - last >= _TICK_SECONDS:
            last = time.monotonic()
            sender.send(Kind.TICK)

    return tick

"""Asking witnesses for cosignatures over HTTP: what is sent, and what is believed of an answer.

A witness is a stranger's machine: its answer has a limit in time and in bytes, no redirect is
followed, and nothing in it counts but a cosignature by the configured key over exactly the note
that was sent, with a time that can be true. (C2SP tlog-witness, tlog-cosignature.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from storage.checkpoint import Checkpoint, parse_number
from storage.cosignature import Cosignature, parse_lines
from storage.errors import CustodyError, HostError, IntegrityError, TransientError
from storage.note import Note
from storage.witness import SIZE_TYPE, AddCheckpoint
from tasks.witnesses import Standing

SECONDS = 20.0
"""Time for one request, from connecting to the last byte of the answer."""
MAX_ANSWER = 64 << 10
"""Bytes of an answer."""
AHEAD = 300
"""Seconds by which a cosignature's time may be ahead of this machine's clock."""

Prove = Callable[[int], Sequence[bytes]]
"""Returns the consistency proof from an older size to the checkpoint's."""


@dataclass(frozen=True)
class Ask:
    """What every witness is asked, and what is needed to judge an answer.

    ``published`` tells the log's published size of this moment, ``now`` is POSIX seconds.
    """

    note: Note
    checkpoint: Checkpoint
    prove: Prove
    published: Callable[[], int]
    now: float


@dataclass(frozen=True)
class Outcome:
    """How one witness answered: its cosignature, or why there is none.

    ``forgot`` is the size that the witness now says it saw last, if that is less than what it
    cosigned before: its state was put back.
    """

    standing: Standing
    line: Cosignature | None = None
    error: CustodyError | None = None
    forgot: int | None = None


@dataclass(frozen=True)
class _Reply:
    status: int
    content_type: str
    body: bytes


def ask_all(ask: Ask, standings: Sequence[Standing]) -> list[Outcome]:
    """Ask witnesses at once; how each ends is its own outcome, and none stops another."""

    async def run() -> list[Outcome]:
        return await asyncio.gather(*(_ask(ask, each) for each in standings))

    # A thread of its own: the caller may already run in an event loop.
    with ThreadPoolExecutor(1, thread_name_prefix="witnesses") as pool:
        return pool.submit(asyncio.run, run()).result()


async def _ask(ask: Ask, standing: Standing) -> Outcome:
    forgot: int | None = None
    try:
        reply = await _send(ask, standing, standing.size)
        if _says_size(reply):
            size = await asyncio.to_thread(_size_to_follow, ask, standing, reply)
            forgot = size if size < standing.size else None
            reply = await _send(ask, standing, size)
        return Outcome(standing, _judge(ask, standing, reply), forgot=forgot)
    except CustodyError as error:
        return Outcome(standing, error=error, forgot=forgot)
    except Exception as error:  # noqa: BLE001 - a stranger's answer must not stop the others
        name = standing.witness.name
        return Outcome(
            standing, error=IntegrityError(f"{name} answers unusably: {type(error).__name__}")
        )


async def _send(ask: Ask, standing: Standing, old: int) -> _Reply:
    proof = await asyncio.to_thread(ask.prove, old) if old else ()
    body = str(AddCheckpoint(old, tuple(proof), ask.note)).encode()
    url = f"{standing.witness.url.rstrip('/')}/add-checkpoint"
    name = standing.witness.name
    try:
        async with asyncio.timeout(SECONDS):
            return await _post(url, body, name)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise TransientError(
            f"{name} did not answer within {SECONDS:g} seconds", remedy="it is asked again"
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise TransientError(
            f"{name} cannot be reached: {error or type(error).__name__}",
            remedy=f"is a witness running at {standing.witness.url}? it is asked again",
        ) from error


async def _post(url: str, body: bytes, name: str) -> _Reply:
    headers = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
    # Proxies named in the environment are not used: settings have one door.
    async with (
        httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", url, content=body, headers=headers) as response,
    ):
        answer = bytearray()
        async for piece in response.aiter_raw():
            answer += piece
            if len(answer) > MAX_ANSWER:
                raise IntegrityError(f"{name} answers more than {MAX_ANSWER} bytes")
        content_type = response.headers.get("content-type", "").partition(";")[0].strip()
        return _Reply(response.status_code, content_type, bytes(answer))


def _says_size(reply: _Reply) -> bool:
    return reply.status == 409 and reply.content_type == SIZE_TYPE


def _size_to_follow(ask: Ask, standing: Standing, reply: _Reply) -> int:
    """Return the size that a witness says it cosigned last, if a proof from there is possible."""
    name = standing.witness.name
    text = reply.body.decode("utf-8", "replace")
    if not text.endswith("\n"):
        raise IntegrityError(f"{name} names a size that is none")
    size = parse_number(text[:-1])
    if size == standing.size:
        raise IntegrityError(f"{name} refuses the size {size} and names the same")
    if size <= ask.checkpoint.size:
        return size
    if size <= ask.published():
        raise TransientError(
            f"{name} has just cosigned a newer checkpoint", remedy="it is asked again"
        )
    raise IntegrityError(
        f"{name} has cosigned {size} entries of this log, but {ask.checkpoint.size} are published: "
        "the log was rolled back, or another log signs with its key",
        remedy="stop; keep everything; ask the witness for the checkpoint that it holds",
        size=size,
    )


def _judge(ask: Ask, standing: Standing, reply: _Reply) -> Cosignature:
    """Return the cosignature in an answer, if it is one that can be true.

    Raises:
        CustodyError: any other answer; its family says whether asking again may help.
    """
    if reply.status != 200:
        raise _refused(standing, reply)
    verifier = standing.witness.verifier
    line = verifier.find(ask.note.text, parse_lines(reply.body))
    if line.time > ask.now + AHEAD:
        raise IntegrityError(
            f"{verifier.name} gives a time {line.time - ask.now:.0f} seconds ahead of this clock",
            remedy="compare both clocks with a time server",
        )
    if line.time < standing.time:
        raise IntegrityError(
            f"{verifier.name} gives a time before the one it gave last",
            remedy="ask its operator whether its clock or its state was put back",
        )
    return line


def _refused(standing: Standing, reply: _Reply) -> CustodyError:
    name, status = standing.witness.name, reply.status
    if _says_size(reply):
        return TransientError(f"{name} was asked by somebody else at once")
    if status in (409, 422):
        return IntegrityError(
            f"{name} refuses: what is published here does not extend what it cosigned "
            f"({status}); one of the two logs is a fork",
            remedy="stop; keep everything; compare with the checkpoint that the witness holds",
            status=status,
        )
    if status in (403, 404):
        return HostError(
            f"{name} does not know this log or its key ({status})",
            remedy="give its operator keys/log.pub; after a key rotation, the new one too",
            status=status,
        )
    if status in (408, 429) or status >= 500:
        return TransientError(f"{name} cannot work just now ({status})", remedy="ask again later")
    return HostError(
        f"{name} answers {status}, which no witness answers here",
        remedy=f"is {standing.witness.url} the address of its add-checkpoint, without that word?",
        status=status,
    )

"""The rule of a witness (C2SP tlog-witness v1): which checkpoint may be cosigned. Pure.

A request names the size that the witness is believed to have cosigned last, proves that the new
checkpoint extends it, and brings the checkpoint::

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=     at most 63 hashes, none if old is 0
    <empty line>
    <the signed checkpoint>

What is asked, in order, and how a witness answers when it is not so:

1. The request has this form: 400.
2. The checkpoint's origin is a log that the witness knows: 404.
3. A known key of that log signed it, and no known key's signature is bad: 403.
4. The old size is not above the checkpoint's: 400.
5. The old size is that of the last checkpoint cosigned, 0 for none: 409 with that size.
6. If the sizes are equal, the roots are: 409. Two such checkpoints, both signed, prove a fork.
7. The proof verifies, and is empty where nothing is to be proven: 422.

Only then is the checkpoint made durable and cosigned: 200 with the cosignature's line. A
checkpoint of no entries is refused under 1: there is nothing to be a witness of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.checkpoint import Checkpoint, parse_body, parse_number
from storage.errors import IntegrityError
from storage.merkle import HASH_SIZE, verify_consistency
from storage.note import (
    Note,
    NoteError,
    SignatureError,
    Verifier,
    decode_base64,
    encode_base64,
    open_note,
    parse_note,
)

MAX_PROOF = 63
"""Hashes of a consistency proof."""
MAX_REQUEST = 256 << 10
"""Bytes of a request: room for sixteen signatures of any kind in use."""
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"

Logs = Mapping[str, Sequence[Verifier]]
"""The keys that a witness trusts, by the log's origin."""


class RequestError(IntegrityError):
    """A request to a witness has not the specified form."""


@dataclass(frozen=True)
class Answer:
    """What a witness answers over HTTP."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


class RefusedError(IntegrityError):
    """The witness does not cosign; ``answer`` says why. ``forked`` marks proof of a fork."""

    def __init__(self, answer: Answer, *, forked: bool = False) -> None:
        """Keep the answer."""
        super().__init__(answer.body.rstrip("\n"))
        self.answer = answer
        self.forked = forked

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.answer, self.forked)


def _rebuild(answer: Answer, forked: bool) -> RefusedError:
    return RefusedError(answer, forked=forked)


@dataclass(frozen=True)
class AddCheckpoint:
    """A request as parsed: old size, proof, and the checkpoint's signed note, not verified yet."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        lines = [f"old {self.old}", *map(encode_base64, self.proof)]
        return "".join(f"{line}\n" for line in lines) + f"\n{self.note}"


def parse_request(untrusted: bytes) -> AddCheckpoint:
    """Parse a request; only the spelling that ``str`` writes is accepted.

    Raises:
        RequestError: it has not that form.
    """
    if len(untrusted) > MAX_REQUEST:
        raise RequestError("the request is too long", size=len(untrusted))
    try:
        head, separator, note = untrusted.decode().partition("\n\n")
        old, *proof = head.split("\n")
        if not separator or not old.startswith("old "):
            raise RequestError("the request does not begin with the old size and its proof")
        hashes = tuple(map(decode_base64, proof))
        if len(hashes) > MAX_PROOF or any(len(each) != HASH_SIZE for each in hashes):
            raise RequestError("the proof is too long, or holds something else than hashes")
        return AddCheckpoint(
            parse_number(old.removeprefix("old ")), hashes, parse_note(note.encode())
        )
    except UnicodeDecodeError as error:
        raise RequestError("the request is not UTF-8") from error
    except IntegrityError as error:
        raise RequestError(error.message) from error


def admit(untrusted: bytes, logs: Logs) -> tuple[AddCheckpoint, Checkpoint]:
    """Ask questions 1 to 4; return the request and its authentic checkpoint.

    Raises:
        RefusedError: one of them is answered with no.
    """
    try:
        request = parse_request(untrusted)
        checkpoint = parse_body(request.note.text)
    except IntegrityError as error:
        raise _refused(400, error.message) from error
    if checkpoint.origin not in logs:
        raise _refused(404, "this witness does not know that log")
    try:
        open_note(str(request.note).encode(), logs[checkpoint.origin])
    except (NoteError, SignatureError) as error:
        raise _refused(403, error.message) from error
    if request.old > checkpoint.size:
        raise _refused(400, "the old size is above the checkpoint's")
    return request, checkpoint


def require_extends(
    request: AddCheckpoint, checkpoint: Checkpoint, known: Checkpoint | None
) -> None:
    """Ask questions 5 to 7, given the last checkpoint cosigned for this log.

    Raises:
        RefusedError: one of them is answered with no.
    """
    size = known.size if known else 0
    if request.old != size:
        # Whatever its old size, a second root of the size cosigned last proves a fork.
        forked = known is not None and checkpoint.size == size and checkpoint.root != known.root
        raise RefusedError(Answer(409, f"{size}\n", SIZE_TYPE), forked=forked)
    if known is None:
        if request.proof:
            raise _refused(422, "from the old size 0 nothing is to be proven")
        return
    if checkpoint.size == size and checkpoint.root != known.root:
        why = f"another checkpoint of {size} entries with another root is cosigned"
        raise RefusedError(Answer(409, f"{why}\n"), forked=True)
    try:
        verify_consistency(size, checkpoint.size, request.proof, known.root, checkpoint.root)
    except IntegrityError as error:
        raise _refused(422, error.message) from error


def _refused(status: int, why: str) -> RefusedError:
    return RefusedError(Answer(status, f"{why}\n"))


def parse_logs(untrusted: str) -> dict[str, list[Verifier]]:
    """Parse a file of log keys: one ``vkey`` a line; several of one log are told by their name.

    Raises:
        NoteError: a line is no ``vkey``, or there is none.
    """
    logs: dict[str, list[Verifier]] = {}
    for line in untrusted.removesuffix("\n").split("\n"):
        verifier = Verifier.parse(line)
        logs.setdefault(verifier.name, []).append(verifier)
    return logs

"""A witness with its key and its state in one folder, and nothing else: no workspace, no database.

::

    witness.key            private key, 0600
    lock                   held while a request is judged and its outcome made durable
    logs/<origin hash>     one row a log: the last cosigned checkpoint, with the log's signatures
                           and this witness's own cosignature
    evidence/<...>         checkpoints that contradict a cosigned one, both signed by the log

The order that keeps the promise: under the lock, the row is read, the request judged, the new
row written durably (a rename of a file that is on disk), and only then is the answer given. So
two requests at once are judged one after the other, and a kill leaves the old row or the new
one; after the new one the log asks again and is told the size.

A row is believed only if this witness's own cosignature on it verifies: a row that was edited,
or is another witness's, stops all signing for its log. A row that is older than what this
process has seen is refused too. What the witness cannot notice by itself: that its whole folder
was put back to an older state, or a row was removed, while it did not run. The log notices,
because it holds the newer cosignature.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from storage.checkpoint import Checkpoint, parse_body
from storage.cosignature import Cosignature, CosignatureVerifier
from storage.errors import HostError, IntegrityError, NotFoundError
from storage.note import Note, open_note
from storage.witness import Answer, Logs, RefusedError, admit, require_extends
from storage.witness_key import load_witness_key, unusable
from storage.workspace import write_durably

CLOCK_SLACK = 300
"""Seconds by which the clock may have gone back; the time given then stands still."""
MAX_EVIDENCE = 100
"""Files kept of checkpoints that contradict each other."""


class WitnessStateError(IntegrityError):
    """What the witness remembers cannot be trusted; it cosigns nothing of that log."""


@dataclass(frozen=True)
class Row:
    """The last cosigned checkpoint of one log: parsed, with its time, and the note verbatim."""

    checkpoint: Checkpoint
    time: int
    text: str


def origin_hash(origin: str) -> str:
    """Return the name of a log's row: SHA-256 of the origin, hex (as monitors ask for it)."""
    return sha256(origin.encode()).hexdigest()


class Witness:
    """One witness, ready to be asked; any number of threads and processes share its folder."""

    def __init__(self, folder: Path, logs: Logs, clock: Callable[[], float]) -> None:
        """Load the key and every known log's row.

        Args:
            folder: where key and state lie.
            logs: the keys that are trusted, by origin.
            clock: POSIX seconds of now.

        Raises:
            HostError: the key is missing or cannot be used, or the folder is not there.
            WitnessStateError: a row cannot be trusted.
        """
        self._folder = folder
        self._logs = logs
        self._clock = clock
        self._signer = load_witness_key(folder)
        self._seen: dict[str, Checkpoint] = {}
        with self._lock():
            for origin in logs:
                self._read(origin)

    @property
    def verifier(self) -> CosignatureVerifier:
        """The witness's public key."""
        return self._signer.verifier

    def rows(self) -> dict[str, Row | None]:
        """Return the last cosigned checkpoint of each known log.

        Raises:
            WitnessStateError: a row cannot be trusted.
        """
        with self._lock():
            return {origin: self._read(origin) for origin in self._logs}

    def row_named(self, name: str) -> Row:
        """Return the row of the log whose ``origin_hash`` this is.

        Raises:
            NotFoundError: the log is not known, or was never cosigned.
        """
        for origin, row in self.rows().items():
            if origin_hash(origin) == name and row is not None:
                return row
        raise NotFoundError("this witness has cosigned no such log")

    def evidence(self) -> list[str]:
        """Return the names of the files that prove a log's misbehaviour, sorted."""
        return sorted(each.name for each in (self._folder / "evidence").iterdir())

    def add_checkpoint(self, untrusted: bytes) -> Answer:
        """Judge a request and answer it; a cosignature leaves only after its row is durable.

        Raises:
            HostError: the state cannot be written, or the clock went back too far.
            WitnessStateError: the state cannot be trusted.
        """
        try:
            request, checkpoint = admit(untrusted, self._logs)
            with self._lock():
                row = self._read(checkpoint.origin)
                try:
                    require_extends(request, checkpoint, row.checkpoint if row else None)
                except RefusedError as refused:
                    if refused.forked and row is not None:
                        self._keep_evidence(request.note, checkpoint, row)
                    raise
                line = self._signer.cosign(checkpoint, self._time(row))
                self._write(request.note, checkpoint, line)
        except RefusedError as refused:
            return refused.answer
        return Answer(200, str(line))

    def _time(self, row: Row | None) -> int:
        """Return the time to sign: never before the one signed last."""
        now, last = int(self._clock()), row.time if row else 1
        if last - now > CLOCK_SLACK:
            raise HostError(
                f"the clock shows {last - now} seconds less than when this witness signed last",
                remedy="set this machine's clock right; nothing is cosigned until then",
            )
        return max(now, last)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            descriptor = os.open(
                self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise unusable(self._folder, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _path(self, origin: str) -> Path:
        return self._folder / "logs" / origin_hash(origin)

    def _read(self, origin: str) -> Row | None:
        path = self._path(origin)
        try:
            row = _parse_row(path.read_bytes(), self._signer.verifier, origin)
        except FileNotFoundError:
            row = None
        except OSError as error:
            raise unusable(self._folder, error) from error
        except IntegrityError as error:
            raise WitnessStateError(
                f"the state of {origin} in {path} cannot be trusted: {error.message}",
                remedy="restore the newest copy of this file; keep the damaged one as evidence",
            ) from error
        self._require_not_older(origin, row)
        return row

    def _require_not_older(self, origin: str, row: Row | None) -> None:
        seen = self._seen.get(origin)
        if seen is not None and (row is None or not _not_older(row.checkpoint, seen)):
            raise WitnessStateError(
                f"the state of {origin} is older than the {seen.size} entries cosigned before",
                remedy="somebody put back an older state: restore the newest one",
            )
        if row is not None:
            self._seen[origin] = row.checkpoint

    def _write(self, note: Note, checkpoint: Checkpoint, line: Cosignature) -> None:
        """Make the new row durable."""
        known = {(each.name, each.key_id) for each in self._logs[checkpoint.origin]}
        kept = [each for each in note.signatures if (each.name, each.key_id) in known]
        text = f"{Note(note.text, tuple(kept))}{line}"
        try:
            write_durably(self._path(checkpoint.origin), text.encode(), 0o600)
        except OSError as error:
            raise unusable(self._folder, error) from error
        self._seen[checkpoint.origin] = checkpoint

    def _keep_evidence(self, note: Note, checkpoint: Checkpoint, row: Row) -> None:
        """Keep two signed checkpoints that contradict each other, as far as there is room."""
        folder = self._folder / "evidence"
        name = f"{origin_hash(checkpoint.origin)[:16]}-{checkpoint.size}-{checkpoint.root.hex()}"
        if len(self.evidence()) < MAX_EVIDENCE and not (folder / name).exists():
            try:
                write_durably(folder / name, f"{note}\n{row.text}".encode(), 0o600)
            except OSError as error:
                raise unusable(self._folder, error) from error


def _parse_row(untrusted: bytes, verifier: CosignatureVerifier, origin: str) -> Row:
    note = open_note(untrusted, [verifier])
    checkpoint = parse_body(note.text)
    if checkpoint.origin != origin:
        raise WitnessStateError(f"it is of {checkpoint.origin}")
    return Row(checkpoint, verifier.find(note.text, note.signatures).time, str(note))


def _not_older(row: Checkpoint, seen: Checkpoint) -> bool:
    return row.size > seen.size or row.head == seen.head

"""The private keys of a workspace, and the rotation of the log's key.

A rotation is an event (``key_rotated``) with a statement signed by the old and the new key. The
old key signs the checkpoint whose last entry that event is, the new one everything after. From
then on the old private key is of no use to anybody, and it is removed.

What a crash leaves behind is finished by the next opening: the new key waits in ``log.key.next``
until the published log holds its rotation, and only then takes the place of the old one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from storage.errors import HostError, StateError
from storage.keyring import KeyRing, follow_rotations, rotation_statement
from storage.keys import read_signer
from storage.note import Signer, Verifier
from storage.policy import load_policy, write_policy
from storage.private import write_private
from storage.sm2 import Sm2Key
from storage.workspace import Workspace, fsync_folder


class WorkspaceSigners:
    """The ``Signers`` of a workspace: keys from ``keys/``, the ring from its policy."""

    def __init__(self, workspace: Workspace, origin: str) -> None:
        """Load the key that is in use.

        Raises:
            HostError: no key, a key that others may read, a damaged key, or another log's.
        """
        self._workspace = workspace
        self._origin = origin
        self._signers = [read_signer(workspace.log_key, origin)]
        self._ring = load_policy(workspace).ring
        self._sm2: Sm2Key | None = None

    @property
    def can_sign(self) -> bool:
        """Say that this machine signs; see ``Signers.can_sign``."""
        return True

    def ring(self, rotations: Sequence[tuple[int, str]]) -> KeyRing:
        """Return the log's keys; see ``Signers.ring``."""
        missing = rotations[len(self._ring.spans) - 1 :]
        if missing:
            self._ring = follow_rotations(self._ring, missing)
        return self._ring

    def signer(self, key: Verifier) -> Signer:
        """Return the private half of a key; see ``Signers.signer``."""
        for each in self._signers:
            if each.verifier == key:
                return each
        for path in (self._workspace.log_key, self._workspace.next_key):
            if path.exists():
                found = read_signer(path, self._origin)
                if found.verifier == key:
                    self._signers.append(found)
                    return found
        raise HostError(
            f"this machine does not hold the log's key {key.key_id.hex()}",
            remedy="it was rotated elsewhere: copy keys/log.key and keys/policy.json from there",
            key=str(key),
        )

    def countersign(self, note_text: str) -> str:
        """Add the SM2 signature, if the workspace has an SM2 key; see ``Signers.countersign``."""
        if not self._workspace.sm2_key.exists():
            return note_text
        if self._sm2 is None:
            self._sm2 = Sm2Key(self._workspace.sm2_key, self._origin)
        return self._sm2.countersign(note_text)

    def settle(self, rotations: Sequence[tuple[int, str]], published_size: int) -> bool:
        """Let a new key take the place of the old one once its rotation is published.

        Returns whether anything changed. Repeating it after a crash ends in the same files.
        """
        done = [each for each in rotations if each[0] < published_size]
        ring = self.ring(done)
        policy = load_policy(self._workspace)
        following = self._workspace.next_key
        if len(ring.spans) > len(policy.ring.spans):
            write_policy(self._workspace, replace(policy, ring=ring))
        if not following.exists():
            return False
        if read_signer(following, self._origin).verifier != ring.current:
            return False
        following.replace(self._workspace.log_key)
        fsync_folder(self._workspace.keys)
        self._signers = [read_signer(self._workspace.log_key, self._origin)]
        return True

    def prepare(self) -> tuple[Verifier, str]:
        """Make the key that shall follow; return it and the statement signed by both.

        A key that an interrupted rotation left is used again.
        """
        following = self._workspace.next_key
        if not following.exists():
            new = Signer(self._origin, secrets.token_bytes(32))
            write_private(following, f"{new.private_text()}\n".encode())
        new = read_signer(following, self._origin)
        old = self.signer(self._ring.current)
        if new.verifier == old.verifier:
            raise StateError(
                "the waiting key is already in use", remedy="remove keys/log.key.next and try again"
            )
        return new.verifier, rotation_statement(old, new)

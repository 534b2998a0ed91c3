"""A house without the log's private key: it signs nothing.

A further host of an installation records all the same: its events wait in the inbox until the
host that keeps the log sequences them. What a rebuild makes of a copy of the objects and the
public key, on any machine, can be read and proven, and nothing can be recorded in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.errors import HostError
from storage.keyring import KeyRing, follow_rotations
from storage.note import Signer, Verifier
from storage.policy import load_policy
from storage.signing import WorkspaceSigners
from storage.workspace import Workspace


class KeylessSigners(WorkspaceSigners):
    """The ``Signers`` of a workspace that holds public keys alone."""

    def __init__(self, workspace: Workspace) -> None:
        """Load the ring of public keys.

        Raises:
            HostError: neither policy nor public key is there.
        """
        self._workspace = workspace
        self._ring = load_policy(workspace).ring

    @property
    def can_sign(self) -> bool:
        """Say that another machine signs; see ``Signers.can_sign``."""
        return False

    def ring(self, rotations: Sequence[tuple[int, str]]) -> KeyRing:
        """Return the log's keys; see ``Signers.ring``."""
        return follow_rotations(self._ring, rotations[len(self._ring.spans) - 1 :])

    def signer(self, key: Verifier) -> Signer:
        """Refuse: there is no private key."""
        raise no_private_key(self._workspace)

    def settle(self, rotations: Sequence[tuple[int, str]], published_size: int) -> bool:
        """Change nothing: there is no key that could take another's place."""
        return False

    def prepare(self) -> tuple[Verifier, str]:
        """Refuse: there is no private key."""
        raise no_private_key(self._workspace)


def no_private_key(workspace: Workspace) -> HostError:
    """Return the error of a step that would have to be recorded."""
    return HostError(
        "这里没有日志私钥，只能查阅和核验，不能记录 this house holds no private key: "
        "it can be read and verified, and nothing can be recorded in it",
        remedy=f"put the log's key at {workspace.log_key}, readable by its owner alone; or, on a "
        "further host of an installation, set CUSTODY_LOG_KEEPER=elsewhere",
    )

"""The audit of the whole log: every entry, every hash, every predecessor, every chain, every key.

Needs the published log and the policy's keys; no database, no objects. Whoever runs it with a
policy pinned elsewhere trusts this installation for nothing. (RULES CU-01, CU-09.)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storage.chains import ChainAudit
from storage.errors import InputError, IntegrityError
from storage.findings import Finding
from storage.keyring import KeyRing
from storage.log import LogReader
from storage.policy import load_policy, parse_policy
from storage.reconcile import kept_head
from storage.settings import Settings
from storage.stores import open_stores
from storage.workspace import Workspace


@dataclass(frozen=True)
class LogAudit:
    """What the audit of a log found; ``clocks`` are flagged entries, which are not faults."""

    checkpoint: str
    entries: int
    subjects: int
    actions: dict[str, int]
    findings: tuple[Finding, ...]
    clocks: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing at all is wrong."""
        return bool(self.checkpoint) and not self.findings

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {**asdict(self), "ok": self.ok}


def audit_log(chosen: Settings, policy: Path | None = None) -> LogAudit:
    """Walk the whole published log of a workspace.

    Args:
        chosen: names the workspace and its store.
        policy: the auditor's own policy file; None for the workspace's.

    Raises:
        InputError: the policy file cannot be used.
        HostError: there is no workspace, or its keys are missing.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    ring = load_policy(workspace).ring if policy is None else read_ring(policy)
    _, log_store = open_stores(chosen, workspace)
    audit = ChainAudit(ring)
    check = LogReader(log_store, ring).check(kept_head(workspace, ring), keep=audit.take)
    return LogAudit(
        check.checkpoint_text,
        audit.entries,
        audit.subjects,
        dict(sorted(audit.actions.items())),
        (*check.findings, *audit.findings),
        tuple(audit.clocks),
    )


def read_ring(policy: Path) -> KeyRing:
    """Return the keys of a policy file that somebody pinned.

    Raises:
        InputError: it cannot be read, or is no policy.
    """
    try:
        return parse_policy(policy.read_bytes()).ring
    except (OSError, IntegrityError) as error:
        raise InputError(
            f"{policy} cannot be used as a policy: {error}",
            remedy="name the policy.json that the bureau published",
        ) from error

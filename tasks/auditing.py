"""The audit of the whole log: every entry, every hash, every predecessor, every chain, every key.

Needs the published log and the policy's keys; no database, no objects. Whoever runs it with a
policy pinned elsewhere trusts this installation for nothing. (RULES CU-01, CU-09.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storage.chains import ChainAudit
from storage.errors import InputError, IntegrityError
from storage.findings import Finding
from storage.log import LogReader
from storage.policy import Policy, load_policy, parse_policy
from storage.reconcile import kept_head
from storage.settings import Settings
from storage.sm2 import verify_sm2
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
    trusted = load_policy(workspace) if policy is None else read_policy(policy)
    ring = trusted.ring
    _, log_store = open_stores(chosen, workspace)
    audit = ChainAudit(ring)
    check = LogReader(log_store, ring).check(kept_head(workspace, ring), keep=audit.take)
    return LogAudit(
        check.checkpoint_text,
        audit.entries,
        audit.subjects,
        dict(sorted(audit.actions.items())),
        (*check.findings, *audit.findings, *_sm2(check.checkpoint_text, trusted)),
        tuple(audit.clocks),
    )


def _sm2(checkpoint: str, trusted: Policy) -> Iterator[Finding]:
    """Yield a finding if the policy names an SM2 key that did not sign the checkpoint."""
    if trusted.sm2 and checkpoint:
        try:
            verify_sm2(checkpoint.encode(), trusted.ring.name, trusted.sm2)
        except IntegrityError as error:
            yield Finding(None, "sm2", error.message)


def read_policy(policy: Path) -> Policy:
    """Return a policy file that somebody pinned.

    Raises:
        InputError: it cannot be read, or is no policy.
    """
    try:
        return parse_policy(policy.read_bytes())
    except (OSError, IntegrityError) as error:
        raise InputError(
            f"{policy} cannot be used as a policy: {error}",
            remedy="name the policy.json that the bureau published",
        ) from error

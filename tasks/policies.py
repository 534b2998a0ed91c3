"""The policy of this installation: its keys as pinned, its authorities and witnesses as configured.

An auditor takes the policy once, from the bureau's publication, and from then on believes it
alone; here it is made, brought up to date, and compared with a published one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from storage.policy import Policy, load_policy, write_policy
from storage.settings import Settings
from storage.sm2 import Sm2Key, make_sm2_key
from storage.workspace import Workspace
from tasks import authorities, witnesses
from tasks.auditing import read_policy


def present_policy(chosen: Settings) -> Policy:
    """Return the policy that follows from the keys and the settings; nothing is written.

    Raises:
        HostError: there is no workspace, or a setting names a file that cannot be used.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    seen_by = tuple(
        {"vkey": str(each.verifier), "url": each.url} for each in witnesses.configured(chosen)
    )
    return replace(
        load_policy(workspace),
        authorities=tuple(each.as_policy() for each in authorities.configured(chosen)),
        witnesses=seen_by,
        witnesses_needed=min(chosen.witnesses_needed, len(seen_by)),
    )


def refresh_policy(chosen: Settings) -> Policy:
    """Write the policy that follows from the keys and the settings, and return it."""
    policy = present_policy(chosen)
    write_policy(Workspace(chosen.home), policy)
    return policy


def differences(chosen: Settings, published: Path) -> list[str]:
    """Return what differs between a published policy and ours, one line each.

    Raises:
        InputError: the file cannot be read, or is no policy.
    """
    return list(_differences(present_policy(chosen), read_policy(published)))


def make_sm2(chosen: Settings) -> Policy:
    """Make an SM2 key that signs checkpoints from now on, and put it into the policy.

    Raises:
        ConflictError: there is one already.
    """
    workspace = Workspace(chosen.home)
    workspace.require()
    make_sm2_key(workspace.sm2_key)
    key = Sm2Key(workspace.sm2_key, chosen.log_origin)
    write_policy(workspace, replace(load_policy(workspace), sm2=key.public_pem))
    return refresh_policy(chosen)


def _differences(ours: Policy, other: Policy) -> Iterator[str]:
    if ours.ring.name != other.ring.name:
        yield f"日志名称不同 another log: {other.ring.name}"
    elif ours.ring != other.ring:
        yield "密钥或其签署范围不同 the keys, or the sizes that they sign, differ"
    if ours.authorities != other.authorities:
        yield "时间戳机构不同 the timestamp authorities differ"
    if ours.witnesses != other.witnesses:
        yield "见证方不同 the witnesses differ"
    if ours.witnesses_needed != other.witnesses_needed:
        yield (
            f"所需见证数不同 another number of witnesses is needed: {other.witnesses_needed}, "
            f"here {ours.witnesses_needed}"
        )
    if ours.sm2 != other.sm2:
        yield "SM2 公钥不同 the SM2 key differs"

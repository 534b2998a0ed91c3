"""The policy: what an auditor pins, as one JSON file (``keys/policy.json``). Pure but for its file.

::

    {"schema": "zhenglian.policy/1",
     "log": "zhenglian.local/custody",
     "keys": [{"vkey": "zhenglian.local/custody+2f1bd3c0+AZ3g...", "first": 1, "last": null}],
     "authorities": [{"name": "tsa", "url": "http://...", "certificates": ["-----BEGIN ..."]}],
     "witnesses": [{"vkey": "example.org/witness+...", "url": "http://..."}],
     "witnesses_needed": 0}

Whoever verifies trusts what stands here and nothing else: the log's keys with the sizes that each
signs, the authorities whose timestamps count, and the witnesses, of which so many must have seen
a checkpoint; ``sm2``, where it is given, is the key whose SM2 signature every checkpoint carries
beside. A policy that came with the evidence must be compared with the published one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from storage.errors import HostError, IntegrityError
from storage.keyring import KeyRing
from storage.keys import load_verifier
from storage.workspace import Workspace, write_durably

SCHEMA = "zhenglian.policy/1"
_MOST = 1_000_000


@dataclass(frozen=True)
class Policy:
    """Keys, authorities and witnesses that a verifier trusts."""

    ring: KeyRing
    authorities: tuple[dict[str, Any], ...] = ()
    witnesses: tuple[dict[str, Any], ...] = ()
    witnesses_needed: int = 0
    sm2: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the policy as the file holds it."""
        return {
            "schema": SCHEMA,
            "log": self.ring.name,
            "keys": self.ring.as_json(),
            "authorities": list(self.authorities),
            "witnesses": list(self.witnesses),
            "witnesses_needed": self.witnesses_needed,
            **({"sm2": self.sm2} if self.sm2 else {}),
        }

    def text(self) -> str:
        """Return the file's text."""
        return json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n"


def parse_policy(untrusted: bytes) -> Policy:
    """Parse a policy file.

    Raises:
        IntegrityError: it has not that form, or its keys contradict each other.
    """
    try:
        if len(untrusted) > _MOST:
            raise ValueError("too long")
        value = json.loads(untrusted)
        if value["schema"] != SCHEMA:
            raise ValueError("another schema")
        ring = KeyRing.from_json(value["keys"])
        authorities, witnesses = value["authorities"], value["witnesses"]
        if not all(isinstance(each, dict) for each in (*authorities, *witnesses)):
            raise ValueError("an authority or a witness is not an object")
        for each in witnesses:
            str(each["vkey"]), str(each["url"])
        needed = value["witnesses_needed"]
        sm2 = value.get("sm2", "")
        if not isinstance(sm2, str):
            raise ValueError("sm2 is not a key in PEM")
        if type(needed) is not int or not 0 <= needed <= len(witnesses):
            raise ValueError("witnesses_needed is not a number of witnesses")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"the policy has not the form of {SCHEMA}: {error}") from error
    if value.get("log") != ring.name:
        raise IntegrityError("the policy's keys are of another log than it names")
    return Policy(ring, tuple(authorities), tuple(witnesses), needed, sm2)


def load_policy(workspace: Workspace) -> Policy:
    """Load the workspace's policy; one that was never written trusts the public key alone.

    Raises:
        HostError: neither policy nor public key can be read.
    """
    path = workspace.policy
    try:
        return parse_policy(path.read_bytes())
    except FileNotFoundError:
        return Policy(KeyRing.single(load_verifier(workspace)))
    except (OSError, IntegrityError) as error:
        raise HostError(
            f"the policy {path} cannot be used: {error}",
            remedy="restore it from a copy that you trust",
            path=str(path),
        ) from error


def write_policy(workspace: Workspace, policy: Policy) -> None:
    """Replace the workspace's policy, and the public key beside it, durably."""
    write_durably(workspace.policy, policy.text().encode())
    write_durably(workspace.log_public_key, f"{policy.ring.current}\n".encode())

"""The timestamp authorities that are configured, and what the log remembers of each.

CUSTODY_TIMESTAMP_AUTHORITIES is a JSON list, or the path of a file that holds one; a YAML file
has the list under ``authorities``::

    [{"name": "tsa-example",              letters, digits, hyphens; names its objects
      "url": "https://tsa.example/",
      "certificates": "tsa-example.pem",  CA certificates, PEM; beside the file that names them
      "algorithms": ["sha256", "sm3"],    may be left out: sha256
      "policy": "1.2.3.4"}]               may be left out: the authority's own
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from storage.catalogue import anchors
from storage.catalogue.happened import newest
from storage.custody import Custody
from storage.errors import CustodyError, HostError
from storage.event import Action, decode
from storage.settings import Settings
from storage.timestamp import OIDS, load_certificates

MOST = 16
"""Authorities of one log."""
LOOK_BACK = 200
"""Events looked through for an authority's last failure."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d{0,9})){1,20}", re.ASCII)
_ONE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_FIELDS = frozenset({"name", "url", "certificates", "algorithms", "policy"})
_LONGEST_FILE = 1 << 20


@dataclass(frozen=True)
class Authority:
    """An authority to ask; ``certificates`` is the PEM text that its replies must lead to."""

    name: str
    url: str
    certificates: str
    algorithms: tuple[str, ...] = ("sha256",)
    policy: str = ""

    def as_policy(self) -> dict[str, Any]:
        """Return what an auditor pins (``storage.policy``)."""
        found = [f"{each}\n" for each in _ONE.findall(self.certificates)]
        return {"name": self.name, "url": self.url, "certificates": found}


@dataclass(frozen=True)
class Standing:
    """What the log knows of an authority and one algorithm; 0 and empty for nothing yet.

    ``exit_code`` is that of the newest failure if there was no timestamp since.
    """

    authority: Authority
    algorithm: str
    size: int = 0
    gen_time: str = ""
    failure: str = ""
    failed_at: str = ""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the form that is printed."""
        return {
            "name": self.authority.name,
            "url": self.authority.url,
            "algorithm": self.algorithm,
            "size": self.size,
            "gen_time": self.gen_time,
            "failure": self.failure,
            "failed_at": self.failed_at,
            "exit_code": self.exit_code,
        }


def configured(chosen: Settings) -> list[Authority]:
    """Return the configured authorities.

    Raises:
        HostError: CUSTODY_TIMESTAMP_AUTHORITIES or a file that it names cannot be used.
    """
    text = chosen.timestamp_authorities.strip()
    if not text:
        return []
    try:
        if text.startswith("["):
            return list(_parse(json.loads(text), chosen.home))
        return list(_parse(_read(Path(text)), Path(text).parent))
    except (OSError, ValueError, TypeError, RecursionError, CustodyError) as error:
        raise HostError(
            f"CUSTODY_TIMESTAMP_AUTHORITIES cannot be used: {error}",
            remedy="docs/anchoring.md shows how to write it",
        ) from error


def _read(path: Path) -> Any:
    if path.suffix in (".yaml", ".yml"):
        from tasks.filled import read_fields
        from tasks.reading import shared_pool

        return read_fields(shared_pool(), path).get("authorities")
    with path.open("rb") as file:
        return json.loads(file.read(_LONGEST_FILE).decode())


def _parse(untrusted: Any, beside: Path) -> Iterator[Authority]:
    if not isinstance(untrusted, list) or len(untrusted) > MOST:
        raise ValueError(f"it is not a list of at most {MOST} authorities")
    taken: set[str] = set()
    for each in untrusted:
        authority = _one(each, beside)
        if authority.name in taken:
            raise ValueError(f"two authorities are named {authority.name}")
        taken.add(authority.name)
        yield authority


def _one(untrusted: Any, beside: Path) -> Authority:
    if not isinstance(untrusted, dict) or not set(untrusted) <= _FIELDS:
        raise ValueError(f"an authority has {', '.join(sorted(_FIELDS))}, and nothing else")
    fields = {"algorithms": ["sha256"], "policy": "", **untrusted}
    for name in ("name", "url", "certificates", "policy"):
        if not isinstance(fields.get(name), str):
            raise ValueError(f"an authority's {name} is missing or no text")
    if not _NAME.fullmatch(fields["name"]):
        raise ValueError(f"{fields['name']!r} is no name: small letters, digits, hyphens")
    address = urlsplit(fields["url"])
    # Asking for the port refuses one out of range.
    if address.scheme not in ("http", "https") or not address.hostname or address.port == 0:
        raise ValueError(f"{fields['url']!r} is no http or https address")
    if fields["policy"] and not _OID.fullmatch(fields["policy"]):
        raise ValueError(f"{fields['policy']!r} is no object identifier")
    return Authority(
        fields["name"],
        fields["url"],
        _certificates(beside / fields["certificates"]),
        _algorithms(fields["algorithms"]),
        fields["policy"],
    )


def _algorithms(untrusted: Any) -> tuple[str, ...]:
    if not isinstance(untrusted, list) or not untrusted or not set(untrusted) <= set(OIDS):
        raise ValueError(f"algorithms are a list of {' and '.join(OIDS)}")
    return tuple(dict.fromkeys(untrusted))


def _certificates(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(_LONGEST_FILE).decode("ascii")
    load_certificates(text)
    # What stands around the certificates is for people, and no verifier needs it.
    return "".join(f"{each}\n" for each in _ONE.findall(text))


def standing(custody: Custody, authorities: Sequence[Authority]) -> list[Standing]:
    """Return what the log's own events say of each authority and algorithm."""
    if not authorities:
        return []
    failed = _failures(custody, {each.name for each in authorities})
    with custody.read() as session:
        last = anchors.last_timestamps(session)
    return [
        _standing(authority, algorithm, last.get((authority.name, algorithm)), failed)
        for authority in authorities
        for algorithm in authority.algorithms
    ]


def _standing(
    authority: Authority,
    algorithm: str,
    stamped: dict[str, Any] | None,
    failed: dict[tuple[str, str], tuple[int, dict[str, Any]]],
) -> Standing:
    good = stamped or {"size": 0, "gen_time": "", "event_index": -1}
    index, bad = failed.get((authority.name, algorithm), (-1, {}))
    current = index > good["event_index"]
    return Standing(
        authority,
        algorithm,
        int(good["size"]),
        str(good["gen_time"]),
        str(bad.get("message", "")),
        str(bad.get("failed_at", "")),
        int(bad.get("exit_code", 1)) if current else 0,
    )


def _failures(custody: Custody, names: set[str]) -> dict[tuple[str, str], Any]:
    """Return the newest failure by authority and algorithm: index and details."""
    with custody.read() as session:
        indexes = newest(session, Action.ANCHOR_FAILED, LOOK_BACK)
    found: dict[tuple[str, str], Any] = {}
    for index in indexes:
        details = dict(decode(custody.log.leaf(index)).details)
        if details.get("authority") in names:
            found.setdefault((details["authority"], details["algorithm"]), (index, details))
    return found

"""The witnesses that are configured, and what the log remembers of each.

CUSTODY_WITNESSES is a JSON list, or the path of a file that holds one::

    [{"url": "https://witness.procuratorate.example/", "vkey": "procuratorate.example/w1+..."}]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from storage.catalogue.happened import newest
from storage.cosignature import CosignatureVerifier
from storage.custody import Custody
from storage.errors import HostError, IntegrityError
from storage.event import Action, decode
from storage.settings import Settings

MOST = 32
"""Witnesses of one log."""
LOOK_BACK = 200
"""Events looked through for what a witness gave last; one not found there is asked anew."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^\.", re.ASCII)
_LONGEST_FILE = 1 << 20


@dataclass(frozen=True)
class ConfiguredWitness:
    """A witness to ask: where it answers, and the only key that counts as its own."""

    url: str
    verifier: CosignatureVerifier

    @property
    def name(self) -> str:
        """The witness's name."""
        return self.verifier.name

    @property
    def object_name(self) -> str:
        """The name of its cosignatures in the object store."""
        return f"{_UNSAFE.sub('_', self.name)[:150]}.cosignature"


@dataclass(frozen=True)
class Standing:
    """What the log knows of a witness; sizes and times are 0 and empty for none.

    ``exit_code`` is that of the newest failure if nothing was cosigned since.
    """

    witness: ConfiguredWitness
    size: int = 0
    time: int = 0
    cosigned_at: str = ""
    failure: str = ""
    failed_at: str = ""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the form that is printed."""
        return {
            "name": self.witness.name,
            "url": self.witness.url,
            "vkey": str(self.witness.verifier),
            "size": self.size,
            "cosigned_at": self.cosigned_at,
            "failure": self.failure,
            "failed_at": self.failed_at,
            "exit_code": self.exit_code,
        }


def configured(chosen: Settings) -> list[ConfiguredWitness]:
    """Return the configured witnesses.

    Raises:
        HostError: CUSTODY_WITNESSES is not such a list, or its file cannot be read.
    """
    text = chosen.witnesses.strip()
    if not text:
        return []
    try:
        if not text.startswith("["):
            with Path(text).open("rb") as file:
                text = file.read(_LONGEST_FILE).decode()
        return list(_parse(json.loads(text)))
    except (OSError, ValueError, TypeError, KeyError, RecursionError, IntegrityError) as error:
        raise HostError(
            f"CUSTODY_WITNESSES cannot be used: {error}",
            remedy='give a JSON list, or a file with one: [{"url": "https://...", "vkey": "..."}]',
        ) from error


def _parse(untrusted: Any) -> Iterator[ConfiguredWitness]:
    if not isinstance(untrusted, list) or len(untrusted) > MOST:
        raise ValueError(f"it is not a list of at most {MOST} witnesses")
    taken: set[str] = set()
    for each in untrusted:
        if not isinstance(each, dict) or set(each) != {"url", "vkey"}:
            raise ValueError("a witness has url and vkey, and nothing else")
        address = urlsplit(str(each["url"]))
        plain = address.scheme in ("http", "https") and address.hostname and not address.query
        if not plain or address.port == 0:  # Asking for the port refuses one out of range.
            raise ValueError(f"{each['url']!r} is no http or https address")
        witness = ConfiguredWitness(each["url"], CosignatureVerifier.parse(each["vkey"]))
        if witness.object_name in taken:
            raise ValueError(f"two witnesses are named {witness.name}, or nearly so")
        taken.add(witness.object_name)
        yield witness


def standing(custody: Custody, witnesses: Sequence[ConfiguredWitness]) -> list[Standing]:
    """Return what the log's own events say of each witness."""
    cosigned = dict(_last(custody, Action.COSIGNED, witnesses))
    failed = dict(_last(custody, Action.ANCHOR_FAILED, witnesses))
    return [
        _standing(witness, cosigned.get(str(witness.verifier)), failed.get(str(witness.verifier)))
        for witness in witnesses
    ]


def _standing(
    witness: ConfiguredWitness,
    cosigned: tuple[int, dict[str, Any]] | None,
    failed: tuple[int, dict[str, Any]] | None,
) -> Standing:
    good = cosigned[1] if cosigned else {}
    bad = failed[1] if failed else {}
    current = failed is not None and (cosigned is None or failed[0] > cosigned[0])
    return Standing(
        witness,
        int(good.get("size", 0)),
        int(good.get("time", 0)),
        str(good.get("gen_time", "")),
        str(bad.get("message", "")),
        str(bad.get("failed_at", "")),
        int(bad.get("exit_code", 1)) if current else 0,
    )


def _last(
    custody: Custody, action: Action, witnesses: Sequence[ConfiguredWitness]
) -> Iterator[tuple[str, tuple[int, dict[str, Any]]]]:
    """Yield the newest event of an action by each witness's key: index and details."""
    missing = {str(witness.verifier) for witness in witnesses}
    with custody.read() as session:
        indexes = newest(session, action, LOOK_BACK) if missing else []
    for index in indexes:
        details = dict(decode(custody.log.leaf(index)).details)
        vkey = details.get("vkey")
        if vkey in missing:
            missing.remove(vkey)
            yield vkey, (index, details)
        if not missing:
            return

"""Releasing: a person decides that a refused bundle is taken in all the same.

The decision comes first, as an event that gives the bundle a new number; from then on the
ordinary ingest does the rest, and whoever is killed anywhere starts it again. The bytes move in
the store from the first number's place to the new one's: nothing is copied and nothing is read
from a drop folder again. A manifest that the person hands in beside becomes one more file of
the bundle. What makes a bundle unsafe is judged again and cannot be waived; an irregular entry
(a link, a device) has no bytes, and the person may leave it behind by name. (docs/quarantine.md)
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.catalogue import intents
from storage.catalogue.intents import Claim
from storage.custody import Custody
from storage.digest import Fingerprint
from storage.errors import InputError, IntegrityError
from storage.event import Action, CustodyEvent
from storage.listing import ListedFile
from storage.names import display
from storage.nouns import Person
from storage.objects import Kept
from storage.spelling import spell, unspell
from tasks import claims
from tasks.bundle import Arrival, Irregular, Taken, received_prefix
from tasks.quarantine import decision_on, event_of, undecided
from tasks.receiving import files_of, irregular_of

_ENDINGS = (".yaml", ".yml", ".xlsx")


@dataclass(frozen=True)
class Decision:
    """Who releases a bundle and why, with what manifest, and which entries stay behind."""

    by: str
    reason: str
    manifest: Path | None = None
    without: tuple[str, ...] = ()


@contextmanager
def released(custody: Custody, accession: str, decision: Decision) -> Iterator[str]:
    """Put the release of a refused bundle on record; work on its new number in the block.

    Raises:
        NotFoundError: there is no such accession.
        StateError: it is not in quarantine, or somebody has decided on it already.
        InputError: nobody is named, or no reason; the manifest cannot be used; an entry that
            is to stay behind is not one of the bundle's irregular entries.
        BusyError: another process works on it.
    """
    with ExitStack() as work:
        with claims.working(custody, accession):
            received = undecided(custody, accession, decision.by, decision.reason)
            without = _named(irregular_of(custody, received), decision.without)
            claim = _numbered(custody, received)
            # Once the decision is on record a watcher may take the claim up: it is ours before.
            work.enter_context(claims.working(custody, claim.accession))
            manifest = _take_manifest(custody, received, claim, decision.manifest)
            claims.finish(custody, accession)
            custody.record([_event(custody, accession, claim, decision, manifest, without)])
        yield claim.accession


def release(custody: Custody, accession: str, decision: Decision) -> str:
    """Decide, and leave the ingest to whoever begins it first; see ``released``."""
    with released(custody, accession, decision) as number:
        return number


def _numbered(custody: Custody, received: CustodyEvent) -> Claim:
    with custody.write() as session:
        return intents.claim(
            session,
            unit=received.details["unit"],
            name=unspell(received.details["claim"]["name"]),
            source=received.accession,
            in_place=True,
            now=custody.now(),
            state="releasing",
        )


def _event(
    custody: Custody,
    accession: str,
    claim: Claim,
    decision: Decision,
    manifest: dict[str, Any],
    without: Sequence[str],
) -> CustodyEvent:
    return custody.event(
        Action.DECIDED,
        [accession],
        actor=Person(decision.by, unit=custody.receiver().unit),
        accession=accession,
        purpose="a refused bundle is released",
        details={
            "kind": "release",
            "reason": decision.reason,
            "accession": claim.accession,
            "manifest": manifest,
            "without": list(without),
            "prefix": received_prefix(accession),
            "claim": {
                "unit": claim.unit,
                "name": spell(claim.name),
                "source": spell(claim.source),
                "in_place": claim.in_place,
                "claimed_at": claim.claimed_at,
            },
        },
    )


def _named(entries: Sequence[Irregular], wanted: Sequence[str]) -> list[str]:
    """Return the spelled paths of the irregular entries that a person names."""
    found = []
    for name in wanted:
        matching = [
            each.path
            for each in entries
            if name in (each.path, spell(each.path), display(each.path))
        ]
        if len(matching) != 1:
            raise InputError(
                f"“{display(name)}”不是该证据包的异常条目 is no irregular entry of the bundle",
                remedy="only links, pipes, devices and the like can stay behind; "
                "'custody quarantine show' lists them",
            )
        found.append(spell(matching[0]))
    return sorted(set(found))


def _take_manifest(
    custody: Custody, received: CustodyEvent, claim: Claim, path: Path | None
) -> dict[str, Any]:
    """Take a manifest into custody beside the bundle, under a name that nothing else has."""
    if path is None:
        return {}
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(
            f"{display(path.name)} 不是清单 is no manifest: .yaml or .xlsx",
            remedy="'custody manifest new FOLDER' writes one",
        )
    present = {each.path for each in files_of(custody, received)}
    name = f"manifest.{claim.accession}{ending}"
    while name in present:
        name = f"_{name}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(
            f"无法读取 {display(str(path))} cannot be read: {error.strerror}"
        ) from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{display(str(path))} 不是文件 is no file")
        if status.st_size > custody.settings.max_manifest_bytes:
            raise InputError(
                f"{display(path.name)}: {status.st_size} bytes, more than the limit of "
                f"{custody.settings.max_manifest_bytes}",
                remedy="split the bundle, or raise CUSTODY_MAX_MANIFEST_BYTES",
            )
        kept = custody.objects.take(received_prefix(claim.accession), stream)
    return {
        "path": spell(name),
        "fingerprint": kept.fingerprint.as_json(),
        "object": kept.ref.as_json(),
    }


def arrival_of(custody: Custody, claim: Claim) -> Arrival:
    """Return a released bundle as it arrives under its new number, its bytes moved there.

    Repeated after a crash it finds every object in one of its two places.

    Raises:
        InputError: nobody has released what the claim names.
        IntegrityError: the store holds a file of the bundle in neither place.
    """
    first = claim.source
    decided = decision_on(custody, first)
    if decided is None or decided.details.get("accession") != claim.accession:
        raise InputError(
            f"the release of {first} was not decided",
            remedy=f"custody quarantine release {first} --by NAME --reason TEXT",
        )
    received = event_of(custody, Action.RECEIVED, first)
    taken = _move(custody, first, claim.accession, files_of(custody, received))
    given = list(received.details.get("given_manifests", ()))
    manifest = decided.details["manifest"]
    if manifest:
        taken.append(_given(custody, claim.accession, manifest))
        given.append(manifest["path"])
    without = set(decided.details["without"])
    left = [each for each in irregular_of(custody, received) if spell(each.path) not in without]
    return Arrival(
        claim.accession,
        received.details["kind"],
        "",
        (),
        tuple(left),
        taken=tuple(taken),
        received_at=received.occurred_at,
        released={
            "released_from": first,
            "released_by": decided.actor.as_json(),
            "given_manifests": given,
            "without": sorted(without),
        },
    )


def _move(custody: Custody, first: str, accession: str, files: Sequence[ListedFile]) -> list[Taken]:
    old, new = received_prefix(first), received_prefix(accession)
    distinct = {each.fingerprint.sha256: each.fingerprint for each in files}

    def one(sha256: str) -> Kept:
        target = f"{new}/{sha256}"
        ref = custody.objects.find(f"{old}/{sha256}")
        if ref is None:
            there = custody.objects.find(target)
            if there is None:
                raise IntegrityError(
                    f"the store does not hold {sha256} of {first}",
                    remedy="stop; restore it from the backup, then start again",
                    accession=first,
                )
            return Kept(there, distinct[sha256])
        return Kept(custody.objects.move(ref, target, distinct[sha256]), distinct[sha256])

    with ThreadPoolExecutor(custody.settings.processes) as pool:
        kept = dict(zip(distinct, pool.map(one, distinct), strict=True))
    custody.objects.tidy(old)
    return [Taken(each.path, kept[each.fingerprint.sha256]) for each in files]


def _given(custody: Custody, accession: str, manifest: dict[str, Any]) -> Taken:
    print_ = Fingerprint.from_json(manifest["fingerprint"])
    ref = custody.objects.find(f"{received_prefix(accession)}/{print_.sha256}")
    if ref is None:
        raise IntegrityError(
            f"the store does not hold the manifest that {accession} was released with",
            remedy="stop; restore it from the backup, then start again",
            accession=accession,
        )
    return Taken(unspell(manifest["path"]), Kept(ref, print_))

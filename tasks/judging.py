"""Judging: the manifest is opened in the cell, and the bundle is accepted, refused or known.

Everything is read from the store, where it has been since it was received. Nothing is numbered
here except the reservation of a bundle number, which decides between two bundles under one
number whichever comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from storage.catalogue import intents, queries
from storage.custody import Custody
from storage.errors import InputError
from storage.listing import bundle_digest
from storage.names import display, utf8
from storage.nouns import Manifest, case_id
from storage.settings import Settings
from tasks import intake_mistakes as wrong
from tasks.bag_intake import bag_of, judge_payload, manifests_in
from tasks.bags import Bag, is_bag
from tasks.bundle import Answer, Bundle, Taken, Verdict
from tasks.claims import require_mine
from tasks.kept_files import opened
from tasks.manifest import judge_manifest
from tasks.manifest_mistakes import Mistake
from tasks.packed import Packed, joined
from tasks.reader.cell import CellPool
from tasks.unpacking import unpack_container

ANSWERED = frozenset({"accepted", "quarantined", "duplicate"})


def judge(custody: Custody, pool: CellPool, bundle: Bundle) -> Verdict:
    """Judge a received bundle; every mistake is found at once where that is possible."""
    require_mine(custody, bundle.accession)
    answer = _answered(custody, bundle.accession)
    if answer is not None:
        return Verdict(bundle, answered=answer)
    mistakes = [wrong.irregular(each) for each in bundle.irregular]
    mistakes += _over_limits(custody.settings, bundle.files)
    files = bundle.files
    if bundle.kind == "container" and files and not mistakes:
        members, found = unpack_container(custody, pool, bundle)
        files = joined([members, [each for each in bundle.files if each.path in bundle.given]])
        mistakes += found
    verdict = Verdict(bundle, files, bundle_digest(each.listed() for each in files))
    if mistakes:
        return replace(verdict, mistakes=tuple(mistakes))
    bag = _bag(custody, verdict)
    if bag is not None and bag.mistakes:
        return replace(verdict, mistakes=bag.mistakes)
    return _with_manifest(custody, pool, verdict, bag)


def _answered(custody: Custody, accession: str) -> Answer | None:
    """Return the answer that an earlier attempt has given, once its claim says so."""
    with custody.read() as session:
        if intents.find_claim(session, accession).state != "answered":
            return None
        row = queries.find_accession(session, accession)
        if row is None or row["state"] not in ANSWERED:
            return None
        exhibits = queries.exhibits_of(session, accession)
    return Answer(accession, row["state"], row["case_id"] or "", "", tuple(exhibits))


def _over_limits(chosen: Settings, files: Sequence[Taken]) -> Iterator[Mistake]:
    if len(files) > chosen.max_entries:
        yield wrong.limit("文件数", "number of files", len(files), chosen.max_entries)
    total = sum(each.fingerprint.size for each in files)
    if total > chosen.max_total_bytes:
        yield wrong.limit("总字节数", "total bytes", total, chosen.max_total_bytes)
    for each in files:
        size, path = each.fingerprint.size, len(utf8(each.path))
        if size > chosen.max_file_bytes:
            yield wrong.unsafe_part(display(each.path), f"size:{size}:{chosen.max_file_bytes}")
        if path > chosen.max_path_bytes:
            yield wrong.unsafe_part(display(each.path), f"path:{path}:{chosen.max_path_bytes}")


def _bag(custody: Custody, verdict: Verdict) -> Bag | None:
    given = verdict.bundle.given
    # Most bundles are no bag, and of those nothing but the names is asked for.
    if not is_bag([each.path for each in verdict.files if each.path not in given]):
        return None
    own = [each for each in verdict.files if each.path not in given]
    refs = {each.path: each.kept.ref for each in own}
    return bag_of(
        custody.settings,
        [each.listed() for each in own],
        lambda path: custody.objects.open(refs[path]),
    )


def _manifests(verdict: Verdict, bag: Bag | None) -> tuple[Verdict, list[Taken]]:
    """Return the manifests that may count, and note what then lies beside manifest and items.

    One given at a release replaces those before it; one at a bag's root goes before its payload.
    """
    given, files = verdict.bundle.given, verdict.files
    names = manifests_in([each.path for each in files], bag)
    named = [each for each in files if each.path in names]
    old: tuple[Taken, ...] = ()
    if given:
        old = tuple(each for each in files if each in named or each.path in given[:-1])
        named = [each for each in files if each.path == given[-1]]
    beside: dict[str, tuple[Taken, ...]] = {"superseded": old} if old else {}
    if bag is not None:
        tags = set(bag.tags).difference(each.path for each in (*old, *named))
        beside["bag"] = tuple(each for each in files if each.path in tags)
    return replace(verdict, beside=beside), named


def _with_manifest(custody: Custody, pool: CellPool, verdict: Verdict, bag: Bag | None) -> Verdict:
    verdict, named = _manifests(verdict, bag)
    if len(named) != 1:
        return replace(verdict, mistakes=(wrong.manifest_count([each.path for each in named]),))
    (manifest_file,) = named
    size, most = manifest_file.fingerprint.size, custody.settings.max_manifest_bytes
    if size > most:
        mistake = wrong.limit("清单字节数", "manifest bytes", size, most, manifest_file.path)
        return replace(verdict, mistakes=(mistake,))
    try:
        with opened(custody, manifest_file.kept.ref) as stream:
            raw = pool.manifest(stream, manifest_file.path)
    except InputError as error:
        return replace(verdict, mistakes=(wrong.unreadable(manifest_file.path, error),))
    besides = {
        manifest_file.path,
        *(each.path for part in verdict.beside.values() for each in part),
    }
    others = Packed(each.listed() for each in verdict.files if each.path not in besides)
    judge_raw = partial(judge_manifest, raw, unit=verdict.bundle.unit or None)
    if bag is None:
        judged = judge_raw(others)
    else:
        judged = judge_payload(judge_raw, manifest_file.path, others)
    if not isinstance(judged, Manifest):
        return replace(verdict, mistakes=judged)
    return _reserve(custody, replace(verdict, manifest=judged, manifest_path=manifest_file.path))


def _reserve(custody: Custody, verdict: Verdict) -> Verdict:
    manifest, accession = verdict.manifest, verdict.bundle.accession
    if manifest is None:
        return verdict
    case = case_id(manifest.case_no)
    with custody.write() as session:
        held = intents.reserve_bundle(
            session, accession, case, manifest.bundle_no, verdict.bundle_digest
        )
        if held is None:
            first = intents.reserve_exhibits(session, accession, case, len(manifest.items))
            return replace(verdict, first_exhibit=first)
    if held["bundle_digest"] == verdict.bundle_digest:
        return replace(verdict, duplicate_of=held["accession"])
    return replace(verdict, mistakes=(wrong.number_taken(manifest.bundle_no, held["accession"]),))

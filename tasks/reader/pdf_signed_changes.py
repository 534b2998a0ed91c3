"""What was changed in a PDF after a signature: more signatures, forms, annotations, or more.

pyHanko's difference analysis explains every object that a later revision wrote, and calls
suspicious what it cannot explain. It knows no annotations but form fields; the rule here adds
them, and nothing else of a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils.generic import ArrayObject, IndirectObject, Reference
from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    DiffResult,
    ModificationLevel,
    QualifiedWhitelistRule,
    ReferenceUpdate,
    StandardDiffPolicy,
    SuspiciousModification,
)
from pyhanko.sign.diff_analysis.commons import compare_dicts
from pyhanko.sign.validation.status import SignatureCoverageLevel

from tasks.reader.pdf_signed_answer import Changes

_MOST_PAGES = 5000
_PART = 1 << 16
_LEVELS: dict[ModificationLevel, Changes] = {
    ModificationLevel.NONE: "none",
    ModificationLevel.LTA_UPDATES: "archival",
    ModificationLevel.FORM_FILLING: "forms",
    ModificationLevel.ANNOTATIONS: "annotations",
    ModificationLevel.OTHER: "other",
}


def changes_after(signature: Any, signed: frozenset[str]) -> tuple[Changes, str]:
    """Return the worst that came after a signature whose integrity was computed, and what.

    ``signature`` is an ``EmbeddedPdfSignature``, ``signed`` are the names of all signature
    fields: if no other field was filled in later, what came after is signatures alone.
    """
    if _trailing(signature):
        return "other", "bytes after the end of the last revision"
    found = signature.diff_result
    if (
        isinstance(found, SuspiciousModification)
        and signature.coverage >= SignatureCoverageLevel.ENTIRE_REVISION
    ):
        more = signature.evaluate_modifications(_with_annotations())
        if isinstance(more, DiffResult):
            found = more
    if not isinstance(found, DiffResult):
        return "other", str(found or "")
    level = _LEVELS[found.modification_level]
    if level == "forms" and found.changed_form_fields <= signed:
        level = "signatures"
    allowed = signature.docmdp_level
    if allowed is not None and found.modification_level.value > allowed.value:
        return "other", f"more than the signature allows: {level}"
    return level, ", ".join(sorted(found.changed_form_fields - signed))


def _trailing(signature: Any) -> bool:
    """Whether more than line breaks follows a signed revision, and yet no revision does."""
    reader = signature.reader
    if signature.signed_revision < reader.xrefs.total_revisions - 1:
        return False
    _, _, second, last = signature.byte_range
    reader.stream.seek(second + last)
    parts = iter(lambda: reader.stream.read(_PART), b"")
    return any(each.strip(b"\0\t\n\f\r ") for each in parts)


def _with_annotations() -> StandardDiffPolicy:
    default: Any = DEFAULT_DIFF_POLICY
    return StandardDiffPolicy([*default.global_rules, _NewAnnotations()], default.form_rule)


class _NewAnnotations(QualifiedWhitelistRule):
    """Allows new annotations on pages that are otherwise what they were."""

    def apply_qualified(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterator[tuple[ModificationLevel, ReferenceUpdate]]:
        before, after = _pages(old), _pages(new)
        if [page.idnum for page in before] != [page.idnum for page in after]:
            raise SuspiciousModification("the pages are not those that were signed")
        for page in after:
            for reference in _on_page(old, new, page):
                yield ModificationLevel.ANNOTATIONS, ReferenceUpdate(reference)


def _on_page(
    old: HistoricalResolver, new: HistoricalResolver, page: Reference
) -> Iterator[Reference]:
    first, second = old.get_object(page), new.get_object(page)
    compare_dicts(first, second, frozenset({"/Annots"}))
    had, has = _annotations(first, old), _annotations(second, new)
    if [each.reference for each in had] != [each.reference for each in has[: len(had)]]:
        raise SuspiciousModification("an annotation that was there is gone")
    if len(has) == len(had):
        return
    yield page
    table = second.raw_get("/Annots")
    if isinstance(table, IndirectObject):
        yield table.reference
    for each in has[len(had) :]:
        # References that were there before stay unexplained if they were written anew.
        yield from new.collect_dependencies(each, since_revision=old.revision + 1)


def _annotations(page: Any, resolver: HistoricalResolver) -> list[IndirectObject]:
    try:
        table = page.raw_get("/Annots")
    except KeyError:
        return []
    if isinstance(table, IndirectObject):
        table = resolver.get_object(table.reference)
    if not isinstance(table, ArrayObject):
        raise SuspiciousModification("annotations that are no list")
    raw = [table.raw_get(at) for at in range(len(table))]
    if not all(isinstance(each, IndirectObject) for each in raw):
        raise SuspiciousModification("annotations that are no objects")
    return raw


def _pages(resolver: HistoricalResolver) -> list[Reference]:
    """Return the pages of a revision in their order."""
    found: list[Reference] = []
    waiting = [resolver.root.raw_get("/Pages")]
    seen: set[Reference] = set()
    while waiting:
        reference = waiting.pop().reference
        if reference in seen or len(seen) > _MOST_PAGES:
            raise SuspiciousModification("the tree of pages is not to be walked")
        seen.add(reference)
        node = resolver.get_object(reference)
        if "/Kids" in node:
            kids = node["/Kids"]
            waiting.extend(kids.raw_get(at) for at in reversed(range(len(kids))))
        else:
            found.append(reference)
    return found

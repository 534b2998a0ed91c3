"""All hostile cases, in one order, each name once."""

from __future__ import annotations

from functools import cache

from tests.faults.hostile import (
    bags,
    documents,
    folders,
    mails,
    manifests,
    nested,
    sevens_and_rars,
    tars,
    zips,
)
from tests.faults.hostile.case import Case

GROUPS = (folders, zips, tars, sevens_and_rars, bags, mails, documents, manifests, nested)


@cache
def all_cases() -> tuple[Case, ...]:
    """Return every case."""
    found = tuple(case for group in GROUPS for case in group.cases())
    names = [case.name for case in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"cases that share a name: {sorted(twice)}")
    return found

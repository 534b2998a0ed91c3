"""Events that name many exhibits fit into a leaf, chains included, however long the names."""

import pytest

from appraisal import following
from storage.errors import InputError
from storage.event import MAX_LEAF, Action, CustodyEvent, encode
from storage.nouns import Person, case_id
from tasks import disposing, handing

CASE = case_id("沪市监案〔2026〕1234567890123456789012345678901号")


def event(number: int) -> CustodyEvent:
    exhibits = tuple(f"{CASE}/E{each:04d}" for each in range(number))
    details = {key: dict.fromkeys(exhibits, "封" * 20) for key in ("seal_before", "seal_after")} | {
        "digest_before": dict.fromkeys(exhibits, "f" * 64)
    }
    return CustodyEvent(
        "0" * 32, Action.RELEASED, "", "", Person("王五"), CASE, exhibits=exhibits, details=details
    )


@pytest.mark.parametrize("part", [following.PART, handing._PART, disposing.PART])
def test_a_part_fits_with_its_chains(part: int) -> None:
    assert len(encode(event(part))) < MAX_LEAF


def test_what_does_not_fit_is_refused_before_it_is_recorded() -> None:
    with pytest.raises(InputError, match="exceeds"):
        encode(event(500))

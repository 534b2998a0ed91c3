"""Dask helps reading where it is set: two processes of its own, each document read once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow

from flows import ingest as ingest_flow
from flows.engine import task_runner
from portal.running import ingest_path
from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import HostError
from storage.event import Action
from storage.settings import settings
from tasks.steps import read_part
from tests.house import events, make_bundle

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(400)]
FEW = {f"{number}.txt": f"第 {number} 份文件".encode() for number in range(6)}


@pytest.fixture
def dask(house: Custody, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings that a test may change before it asks for the task runner."""
    monkeypatch.setenv("CUSTODY_CELL_PROCESSES", "1")
    yield monkeypatch
    settings.cache_clear()


def test_two_processes_of_dask_read_each_document_once(
    house: Custody, dask: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dask.setattr(ingest_flow, "parts_to_read", lambda accession, parts: ())
    accession = ingest_path(make_bundle(tmp_path / "bundle", files=FEW), "")["accession"]
    assert events(house, Action.READ) == []
    with house.read() as session:
        (case,) = queries.list_cases(session)
        found = queries.list_exhibits(session, case["case_id"])
    exhibits = [each["exhibit_id"] for each in found]
    dask.setenv("CUSTODY_DASK", "2")
    settings.cache_clear()

    @flow(task_runner=task_runner())
    def helped() -> list[int]:
        parts = [(number, exhibits[2 * number : 2 * number + 2]) for number in range(3)]
        # A part that was read already costs a look at the record.
        asked = [read_part.submit(accession, *part) for part in (*parts, parts[0])]
        return [each.result() for each in asked]

    *first, again = helped()
    assert sorted(first[1:]) == [2, 2]
    assert sorted([first[0], again]) == [0, 2]
    assert len(events(house, Action.READ)) == len(FEW)


def test_what_is_no_scheduler_is_refused(dask: pytest.MonkeyPatch) -> None:
    dask.setenv("CUSTODY_DASK", "many")
    settings.cache_clear()
    with pytest.raises(HostError, match="CUSTODY_DASK"):
        task_runner()

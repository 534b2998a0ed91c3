"""Reading spread over workers: others help, and whoever ingests does what nobody has done.

Each part of the documents has a lock. Runs that read single parts are asked for, and meanwhile
this process reads every part that nobody is at. A part that a worker has read costs one look at
the record; one whose worker died is free again. So no run is ever waited for, and without any
worker everything is read here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from storage.catalogue import queries
from storage.catalogue.exclusive import exclusive
from storage.custody import Custody
from storage.errors import CustodyError
from tasks.reading import ReadResult
from tasks.workers import call_readers

_PAUSE = 1.0
"""Seconds between two looks at parts that others are at."""


def part_name(accession: str, part: int) -> str:
    """Return the name that whoever reads a part holds."""
    return f"reading {accession} {part}"


def spread(
    custody: Custody,
    accession: str,
    parts: Sequence[Sequence[str]],
    submit: Callable[[int, Sequence[str]], object],
) -> Iterator[Sequence[str]]:
    """Yield every part, each while this process alone may read it; ask others to help.

    A part comes when it is free: what another process is at is asked for again later.
    ``submit`` gives one part to the flow's own task runner, which is Dask's if that is set.
    """
    numbered = list(enumerate(parts))
    if custody.settings.dask:
        for number, part in numbered[1:]:
            submit(number, part)
    elif custody.settings.runs == "workers":
        _call(accession, numbered[1:])
    else:
        yield from parts
        return
    while numbered:
        busy = []
        for number, part in numbered:
            with exclusive(custody.database, part_name(accession, number)) as held:
                if held:
                    yield part
                else:
                    busy.append((number, part))
        numbered = busy
        if busy:
            time.sleep(_PAUSE)


def results_of(custody: Custody, exhibits: Sequence[str]) -> list[ReadResult]:
    """Return how exhibits fared in their newest readings, whoever read them."""
    with custody.read() as session:
        rows = queries.find_exhibits(session, exhibits)
        readings = queries.find_readings(session, exhibits)
    return [
        ReadResult(
            row["exhibit_id"], row["name"], read["state"], read["pages"], read["details"]["reason"]
        )
        for row in rows
        if (read := readings.get(row["exhibit_id"])) is not None
    ]


def _call(accession: str, parts: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Ask for help; without it the work is done all the same."""
    if not parts:
        return
    try:
        call_readers(str(flow_run.id), accession, parts)
    except CustodyError as error:
        get_run_logger().warning("no worker was asked to help reading: %s", error.message)

"""What an installation tells of itself, as JSON, for the host that this runs on.

``rows``: claims, exhibits, events and objects. ``runs``: what Prefect's server has on record.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from storage.catalogue import queries
from storage.custody import Custody, current
from storage.event import decode
from tasks import claims


def rows() -> dict[str, Any]:
    """Return everything that must be as if nothing had happened."""
    custody = current()
    events = [decode(leaf) for _, leaf in custody.log.reader().entries()]
    with custody.read() as session:
        cases = queries.list_cases(session)
        exhibits = {
            each["case_no"]: [
                {
                    "number": row["number"],
                    "name": row["name"],
                    "sha256": row["sha256"],
                    "size": row["size"],
                    "state": (row["reading"] or {}).get("state"),
                    "pages": (row["reading"] or {}).get("pages"),
                }
                for row in queries.list_exhibits(session, each["case_id"])
            ]
            for each in cases
        }
    return {
        "unfinished": [each.accession for each in claims.unfinished(custody)],
        "exhibits": exhibits,
        "events": [
            [event.action.value, event.system["host"], event.accession, list(event.exhibits)]
            for event in events
        ],
        "objects": _objects(custody, [each["case_id"] for each in cases]),
    }


def _objects(custody: Custody, cases: list[str]) -> dict[str, list[str]]:
    """Return the keys of each case's originals; a key stands as often as it has versions."""
    found: dict[str, list[str]] = {}
    bucket = getattr(custody.objects, "bucket", None)
    for case in cases:
        prefix = f"cases/{case}/originals"
        keys = list(custody.objects.keys(prefix))
        if bucket is not None:
            keys = [key for key in keys for _ in bucket.versions(key)]
        found[case] = [key.rpartition("/")[2] for key in keys]
    return found


def runs() -> dict[str, Any]:
    """Return the runs that Prefect knows: name, state, its message, when it was last seen."""
    from flows.engine import prepare_engine
    from storage.settings import settings

    prepare_engine(settings())
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.sorting import FlowRunSort

    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(limit=200, sort=FlowRunSort.START_TIME_ASC)
    told = [[run.name, run.state.type.value, run.state.message or ""] for run in found if run.state]
    return {"runs": told, "states": Counter(state for _, state, _ in told)}


if __name__ == "__main__":
    print(json.dumps(rows() if sys.argv[1] == "rows" else runs()))

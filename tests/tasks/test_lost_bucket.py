"""A bucket that is lost whole: a new one is filled from the replica, and the log from the database.

On a real S3 server and a real PostgreSQL, as the runbook says it.
"""

import secrets
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage.catalogue import queries
from storage.custody import Custody, open_custody
from storage.errors import IntegrityError
from storage.event import Action
from storage.log import RolledBackError
from storage.s3 import connected
from storage.settings import Settings
from tasks import drilling
from tasks.accounting import case_account
from tasks.auditing import audit_log
from tasks.reader.cell import CellPool
from tasks.rebuilding import rebuild
from tasks.repair_sources import open_sources
from tasks.repairing import Outcome, repair
from tasks.republishing import republish
from tasks.verifying import verify_case
from tests.house import CASE_NO, events, make_bundle
from tests.services.postgres import Postgres
from tests.services.rgw import Rgw
from tests.tasks.life import CASE, open_house, rows_of, take
from tests.tasks.test_fixity import sweep

FILES = {"a.txt": "甲方客户名单".encode(), "b.txt": b"quote " * 100}


def replicate(chosen: Settings, server: Rgw, bucket: str, without: str = "") -> str:
    """Copy the newest version of everything into a bucket without locks, as a replica may be."""
    client = connected(chosen, server.endpoint)
    name = f"r{secrets.token_hex(6)}"
    client.create_bucket(Bucket=name)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page["Contents"]:
            if not each["Key"].startswith("log/") and each["Key"] != without:
                client.copy_object(
                    Bucket=name, Key=each["Key"], CopySource={"Bucket": bucket, "Key": each["Key"]}
                )
    return server.store_url(name)


def bring_back(custody: Custody, replica: str) -> Outcome:
    sources = open_sources(custody.settings, [replica])
    return repair(custody, "", sources, by="张伟", reason="机房火灾")


def object_of(custody: Custody, label: str) -> dict[str, Any]:
    with custody.read() as session:
        found: dict[str, Any] = queries.find_exhibit(session, label)["object"]
    return found


def test_st_04_a_lost_bucket_is_made_again_and_what_is_gone_is_named(
    rgw: Rgw, postgres: Postgres, pool: CellPool, tmp_path: Path
) -> None:
    """ST-04, AU-02: everything is what the log says, but for the one that no copy has."""
    bucket = f"b{secrets.token_hex(6)}"
    given: dict[str, Any] = {
        "store": rgw.store_url(bucket),
        "database": postgres.new_database(),
        "s3_access_key": rgw.access_key,
        "s3_secret_key": SecretStr(rgw.secret_key),
    }
    home = tmp_path / "home"
    with open_house(home, **given) as custody:
        take(custody, pool, make_bundle(tmp_path / "one", "B1", FILES))
        bad = make_bundle(tmp_path / "bad", "B2", {"d.txt": b"d"})
        (bad / "manifest.yaml").write_text("nothing: right\n")
        take(custody, pool, bad)
        whole = replicate(custody.settings, rgw, bucket)
        lost = object_of(custody, f"{CASE}/E0002")
        partial = replicate(custody.settings, rgw, bucket, without=lost["key"])
        size = custody.log.head().size
    chosen = Settings(home=home, **{**given, "store": rgw.store_url(f"n{secrets.token_hex(6)}")})
    with pytest.raises(RolledBackError, match=f"0 events are published, but {size} were before"):
        open_custody(chosen)
    made = republish(chosen, by="张伟", reason="机房火灾")
    assert (made.entries, made.damaged) == (size, 0)
    assert audit_log(chosen).ok
    custody = open_custody(chosen)
    try:
        _check(custody, bring_back(custody, partial), whole)
    finally:
        custody.database.close()
    before = rows_of(chosen)
    rebuild(chosen, replace_existing=True)
    after = rows_of(chosen)
    for table in ("fixity", "exhibit", "reading", "accession", "event_ref", "alert"):
        assert sorted(map(repr, after[table])) == sorted(map(repr, before[table]))


def _check(custody: Custody, first: Outcome, whole: str) -> None:
    (left,) = first.left
    assert (left["label"], left["name"]) == (f"{CASE}/E0002", "b.txt")
    assert (left["case_no"], left["unit"]) == (CASE_NO, "pudong-01")
    report = verify_case(custody.settings, CASE_NO)
    assert [each.label for each in report.items if each.result != "ok"] == [f"{CASE}/E0002"]
    second = bring_back(custody, whole)
    assert second.ok
    assert [each["label"] for each in second.repaired] == [f"{CASE}/E0002"]
    assert bring_back(custody, whole).repaired == []
    assert verify_case(custody.settings, CASE_NO).ok
    assert sweep(custody)["ok"]
    assert drilling.drill(custody)["ok"]
    assert case_account(custody, CASE_NO)
    (told,) = [
        each
        for event in events(custody, Action.REPAIRED)
        for each in event.details.get("objects", ())
        if event.details["state"] == "done"
        and (each["label"], each["role"]) == (f"{CASE}/E0002", "original")
    ]
    now = object_of(custody, f"{CASE}/E0002")
    assert now["version_id"] == told["object"]["version_id"] != told["before"]["version_id"]
    assert now["retain_until"] == told["before"]["retain_until"] != ""
    assert now["lock_mode"] == "compliance"


def test_a_log_without_database_and_bucket_is_said_to_be_gone(rgw: Rgw, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "s3_access_key": rgw.access_key,
        "s3_secret_key": SecretStr(rgw.secret_key),
    }
    home, store = tmp_path / "home", rgw.store_url(f"b{secrets.token_hex(6)}")
    with open_house(home, store=store, **given):
        pass
    (home / "custody.sqlite").unlink()
    other = Settings(home=home, store=rgw.store_url(f"n{secrets.token_hex(6)}"), **given)
    with pytest.raises(IntegrityError) as caught:
        rebuild(other)
    assert caught.value.remedy

"""Opening the stores that the settings name; boto3 is loaded only for S3."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qs, urlsplit

from storage.directory import DirectoryLogStore, DirectoryStore
from storage.directory_working import DirectoryWorkingStore
from storage.errors import HostError
from storage.objects import LogStore, ObjectStore, WorkingStore
from storage.settings import Settings
from storage.workspace import Workspace


def store_address(chosen: Settings) -> SplitResult | None:
    """Return the address of the S3 store, or None for the directory store; opens nothing.

    Raises:
        HostError: CUSTODY_STORE is neither ``directory`` nor an ``s3://`` address.
    """
    if chosen.store == "directory":
        return None
    try:
        address = urlsplit(chosen.store)
    except ValueError:
        address = urlsplit("")
    if address.scheme != "s3" or not address.netloc:
        raise HostError(
            f"CUSTODY_STORE={chosen.store!r} is not a store",
            remedy="use 'directory' or 's3://BUCKET?endpoint=URL'",
        )
    return address


def open_stores(chosen: Settings, workspace: Workspace) -> tuple[ObjectStore, LogStore]:
    """Return the object store and the log store of an installation.

    Raises:
        HostError: CUSTODY_STORE is neither ``directory`` nor an ``s3://`` address, or the store
            cannot be used.
    """
    address = store_address(chosen)
    if address is None:
        return DirectoryStore(workspace.objects), DirectoryLogStore(workspace.objects)
    from storage.s3 import open_s3

    endpoint = parse_qs(address.query).get("endpoint", [""])[0]
    return open_s3(chosen, address.netloc, address.path.strip("/"), endpoint)


def open_working(chosen: Settings, workspace: Workspace) -> WorkingStore:
    """Return the store of the working copies that go out, apart from the originals (ST-05).

    In a directory it is the folder ``packages``; on an S3 server a bucket of its own, named like
    that of the originals with ``-working`` after it.

    Raises:
        HostError: the store cannot be used.
    """
    address = store_address(chosen)
    if address is None:
        return DirectoryWorkingStore(workspace.packages)
    from storage.s3_working import open_s3_working

    endpoint = parse_qs(address.query).get("endpoint", [""])[0]
    return open_s3_working(chosen, address.netloc, address.path.strip("/"), endpoint)

"""Fixtures that several rooms share: real servers, started once for a session."""

from collections.abc import Iterator

import pytest

from tests.services.rgw import Rgw, running_rgw


@pytest.fixture(scope="session")
def rgw() -> Iterator[Rgw]:
    """A real S3 server (Ceph RGW) on loopback."""
    with running_rgw() as server:
        yield server

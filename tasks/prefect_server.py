"""Asking a Prefect server: what goes wrong with it becomes one of our errors, everywhere alike.

Only who does not answer, or cannot just now, is asked again. A server that refuses (its password,
a question that it does not understand) would refuse again, and a person must look.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from storage.errors import HostError, TransientError

_LATER = frozenset({408, 425, 429})
"""Answers below 500 that mean: not now."""


@contextmanager
def prefect_server() -> Iterator[SyncPrefectClient]:
    """Open a client of the server that is set.

    Raises:
        TransientError: it does not answer, or not now.
        HostError: it refuses, or does not know the deployment that was asked for.
    """
    try:
        with get_client(sync_client=True) as client:
            yield client
    except ObjectNotFound as error:
        raise HostError(
            "the Prefect server does not know this deployment",
            remedy="run 'custody deploy' once, on any host",
        ) from error
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        if code >= 500 or code in _LATER:
            raise _away(error) from error
        raise HostError(
            f"the Prefect server refuses: {error}",
            remedy="check PREFECT_API_AUTH_STRING and the server's log",
        ) from error
    except httpx.HTTPError as error:
        raise _away(error) from error


def _away(error: httpx.HTTPError) -> TransientError:
    return TransientError(
        f"the Prefect server does not answer: {error}",
        remedy="see that it runs; it is asked again",
    )

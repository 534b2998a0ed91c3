"""What an S3 client raises, and what a server leaves out of its answers, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from storage.errors import HostError, IntegrityError, NotFoundError, TransientError

_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NoSuchBucket"})
_BUSY = frozenset(
    {
        "503",
        "BadDigest",
        "BandwidthLimitExceeded",
        "ConcurrentModification",
        "IncompleteBody",
        "InternalError",
        "InvalidPart",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "TooManyRequests",
        "XAmzContentSHA256Mismatch",
    }
)
"""After all of them the whole put may be repeated: the server is busy, the bytes were damaged on
their way, or an upload was swept, lost a part, or had ended without our hearing of it."""
_TOO_MANY = 429


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what botocore raises into one of our errors."""
    try:
        yield
    except NoCredentialsError as error:
        raise HostError(
            "there are no S3 credentials",
            remedy="set CUSTODY_S3_ACCESS_KEY and CUSTODY_S3_SECRET_KEY",
        ) from error
    except ClientError as error:
        raise _client_error(what, error) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise TransientError(
            f"the S3 server does not answer: {error}",
            remedy="it is tried again; check the endpoint if it lasts",
        ) from error


def code_of(error: ClientError) -> str:
    """Return the server's own word for what it refused.

    Only the answer to a HEAD has no words; where those of another answer were lost on the way,
    the client fills in the number of the status, which says too little to be believed.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    return "" if code.isdecimal() and not error.operation_name.startswith("Head") else code


def is_absent(error: ClientError) -> bool:
    """Say whether the server said that there is no such object, version or bucket."""
    return code_of(error) in _ABSENT


def _client_error(what: str, error: ClientError) -> Exception:
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if is_absent(error):
        return NotFoundError(
            f"{what} is not in the bucket",
            remedy="run 'custody verify' on its case",
            key=what,
            code=code,
        )
    if not code or code in _BUSY or status >= 500 or status == _TOO_MANY:
        return TransientError(
            f"the S3 server is busy: {code or status}", remedy="it is tried again"
        )
    return HostError(
        f"the S3 server refuses {what}: {code}",
        remedy="check bucket, access key, secret key and rights; see 'custody doctor'",
        code=code,
    )


def said(answer: Mapping[str, Any], name: str) -> Any:
    """Return a field that an answer must have.

    Raises:
        IntegrityError: the server said yes without it.
    """
    if answer.get(name) is None:
        raise IntegrityError(
            f"the S3 server's answer has no {name}",
            remedy="this server does not keep to the protocol; check it, and any proxy before it",
            field=name,
        )
    return answer[name]

"""Errors in families by who is at fault; this module imports nothing of ours.

``str(error)`` says what happened, ``error.remedy`` the next step, ``error.facts`` holds the
values behind both. Only ``TransientError`` is ever retried; an ``IntegrityError`` is never
retried and never downgraded. All errors survive pickling, because task engines pickle them.
"""

from __future__ import annotations

from typing import Any


class CustodyError(Exception):
    """Base of every error that a person may see."""

    transient = False
    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "", **facts: Any) -> None:
        """Keep the message, the next step, and the facts behind them."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.remedy, self.facts)


def _rebuild(kind: type[CustodyError], message: str, remedy: str, facts: dict[str, Any]) -> Any:
    return kind(message, remedy=remedy, **facts)


class InputError(CustodyError):
    """What a person handed in cannot be used as it is."""

    exit_code = 2


class NotFoundError(InputError):
    """A case, exhibit, commission or object that was named does not exist."""


class StateError(CustodyError):
    """The step is not allowed in the present state (for example accept after decline)."""

    exit_code = 3


class ConflictError(StateError):
    """The same name or number already stands for something else."""


class IntegrityError(CustodyError):
    """Bytes, digests, proofs or signatures do not match what was recorded."""

    exit_code = 4


class HostError(CustodyError):
    """The machine or its set-up lacks something (a program, a permission, disk space)."""

    exit_code = 5


class TransientError(CustodyError):
    """A service did not answer or was busy; the same call may succeed later."""

    transient = True
    exit_code = 6


class BusyError(TransientError):
    """Another process works on the same thing just now."""

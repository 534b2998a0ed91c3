"""Time as this house writes it, and what the kernel knows of its clock.

Times are RFC 3339 with a zone, to the second. An event also says how far its clock could be
trusted (RULES CU-09): whether the kernel's clock was being steered to a time source (NTP), by
how much it was still off, and the largest error the kernel will vouch for. Read with
``adjtimex(2)``, which changes nothing when it is asked for nothing.
"""

from __future__ import annotations

import ctypes
import sys
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_KEPT_SECONDS = 5.0
"""How long an answer of the kernel is used again."""
_STA_UNSYNC, _STA_NANO = 0x0040, 0x2000
_TIME_ERROR = 5
UNKNOWN = "unknown"


def stamp(moment: datetime, zone: str) -> str:
    """Return a moment as RFC 3339 in a named zone, to the second."""
    return moment.astimezone(ZoneInfo(zone)).replace(microsecond=0).isoformat()


def now(zone: str) -> str:
    """Return the present as ``stamp`` writes it."""
    return stamp(datetime.now(UTC), zone)


class _Timex(ctypes.Structure):
    """``struct timex`` of ``<sys/timex.h>``; ctypes pads as the compiler does."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


_last: tuple[float, str] = (-_KEPT_SECONDS, UNKNOWN)


def clock_source() -> str:
    """Return what the kernel says of its clock, asked at most every few seconds.

    ``ntp; offset 12 us; error at most 15000 us``, ``unsynchronised`` (nobody steers it, or not
    any more), or ``unknown`` (no Linux, or not allowed to ask).
    """
    global _last
    asked, answer = _last
    if time.monotonic() - asked >= _KEPT_SECONDS:
        answer = _ask_kernel()
        _last = (time.monotonic(), answer)
    return answer


def _ask_kernel() -> str:
    if not sys.platform.startswith("linux"):
        return UNKNOWN
    state = _Timex()
    try:
        result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    except (OSError, AttributeError):
        return UNKNOWN
    return describe(result, state.status, state.offset, state.maxerror)


def describe(result: int, status: int, offset: int, maxerror: int) -> str:
    """Return the words for an answer of ``adjtimex``.

    Args:
        result: what the call returned; negative: it was refused.
        status: the ``STA_`` bits.
        offset: what is left to correct, in microseconds, or nanoseconds with ``STA_NANO``.
        maxerror: the largest error, in microseconds.
    """
    if result < 0:
        return UNKNOWN
    if result == _TIME_ERROR or status & _STA_UNSYNC:
        return "unsynchronised"
    microseconds = round(offset / 1000) if status & _STA_NANO else offset
    return f"ntp; offset {microseconds} us; error at most {maxerror} us"

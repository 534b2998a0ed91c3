"""Logs of the commands that go on running: as people read them, or one JSON object a line.

``CUSTODY_LOG_FORMAT=people`` prints what such a command always printed. With ``json`` everything
that the process writes becomes lines like this one on its standard output, also what libraries log
or print::

    {"time": "2026-11-29T08:30:00.125+08:00", "level": "info", "event": "bundle.accepted",
     "command": "watch", "accession": "A2026-000007", "message": "..."}

``time`` is RFC 3339, ``level`` one of info, warning, error. Fields have fixed names: ``accession``,
``case``, ``commission``, ``unit``, ``bundle``, ``folder``; of a request ``method``, ``route``,
``status``, ``seconds``, ``bytes``. What hides or turns text is escaped, and what is or looks like
a secret is struck out. No content of evidence is ever logged.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from portal.show import console, inert
from portal.show import errors as error_console
from storage.errors import CustodyError

if TYPE_CHECKING:
    # The client of an agency logs too, and loads no settings before it runs.
    from storage.settings import Settings

Level = Literal["info", "warning", "error"]
_LONGEST = 8000
"""Characters of one message."""
_STOPPED, _DEFECT = 130, 70
_PREFECT = re.compile(r"\d\d:\d\d:\d\d\.\d+ \| ([A-Z]+)\s* \| ([\w.]+) - (.*)", re.DOTALL)
"""How Prefect's console prints what it logs."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class JsonLog:
    """Writes JSON lines of one command to a stream."""

    def __init__(self, command: str, stream: TextIO, chosen: Settings) -> None:
        """Write to ``stream``; times are in the installation's zone."""
        from portal.secrets_struck import Strike

        self._command, self._stream = command, stream
        self._zone = ZoneInfo(chosen.timezone)
        self._strike = Strike(chosen)
        self._lock = threading.Lock()

    def write(self, level: Level, event: str, message: str, **fields: Any) -> None:
        """Write one object as one line, whole."""
        now = datetime.now(self._zone).isoformat(timespec="milliseconds")
        known = {
            name: self._struck(each) for name, each in fields.items() if each not in ("", None)
        }
        record = {"time": now, "level": level, "event": event, "command": self._command}
        text = self._struck(message[:_LONGEST])
        line = json.dumps({**record, **known, "message": text}, ensure_ascii=False, default=str)
        with self._lock:
            self._stream.write(inert(line) + "\n")
            self._stream.flush()

    def _struck(self, value: Any) -> Any:
        return self._strike(value) if isinstance(value, str) else value


class _Lines(io.TextIOBase):
    """What the process prints, taken line by line; it stands in for a standard stream."""

    encoding = "utf-8"

    def __init__(self, log: JsonLog, level: Level, under: TextIO) -> None:
        self._log, self._level, self._under = log, level, under
        self._lock = threading.RLock()
        self._begun = ""

    def write(self, text: str) -> int:
        """Take text; each whole line becomes an object."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
        for each in lines:
            self._put(each)
        return len(text)

    def _put(self, line: str) -> None:
        plain = _COLOURS.sub("", line).rstrip()
        found = _PREFECT.fullmatch(plain)
        if found:
            self._log.write(_level(found[1]), "library", found[3], logger=found[2])
        elif plain.strip():
            self._log.write(self._level, "output", plain)

    def end(self) -> None:
        """Take what has no end of line."""
        rest, self._begun = self._begun, ""
        self._put(rest)

    def flush(self) -> None:
        """Do nothing: lines are written when they are whole."""

    def fileno(self) -> int:
        """Return the descriptor underneath, for children."""
        return self._under.fileno()

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True


class _Handler(logging.Handler):
    """Takes what libraries log."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__(logging.NOTSET)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; whatever is wrong with it ends nothing."""
        with contextlib.suppress(Exception):
            told: dict[str, Any] = {"logger": record.name}
            if record.exc_info and record.exc_info[0] is not None:
                told["traceback"] = "".join(traceback.format_exception(*record.exc_info))
            self._log.write(_level(record.levelname), "library", record.getMessage(), **told)


def _level(name: str) -> Level:
    if name in ("ERROR", "CRITICAL"):
        return "error"
    return "warning" if name == "WARNING" else "info"


_log: JsonLog | None = None


def is_json() -> bool:
    """Whether this process writes JSON now."""
    return _log is not None


def say(
    event: str, text: str, *, level: Level = "info", aside: bool = False, **fields: Any
) -> None:
    """Say that something happened: a line for people, or an object with the event's name.

    Args:
        event: what happened, in a few words with dots: ``bundle.accepted``.
        text: the line that people read; rich markup is allowed, names in it are escaped.
        level: how bad it is.
        aside: whether people read it on standard error.
        fields: what it is about.
    """
    if _log is None:
        (error_console if aside else console).print(text, soft_wrap=True)
    else:
        _log.write(level, event, Text.from_markup(text, emoji=False).plain.strip(), **fields)


def note(event: str, message: str, *, level: Level = "info", **fields: Any) -> None:
    """Say a plain text to programs alone: people are told nothing here."""
    if _log is not None:
        _log.write(level, event, message, **fields)


@contextlib.contextmanager
def logged(command: str) -> Iterator[None]:
    """Log as the settings say until the block ends; errors that end the command are logged too.

    Raises:
        typer.Exit: with the exit code of an error that is logged already.
    """
    from storage.settings import settings

    chosen = settings()
    if chosen.log_format == "people":
        yield
        return
    with _as_json(command, chosen) as log:
        try:
            yield
        except CustodyError as error:
            remedy, code = error.remedy, error.exit_code
            log.write("error", "failed", error.message, remedy=remedy, exit_code=code)
            raise typer.Exit(code) from error
        except KeyboardInterrupt:
            log.write("info", "stopped", "已停止 stopped", exit_code=_STOPPED)
            raise typer.Exit(_STOPPED) from None
        except Exception as error:
            if isinstance(error, typer.Exit | typer.Abort):
                raise
            told = "".join(traceback.format_exception(error))
            message = f"internal error: {type(error).__name__}: {error}"
            log.write("error", "failed", message, traceback=told, exit_code=_DEFECT)
            raise typer.Exit(_DEFECT) from error


@contextlib.contextmanager
def _as_json(command: str, chosen: Settings) -> Iterator[JsonLog]:
    global _log
    before = sys.stdout, sys.stderr, _log
    log = JsonLog(command, sys.stdout, chosen)
    out, aside = _Lines(log, "info", sys.stdout), _Lines(log, "warning", sys.stderr)
    handler, root = _Handler(log), logging.getLogger()
    sys.stdout, sys.stderr, _log = out, aside, log
    root.addHandler(handler)
    try:
        yield log
    finally:
        root.removeHandler(handler)
        out.end()
        aside.end()
        sys.stdout, sys.stderr, _log = before


def request_log() -> Callable[[str, str, int, float, int], None] | None:
    """Return what logs a request in JSON; None where people read: they never saw requests."""
    log = _log
    if log is None:
        return None

    def write(method: str, route: str, status: int, seconds: float, size: int) -> None:
        level: Level = "error" if status >= 500 else "info"
        told = {"method": method, "route": route, "status": status, "bytes": size}
        log.write(level, "request", f"{method} {route} {status}", **told, seconds=round(seconds, 6))

    return write

"""Office files of before 2007; where their readers give up, a flag and the printable strings."""

from __future__ import annotations

from tasks.reader import ppt97, word97, xls97
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

NOT_READ = "legacy_not_read"
"""Flag of a file whose reader gave up: nothing of it is told but its strings."""


def read_doc(source: Source, context: Context) -> Reading:
    """Read a Word file of 1997 to 2003."""
    try:
        return word97.read_doc(source, context)
    except word97.NotWord97Error:
        return Reading(state="damaged", flags=[NOT_READ])


def read_xls(source: Source, context: Context) -> Reading:
    """Read a spreadsheet of before 2007."""
    try:
        return xls97.read_xls(source, context)
    except xls97.NotReadError:
        return Reading(state="damaged", flags=[NOT_READ])


def read_ppt(source: Source, context: Context) -> Reading:
    """Read a presentation of 1997 to 2003."""
    try:
        return ppt97.read_ppt(source, context)
    except ppt97.NotReadError:
        return Reading(state="damaged", flags=[NOT_READ])

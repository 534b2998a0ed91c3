"""The password that came with a job: kept in this process, and never longer than the document.

A job's process is forked for one document and ends with it. Nothing here prints, pickles or
raises a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class _Given:
    text: str = field(default="", repr=False)
    used: bool = False


_given = _Given()


def give(text: str) -> None:
    """Keep the password of this job; an empty one takes it away."""
    _given.text, _given.used = text, False


def given() -> bool:
    """Return whether there is a password to try."""
    return bool(_given.text)


def spellings() -> Iterator[bytes]:
    """Yield the password as bytes, in the encodings that programs have used, none twice.

    PDF up to revision 4 and zip say nothing of other letters than Latin ones; Chinese programs
    write GB 18030 there.
    """
    seen = set()
    for encoding in ("utf-8", "gb18030", "latin-1"):
        try:
            data = _given.text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if _given.text and data not in seen:
            seen.add(data)
            yield data


def text() -> str:
    """Return the password as it was typed."""
    return _given.text


def use() -> None:
    """Note that something was opened with the password."""
    _given.used = True


def used() -> bool:
    """Return whether something was opened with the password."""
    return _given.used

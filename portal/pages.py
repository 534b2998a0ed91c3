"""What the HTML pages of this house share: text from outside made harmless, files made anew."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from storage.errors import ConflictError, InputError
from storage.names import escape, hides


def as_html(text: str) -> str:
    """Return text from outside as HTML: nothing in it is a tag, and nothing hides."""
    shown = (each if each in "\n\t" or not hides(each) else escape(each) for each in text)
    return html.escape("".join(shown))


@contextmanager
def new_page(path: Path) -> Iterator[TextIO]:
    """Yield a new file for a page; one that was not written to its end is removed.

    Raises:
        ConflictError: there is one already; it is left alone.
        InputError: it cannot be written.
    """
    try:
        file = path.open("x", encoding="utf-8", errors="backslashreplace")
    except FileExistsError as error:
        raise ConflictError(
            f"文件已存在，未改动 the file is there already: {path}",
            remedy="请换一个文件名 choose another name",
        ) from error
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritten(path, error) from error
        raise


def _unwritten(path: Path, error: OSError) -> InputError:
    return InputError(
        f"无法写入 it cannot be written: {path}: {error.strerror}",
        remedy="请选择可写且有空间的文件夹 choose a folder that is there, with room, that you "
        "may write to",
    )

"""Any file name as valid Unicode text, and back: what events, listings and tables hold.

Inside the programme a path is a ``str`` with ``surrogateescape``, as the operating system hands
it over. Neither JSON nor XML nor a database takes one that is not UTF-8. On record a path is
*spelled*: as it is if it is valid UTF-8, otherwise (and if it begins like a spelling itself)
``bytes://`` and its bytes, all but ``A-Z a-z 0-9 _ . - ~ /`` written ``%XX`` (RFC 3986)::

    合同/供货合同.pdf          ->  合同/供货合同.pdf
    \\xba\\xcf\\xcd\\xac.pdf (GBK)  ->  bytes://%BA%CF%CD%AC.pdf

Two paths never have one spelling, and a path has only one: nothing is normalised, so NFC and
NFD pairs and names that differ by case stay apart. No path of a file system begins with
``bytes://`` (it would have an empty part), so nobody meets a changed name by accident. The rule
is docs/decisions/0017-names.md. Pure.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from storage.errors import InputError
from storage.names import display, utf8

PREFIX = "bytes://"
"""What a spelling that is not the name itself begins with."""

_ENCODED = re.compile(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-Fa-f]{2})*", re.ASCII)


def spell(path: str) -> str:
    """Return the one spelling of a path: valid Unicode that every store takes.

    Raises:
        InputError: it holds half a character, which is no byte of any file name.
    """
    raw = _raw(path)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return percent(path)
    return percent(path) if text.startswith(PREFIX) else text


def unspell(spelled: str) -> str:
    """Return the path (``surrogateescape``) of a spelling; the exact inverse of ``spell``.

    Raises:
        InputError: it is not what ``spell`` writes for any path.
    """
    path = from_percent(spelled) if spelled.startswith(PREFIX) else spelled
    if any("\ud800" <= each <= "\udfff" for each in spelled) or spell(path) != spelled:
        raise _no_spelling(spelled)
    return path


def percent(path: str) -> str:
    """Return the ``bytes://`` form of any path, for a name that a person cannot type.

    Raises:
        InputError: it holds half a character, which is no byte of any file name.
    """
    return PREFIX + quote(_raw(path), safe="/")


def from_percent(written: str) -> str:
    """Return the path of a ``bytes://`` form as people may write it: of any path, either case.

    Raises:
        InputError: it is not ``bytes://`` with plain characters and ``%XX``.
    """
    encoded = written.removeprefix(PREFIX)
    if not written.startswith(PREFIX) or _ENCODED.fullmatch(encoded) is None:
        raise _no_spelling(written)
    return unquote_to_bytes(encoded).decode("utf-8", "surrogateescape")


def _raw(path: str) -> bytes:
    try:
        return utf8(path)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{display(path[:80])} holds half a character and is no name of a file",
            remedy="give the name as the file system holds it",
        ) from error


def _no_spelling(text: str) -> InputError:
    return InputError(
        f"{display(text[:80])} is no spelling of a file's name",
        remedy="write the name itself, or bytes:// and its bytes, each as % and two digits",
        written=text[:200],
    )

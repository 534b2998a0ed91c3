"""How names from outside are shown to a person, on paper, on a terminal and in Markdown.

A file name may hold anything: control characters that move a cursor, bidirectional marks that
turn an ending around, bytes that are no text at all. What is shown has none of these: each is
written as an escape (``\\x1b``, ``\\u202e``, ``\\U000e0041``), so that two different names never
look the same because of one of them. The bytes themselves are never changed. Pure.

``visible`` is for text of ours with names in it (it changes nothing twice), ``display`` for what
came from outside, ``shown`` for the name or path of a file wherever blanks may be dropped.
"""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_PLAIN_SPACES = frozenset({" ", "\u3000"})
_BYTES = range(0xDC80, 0xDD00)
# Paper, Markdown and web pages drop these blanks: at either end, and after another blank.
_LOOSE = re.compile("\\A[ \u3000]|[ \u3000]\\Z|(?<=[ \u3000])[ \u3000]")
# These draw nothing, yet Unicode counts them as letters or marks.
_BLANK = frozenset({"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u034f"})


def visible(text: str) -> str:
    """Return the text with every character that hides, moves or turns text as an escape.

    Line breaks are escaped too: a name cannot forge a second line. A byte that was no UTF-8
    (a lone surrogate of ``surrogateescape``) is shown as ``\\xNN``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(escape(each) if hides(each) else each for each in text)


def display(name: str) -> str:
    """Return a name as a person may see it; different names are shown differently.

    The backslash is doubled, so that a name which spells out an escape is told apart from one
    which holds the character.
    """
    return visible(name.replace("\\", "\\\\"))


def shown(path: str) -> str:
    """Return a file's name or path for a person, every blank of it certain to be seen.

    A blank at an end or after another blank is ``\\x20``, because paper, Markdown and web pages
    drop it. Different paths are shown differently.
    """
    return _LOOSE.sub(lambda match: escape(match.group()), display(path))


def utf8(name: str) -> bytes:
    """Return the bytes of a name, undoing ``surrogateescape``."""
    return name.encode("utf-8", "surrogateescape")


def hides(each: str) -> bool:
    """Say whether a character hides, moves or turns text, or draws nothing at all."""
    category = unicodedata.category(each)
    if category == "Zs":
        return each not in _PLAIN_SPACES
    point = ord(each)
    # Noncharacters can stand neither in XML nor in YAML.
    alien = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return category in _HIDDEN or each in _BLANK or alien or 0xFE00 <= point <= 0xFE0F


def escape(each: str) -> str:
    """Return the escape of one character: ``\\xNN``, ``\\uNNNN`` or ``\\UNNNNNNNN``."""
    point = ord(each)
    if point in _BYTES:
        return f"\\x{point - 0xDC00:02x}"
    if point < 0x100:
        return f"\\x{point:02x}" if point < 0x80 else f"\\u{point:04x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"

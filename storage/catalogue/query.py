"""The query language: one parser, whose errors say where and what is expected. Pure.

::

    query  = either
    either = both { "OR" both }
    both   = one { [ "AND" ] one }
    one    = "NOT" one | "(" either ")" | phrase | word
    phrase = '"' { any character but a quotation mark } '"'
    word   = a run of characters that are no space, parenthesis or quotation mark

``AND``, ``OR`` and ``NOT`` are in capitals; parentheses and quotation marks may be Chinese ones.
A word is found by its stems, and marks at its ends are left out; a phrase is found as it stands,
marks included. Han is compared exactly in either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from storage.catalogue import segment
from storage.errors import InputError

LONGEST = 2000
"""Characters of a query."""
MOST = 200
"""Words and phrases of a query; both databases take as many in any nesting."""
DEEPEST = 30
"""Parentheses and NOTs that may stand in one another."""
_QUOTES = '"“”„「」『』＂'
_TOKEN = re.compile(
    rf"""(?P<open>[(（])|(?P<close>[)）])|[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]"""
    rf"""|(?P<quote>[{_QUOTES}])|(?P<word>[^\s()（）{_QUOTES}]+)"""
)
_KEYWORDS = frozenset({"AND", "OR", "NOT"})
_EXPECTED = ('词、"短语"、NOT 或 (', 'a word, a "phrase", NOT or (')


@dataclass(frozen=True)
class Term:
    """A word or a phrase: its units, in order; ``exact`` says that stems do not do."""

    units: tuple[str, ...]
    exact: bool = False

    @property
    def stems(self) -> list[str]:
        """The units with English words by their stem."""
        return segment.stemmed(self.units)


@dataclass(frozen=True)
class And:
    """All of these."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Or:
    """At least one of these."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Not:
    """Not this."""

    part: Query


Query = Term | And | Or | Not


class _Lexeme(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        InputError: it is none; ``facts`` hold ``position`` (from 1) and ``expected``.
    """
    if len(text) > LONGEST:
        raise _wrong(
            LONGEST + 1,
            "检索式过长",
            "the query is too long",
            ("", f"{LONGEST} characters at most"),
        )
    lexemes = list(_lexemes(text))
    many = [each for each in lexemes if each.kind in ("phrase", "word")]
    if len(many) > MOST:
        at = many[MOST].at
        raise _wrong(at, "检索词过多", "too many words", ("", f"{MOST} words at most"))
    parser = _Parser(lexemes, len(text) + 1)
    found = parser.either(0)
    left = parser.next
    if left.kind != "end":
        raise _wrong(left.at, "多余的 )", "a ) that closes nothing", ("结尾", "the end"))
    return found


def terms(query: Query) -> Iterator[Term]:
    """Yield the terms that a page may be found by, in order: those under NOT are none."""
    if isinstance(query, Term):
        yield query
    elif isinstance(query, And | Or):
        for part in query.parts:
            yield from terms(part)


def _lexemes(text: str) -> Iterator[_Lexeme]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        word, at = match.group(kind), match.start() + 1
        if kind == "quote":
            raise _wrong(at, "引号没有配对", "a quotation mark without its pair", ('"', '"'))
        yield _Lexeme(word if kind == "word" and word in _KEYWORDS else kind, word, at)


class _Parser:
    """Recursive descent over lexemes; each method reads one rule of the grammar."""

    def __init__(self, lexemes: list[_Lexeme], end: int) -> None:
        self._lexemes = [*lexemes, _Lexeme("end", "", end)]
        self._at = 0

    @property
    def next(self) -> _Lexeme:
        return self._lexemes[self._at]

    def _took(self, kind: str) -> bool:
        taken = self.next.kind == kind
        self._at += taken
        return taken

    def either(self, depth: int) -> Query:
        parts = [self._both(depth)]
        while self._took("OR"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while self._took("AND") or self.next.kind in ("NOT", "open", "phrase", "word"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self, depth: int) -> Query:
        found = self.next
        if depth > DEEPEST:
            raise _wrong(found.at, "嵌套过深", "nested too deeply", ("", f"{DEEPEST} at most"))
        self._at += found.kind != "end"
        if found.kind == "NOT":
            return Not(self._one(depth + 1))
        if found.kind == "open":
            return self._closed(found, depth)
        if found.kind in ("phrase", "word"):
            return _term(found)
        zh, en = ("检索式到此为止", "the query ends here")
        if found.kind != "end":
            zh, en = f"此处不能是 {found.text}", f"{found.text} cannot stand here"
        raise _wrong(found.at, zh, en, _EXPECTED)

    def _closed(self, opened: _Lexeme, depth: int) -> Query:
        inner = self.either(depth + 1)
        if not self._took("close"):
            place = f"第 {opened.at} 个字符的括号 the parenthesis at {opened.at}"
            raise _wrong(self.next.at, f"没有关闭{place}", "is not closed", (")", ")"))
        return inner


def _term(found: _Lexeme) -> Term:
    units = segment.units(found.text)
    exact = found.kind == "phrase"
    while not exact and units and not segment.is_token(units[-1]):
        units.pop()
    while not exact and units and not segment.is_token(units[0]):
        units.pop(0)
    if not units:
        raise _wrong(
            found.at, "没有可检索的字", "nothing to search for", ("文字或数字", "letters or digits")
        )
    return Term(tuple(units), exact)


def _wrong(position: int, zh: str, en: str, expected: tuple[str, str]) -> InputError:
    return InputError(
        f"检索式第 {position} 个字符：{zh} at character {position} of the query: {en}",
        remedy=f"此处应为 expected here: {' '.join(dict.fromkeys(filter(None, expected)))}",
        position=position,
        expected=expected[1],
    )

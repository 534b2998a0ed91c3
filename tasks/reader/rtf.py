"""Rich Text Format: the words of each destination, in the code page that each font says.

Rich Text Format specification 1.9.1. Body, headers, footnotes, comments, text boxes and table
rows; deleted, inserted and hidden words are kept apart; pictures become parts. What is marked
as skippable and is not known here is skipped, as the specification demands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from tasks.reader.reading import Context, Reading
from tasks.reader.rtfwords import (
    CODECS,
    CODES,
    CONTROL_TEXT,
    FONT_CODE_PAGES,
    INFO,
    SHOWN,
    SINKS,
    SKIPPED,
    TIMES,
)
from tasks.reader.source import Source

_MAX_BYTES = 64 << 20
_MAX_DEPTH = 5_000
_MAX_PICTURES = 500
_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n]+",
    re.DOTALL,
)
_LINK = re.compile(r'HYPERLINK\s+"?([^"\s]+)')


@dataclass
class _State:
    """What a group may change and its end restores."""

    sink: str = "body"
    skip: int = 1
    codec: str = "cp1252"
    hidden: bool = False
    deleted: bool = False
    inserted: bool = False
    author: int = 0


@dataclass
class _Parser:
    """Collects the words of every destination."""

    text: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[tuple[str, list[str]]] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    _state: _State = field(default_factory=_State)
    _stack: list[_State] = field(default_factory=list)
    _bytes: bytearray = field(default_factory=bytearray)
    _fonts: dict[int, str] = field(default_factory=dict)
    _font: int = 0
    _default: str = "cp1252"
    _to_skip: int = 0
    _surrogate: int = 0
    _star: bool = False
    _kind: str = ""

    def feed(self, text: str) -> None:
        """Read the whole file, one character a byte."""
        at = 0
        while found := _TOKEN.match(text, at):
            at = found.end()
            word, number, code, symbol, brace, plain = found.groups()
            if plain is not None:
                self._plain(plain)
            elif word is not None:
                at += self._word(word.lower(), int(number) if number else None)
            elif code is not None:
                self._byte(int(code, 16))
            elif brace is not None:
                self._brace(brace)
            elif symbol is not None:
                self._symbol(symbol)
        self._flush()
        if self._stack:
            self.flags.add("cut_off")

    def _plain(self, plain: str) -> None:
        self._star = False
        if self._to_skip:
            plain, self._to_skip = plain[self._to_skip :], max(0, self._to_skip - len(plain))
        if self._state.sink == "pict":
            self.pictures[-1][1].append(plain)
        elif self._state.sink:
            self._bytes += plain.encode("latin-1")

    def _byte(self, value: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        elif self._state.sink not in ("", "pict"):
            self._bytes.append(value)

    def _brace(self, brace: str) -> None:
        self._flush()
        self._to_skip = 0
        self._star = False
        if brace == "{":
            if len(self._stack) >= _MAX_DEPTH:
                self.flags.add("too_deep")
                self._state = replace(self._state, sink="")
            self._stack.append(self._state)
            self._state = replace(self._state)
        elif self._stack:
            ended, self._state = self._state, self._stack.pop()
            if ended.sink != self._state.sink and ended.sink in SINKS:
                self._put(ended.sink, "\n")

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._star = True
        elif symbol in "\\{}":
            self._plain(symbol)
        elif symbol in CONTROL_TEXT:
            self._say(CONTROL_TEXT[symbol])
        elif symbol in "\r\n":
            self._say("\n")

    def _word(self, word: str, number: int | None) -> int:
        """Act on a control word; return how many binary bytes follow it."""
        star, self._star = self._star, False
        if word == "bin":
            return max(0, number or 0)
        if word == "u" and number is not None:
            self._unicode(number & 0xFFFF)
        elif word in SINKS or word in INFO or word == "pict":
            self._destination(word)
        elif word in SKIPPED or (star and word not in SHOWN):
            self._flush()
            self._state.sink = ""
        elif self._state.sink == "fonttbl":
            self._font_entry(word, number)
        elif self._state.sink in TIMES:
            self.numbers[f"{self._state.sink}.{word}"] = number or 0
        elif word in CONTROL_TEXT:
            self._say(CONTROL_TEXT[word])
        elif word in ("pngblip", "jpegblip") and self._state.sink == "pict":
            self.pictures[-1] = (word[:-4], self.pictures[-1][1])
        else:
            self._format(word, number)
        return 0

    def _format(self, word: str, number: int | None) -> None:
        state, on = self._state, number != 0
        if word == "uc":
            state.skip = min(max(0, number or 0), 10)
        elif word == "ansicpg":
            self._default = state.codec = CODECS.get(number or 0, "cp1252")
        elif word == "f":
            self._flush()
            state.codec = self._fonts.get(number or 0, self._default)
        elif word in ("v", "deleted", "revised", "plain", "revauth", "revauthdel"):
            self._flush()
            if word == "plain":
                state.hidden = state.deleted = state.inserted = False
            elif word.startswith("revauth"):
                state.author = number or 0
            else:
                name = {"v": "hidden", "deleted": "deleted", "revised": "inserted"}[word]
                setattr(state, name, on)
        elif word in ("version", "edmins", "nofpages", "vern"):
            self.numbers[word] = number or 0

    def _destination(self, word: str) -> None:
        self._flush()
        # Inside of what is skipped nothing is shown again.
        if self._state.sink:
            self._state.sink = word
        if word == "pict" and self._state.sink:
            if len(self.pictures) >= _MAX_PICTURES:
                self._state.sink = ""
                self.flags.add("truncated")
            else:
                self.pictures.append(("", []))

    def _font_entry(self, word: str, number: int | None) -> None:
        if word == "f":
            self._font = number or 0
        elif word == "fcharset":
            self._fonts[self._font] = FONT_CODE_PAGES.get(number or 0, "") or self._default

    def _unicode(self, code: int) -> None:
        self._flush()
        self._to_skip = self._state.skip
        if 0xD800 <= code < 0xDC00:
            self._surrogate = code
            return
        if 0xDC00 <= code < 0xE000:
            if not self._surrogate:
                return
            code = 0x10000 + ((self._surrogate - 0xD800) << 10) + (code - 0xDC00)
        self._surrogate = 0
        self._put_here(chr(code))

    def _say(self, text: str) -> None:
        self._flush()
        self._put_here(text)

    def _flush(self) -> None:
        if self._bytes:
            data, self._bytes = bytes(self._bytes), bytearray()
            try:
                text = data.decode(self._state.codec)
            except UnicodeDecodeError:
                text = data.decode(self._state.codec, "replace")
                self.flags.add("undecodable_bytes")
            self._put_here(text)

    def _put_here(self, text: str) -> None:
        state = self._state
        if state.sink in ("", "pict", "fonttbl", *TIMES):
            return
        if state.sink in INFO or state.sink in ("revtbl", "fldinst"):
            self._put(state.sink, text)
        elif state.deleted:
            self._put(f"deleted {state.author}", text)
        elif state.hidden:
            self._put("hidden", text)
        else:
            self._put(state.sink, text)
            if state.inserted:
                self._put(f"inserted {state.author}", text)

    def _put(self, sink: str, text: str) -> None:
        self.text.setdefault(sink, []).append(text)

    def lines(self, sink: str) -> str:
        """Return the words of one sink as lines, without blanks at their ends."""
        joined = "".join(self.text.get(sink, ()))
        return "\n".join(line.rstrip("\t ") for line in joined.split("\n") if line.strip())


def read_rtf(source: Source, context: Context) -> Reading:
    """Read the words of each destination as a page, then the pictures."""
    reading = Reading()
    parser = _parsed(source, reading)
    authors = parser.lines("revtbl").replace("\n", "").split(";")
    for sink, label in SINKS.items():
        text = parser.lines(sink) if label else ""
        if text or sink == "body":
            context.page(reading, text, label=label if sink != "body" else "")
    for sink in sorted(parser.text):
        kind, _, number = sink.partition(" ")
        if kind in ("deleted", "inserted", "hidden") and (text := parser.lines(sink)):
            who = authors[int(number)] if number and int(number) < len(authors) else ""
            said = CODES[kind] + (f" [{who}]" if who else "")
            context.page(reading, text, label=said, flags=(f"{kind}_text",))
            reading.flag("hidden_text" if kind == "hidden" else "tracked_changes")
    if links := list(dict.fromkeys(_LINK.findall("".join(parser.text.get("fldinst", ()))))):
        context.page(reading, "\n".join(links[:1_000]), label="外部链接 external links")
    _pictures(parser, reading, context)
    _properties(parser, reading)
    return reading


def picture(source: Source, index: int) -> Source:
    """Return one picture by its number."""
    kind, pieces = _parsed(source, Reading()).pictures[index]
    return _picture(kind, pieces, index)


def _parsed(source: Source, reading: Reading) -> _Parser:
    parser = _Parser()
    parser.feed(source.head(_MAX_BYTES).decode("latin-1"))
    if source.size > _MAX_BYTES:
        reading.flag("truncated")
    for flag in sorted(parser.flags):
        reading.flag(flag)
    return parser


def _picture(kind: str, pieces: list[str], index: int) -> Source:
    digits = re.sub(r"[^0-9a-fA-F]", "", "".join(pieces))
    return Source(bytes.fromhex(digits[: len(digits) & ~1]), f"picture{index}.{kind}")


def _pictures(parser: _Parser, reading: Reading, context: Context) -> None:
    for index, (kind, pieces) in enumerate(parser.pictures):
        if kind and pieces:
            name = f"图片 picture {index + 1}"
            context.part(reading, index, name, lambda i=index: _picture(*parser.pictures[i], i))  # type: ignore[misc]
        else:
            # Windows metafiles, and pictures in binary.
            reading.flag("pictures_not_read")


def _properties(parser: _Parser, reading: Reading) -> None:
    for name in INFO:
        if name not in TIMES:
            reading.note(name, parser.lines(name))
        elif f"{name}.yr" in parser.numbers:
            year, month, day, hour, minute = (
                parser.numbers.get(f"{name}.{part}", 0) for part in ("yr", "mo", "dy", "hr", "min")
            )
            reading.note(name, f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}")
    for name, value in parser.numbers.items():
        if "." not in name:
            reading.note({"version": "revision", "edmins": "edit_minutes"}.get(name, name), value)

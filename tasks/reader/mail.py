"""Mail: headers, bodies and attachments, in the charsets that were really used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import collapse_rfc2231_value

from tasks.reader.charset import decode
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.texts import html_text

_HEADERS = ("From", "To", "Cc", "Bcc", "Date", "Subject", "Message-ID", "Reply-To", "Received")
_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_MAX_LEAVES = 2_000


@dataclass(frozen=True)
class Leaf:
    """One part of a mail that holds bytes: a body, or an attachment with its name."""

    index: int
    media_type: str
    charset: str
    name: str
    body: bool
    data: bytes


def read_mail(source: Source, context: Context) -> Reading:
    """Read headers and bodies as one page each, attachments as parts."""
    reading = Reading()
    message = message_from_bytes(source.whole())
    for name in _HEADERS:
        values = [header_text(value) for key, value in raw_headers(message) if key == name.lower()]
        reading.note(name, "; ".join(values))
    lines = [f"{name}: {reading.metadata[name]}" for name in _SHOWN if name in reading.metadata]
    context.page(reading, "\n".join(lines), label="邮件头 headers")
    for leaf in leaves(message):
        if leaf.body:
            _body(leaf, reading, context)
        elif context.descend:
            label = f"附件 attachment: {leaf.name or leaf.index}"
            context.part(
                reading,
                leaf.index,
                label,
                lambda leaf=leaf: Source(leaf.data, leaf.name),  # type: ignore[misc]
            )
    if message.defects:
        reading.flag("mail_defects")
    return reading


def attachment(source: Source, index: int) -> Source:
    """Return one part of a mail by its number."""
    for leaf in leaves(message_from_bytes(source.whole())):
        if leaf.index == index:
            return Source(leaf.data, leaf.name)
    raise IndexError(f"the mail has no part {index}")


def leaves(message: Message) -> Iterator[Leaf]:
    """Yield the parts in order; an attached mail is one part and not looked into."""
    stack: list[Message] = [message]
    count = 0
    while stack and count < _MAX_LEAVES:
        part = stack.pop()
        content = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(content, list):
            yield Leaf(count, "message/rfc822", "", file_name(part), False, _bytes(content))
            count += 1
        elif isinstance(content, list):
            stack.extend(p for p in reversed(content) if isinstance(p, Message))
        else:
            yield _leaf(part, count)
            count += 1


def _leaf(part: Message, index: int) -> Leaf:
    data = part.get_payload(decode=True)
    kind = part.get_content_type()
    name = file_name(part)
    attached = bool(name) or part.get_content_disposition() == "attachment"
    return Leaf(
        index=index,
        media_type=kind,
        charset=str(part.get_param("charset", "") or ""),
        name=name,
        body=kind in ("text/plain", "text/html") and not attached,
        data=data if isinstance(data, bytes) else b"",
    )


def _bytes(content: Sequence[object]) -> bytes:
    first = content[0] if content else None
    return first.as_bytes() if isinstance(first, Message) else b""


def _body(leaf: Leaf, reading: Reading, context: Context) -> None:
    decoded = decode(leaf.data, leaf.charset)
    if decoded.damaged:
        reading.flag("undecodable_bytes")
    web = leaf.media_type == "text/html"
    text = html_text(decoded.text) if web else decoded.text.replace("\r\n", "\n")
    context.page(reading, text, label="正文 body (html)" if web else "正文 body")


def _parameter(part: Message, header: str, parameter: str) -> object:
    """Return a header's parameter; raw bytes are decoded before the header is taken apart."""
    for name, raw in raw_headers(part):
        if name == header:
            plain = Message()
            plain[header] = decode(raw.encode("utf-8", "surrogateescape")).text
            return plain.get_param(parameter, None, header)
    return None


def header_text(value: object) -> str:
    """Return a header's text: encoded words, and raw bytes that no standard allows."""
    raw = str(value)
    try:
        pieces = decode_header(raw)
    except (ValueError, LookupError):
        pieces = [(raw, None)]
    text = ""
    for piece, charset in pieces:
        data = piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece
        text += decode(data, "" if charset in (None, "unknown-8bit") else str(charset)).text
    return " ".join(text.split())


def raw_headers(part: Message) -> list[tuple[str, str]]:
    """Return the headers with their bytes kept, names in lower case."""
    return [(name.lower(), str(value)) for name, value in part.raw_items()]


def file_name(part: Message) -> str:
    """Return the name of an attachment as its sender meant it, empty if it has none."""
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        value = _parameter(part, header, parameter)
        if isinstance(value, tuple):
            charset, _, quoted = value
            data = quoted.encode("latin-1", "replace")
            return decode(data, charset or "").text if charset else collapse_rfc2231_value(value)
        if value:
            return header_text(value)
    return ""

"""The way down from a document to a part of it, by member numbers."""

from __future__ import annotations

from tasks.reader import mail, mediatype, members, office, pdf, rtf, svg, zipdir
from tasks.reader.limits import Limits
from tasks.reader.source import Source


def descend(source: Source, inside: tuple[int, ...]) -> Source:
    """Return the part of a document that ``inside`` leads to."""
    for index in inside:
        kind = mediatype.media_type(source)
        if kind == "message/rfc822":
            source = mail.attachment(source, index)
        elif kind == "text/rtf":
            source = rtf.picture(source, index)
        elif kind == "image/svg+xml":
            source = svg.picture(source, index)
        elif kind == "application/pdf":
            source = pdf.attachment(source, index)
        else:
            member = zipdir.list_zip(source, Limits()).members[index]
            data = members.read(source, member, office.MAX_PART_BYTES)
            source = Source(data, member.name)
    return source

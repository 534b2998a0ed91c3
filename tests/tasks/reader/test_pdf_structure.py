"""What a PDF says about itself: history, signatures, actions, locks, metadata."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.reader import inspection
from tasks.reader.answer import Transcript
from tasks.reader.pdf_xmp import compare, pdf_time, read_xmp
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made
from tests.tasks.reader import samples


def look(data: bytes) -> Transcript:
    return inspection.inspect(Source(data, "a.pdf"))


def test_earlier_revisions_are_told_with_what_they_said() -> None:
    seen = look(made.with_history("price 100", "price 200", "price 300"))
    assert "revised" in seen.flags
    assert seen.metadata["revisions"] == "3"
    assert "changed afterwards: 1" in seen.metadata["revision_1"]
    assert seen.pages[0].text == "price 300"
    assert "revised" in seen.pages[0].flags
    behind = [(page.text, page.flags) for page in seen.pages[1:]]
    assert behind == [("price 100", ("earlier_revision",)), ("price 200", ("earlier_revision",))]


def test_a_revision_that_changed_no_words_says_so() -> None:
    seen = look(made.incremental(made.text_page(), "another title"))
    assert seen.metadata["revisions"] == "2"
    assert "not changed" in seen.metadata["revision_1"]
    assert len(seen.pages) == 1


def signed(after: bytes = b"") -> bytes:
    """Return a file with a signature over all of it that lies about nothing."""
    value = (
        b"<< /Type /Sig /SubFilter /adbe.pkcs7.detached /Name (Li Si) /M (D:20260105100000Z)"
        b" /ByteRange [0 AAAAAAAAAA BBBBBBBBBB CCCCCCCCCC] /Contents <00000000> >>"
    )
    data = made.one_page(
        made.say("contract"),
        b"",
        b"<< /FT /Sig /T (Sign1) /V 7 0 R >>",
        value,
        catalogue=b"/AcroForm << /Fields [6 0 R] /SigFlags 3 >>",
    )
    start, end = data.index(b"<00000000>"), data.index(b"<00000000>") + 10
    for mark, number in ((b"A", start), (b"B", end), (b"C", len(data) - end)):
        data = data.replace(mark * 10, b"%010d" % number)
    return data


def test_signatures_are_told_as_claimed() -> None:
    seen = look(signed())
    said = seen.metadata["signature_1"]
    assert "signed" in seen.flags
    assert "signed_in_part" not in seen.flags
    assert "Sign1" in said
    assert "Li Si" in said
    assert "covers the whole file" in said
    assert "not validated" in said


def test_a_signature_that_does_not_cover_what_came_later() -> None:
    data = signed()
    later = made.updated(data, {4: made.stream(made.say("changed"))}, made.startxref(data))
    seen = look(later)
    assert "signed_in_part" in seen.flags
    assert "covers revision 1, of 2" in seen.metadata["signature_1"]


def test_scripts_are_found_under_another_spelling_and_in_object_streams() -> None:
    plain = made.one_page(SAY, b"", catalogue=b"/OpenAction << /S /JavaScript /JS (x) >>")
    assert {"javascript", "open_action"} <= set(look(plain).flags)
    spelt = made.one_page(SAY, b"", catalogue=b"/OpenAction << /S /J#61vaScript /JS (x) >>")
    assert "javascript" in look(spelt).flags
    assert "javascript" not in look(made.one_page(SAY)).flags
    page_first = b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"
    assert "open_action" not in look(made.one_page(SAY, b"", catalogue=page_first)).flags


SAY = made.say("hello")


def test_permissions_are_recorded_and_ignored() -> None:
    seen = look(samples.locked_pdf("", "owner"))
    assert seen.text == samples.TEXT
    assert "V5" in seen.metadata["encryption"]
    assert "permitted" in seen.metadata


def test_metadata_that_contradicts_itself() -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:pdf="p" xmlns:xmp="x">'
        b'<rdf:Description pdf:Producer="Maker B"><xmp:CreateDate>2026-01-05T10:00:00+08:00'
        b"</xmp:CreateDate></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    assert read_xmp(xmp) == {"Producer": "Maker B", "CreateDate": "2026-01-05T10:00:00+08:00"}
    info = {"Producer": "Maker A", "CreationDate": "D:20260105020000Z"}
    assert compare(info, read_xmp(xmp)) == ["Producer"]
    data = made.one_page(
        SAY,
        b"",
        made.stream(xmp, b"/Type /Metadata /Subtype /XML"),
        b"<< /Producer (Maker A) >>",
        catalogue=b"/Metadata 6 0 R",
    ).replace(b"/Root 1 0 R", b"/Root 1 0 R /Info 7 0 R")
    seen = look(data)
    assert "metadata_differs" in seen.flags
    assert seen.metadata["metadata_differs"] == "Producer"
    assert seen.metadata["xmp_CreateDate"] == "2026-01-05T10:00:00+08:00"


def test_files_outside_the_table_are_found_too() -> None:
    data = made.one_page(
        SAY,
        b">> /Annots [8 0 R] /Unused <<",
        made.stream(b"associated words", b"/Type /EmbeddedFile"),
        b"<< /Type /Filespec /F (a.txt) /EF << /F 6 0 R >> /AFRelationship /Source >>",
        b"<< /Type /Annot /Subtype /FileAttachment /Rect [1 1 9 9] /FS 9 0 R >>",
        b"<< /Type /Filespec /F (b.txt) /EF << /F 10 0 R >> >>",
        made.stream(b"pinned words", b"/Type /EmbeddedFile"),
        catalogue=b"/AF [7 0 R]",
    )
    seen = look(data)
    assert [(page.inside, page.text) for page in seen.pages[1:]] == [
        ((0,), "associated words"),
        ((1,), "pinned words"),
    ]


def test_another_file_behind_the_end() -> None:
    seen = look(made.one_page(SAY) + samples.archive({"a.txt": b"x"}))
    assert {"data_after_end", "also_zip"} <= set(seen.flags)


@given(st.text(alphabet="D:0123456789Z+-'", max_size=24))
def test_dates_never_stop_it(text: str) -> None:
    time = pdf_time(text)
    assert time is None or 1 <= time.year <= 9999


@given(st.binary(max_size=200))
def test_xmp_never_stops_it(data: bytes) -> None:
    assert isinstance(read_xmp(b"<x>" + data + b"</x>"), dict)

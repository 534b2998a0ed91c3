"""Words that a PDF page holds without showing them, and what lies on it."""

from __future__ import annotations

import pytest

from tasks.reader import inspection
from tasks.reader.answer import Transcript
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made


def look(data: bytes) -> Transcript:
    return inspection.inspect(Source(data, "a.pdf"))


SHOWN = made.say("all can see this sentence") + b"\n"


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("invisible", SHOWN + b"BT 3 Tr /F 12 Tf 20 100 Td (secret price) Tj ET"),
        ("same_colour", SHOWN + b"BT 1 1 1 rg /F 12 Tf 20 100 Td (secret price) Tj ET"),
        (
            "same_colour",
            SHOWN + b"0 g 10 90 150 40 re f BT 0 g /F 12 Tf 20 100 Td (secret price) Tj ET",
        ),
        ("outside", SHOWN + b"BT /F 12 Tf 20 400 Td (secret price) Tj ET"),
        ("tiny", SHOWN + b"BT /F 0.05 Tf 20 100 Td (secret price) Tj ET"),
        (
            "covered",
            SHOWN + b"BT /F 12 Tf 20 100 Td (secret price) Tj ET 0 g 10 90 150 40 re f",
        ),
    ],
)
def test_hidden_words_stand_behind_the_page_and_not_on_it(reason: str, content: bytes) -> None:
    seen = look(made.one_page(content))
    assert seen.pages[0].text.split() == ["all", "can", "see", "this", "sentence"]
    assert "hidden_text" in seen.pages[0].flags or reason == "outside"
    assert seen.pages[1].text == "secret price"
    assert seen.pages[1].flags == ("hidden_text", f"hidden_{reason}")
    assert "hidden words of page 1" in seen.pages[1].label


@pytest.mark.parametrize(
    "content",
    [
        b"0 0 1 rg 10 90 150 40 re f BT 1 1 1 rg /F 12 Tf 20 100 Td (white on blue) Tj ET",
        b"0 g 10 90 m 10 130 l 30 140 l 160 130 l 160 128 l 12 128 l 12 90 l f"
        b" BT 0 g /F 12 Tf 20 100 Td (beside a shape) Tj ET",
        b"0 g 10 108 150 1 re f BT 0 g /F 12 Tf 20 100 Td (on a ruled line) Tj ET",
        b"1 0 0 rg 10 90 150 40 re f 1 g 15 95 150 30 re f BT 0.3 g /F 12 Tf 20 100 Td (x) Tj ET",
        b"1 1 0 rg 10 90 150 40 re f BT 0 g /F 12 Tf 20 100 Td (on a field) Tj ET",
        b"BT /F 12 Tf 20 100 Td (framed words) Tj ET 10 90 150 40 re S",
        b"BT /F 12 Tf 20 100 Td (half covered) Tj ET 0 g 10 90 40 40 re f",
    ],
)
def test_words_that_are_seen_are_not_called_hidden(content: bytes) -> None:
    seen = look(made.one_page(content))
    assert len(seen.pages) == 1
    assert seen.pages[0].flags == ()


def test_words_in_a_form_stand_where_the_form_puts_them() -> None:
    form = made.stream(
        b"BT /F 12 Tf 0 0 Td (moved inside) Tj ET",
        b"/Type /XObject /Subtype /Form /BBox [0 0 900 900]"
        b" /Resources << /Font << /F 5 0 R >> >> /Matrix [1 0 0 1 -300 0]",
    )
    page = made.one_page(b"q 1 0 0 1 320 50 cm /X Do Q", b"/XObject << /X 6 0 R >>", form)
    assert look(page).pages[0].flags == ()


def test_annotations_and_fields_are_told_with_author_and_time() -> None:
    data = made.one_page(
        SHOWN,
        b">> /Annots [6 0 R 7 0 R 8 0 R 9 0 R] /Unused <<",
        b"<< /Type /Annot /Subtype /Text /Rect [1 1 9 9] /Contents (check this price)"
        b" /T (Wang) /M (D:20260105100000+08'00') >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (1200) /Rect [1 1 9 9] >>",
        b"<< /Type /Annot /Subtype /Link /Rect [1 1 9 9] /A << /S /URI /URI (https://a.cn/x) >> >>",
        b"<< /Type /Annot /Subtype /Link /Rect [1 1 9 9] /A << /S /Launch /F (calc.exe) >> >>",
    )
    seen = look(data)
    notes = seen.pages[1]
    assert notes.flags == ("annotations",)
    assert notes.text.splitlines() == [
        "[批注 note] check this price [Wang, D:20260105100000+08'00']",
        "[表单域 field] amount: 1200",
        "[链接 link] https://a.cn/x",
    ]
    assert "launch_action" in seen.flags


def test_words_broken_by_a_hyphen_are_whole() -> None:
    content = b"BT /F 12 Tf 20 150 Td 14 TL (an agree-) Tj T* (ment was signed) Tj ET"
    assert "agreement" in look(made.one_page(content)).pages[0].text


def test_a_picture_that_nobody_reads_is_told() -> None:
    image = made.stream(
        b"\x00" * 300,
        b"/Type /XObject /Subtype /Image /Width 10 /Height 10 /BitsPerComponent 8"
        b" /ColorSpace /DeviceRGB",
    )
    content = SHOWN * 20 + b"q 80 0 0 80 100 10 cm /X Do Q"
    page = made.one_page(content, b"/XObject << /X 6 0 R >>", image)
    assert look(page).pages[0].flags == ("picture",)

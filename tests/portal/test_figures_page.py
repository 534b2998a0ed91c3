"""TT-10: the page of figures: it stands alone, defines each figure, and lies to nobody."""

import re
import xml.etree.ElementTree as ET
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal import plots
from appraisal.figure_words import WORDS
from appraisal.figures import Report, report
from portal.figures_page import POLICY, STYLE_HASH, figures_page
from portal.pages import new_page
from storage.errors import ConflictError, InputError
from tests.appraisal.histories_made import BOOK, CALENDAR, START, Plan, steps

NAME = '申江<script>alert(1)</script>"\u202e&鉴定中心'
SVG = "{http://www.w3.org/2000/svg}"


def made(**names: str) -> Report:
    plans = [
        Plan("委1", "SJ", "national", ("loss",), START, START, returned=START),
        Plan("委2", "SJ", "national", ("loss",), START, START),
        Plan("委3", "HJ", "zhejiang", ("loss",), START, START, returned=date(2026, 3, 9)),
        Plan("委4", "HJ", "zhejiang", ("loss",), START),
    ]
    found = {"SJ": NAME, "HJ": "衡鉴", **names}
    return report([steps(each) for each in plans], BOOK, CALENDAR, date(2026, 3, 31), names=found)


class Tags(HTMLParser):
    """Every tag with its attributes, and that each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_loads_nothing_and_runs_nothing(language: str) -> None:
    text = figures_page(made(), language)
    tags = Tags(text)
    assert not tags.open
    assert not {"script", "link", "img", "iframe", "a"} & {tag for tag, _ in tags.seen}
    for _, attributes in tags.seen:
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes)
    assert STYLE_HASH in POLICY
    assert "unsafe" not in POLICY
    assert "\u202e" not in text
    assert "<script>" not in text
    urls = set(re.findall(r"https?://[^\"' ]+", text))
    assert urls == {"http://www.w3.org/2000/svg"}


def test_tt_10_each_figure_is_defined_in_the_page_in_both_languages() -> None:
    text, english = figures_page(made()), figures_page(made(), "en")
    for word in WORDS.values():
        assert word.means_zh in text
        assert word.means_en in text.replace("&#x27;", "'")
        assert word.means_en in english.replace("&#x27;", "'")
    assert "按期率" not in english


def test_plots_have_titles_descriptions_and_hatchings() -> None:
    drawn = re.findall(r"<svg.*?</svg>", figures_page(made()), re.DOTALL)
    assert len(drawn) == 3
    identifiers = []
    for each in drawn:
        tree = ET.fromstring(each)
        assert tree.attrib["role"] == "img"
        title, told = (tree.find(f"{SVG}{name}") for name in ("title", "desc"))
        assert title is not None
        assert told is not None
        assert tree.attrib["aria-labelledby"] == f"{title.attrib['id']} {told.attrib['id']}"
        assert "衡鉴" in str(told.text)
        identifiers += [e.attrib["id"] for e in tree.iter() if "id" in e.attrib]
    assert len(identifiers) == len(set(identifiers))
    numbers = ET.fromstring(drawn[2])
    fills = {e.attrib.get("fill") for e in numbers.iter(f"{SVG}rect")}
    assert {"url(#numbers-p1)", "url(#numbers-p2)", "#fff"} <= fills


def test_the_same_report_gives_the_same_page() -> None:
    assert figures_page(made()) == figures_page(made())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_of_nothing_says_so(language: str) -> None:
    text = figures_page(report([], BOOK, CALENDAR, START), language)
    assert not Tags(text).open
    assert "NaN" not in text
    for each in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(each)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=80), st.lists(st.integers(0, 999), min_size=4, max_size=4))
    ),
    st.text(max_size=20),
)
def test_any_label_and_number_makes_a_plot_within_its_frame(rows, title) -> None:
    made_ = [
        plots.stacks(
            "a", title, ["甲", "乙", "丙", "丁"], [plots.Stack(n, tuple(v)) for n, v in rows]
        ),
        plots.shares("b", title, [plots.Share(n, v[0], "x") for n, v in rows]),
        plots.ranges(
            "c",
            title,
            ("m", "h", "l"),
            30,
            [plots.Range(n, min(v) if v[0] else None, max(v), v[1]) for n, v in rows],
        ),
    ]
    for text in made_:
        tree = ET.fromstring(text)
        _, _, width, height = map(float, tree.attrib["viewBox"].split())
        for box in tree.findall(f"{SVG}rect"):
            assert float(box.attrib["x"]) >= 0
            assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width
            assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height


def break_off(file: TextIO, trouble: BaseException) -> None:
    file.write("<h1>half")
    raise trouble


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_a_page_is_no_page(tmp_path: Path, trouble: BaseException) -> None:
    """What broke off does not lie there as if it were whole, nor in the way of the next try."""
    path = tmp_path / "figures.html"
    kind = InputError if isinstance(trouble, OSError) else KeyboardInterrupt
    with pytest.raises(kind), new_page(path) as file:
        break_off(file, trouble)
    assert not path.exists()
    with new_page(path) as file:
        file.write("whole")
    with pytest.raises(ConflictError), new_page(path):
        pass
    assert path.read_text() == "whole"

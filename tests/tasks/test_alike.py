"""Near-duplicates in a house, and two texts side by side, from the bundle to the page."""

import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from portal.cli import main
from portal.likeness_page import page
from storage.catalogue import alike, queries
from storage.custody import Custody
from storage.errors import InputError, NotFoundError
from storage.event import Action, decode
from storage.settings import relocate
from tasks import side_by_side
from tasks.alike import alike_to
from tasks.likeness.shingles import composed
from tasks.reader.cell import CellPool
from tests.house import forget, make_bundle
from tests.tasks.life import CASE, open_house, take

CLAUSES = [
    "第一条 甲方向乙方提供真空钎焊夹具的全部图纸、升温曲线及补偿槽尺寸。",
    "第二条 乙方对前述技术信息承担保密义务，期限为合同终止后五年。",
    "第三条 乙方不得以任何方式向第三方披露客户名单、报价单和供货渠道。",
    "第四条 违反本合同的一方应当支付违约金人民币二百万元。",
    "第五条 争议由上海知识产权法院管辖。",
]
EVIL = "</td></mark><b onclick=alert(1)>x</b>&amp;\u202e\u200b"
"""Markup, a character that turns text and one that hides."""


def contract(*changes: tuple[str, str], order: tuple[int, ...] = (0, 1, 2, 3, 4)) -> str:
    text = "\n".join(CLAUSES[number] for number in order)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def picture(kind: str, turned: int = 0, side: int = 240) -> bytes:
    image = Image.new("L", (240, 240))
    image.putdata(
        [
            (x + 40 * (x // 50 % 2) + 70 * (y // 70 % 2) + y // 4) % 256
            for y in range(240)
            for x in range(240)
        ]
    )
    made = io.BytesIO()
    image.rotate(turned).resize((side, side)).save(made, kind)
    return made.getvalue()


def packed(**members: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return made.getvalue()


FILES = {
    "a.txt": contract().encode(),
    "b.txt": contract(("二百万元", "三百万元"), ("乙方", "受让方")).encode("gb18030"),
    "c.txt": (
        "本院查明，" * 3 + "与合同无关的另一份说明，写的是别的事情，谈到天气和交通。"
    ).encode(),
    "d.zip": packed(
        **{
            "x.txt": contract(order=(0, 1, 4, 2, 3)),
            "y.txt": "短",
            "z.jpg": picture("JPEG", side=38),
        }
    ),
    "e.png": picture("PNG", side=39),
    "f.jpg": picture("JPEG", side=37),
    "g.png": picture("PNG", 90, 38),
    "h.txt": (contract() + EVIL).encode(),
    "i.txt": contract().encode(),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Iterator[Custody]:
    folder = tmp_path_factory.mktemp("alike")
    with open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "bundle", files=FILES))
        yield custody


def exhibit(name: str) -> str:
    return f"{CASE}/E{list(FILES).index(name) + 1:04d}"


def test_near_duplicates_of_a_text(house: Custody) -> None:
    found = alike_to(house, exhibit("a.txt"))
    (text,) = [group for group in found.groups if group.method == "text"]
    shares = {(each.name, each.part): each for each in text.near}
    assert set(shares) == {("b.txt", ""), ("x.txt", "0"), ("h.txt", ""), ("i.txt", "")}
    same = shares["i.txt", ""]
    assert (same.share, same.same_bytes, same.exact) == (1000, True, True)
    assert text.near[0] is same
    assert 500 <= (shares["b.txt", ""].share or 0) < 900
    assert (shares["x.txt", "0"].share or 0) > 850
    body = found.as_json()
    assert body["evidence"] is False
    assert "不是" in body["note_zh"]
    assert body["method"]["text"]["permutations"] == 128


def test_near_duplicates_of_images_and_of_parts(house: Custody) -> None:
    found = alike_to(house, exhibit("e.png"))
    (image,) = [group for group in found.groups if group.method == "image"]
    assert {(each.name, each.part) for each in image.near} == {("f.jpg", ""), ("z.jpg", "2")}
    assert (image.near[0].distance or 0) <= image.threshold == 31
    inside = alike_to(house, exhibit("d.zip"))
    assert {(group.part, group.method) for group in inside.groups} >= {
        ("0", "text"),
        ("2", "image"),
    }
    assert inside.unmeasured == ("1",)
    alone = alike_to(house, exhibit("d.zip"), "0")
    assert {group.part for group in alone.groups} == {"0"}
    with pytest.raises(NotFoundError):
        alike_to(house, exhibit("d.zip"), "7")


def test_values_are_on_record_of_each_reading(house: Custody) -> None:
    leaves = (decode(leaf) for _, leaf in house.log.reader().entries())
    reads = [event for event in leaves if event.action is Action.READ]
    assert all(event.details["likeness"]["version"] == "1" for event in reads)
    with house.read() as session:
        number = queries.find_exhibit(session, exhibit("a.txt"))["exhibit_id"]
        kept = {each.method: each.value for each in alike.of_item(session, number)}
        (event,) = [each for each in reads if each.exhibits == (number,)]
        assert event.details["likeness"]["text"]["signature"] == kept["text"]
        assert event.details["likeness"]["file"]["value"] == kept["file"]


def compared(house: Custody, one: str, other: str, **parts: str) -> side_by_side.SideBySide:
    return side_by_side.side_by_side(house, exhibit(one), exhibit(other), **parts)


def test_passages_are_marked_and_nothing_is_lost(house: Custody) -> None:
    found = compared(house, "a.txt", "b.txt")
    one = "".join(piece.text for row in found.rows for piece in row.one)
    other = "".join(piece.text for row in found.rows for piece in row.other)
    assert (one, other) == (
        composed(FILES["a.txt"].decode()),
        composed(FILES["b.txt"].decode("gb18030")),
    )
    different = {
        ("".join(p.text for p in row.one), "".join(p.text for p in row.other))
        for row in found.rows
        if not row.same
    }
    assert ("二", "三") in different
    assert found.one.common > 900
    assert found.one.moved == found.other.moved == 0
    assert found.jaccard is not None
    assert found.file_distance is not None
    assert compared(house, "a.txt", "i.txt").one.common == 1000


def test_a_moved_clause_is_found_in_a_part(house: Custody) -> None:
    found = compared(house, "a.txt", "d.zip", other_part="0")
    assert found.one.moved > 0
    moved = "".join(p.text for row in found.rows for p in row.one if p.kind == "moved")
    assert "第五条" in moved
    with pytest.raises(NotFoundError):
        compared(house, "a.txt", "d.zip", other_part="9")


class Checker(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name in ("src", "href") or name[:2] == "on"]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_the_page_is_inert_and_says_what_it_is(house: Custody) -> None:
    made = page(compared(house, "a.txt", "h.txt"))
    checker = Checker()
    checker.feed(made)
    assert not checker.tags & {"b", "script", "img", "iframe", "a", "link", "form", "object"}
    said = "".join(checker.said)
    assert "alert(1)" in said
    assert "不是鉴定意见" in said
    assert "never" in said or "neither" in said
    assert '"permutations": 128' in said
    assert "\u202e" not in made
    assert "\u200b" not in made
    assert "\\u202e" in made
    assert re.search(r"default-src 'none'", made)
    assert made.count('class="agrees"') >= 1


def test_what_has_no_text_is_refused(house: Custody) -> None:
    with pytest.raises(InputError, match="no text") as caught:
        compared(house, "a.txt", "d.zip")
    assert caught.value.remedy


def test_the_commands(house: Custody, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        relocate(house.settings.home)
        forget()
        try:
            return main(arguments), *capsys.readouterr()
        finally:
            forget()
            os.environ.pop("CUSTODY_HOME", None)

    code, out, _ = run("alike", exhibit("a.txt"))
    assert code == 0
    assert "不是鉴定意见" in out
    assert "字节相同" in out
    code, out, _ = run("alike", exhibit("d.zip"), "--part", "0", "--json")
    assert json.loads(out)["groups"][0]["part"] == "0"
    html = tmp_path / "a.html"
    code, out, _ = run("compare", exhibit("a.txt"), exhibit("b.txt"), "--html", str(html), "--json")
    assert code == 0
    assert json.loads(out)["one"]["common"] > 900
    assert html.read_text("utf-8").startswith("<!doctype html>")
    before = html.read_bytes()
    code, out, err = run("compare", exhibit("a.txt"), exhibit("b.txt"), "--html", str(html))
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 2
    assert html.read_bytes() == before
    code, out, err = run("compare", exhibit("a.txt"), "X/E0001", "--html", str(tmp_path / "b.html"))
    assert code == 2
    assert not (tmp_path / "b.html").exists()

"""Every page can be read and used by everybody: axe, narrow windows, both languages, the dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.everywhere import PLACES
from tests.browser.seen import DESK, PHONE, Site, Visitor


@pytest.mark.parametrize(
    ("size", "english", "options"),
    [
        pytest.param(DESK, False, {}, id="Chinese, at a desk"),
        pytest.param(PHONE, True, {"color_scheme": "dark"}, id="English, phone, dark"),
    ],
)
def test_axe_finds_nothing_serious_on_any_page(
    chromium: Browser, site: Site, size: tuple[int, int], english: bool, options: dict[str, Any]
) -> None:
    """Also: nothing is wider than the window, and every page says its language and its title."""
    wrong: list[str] = []
    with Visitor.come(chromium, site, size, bypass_csp=True, **options) as visitor:
        signed_in = ""
        if english:
            visitor.open("/language/en?back=/sign-in")
        for place in PLACES:
            if place.who != signed_in:
                visitor.context.clear_cookies(name="zhenglian-dev-session")
                visitor.sign_in(place.who)
                signed_in = place.who
            visitor.open(place.address(site))
            for details in visitor.page.locator("details").all():
                details.evaluate("each => each.open = true")
            wrong += [f"{place.name}: {each}" for each in visitor.inaccessible()]
            if not visitor.fits():
                wrong.append(f"{place.name}: wider than the window")
            lang = visitor.page.locator("html").get_attribute("lang")
            assert lang == ("en" if english else "zh-CN"), place.name
            assert len(visitor.page.locator("h1").all()) == 1, place.name
    assert wrong == []


def test_axe_would_tell(visitor: Visitor) -> None:
    """A field that has lost its label is found: the finding above is not for want of looking."""
    visitor.open("/sign-in")
    visitor.page.locator("label[for=name]").evaluate("each => each.remove()")
    assert any("label" in each for each in visitor.inaccessible())


def test_the_language_is_kept(visitor: Visitor) -> None:
    """The switch changes the words, leads back to the same page, and is kept."""
    visitor.sign_in()
    visitor.open("/tokens")
    visitor.speak_english()
    expect(visitor.page.get_by_role("heading", name="API tokens")).to_be_visible()
    visitor.open("/queue")
    expect(visitor.page.get_by_role("heading", name="Commissions", exact=True)).to_be_visible()
    visitor.page.get_by_role("link", name="中文").click()
    expect(visitor.page.get_by_role("heading", name="鉴定委托")).to_be_visible()

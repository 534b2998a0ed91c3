"""Pictures of every page, for people who review the look.

Run it with ``python -m tests.browser.screens FOLDER``.

Each page at a desk and on a phone, in Chinese and in English; some in the dark as well.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import served
from tests.browser.everywhere import PLACES, Place
from tests.browser.seen import CHROMIUM, DESK, PHONE, Site, Visitor
from tests.browser.world import made_world
from tests.house import opened_house

_LOOKS: tuple[tuple[str, tuple[int, int], dict[str, Any]], ...] = (
    ("desk-zh", DESK, {}),
    ("desk-en", DESK, {}),
    ("phone-zh", PHONE, {}),
    ("phone-en", PHONE, {}),
    ("desk-zh-dark", DESK, {"color_scheme": "dark"}),
)


def main(folder: Path) -> None:
    """Make the world, serve it, and take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        custody = stack.enter_context(opened_house(scratch / "home"))
        began = time.monotonic()
        world = made_world(
            custody, scratch, lambda: timedelta(seconds=int(time.monotonic() - began))
        )
        site = Site(stack.enter_context(served(world.custody)), world)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(**CHROMIUM)
        for name, size, options in _LOOKS:
            _take(browser, site, folder, name, size, options)
        browser.close()


def _take(
    browser: Browser,
    site: Site,
    folder: Path,
    look: str,
    size: tuple[int, int],
    options: dict[str, Any],
) -> None:
    with Visitor.come(browser, site, size, **options) as visitor:
        if "-en" in look:
            visitor.open("/language/en?back=/sign-in")
        for who in dict.fromkeys(place.who for place in PLACES):
            if who:
                visitor.context.clear_cookies(name="zhenglian-dev-session")
                visitor.sign_in(who)
            for place in (each for each in PLACES if each.who == who):
                _picture(visitor, place, folder / f"{place.name}.{look}.png")


def _picture(visitor: Visitor, place: Place, path: Path) -> None:
    visitor.open(place.address(visitor.site))
    for details in visitor.page.locator(".clock details").all():
        details.evaluate("each => each.open = true")
    visitor.page.screenshot(path=path, full_page=True)
    print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screens"))
